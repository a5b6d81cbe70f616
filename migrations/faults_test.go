package migrations

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/canister/storage/stable"
)

// A single access of memory that fails is answered, whichever it is, reads included: no step takes a fault for
// a damaged anchor, for the end of its work or for a refusal.
func TestFaultOfOneAccess(t *testing.T) {
	from := func(name string) func() *storage.RAM { return func() *storage.RAM { return golden(t, name) } }
	for _, c := range []struct {
		name  string
		image func() *storage.RAM
		begin func(*storage.Store) error
	}{
		{"up from 1", from("v1.mem.gz"), Start},
		{"up from 2", from("v2.mem.gz"), Start},
		{"down from 2", from("v2.mem.gz"), func(s *storage.Store) error { return StartBack(s, 1<<5-1) }},
		{"refused from 2", from("v2.mem.gz"), func(s *storage.Store) error { return StartBack(s, 0) }},
		{"refused on its way down", func() *storage.RAM { return guardedAfterCheck(t) }, func(*storage.Store) error { return nil }},
		{"down from 3", from("v3.mem.gz"), func(s *storage.Store) error { return StartBack(s, 1<<5-1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := c.image()
			require.NoError(t, c.begin(open(t, mem)))
			for done := false; !done; {
				before := mem.Clone()
				count := stable.NewFaultyOnce(mem, -1)
				s := open(t, count)
				opened := count.Writes()
				var err error
				done, err = Run(s, units(2))
				var refused *RefusedError
				require.True(t, err == nil || errors.As(err, &refused), "%v", err)
				for i := opened; i < count.Writes(); i++ {
					_, err := Run(open(t, stable.NewFaultyOnce(before.Clone(), i)), units(2))
					require.ErrorIs(t, err, stable.ErrFault, "access %d", i)
				}
			}
		})
	}
}

// A step is the one that leads on from the layout that is there, and one that nobody knows has no name.
func TestStatusNamesTheStep(t *testing.T) {
	s := open(t, golden(t, "v2.mem.gz"))
	require.NoError(t, Start(s))
	require.Equal(t, Status{Layout: 3, Step: 2, Name: records3.Name, Phase: storage.Up, Total: 4}, StatusOf(s))
	require.NoError(t, s.SetMigration(storage.Migration{Step: 77, Phase: storage.Up}))
	require.Equal(t, Status{Layout: 3, Step: 77, Phase: storage.Up}, StatusOf(s))
}

// Damaged anchors among those that a refusal looks at are passed over.
func TestRefusalPassesOverDamage(t *testing.T) {
	mem := storage.NewRAM(0)
	s, err := storage.Create(mem, storage.Config{Lo: 0, Hi: 10, Layout: storage.Layout2})
	require.NoError(t, err)
	for i := range 4 {
		number, err := s.Allocate()
		require.NoError(t, err)
		a := anchor(number, i)
		a.Guard = i == 1 || i == 3
		require.NoError(t, s.Write(a))
	}
	for _, damaged := range []uint64{0, 2} {
		require.NoError(t, mem.WriteAt([]byte{0xff}, 2*storage.PageSize+damaged*storage.SlotSize+26))
	}
	s = open(t, mem)
	require.NoError(t, StartBack(s, 0))
	_, err = Run(s, unlimited)
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []uint64{1, 3}, refused.Anchors)
}

// What a batch did before it was refused holds: the anchors that it had taken back go up again, and are found by
// their keys.
func TestRefusedBatchHolds(t *testing.T) {
	mem := guardedAfterCheck(t)
	s := open(t, mem)
	_, err := Run(s, unlimited)
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	finish(t, s, 1)
	for range 2 {
		for i := range 5 {
			numbers, _, err := s.LookupCaller(anchor(0, i).Devices[0].Principal, 0, 10)
			require.NoError(t, err)
			require.Equal(t, []uint64{uint64(i)}, numbers)
		}
		require.Empty(t, fsck(t, s))
		s = open(t, mem)
	}
}

// guardedAfterCheck is a memory on its way back to layout 1, whose anchor 3 of five has switched its guard on after
// it was checked: the next batch takes three anchors back before it is refused.
func guardedAfterCheck(t *testing.T) *storage.RAM {
	mem := storage.NewRAM(0)
	s, err := storage.Create(mem, storage.Config{Lo: 0, Hi: 10, Layout: storage.Layout2})
	require.NoError(t, err)
	for i := range 5 {
		number, err := s.Allocate()
		require.NoError(t, err)
		require.NoError(t, s.Write(anchor(number, i)))
	}
	require.NoError(t, StartBack(s, 0))
	_, err = Run(s, units(4)) // anchor 3 is checked, and not yet taken back
	require.NoError(t, err)
	guarded := anchor(3, 3)
	guarded.Guard = true
	require.NoError(t, s.Write(guarded))
	return mem
}
