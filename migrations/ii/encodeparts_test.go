package ii

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
	"kedge/migrations/ii/wire"
)

// A copy never has a mark that its device does not have.
func TestMergedCopies(t *testing.T) {
	for _, c := range []struct {
		name      string
		protected bool // the device, which our copy has unprotected, in the old module's record
		guarded   bool
		want      bool
	}{{"protected there", true, false, true}, {"protected there, which is not taken over", true, true, false}, {"unprotected", false, false, false}} {
		own := &identity.Anchor{Number: 10000, Devices: []identity.Device{newDevice("passkey", 0), newDevice("phrase", 1)}}
		own.Devices[1].KeyType = identity.SeedPhrase
		if c.guarded {
			own.Devices[0] = protectedDevice("passkey", 0, identity.CrossPlatform)
		}
		w := exported(own, true)
		w.Devices = append(w.Devices, w.Devices[1])
		if c.protected {
			w.Devices[1].Protection, w.Devices[2].Protection = ptr(wire.ProtectionProtected), ptr(wire.ProtectionProtected)
		}
		raw := tableOf(allGenerations, 9).encode(nil, &w)
		decoded, err := wire.DecodeAnyAnchorArgs(raw)
		require.NoError(t, err)
		a := merge(own, &Record{Number: 10000, Anchor: decoded, raw: raw}, raw, true)
		require.Len(t, a.Copies, 1, c.name)
		require.Equal(t, c.want, a.Copies[0].Protected, c.name)
		require.Equal(t, c.want, device(a, "phrase").Protected, c.name)
	}
}

// What a rollback leaves of a device that the old module neither protected nor took the mark of, on an anchor with
// another protected one: no event, and no mark.
func TestMergeOfAGuardedAnchor(t *testing.T) {
	own := &identity.Anchor{Number: 10000, Devices: []identity.Device{protectedDevice("hardware", 0, identity.CrossPlatform), newDevice("passkey", 1)}}
	own.Contacts = &identity.Contacts{Threshold: 1, List: []identity.Contact{{Anchor: 5, ApprovedAt: 7}}}
	own.Devices[0].AgreesToContacts = true
	w := exported(own, true)
	w.Devices[1].Alias = "renamed"
	w.Devices = append(w.Devices,
		wireDevice("planted", func(d *wire.AnyDevice) {
			d.KeyType, d.Protection = ptr(wire.KeyTypeSeedPhrase), ptr(wire.ProtectionProtected)
		}),
		wireDevice("planted and used", func(d *wire.AnyDevice) {
			d.KeyType, d.Protection, d.LastUsageTimestamp = ptr(wire.KeyTypeSeedPhrase), ptr(wire.ProtectionProtected), ptr(uint64(1))
		}))
	raw := tableOf(allGenerations, 9).encode(nil, &w)
	decoded, err := wire.DecodeAnyAnchorArgs(raw)
	require.NoError(t, err)
	a := merge(own, &Record{Number: 10000, Anchor: decoded, raw: raw}, raw, true)
	require.Equal(t, "renamed", device(a, "passkey").Alias)
	require.False(t, device(a, "passkey").Protected)
	require.False(t, device(a, "planted").Proven)
	require.True(t, device(a, "planted and used").Proven)
	require.False(t, device(a, "planted and used").Protected)
	require.Equal(t, []identity.Event{
		{Kind: identity.EventDropped, Device: device(a, "planted").Principal}, {Kind: identity.EventDropped, Device: device(a, "planted and used").Principal},
	}, a.Events)
	require.Zero(t, a.Contacts.List[0].ApprovedAt)
	require.Equal(t, uint64(7), own.Contacts.List[0].ApprovedAt, "our copy of before stays as it was")
}

