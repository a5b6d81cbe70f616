package storage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/anchortest"
	"kedge/canister/storage/stable"
)

// wide returns an anchor whose record takes the slot and so many overflow blocks.
func wide(number uint64, blocks int) *identity.Anchor {
	a := oneDevice(number, "wide", nil)
	for range blocks * 2 {
		a.Devices = append(a.Devices, oneDevice(0, "wide", func(d *identity.Device) { d.Alias = strings.Repeat("w", 1800) }).Devices[0])
	}
	return a
}

func always() bool { return true }

// A single access to memory that fails makes the call fail, whichever it is: no error is dropped on the way, and
// none is taken for damage.
func TestFaultOfEveryAccess(t *testing.T) {
	opened := func(work func(s *Store) error) func(Memory) error {
		return func(m Memory) error {
			s, err := Open(m)
			if err != nil {
				return err
			}
			return work(s)
		}
	}
	layout3 := buildGolden(t, Layout3)
	layout2 := buildGolden(t, Layout2)
	mirrored := layout3.Clone()
	require.NoError(t, mirrored.WriteAt([]byte{0xff}, 20))
	giant := layout3.Clone()
	require.NoError(t, opened(func(s *Store) error { return s.Write(wide(10001, 3)) })(giant))
	shrunk := giant.Clone()
	require.NoError(t, opened(func(s *Store) error { return s.Write(oneDevice(10001, "small", nil)) })(shrunk))
	aside := layout3.Clone()
	require.NoError(t, opened((*Store).setAside)(aside))
	events := make([]identity.Event, 40)
	place := Place{Home: PageSize * alloc.FirstPage, Placement: 1, NextExtent: 1}
	beside := RAMOf(make([]byte, PageSize*(alloc.FirstPage+alloc.ExtentPages)))
	first, err := CreateBeside(beside, place, 10000, 20000)
	require.NoError(t, err)
	require.NoError(t, first.SetCount(2, 20000))
	require.NoError(t, first.WriteOwn(oneDevice(10000, "key", nil), 1))
	legacy := func(work func(s *Store) error) func(Memory) error {
		return func(m Memory) error {
			s, err := OpenBeside(m, place)
			if err != nil {
				return err
			}
			return work(s)
		}
	}
	device := anchortest.Golden()[0].Devices[0]

	for _, c := range []struct {
		name string
		base *RAM
		call func(Memory) error
	}{
		{"create", NewRAM(0), func(m Memory) error { _, err := Create(m, Config{Hi: 10}); return err }},
		{"open from the second copy", mirrored, opened(func(*Store) error { return nil })},
		{"allocate", layout3, opened(func(s *Store) error {
			s.sb.count = uint32(kinds[slots].Units())
			_, err := s.Allocate()
			return err
		})},
		{"range", layout3, opened(func(s *Store) error { return s.SetRange(10000, 30000) })},
		{"salt", NewRAM(0), func(m Memory) error {
			s, err := Create(m, Config{Hi: 10})
			if err != nil {
				return err
			}
			return s.SetSalt([32]byte{1})
		}},
		{"clock", layout3, opened(func(s *Store) error { return s.SetServiceTime(1, 1e12) })},
		{"configuration", layout3, opened(func(s *Store) error {
			if _, err := s.Config(); err != nil {
				return err
			}
			return s.SetConfig([]byte("other"))
		})},
		{"state", layout3, opened(func(s *Store) error {
			if _, err := s.State(); err != nil {
				return err
			}
			return s.SetState([]byte("other"))
		})},
		{"read", giant, opened(func(s *Store) error { _, err := s.Read(10001); return err })},
		{"borrow", giant, opened(func(s *Store) error { _, err := s.Borrow(10001); return err })},
		{"read own", giant, opened(func(s *Store) error { _, _, err := s.ReadOwn(10001); return err })},
		{"write over", giant, opened(func(s *Store) error { return s.Write(wide(10001, 2)) })},
		{"write with events", layout3, opened(func(s *Store) error {
			a := wide(10001, 3)
			a.Events = events
			return s.Write(a)
		})},
		{"shrink", giant, opened(func(s *Store) error { return s.Write(oneDevice(10001, "small", nil)) })},
		{"rewrite by raising", layout2, opened(func(s *Store) error {
			if err := s.Enter(Migration{Phase: Up}); err != nil {
				return err
			}
			return s.Rewrite(10000)
		})},
		{"rewrite back", layout3, opened(func(s *Store) error {
			if err := s.SetMigration(Migration{Phase: Down, Losses: lossEnd - 1}); err != nil {
				return err
			}
			return s.Rewrite(10000)
		})},
		{"leave", layout2, opened((*Store).Leave)},
		{"history", layout3, opened(func(s *Store) error { _, err := s.History(10000, 0, 10); return err })},
		{"look-up by principal", layout3, opened(func(s *Store) error { _, _, err := s.LookupCaller(device.Principal, 0, 10); return err })},
		{"look-up by credential id", layout3, opened(func(s *Store) error {
			_, _, err := s.LookupCredential(device.CredentialID, 0, 10)
			return err
		})},
		{"check", giant, opened(func(s *Store) error { _, err := s.Check(new(Check), always); return err })},
		{"check of free blocks", shrunk, opened(func(s *Store) error { _, err := s.Check(new(Check), always); return err })},
		{"write into free blocks", shrunk, opened(func(s *Store) error { return s.Write(wide(10001, 3)) })},
		{"rebuild", aside, opened(func(s *Store) error { _, err := s.RebuildIndex(always); return err })},
		{"rebuild in parts", aside, opened(func(s *Store) error {
			budget := 2
			_, err := s.RebuildIndex(func() bool { budget--; return budget >= 0 })
			return err
		})},
		{"batch", layout3, opened(func(s *Store) error { return s.Batch(func() error { return s.Write(wide(10001, 1)) }) })},
		{"create beside", beside, func(m Memory) error { _, err := CreateBeside(m, place, 10000, 20000); return err }},
		{"read own beside", beside, legacy(func(s *Store) error { _, _, err := s.ReadOwn(10000); return err })},
		{"write own", beside, legacy(func(s *Store) error { return s.WriteOwn(oneDevice(10001, "key", nil), 2) })},
		{"more anchors", beside, legacy(func(s *Store) error { return s.SetCount(uint32(kinds[slots].Units())+1, 1<<20) })},
		{"legacy state", beside, legacy(func(s *Store) error { return s.SetLegacyState(new([LegacySize]byte)) })},
		{"take over", beside, legacy(func(s *Store) error { return s.TakeOver(3, nil) })},
		{"extents", layout3, opened(func(s *Store) error { _, _, _, err := s.Extents(); return err })},
	} {
		t.Run(c.name, func(t *testing.T) {
			count := stable.NewFaultyOnce(c.base.Clone(), -1)
			require.NoError(t, c.call(count))
			require.NotZero(t, count.Writes())
			for n := range count.Writes() {
				require.ErrorIs(t, c.call(stable.NewFaultyOnce(c.base.Clone(), n)), stable.ErrFault, "access %d", n)
			}
		})
	}
}
