package migrations

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
)

// A refusal names the first twenty anchors, says whether there are others, and no anchor that loses nothing.
func TestRefusalNamesTheFirstAnchors(t *testing.T) {
	for _, c := range []struct {
		guarded func(i int) bool
		n       int
		first   []uint64
		more    bool
	}{
		{func(i int) bool { return i == 3 }, 10, []uint64{3}, false},
		{func(i int) bool { return i%2 == 1 }, 9, []uint64{1, 3, 5, 7}, false},
		{func(int) bool { return true }, 20, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, false},
		{func(int) bool { return true }, 21, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, true},
		{func(i int) bool { return i == 0 || i == 199 }, 200, []uint64{0, 199}, false},
		{func(i int) bool { return i == 0 || i == 200 }, 201, []uint64{0}, true},
	} {
		s, err := storage.Create(storage.NewRAM(0), storage.Config{Lo: 0, Hi: 1000, Layout: storage.Layout2})
		require.NoError(t, err)
		for i := range c.n {
			number, err := s.Allocate()
			require.NoError(t, err)
			a := anchor(number, i)
			a.Guard = c.guarded(i)
			require.NoError(t, s.Write(a))
		}
		require.NoError(t, StartBack(s, 0))
		require.Equal(t, Status{Layout: 2, Step: 1, Name: records2.Name, Phase: storage.Checking, Total: uint64(c.n)}, StatusOf(s))
		_, err = Run(s, unlimited)
		var refused *RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, c.first, refused.Anchors)
		require.Equal(t, c.more, refused.More)
		if c.more {
			require.ErrorContains(t, err, " and others: have their owners remove them")
		} else {
			require.NotContains(t, err.Error(), "and others")
		}
		require.Equal(t, storage.Up, StatusOf(s).Phase)
		finish(t, s, 50)
		require.Equal(t, Status{Layout: 2}, StatusOf(s), "and no further")
	}
}

// Anchors that are registered while a step runs are in its total.
func TestTotalGrows(t *testing.T) {
	s := open(t, golden(t, "v1.mem.gz"))
	require.NoError(t, StartTo(s, 2))
	_, err := Run(s, units(1))
	require.NoError(t, err)
	number, err := s.Allocate()
	require.NoError(t, err)
	require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: anchor(number, 1).Devices}))
	_, err = Run(s, units(1))
	require.NoError(t, err)
	require.Equal(t, uint64(5), StatusOf(s).Total)
}
