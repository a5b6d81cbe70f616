package storage

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func entries(t require.TestingT, s *Store) []entry {
	var all []entry
	require.NoError(t, s.scan(entry{}, func(e entry) bool { all = append(all, e); return true }))
	return all
}

func emptyStore(t require.TestingT) *Store {
	s, err := Create(NewRAM(0), Config{Lo: 10000, Hi: 1 << 20})
	require.NoError(t, err)
	return s
}

// The tree holds what a sorted list would, in its order, whatever is put in and taken out.
func TestTreeIsASortedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := emptyStore(t)
		model := map[entry]bool{}
		keys := rapid.Custom(func(t *rapid.T) entry {
			return entry{rapid.Uint64Range(0, 3).Draw(t, "key"), rapid.Uint64Range(0, 600).Draw(t, "order")}
		})
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			first := keys.Draw(t, "first")
			n := rapid.IntRange(1, 400).Draw(t, "n")
			insert := rapid.Bool().Draw(t, "insert")
			stride := rapid.Uint64Range(1, 5).Draw(t, "stride")
			for i := range uint64(n) {
				e := entry{first.key, first.order + i*stride}
				if insert {
					require.NoError(t, s.insertEntry(e))
					model[e] = true
				} else {
					require.NoError(t, s.deleteEntry(e))
					delete(model, e)
				}
			}
			want := make([]entry, 0, len(model))
			for e := range model {
				want = append(want, e)
			}
			slices.SortFunc(want, entry.compare)
			require.Equal(t, want, append([]entry{}, entries(t, s)...))
			require.Equal(t, uint64(len(want)), s.sb.entries)
		}
	})
}

func TestTreeGrowsAndEmpties(t *testing.T) {
	s := emptyStore(t)
	const n = 30_000
	spread := func(i int) entry { return entry{uint64(i) * 0x9e3779b97f4a7c15, uint64(i)} }
	for i := range n {
		require.NoError(t, s.insertEntry(spread(i)))
	}
	require.Equal(t, uint32(3), s.sb.height)
	all := entries(t, s)
	require.Len(t, all, n)
	require.True(t, slices.IsSortedFunc(all, entry.compare))
	for i := range n {
		require.NoError(t, s.deleteEntry(spread(i)))
	}
	require.Empty(t, entries(t, s))
	r := s.sb.regions[index]
	require.Equal(t, r.units, r.freed, "every node is free again")
	require.Zero(t, s.sb.root)
}

func TestDamagedNodeIsNamed(t *testing.T) {
	s := emptyStore(t)
	for i := range 1000 {
		require.NoError(t, s.insertEntry(entry{uint64(i), 0}))
	}
	at, err := s.address(index, s.sb.root-1)
	require.NoError(t, err)
	require.NoError(t, s.mem.WriteAt([]byte{1}, at+innerHead+3))
	err = s.insertEntry(entry{5, 5})
	require.ErrorContains(t, err, "index node")
	require.True(t, isCorrupted(err))
}
