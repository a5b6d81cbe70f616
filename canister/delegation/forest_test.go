package delegation

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is there first lies together with the map itself and needs no room of its own.
func TestFirstChunksAreThere(t *testing.T) {
	s := New()
	require.Len(t, s.forest.forks.chunks, 1)
	require.Len(t, s.forest.leaves.chunks, 1)
	require.Len(t, s.queue.chunks, 1)
	require.Equal(t, 32, cap(s.queue.chunks), "2,048 values before the list of chunks moves")
}

// countFree follows the free lists.
func countFree(f *forest) (forks, leaves int) {
	for r := f.freeFork; r != 0; r = f.forks.at(r.fork()).left {
		forks++
	}
	for r := f.freeLeaf; r != 0; r = f.leaves.at(r.leaf()).sub {
		leaves++
	}
	return forks, leaves
}

// Over a long life of signatures that come, are renewed and expire one by one, every root is that of a tree
// built at once, and every node is in the tree or free.
func TestForestOverALongLife(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s, now := New(), uint64(1)
	live := map[[2]int]uint64{} // seed and message, to the time of expiry
	peak := 0
	check := func() {
		var list []signature
		seeds := map[int]bool{}
		for of, expires := range live {
			list = append(list, signature{testSeed(of[0]), testMessage(of[1]), expires})
			seeds[of[0]] = true
		}
		require.Equal(t, len(live), s.Len())
		require.Equal(t, modelRoot(EmptyTree, list), s.Root(&EmptyTree))
		forks, leaves := countFree(&s.forest)
		require.Equal(t, s.forest.leaves.len, leaves+len(live)+len(seeds), "a leaf for each signature and each seed")
		inUse := len(live) - len(seeds) + max(len(seeds)-1, 0) // a trie of n leaves has n-1 forks
		require.Equal(t, s.forest.forks.len, forks+inUse)
		peak = max(peak, inUse)
		require.LessOrEqual(t, s.forest.forks.len, peak+4, "freed forks are used again: at most four are added before a check")
	}
	for range 600 {
		for range random.IntN(4) {
			of := [2]int{random.IntN(25), random.IntN(3)}
			s.Add(testSeed(of[0]), testMessage(of[1]), now)
			live[of] = now + Lifetime
		}
		now += Lifetime / 40 * random.Uint64N(4)
		s.Prune(now)
		for of, expires := range live {
			if expires <= now {
				delete(live, of)
			}
		}
		check()
	}
	for next, _ := s.Prune(now); next != 0; next, _ = s.Prune(next) {
		for of, expires := range live {
			if expires <= next {
				delete(live, of)
			}
		}
		s.Prune(next)
		check()
	}
	require.Empty(t, live)
}

// The entry of a signature that was renewed and has gone takes out no other, be it one of the same message by the
// neighbour of its seed, or one of the same seed.
func TestEntriesOfWhatHasGone(t *testing.T) {
	s := New()
	s.Add(testSeed(1), testMessage(1), 0)
	s.Add(testSeed(1), testMessage(1), 10)
	s.Add(testSeed(2), testMessage(1), 20)
	s.Add(testSeed(2), testMessage(2), 100)
	s.Prune(20 + Lifetime)
	require.Equal(t, modelRoot(EmptyTree, []signature{{testSeed(2), testMessage(2), 0}}), s.Root(&EmptyTree))

	s = New()
	for i := range uint64(MaxPruned) {
		s.Add(testSeed(1), testMessage(1), i)
	}
	s.Add(testSeed(1), testMessage(2), MaxPruned)
	next, _ := s.Prune(MaxPruned + Lifetime)
	require.Equal(t, MaxPruned+Lifetime, next)
	require.Equal(t, 1, s.Len(), "as many entries as one call takes are of the first")
}
