package tree

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A batch leaves what the same edits leave one by one.
func TestBatchEqualsOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, batched := emptyTree(t), emptyTree(t)
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			n := rapid.IntRange(0, 2000).Draw(t, "n")
			stride := rapid.Uint64().Draw(t, "stride")
			insert := rapid.IntRange(0, 3).Draw(t, "deletions")
			edit := func(s *Tree) error {
				for i := range uint64(n) {
					e := Entry{i * stride % 4001 << 50, i % 7}
					do := s.Insert
					if int(i%4) < insert {
						do = s.Delete
					}
					if err := do(e); err != nil {
						return err
					}
				}
				return nil
			}
			require.NoError(t, edit(one))
			batched.Begin()
			require.True(t, batched.Batching())
			require.NoError(t, edit(batched))
			require.NoError(t, batched.End(false))
			require.False(t, batched.Batching())
			require.Equal(t, entries(t, one), entries(t, batched))
			require.Equal(t, one.Entries, batched.Entries)
		}
	})
}

// An error inside a batch, or an empty tree, leaves nothing waiting.
func TestDroppedBatch(t *testing.T) {
	s := emptyTree(t)
	s.Begin()
	require.NoError(t, s.Insert(Entry{1, 1}))
	require.NoError(t, s.End(true))
	require.Empty(t, entries(t, s))
	s.Begin()
	require.NoError(t, s.Insert(Entry{1, 1}))
	s.Clear()
	require.NoError(t, s.End(false))
	require.Empty(t, entries(t, s))
}
