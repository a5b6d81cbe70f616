package delegation

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/ic/hashtree"
)

// signature is one line of the model: what is signed and until when it can be had.
type signature struct {
	seed    Seed
	message Message
	expires uint64
}

func testSeed(i int) Seed       { return sha256.Sum256([]byte{'s', byte(i)}) }
func testMessage(i int) Message { return sha256.Sum256([]byte{'m', byte(i)}) }

// modelRoot builds the certified tree of the signatures with the general hash tree package.
func modelRoot(sibling [32]byte, signatures []signature) [32]byte {
	var upper hashtree.Map
	for _, s := range signatures {
		key := sha256.Sum256(s.seed[:])
		var lower hashtree.Map
		for _, other := range signatures {
			if other.seed == s.seed {
				lower = lower.With(other.message[:], hashtree.Leaf(nil))
			}
		}
		upper = upper.With(key[:], lower.Tree())
	}
	return hashtree.Fork(hashtree.Pruned(sibling), hashtree.Labeled([]byte("sig"), upper.Tree())).Hash()
}

// The signature map behaves like a list of what was signed: the same root as a tree built at once, a valid
// witness for everything alive, and nothing for what is not.
func TestSignaturesFollowTheModel(t *testing.T) {
	sibling := sha256.Sum256([]byte("assets"))
	rapid.Check(t, func(t *rapid.T) {
		s := New()
		var live []signature // in the tree: not pruned
		adds := 0
		now := uint64(1_700_000_000_000_000_000)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				one := signature{testSeed(rapid.IntRange(0, 5).Draw(t, "seed")), testMessage(rapid.IntRange(0, 5).Draw(t, "message")), now + Lifetime}
				s.Add(one.seed, one.message, now)
				adds++
				live = slices.DeleteFunc(live, func(o signature) bool { return o.seed == one.seed && o.message == one.message })
				live = append(live, one)
			},
			"time": func(t *rapid.T) { now += rapid.Uint64Range(0, Lifetime).Draw(t, "step") },
			"prune": func(t *rapid.T) {
				next, _ := s.Prune(now)
				for range adds / MaxPruned { // one call takes out that many, renewed ones counted
					if next != 0 && next <= now {
						next, _ = s.Prune(now)
					}
				}
				live = slices.DeleteFunc(live, func(o signature) bool { return o.expires <= now })
				if len(live) == 0 && next == 0 {
					return
				}
				if next <= now {
					t.Fatalf("prune wants to be called at %d, which has passed", next)
				}
			},
			"": func(t *rapid.T) {
				if s.Len() != len(live) {
					t.Fatalf("%d signatures, want %d", s.Len(), len(live))
				}
				root := s.Root(&sibling)
				if root != modelRoot(sibling, live) {
					t.Fatalf("the root is not that of the tree built at once")
				}
				for i := range 6 * 6 {
					seed, message := testSeed(i/6), testMessage(i%6)
					at := slices.IndexFunc(live, func(o signature) bool { return o.seed == seed && o.message == message })
					signature, ok := s.Get(nil, seed, message, now, &sibling, []byte{0xa0})
					if want := at >= 0 && live[at].expires > now; ok != want {
						t.Fatalf("seed %d message %d: got %v, want %v", i/6, i%6, ok, want)
					}
					if ok {
						checkWitness(t, signature, root, seed, message)
					}
				}
			},
		})
	})
}

// checkWitness verifies the tree in a signature as the network does.
func checkWitness(t require.TestingT, signature []byte, root [32]byte, seed Seed, m Message) {
	const before = "\xd9\xd9\xf7\xa2\x6bcertificate\x41\xa0\x64tree"
	require.Equal(t, before, string(signature[:len(before)]))
	tree, err := hashtree.Decode(signature[len(before):])
	require.NoError(t, err)
	require.Equal(t, root, tree.Hash())
	key := sha256.Sum256(seed[:])
	value, status := tree.Lookup([]byte("sig"), key[:], m[:])
	require.Equal(t, hashtree.Found, status)
	require.Empty(t, value)
}

func TestPruneIsBoundedAndFinishes(t *testing.T) {
	s := New()
	const n = 3000
	for i := range n {
		s.Add(numbered(i), testMessage(0), 0)
	}
	calls := 0
	for next := uint64(1); next != 0; calls++ {
		before := s.Len()
		next, _ = s.Prune(Lifetime)
		require.LessOrEqual(t, before-s.Len(), MaxPruned)
	}
	require.Equal(t, n/MaxPruned, calls)
	require.Zero(t, s.Len())
	require.True(t, s.queue.empty())
	require.Equal(t, New().Root(&EmptyTree), s.Root(&EmptyTree))

	// What was freed is used again.
	leaves, chunks := s.forest.leaves.len, len(s.queue.chunks)
	for i := range n {
		s.Add(numbered(i), testMessage(0), 0)
	}
	require.Equal(t, leaves, s.forest.leaves.len)
	require.Equal(t, chunks, len(s.queue.chunks))
}

func TestPathsStayShort(t *testing.T) {
	s := New()
	for i := range 10_000 {
		s.Add(numbered(i), testMessage(0), 0)
	}
	signature, ok := s.Get(nil, numbered(77), testMessage(0), 1, &EmptyTree, nil)
	require.True(t, ok)
	// 34 bytes a pruned neighbour and 3 a fork: twice the binary logarithm of 10,000 is a generous bound.
	require.Less(t, len(signature), 200+27*37)
}

func numbered(i int) Seed {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(i))
	return sha256.Sum256(b[:])
}
