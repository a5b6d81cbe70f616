package storage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is remembered of the upper nodes is what memory has, whatever is inserted and deleted.
func TestUpperNodesAreAsInMemory(t *testing.T) {
	s, err := Create(NewRAM(0), Config{Lo: 1, Hi: 2})
	require.NoError(t, err)
	const n = 40_000 // makes a tree of three levels
	key := func(i int) entry { return entry{uint64(i) * 0x9e3779b97f4a7c15, 0} }
	check := func() {
		t.Helper()
		require.NotEmpty(t, s.upper)
		for number, kept := range s.upper {
			var fresh node
			require.NoError(t, s.readNode(&fresh, number, kept.level()))
			require.Equal(t, fresh, *kept, "node %d", number)
		}
	}
	for i := range n {
		require.NoError(t, s.insertEntry(key(i)))
	}
	require.GreaterOrEqual(t, int(s.sb.height), upperLevel+1)
	check()
	for i := range n - 1 {
		require.NoError(t, s.deleteEntry(key(i)))
		if i == n/2 {
			check()
		}
	}
	var left []entry
	require.NoError(t, s.scan(entry{}, func(e entry) bool { left = append(left, e); return true }))
	require.Equal(t, []entry{key(n - 1)}, left)
	s.clearIndex()
	require.Empty(t, s.upper)
}