func TestWritableShapes(t *testing.T) {
	shapeWith := func(change func(f *field)) *shape {
		s := tableOf(allGenerations, 9)
		for i := range s.devices {
			s.devices[i].cases = append([]uint8{}, s.devices[i].cases...)
			change(&s.devices[i])
		}
		return s
	}
	without := func(k kind, number uint8) func(f *field) {
		return func(f *field) {
			if f.kind == k {
				for i := range f.cases {
					if f.cases[i] == number {
						f.cases[i] = 99
					}
				}
			}
		}
	}
	mandatoryOf := func(k kind) func(f *field) {
		return func(f *field) {
			if f.kind == k {
				f.opt = false
			}
		}
	}
	require.True(t, shapeWith(func(*field) {}).writable())
	require.True(t, shapeWith(without(keyType, uint8(wire.KeyTypePlatform))).writable())
	require.False(t, shapeWith(without(purpose, uint8(wire.PurposeAuthentication))).writable())
	require.False(t, shapeWith(without(keyType, uint8(wire.KeyTypeUnknown))).writable())
	require.False(t, shapeWith(without(protection, uint8(wire.ProtectionUnprotected))).writable())
	for _, k := range []kind{origin, lastUsage, aaguid, credential, metadata} {
		require.False(t, shapeWith(mandatoryOf(k)).writable(), "%d", k)
	}
	require.False(t, shapeWith(func(f *field) {
		if f.kind == metadata {
			f.cases = f.cases[:2]
		}
	}).writable())
	s := tableOf(allGenerations, 9)
	for i := range s.anchor {
		s.anchor[i].opt = false
	}
	require.False(t, s.writable())
}

func TestVariants(t *testing.T) {
	must, may := &field{cases: []uint8{7, 5}}, &field{cases: []uint8{7, 5}, opt: true}
	for _, c := range []struct {
		f    *field
		v    *uint8
		want string
	}{
		{must, ptr(uint8(7)), "\x00"}, {must, ptr(uint8(5)), "\x01"}, {must, ptr(uint8(6)), "\x01"}, {must, nil, "\x01"},
		{may, ptr(uint8(7)), "\x01\x00"}, {may, ptr(uint8(6)), "\x01\x01"}, {may, nil, "\x00"},
	} {
		require.Equal(t, c.want, string(appendVariant(nil, c.f, c.v, uint8(5))))
	}
}

// The table of a new record is the newest that was met, and never less than what every build of the layout knows.
func TestTableOfANewRecord(t *testing.T) {
	for _, c := range []struct {
		layout uint8
		newest generation
		want   generation
	}{
		{1, 0, devicesOfLayout1},
		{1, hasPurpose, hasPurpose},
		{1, devicesOfLayout1 | hasOrigin, devicesOfLayout1 | hasOrigin},
		{3, 0, devicesOfLayout1},
		{3, hasPurpose, devicesOfLayout1},
		{5, devicesOfLayout1 | hasOrigin, devicesOfLayout1 | hasOrigin},
		{7, 0, devicesOfLayout7},
		{7, devicesOfLayout1, devicesOfLayout7},
		{8, devicesOfLayout7, devicesOfLayout8},
		{9, allGenerations, allGenerations},
	} {
		m, err := Open(build(t, c.layout))
		require.NoError(t, err)
		a := exported(&identity.Anchor{Devices: []identity.Device{newDevice("key", 0)}}, true)
		raw, g, err := m.encode(0, &a, c.newest)
		require.NoError(t, err)
		require.Equal(t, c.want, g, "%+v", c)
		require.Equal(t, c.want, generationOf(raw), "%+v", c)
	}
}

// The very table of a record is kept, wherever in the memory it was met.
func TestTableOfARecord(t *testing.T) {
	for _, layout := range []uint8{3, 6, 9} {
		mem := build(t, layout)
		g := latest(layout)
		o := iitest.Start(t, mem, g)
		o.Register(passkey("a"))
		o.SetEntry(o.Register(), nil)
		o.SetEntry(o.Register(), []byte("not Candid"))
		m, err := Open(mem)
		require.NoError(t, err)
		own, err := m.tableAt(0)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(o.Entry(10000)), string(own.table)))
		again, err := m.tableAt(0)
		require.NoError(t, err)
		require.Same(t, own, again, "it is remembered")
		require.Same(t, own, m.tableOf(own.generation()), "and written")
		other := m.tableOf(devicesOfLayout8 | hasAAGUID)
		require.NotSame(t, own, other)
		require.Same(t, other, m.tableOf(devicesOfLayout8|hasAAGUID))
		for i := uint32(1); i < 4; i++ {
			none, err := m.tableAt(i)
			require.NoError(t, err)
			require.Nil(t, none, "record %d", i)
		}
		m.Layout = 12 - layout // of the other sort, but for layout 6
		if layout != 6 {
			require.Nil(t, m.buffers().met(o.Entry(10000), m.Layout))
			require.NotSame(t, own, m.tableOf(own.generation()))
		}
		m.Layout = 3
		require.Equal(t, layout == 3, m.buffers().met(o.Entry(10000), 3) != nil)
		require.Equal(t, layout != 3, m.buffers().met(o.Entry(10000), 4) != nil)
	}
}

