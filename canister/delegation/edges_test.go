package delegation

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Prune says that the root is another when, and only when, a signature has gone, also among entries of renewed
// ones that take nothing out.
func TestPruneSaysWhetherTheRootChanged(t *testing.T) {
	s := New()
	next, changed := s.Prune(1 << 60)
	require.Zero(t, next)
	require.False(t, changed, "nothing is there")

	s.Add(testSeed(1), testMessage(1), 100)
	s.Add(testSeed(2), testMessage(2), 200)
	root := s.Root(&EmptyTree)
	next, changed = s.Prune(100 + Lifetime - 1)
	require.Equal(t, uint64(100+Lifetime), next)
	require.False(t, changed, "nothing has expired")
	s.Add(testSeed(1), testMessage(1), 300) // renewed: its first entry takes nothing out
	next, changed = s.Prune(100 + Lifetime)
	require.Equal(t, uint64(200+Lifetime), next)
	require.False(t, changed, "it was renewed")
	require.Equal(t, root, s.Root(&EmptyTree))
	require.Equal(t, 2, s.Len())

	s.Add(testSeed(1), testMessage(1), 400)
	next, changed = s.Prune(300 + Lifetime) // the second goes, and then an entry that takes nothing out
	require.Equal(t, uint64(400+Lifetime), next)
	require.True(t, changed)
	require.Equal(t, 1, s.Len())
	alone := New()
	alone.Add(testSeed(1), testMessage(1), 400)
	require.Equal(t, alone.Root(&EmptyTree), s.Root(&EmptyTree))
	next, changed = s.Prune(400 + Lifetime)
	require.Zero(t, next)
	require.True(t, changed)
	require.Zero(t, s.Len())
	require.Equal(t, New().Root(&EmptyTree), s.Root(&EmptyTree))
}

// The queue gives its values in order over the borders of chunks, and uses left chunks again.
func TestQueueOverChunks(t *testing.T) {
	var q queue
	q.begin(new([chunkLen]entry))
	in, out := uint64(0), uint64(0)
	for round := range 5 {
		for range chunkLen + 20 {
			q.add(&entry{expires: in})
			in++
		}
		for range chunkLen + 10*round/2 {
			require.Equal(t, out, q.first().expires)
			q.drop()
			out++
		}
	}
	for !q.empty() {
		require.Equal(t, out, q.first().expires)
		q.drop()
		out++
	}
	require.Equal(t, in, out)
	require.LessOrEqual(t, len(q.chunks), 4, "left chunks are used again")
}

func TestLengthsOfNumbers(t *testing.T) {
	for v, want := range map[uint64][]byte{0: {0}, 0x7f: {0x7f}, 0x80: {0x80, 1}, 0x3fff: {0xff, 0x7f}, 0x4000: {0x80, 0x80, 1}} {
		require.Equal(t, want, appendLEB128(nil, v))
	}
	for n, want := range map[int][]byte{
		23: {0x57}, 24: {0x58, 24}, 255: {0x58, 255}, 256: {0x59, 1, 0}, 65535: {0x59, 0xff, 0xff}, 65536: {0x5a, 0, 1, 0, 0},
	} {
		require.Equal(t, want, appendHead(nil, 2<<5, n))
	}
}
