package tree

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

func entries(t require.TestingT, s *Tree) []Entry {
	var all []Entry
	require.NoError(t, s.Scan(Entry{}, func(e Entry) bool { all = append(all, e); return true }))
	return all
}

// nodes is the region of the nodes in tests.
const nodes = alloc.Region(3)

func emptyTree(t require.TestingT) *Tree {
	mem := stable.NewRAM(0)
	require.NoError(t, mem.Grow(2))
	var kinds [alloc.Regions]alloc.Kind
	for i := range kinds {
		kinds[i] = alloc.Kind{Name: "index", UnitSize: NodeSize}
	}
	a := new(alloc.Allocator)
	a.Init(mem, &kinds)
	s := new(Tree)
	s.Init(a, nodes)
	return s
}

// The tree holds what a sorted list would, in its order, whatever is put in and taken out.
func TestTreeIsASortedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := emptyTree(t)
		model := map[Entry]bool{}
		keys := rapid.Custom(func(t *rapid.T) Entry {
			return Entry{rapid.Uint64Range(0, 3).Draw(t, "key"), rapid.Uint64Range(0, 600).Draw(t, "order")}
		})
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			first := keys.Draw(t, "first")
			n := rapid.IntRange(1, 400).Draw(t, "n")
			insert := rapid.Bool().Draw(t, "insert")
			stride := rapid.Uint64Range(1, 5).Draw(t, "stride")
			for i := range uint64(n) {
				e := Entry{first.Key, first.Order + i*stride}
				if insert {
					require.NoError(t, s.Insert(e))
					model[e] = true
				} else {
					require.NoError(t, s.Delete(e))
					delete(model, e)
				}
			}
			want := make([]Entry, 0, len(model))
			for e := range model {
				want = append(want, e)
			}
			slices.SortFunc(want, Entry.Compare)
			require.Equal(t, want, append([]Entry{}, entries(t, s)...))
			require.Equal(t, uint64(len(want)), s.Entries)
		}
	})
}

func TestTreeGrowsAndEmpties(t *testing.T) {
	s := emptyTree(t)
	const n = 30_000
	spread := func(i int) Entry { return Entry{uint64(i) * 0x9e3779b97f4a7c15, uint64(i)} }
	for i := range n {
		require.NoError(t, s.Insert(spread(i)))
	}
	require.Equal(t, uint32(3), s.Height)
	all := entries(t, s)
	require.Len(t, all, n)
	require.True(t, slices.IsSortedFunc(all, Entry.Compare))
	for i := range n {
		require.NoError(t, s.Delete(spread(i)))
	}
	require.Empty(t, entries(t, s))
	r := s.alloc.Regions[s.region]
	require.Equal(t, r.Units, r.Freed, "every node is free again")
	require.Zero(t, s.Root)
}

func TestDamagedNodeIsNamed(t *testing.T) {
	s := emptyTree(t)
	for i := range 1000 {
		require.NoError(t, s.Insert(Entry{uint64(i), 0}))
	}
	at, err := s.alloc.Address(s.region, s.Root-1)
	require.NoError(t, err)
	require.NoError(t, s.alloc.Memory.WriteAt([]byte{1}, at+innerHead+3))
	err = s.Insert(Entry{5, 5})
	require.ErrorContains(t, err, "index node")
	require.True(t, stable.IsCorrupted(err))
}
