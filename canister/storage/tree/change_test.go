package tree

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A change makes what its entries say, whether they share a leaf or not, and costs one reading and one writing of each leaf.
func TestChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := emptyTree(t)
		model := map[Entry]bool{}
		some := func(name string) (all []Entry) {
			from, stride := rapid.Uint64Range(0, 900).Draw(t, name), rapid.Uint64Range(1, 300).Draw(t, name+"'s stride")
			for i := range uint64(rapid.IntRange(0, 200).Draw(t, name+"'s number")) {
				all = append(all, Entry{i * stride / 1000, from + i*stride%1000})
			}
			slices.SortFunc(all, Entry.Compare)
			return slices.Compact(all)
		}
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			before, after := some("before"), some("after")
			require.NoError(t, s.Change(before, after))
			for _, e := range before {
				if !slices.Contains(after, e) {
					delete(model, e)
				}
			}
			for _, e := range after {
				if !slices.Contains(before, e) {
					model[e] = true
				}
			}
			got := entries(t, s)
			require.True(t, slices.IsSortedFunc(got, Entry.Compare))
			require.Len(t, got, len(model))
			for _, e := range got {
				require.True(t, model[e], "%v", e)
			}
			require.Equal(t, uint64(len(model)), s.Entries)
		}
	})

	s := emptyTree(t)
	require.NoError(t, s.Change(nil, []Entry{{1, 1}, {1, 2}, {1, 3}}))
	require.Equal(t, 2, accesses(t, s, func() error { return s.Change([]Entry{{1, 1}, {1, 2}}, []Entry{{1, 2}, {2, 1}}) }))
	require.Equal(t, []Entry{{1, 2}, {1, 3}, {2, 1}}, entries(t, s))
	require.Equal(t, 0, accesses(t, s, func() error { return s.Change([]Entry{{1, 2}}, []Entry{{1, 2}}) }), "what stays is not looked at")
}