func TestEntriesAtTheirLimit(t *testing.T) {
	for layout, most := range map[uint8]int{1: 2046, 6: 4094} {
		m, err := Open(build(t, layout))
		require.NoError(t, err)
		require.NoError(t, m.Append())
		for _, n := range []int{0, 1, 7, most} {
			record := []byte(strings.Repeat("r", n))
			require.NoError(t, m.SetEntry(0, record))
			got, err := m.Entry(0)
			require.NoError(t, err)
			require.Equal(t, string(record), string(got))
			for _, room := range [][]byte{nil, make([]byte, 1), make([]byte, 2), make([]byte, n), make([]byte, 5000)} {
				got, err = m.entryInto(room, 0)
				require.NoError(t, err)
				require.Equal(t, string(record), string(got))
				require.Equal(t, n, cap(got), "nothing behind it can be written to")
			}
		}
		require.EqualError(t, m.SetEntry(0, make([]byte, most+1)), fmt.Sprintf("a record of %d bytes, an entry of layout %d holds %d", most+1, layout, most))
		require.NoError(t, m.writeAt(le.AppendUint16(nil, uint16(most+1)), 0))
		_, err = m.Entry(0)
		require.EqualError(t, err, fmt.Sprintf("anchor 10000: its record would have %d bytes, an entry holds %d", most+1, most))
		_, err = m.Entry(1)
		require.EqualError(t, err, "anchor 10001: the header has 1 anchors from 10000 on")
	}
}

func TestAppendEndsWithTheRange(t *testing.T) {
	m, err := Open(build(t, 6))
	require.NoError(t, err)
	m.Hi = m.Lo + 2
	require.NoError(t, m.Append())
	require.NoError(t, m.Append())
	require.ErrorIs(t, m.Append(), storage.ErrFull)
	require.Equal(t, uint32(2), m.Anchors)
}

func TestHeadersOfRanges(t *testing.T) {
	for _, c := range []struct {
		hi   uint64
		text string
	}{{10002, ""}, {10001, "it counts 2 anchors in the range [10000, 10001)"}, {9999, "it counts 2 anchors in the range [10000, 9999)"}} {
		mem := build(t, 6)
		o := start(t, mem)
		o.Register(passkey("a"))
		o.Register(passkey("b"))
		require.NoError(t, mem.WriteAt(le.AppendUint64(nil, c.hi), 16))
		_, err := Open(mem)
		if c.text == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.text)
		}
	}
	mem := build(t, 6)
	require.NoError(t, mem.WriteAt(le.AppendUint64(nil, 10000), 16))
	_, err := Open(mem)
	require.NoError(t, err, "an empty range")
}

func TestStateAtItsLimit(t *testing.T) {
	for n, ok := range map[uint64]bool{0: true, maxState: true, maxState + 1: false} {
		m, err := Open(build(t, 6))
		require.NoError(t, err)
		require.NoError(t, m.ensure(maxState+100))
		require.NoError(t, m.writeAt(le.AppendUint64([]byte(stateMagic), n), 0))
		state, err := m.State()
		require.Equal(t, ok, err == nil)
		if ok {
			require.Len(t, state, int(n)+stateHead)
		}
		m, err = Open(build(t, 9))
		require.NoError(t, err)
		require.NoError(t, m.manager.grow(stateMemory, maxState/storage.PageSize+1))
		cell, err := m.manager.virtual(stateMemory)
		require.NoError(t, err)
		require.NoError(t, cell.writeAt(le.AppendUint32([]byte(cellMagic), uint32(n)), 0))
		got, err := m.persistentState()
		require.Equal(t, ok, err == nil)
		if ok {
			require.Len(t, got, int(n))
		}
		require.NoError(t, cell.writeAt([]byte("SCM"), 0))
		got, err = m.persistentState()
		require.NoError(t, err)
		require.Nil(t, got)
		state, err = m.State()
		require.NoError(t, err)
		require.Nil(t, state)
	}
}
