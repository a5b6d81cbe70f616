package tree

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is remembered of the upper nodes is what memory has, whatever is inserted and deleted.
func TestUpperNodesAreAsInMemory(t *testing.T) {
	s := emptyTree(t)
	const n = 40_000 // makes a tree of three levels
	key := func(i int) Entry { return Entry{uint64(i) * 0x9e3779b97f4a7c15, 0} }
	check := func() {
		t.Helper()
		require.NotEmpty(t, s.cache)
		for number, kept := range s.cache {
			var fresh node
			require.NoError(t, s.readNode(&fresh, number, kept.level()))
			require.Equal(t, fresh, *kept, "node %d", number)
		}
	}
	for i := range n {
		require.NoError(t, s.Insert(key(i)))
	}
	require.GreaterOrEqual(t, int(s.Height), cachedLevel+1)
	check()
	for i := range n - 1 {
		require.NoError(t, s.Delete(key(i)))
		if i == n/2 {
			check()
		}
	}
	var left []Entry
	require.NoError(t, s.Scan(Entry{}, func(e Entry) bool { left = append(left, e); return true }))
	require.Equal(t, []Entry{key(n - 1)}, left)
	s.Clear()
	require.Empty(t, s.cache)
}
