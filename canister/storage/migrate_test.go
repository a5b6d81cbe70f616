package storage

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/anchortest"
	"kedge/canister/storage/tree"
)

func TestRewrite(t *testing.T) {
	counted := func(layout int, work func(s *Store) error) (*Store, int) {
		s, err := Open(buildGolden(t, layout))
		require.NoError(t, err)
		c := &counting{Memory: s.alloc.Memory}
		s.alloc.Memory = c
		require.NoError(t, work(s))
		c.writes = 0
		require.NoError(t, s.Rewrite(10000))
		s.alloc.Memory = c.Memory
		return s, c.writes
	}
	_, writes := counted(Layout3, func(*Store) error { return nil })
	require.Zero(t, writes, "it is in that version already")
	for _, layout := range []int{Layout1, Layout2} {
		s, writes := counted(layout, func(s *Store) error { return s.Enter(Migration{Phase: Up}) })
		require.NotZero(t, writes)
		raw, err := s.readRaw(0)
		require.NoError(t, err)
		require.Equal(t, byte(layout+1), raw.head.version)
		a, err := s.Read(10000)
		require.NoError(t, err)
		require.Equal(t, withoutEvents(asLayout(anchortest.Golden()[0], layout)), a)
	}

	// Back to layout 1: the entries go with the version.
	s, _ := counted(Layout2, func(s *Store) error { return s.SetMigration(Migration{Phase: Down, Losses: lossEnd - 1}) })
	raw, err := s.readRaw(0)
	require.NoError(t, err)
	require.Equal(t, byte(1), raw.head.version)
	for _, e := range entries(t, s) {
		require.NotZero(t, slotOfOrder(e.Order), "an anchor in version 1 is in no index")
	}
	a, err := s.Read(10000)
	require.NoError(t, err)
	a.Events = []identity.Event{{Kind: identity.EventGuardOn}}
	units := s.alloc.Regions[history].Units - s.alloc.Spare(history)
	require.NoError(t, s.Write(a))
	require.Equal(t, units, s.alloc.Regions[history].Units-s.alloc.Spare(history), "nor has it a history")

	// A write on the way up to layout 3 takes the old entries away.
	s, err = Open(buildGolden(t, Layout2))
	require.NoError(t, err)
	require.NoError(t, s.Enter(Migration{Phase: Up}))
	require.NoError(t, s.Write(oneDevice(10000, "another", nil)))
	n := 0
	for _, e := range entries(t, s) {
		if slotOfOrder(e.Order) == 0 {
			n++
		}
	}
	require.Equal(t, 2, n)

	s = emptyStore(t)
	_, err = s.Allocate()
	require.NoError(t, err)
	require.ErrorContains(t, s.Rewrite(10000), "its slot was never written")
	require.NoError(t, s.Write(oneDevice(10000, "key", nil)))
	require.ErrorAs(t, s.Rewrite(5), new(*OutOfRangeError))

	// A record that would be too long in the next version is not raised.
	s, err = Create(NewRAM(0), Config{Hi: 1, Layout: Layout1})
	require.NoError(t, err)
	_, err = s.Allocate()
	require.NoError(t, err)
	for n := 3600; err == nil; n-- {
		long := oneDevice(0, "key", nil)
		for i := range 17 {
			long.Devices = append(long.Devices, oneDevice(0, fmt.Sprint(i), func(d *identity.Device) { d.Alias = strings.Repeat("a", n) }).Devices[0])
		}
		if s.Write(long) == nil {
			break
		}
	}
	require.NoError(t, s.Enter(Migration{Phase: Up}))
	require.ErrorContains(t, s.Rewrite(0), "more than 61440")
	raw, err = s.readRaw(0)
	require.NoError(t, err)
	require.Equal(t, byte(1), raw.head.version)
}

func TestLeave(t *testing.T) {
	s, err := Open(buildGolden(t, Layout2))
	require.NoError(t, err)
	require.NoError(t, s.setAside())
	s.sb.built = 1
	require.NoError(t, s.SetMigration(Migration{Phase: Down, Cursor: 1}))
	require.NoError(t, s.Leave())
	s, err = Open(s.Memory())
	require.NoError(t, err)
	require.Equal(t, Layout1, s.Layout())
	require.Equal(t, Migration{}, s.Migration())
	require.Equal(t, tree.State{}, s.tree.State)
	require.Equal(t, [2]uint32{uint32(indexWhole), 0}, [2]uint32{uint32(s.sb.index), s.sb.built})
	require.Zero(t, s.alloc.Regions[history].Units)

	s, err = Open(buildGolden(t, Layout3))
	require.NoError(t, err)
	was := [2]any{s.tree.State, s.alloc.Regions[history]}
	require.NoError(t, s.Leave())
	require.Equal(t, Layout2, s.Layout())
	require.Equal(t, was, [2]any{s.tree.State, s.alloc.Regions[history]}, "layout 2 has both")
}

// A loss is accepted for the way back alone.
func TestLossesAreAcceptedOnTheWayBack(t *testing.T) {
	a := oneDevice(10000, "key", nil)
	a.Contacts = &identity.Contacts{Threshold: 1, List: make([]identity.Contact, 2)}
	for phase, refused := range map[Phase]bool{Idle: true, Up: true, Checking: true} {
		s, err := Open(buildGolden(t, Layout2))
		require.NoError(t, err)
		require.NoError(t, s.SetMigration(Migration{Phase: phase, Losses: lossEnd - 1}))
		var loss *LossError
		require.Equal(t, refused, errors.As(s.Write(a), &loss), "phase %d", phase)
		require.Equal(t, LossContacts, loss.Loss)
	}
	for losses, refused := range map[Loss]bool{0: true, LossContacts: false, (lossEnd - 1) &^ LossContacts: true} {
		s, err := Open(buildGolden(t, Layout3))
		require.NoError(t, err)
		require.NoError(t, s.SetMigration(Migration{Phase: Down, Losses: losses}))
		require.Equal(t, refused, s.Write(a) != nil, "losses %v", losses.Names())
	}
}
