package ii

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/migrations/ii/iitest"
	"kedge/migrations/ii/wire"
)

func TestWritable(t *testing.T) {
	two, three := []uint8{0, 1}, []uint8{0, 1, 2}
	for _, c := range []struct {
		f    field
		want bool
	}{
		{field{kind: alias}, true}, {field{kind: publicKey}, true},
		{field{kind: origin, opt: true}, true}, {field{kind: origin}, false},
		{field{kind: lastUsage, opt: true}, true}, {field{kind: lastUsage}, false},
		{field{kind: aaguid}, false}, {field{kind: credential}, false}, {field{kind: createdAt}, false}, {field{kind: foreign}, false},
		{field{kind: metadata, opt: true, cases: three}, true}, {field{kind: metadata, cases: three}, false},
		{field{kind: metadata, opt: true, cases: two}, false},
		{field{kind: purpose, cases: []uint8{uint8(wire.PurposeAuthentication)}}, true},
		{field{kind: purpose, cases: []uint8{uint8(wire.PurposeRecovery)}}, false},
		{field{kind: keyType, cases: []uint8{uint8(wire.KeyTypeUnknown)}}, true},
		{field{kind: keyType, cases: []uint8{uint8(wire.KeyTypePlatform)}}, false},
		{field{kind: protection, cases: []uint8{uint8(wire.ProtectionUnprotected)}}, true},
		{field{kind: protection, cases: []uint8{uint8(wire.ProtectionProtected)}}, false},
	} {
		require.Equal(t, c.want, (&shape{devices: []field{c.f}}).writable(), "device %+v", c.f)
		require.Equal(t, c.want, (&shape{anchor: []field{c.f}}).writable(), "anchor %+v", c.f)
	}
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

func TestTableOfPrefersOneThatWasMet(t *testing.T) {
	for _, layout := range []uint8{3, 5} {
		m := &Image{Layout: layout, reused: new(reused)}
		keep := func(g generation, layout uint8) *shape {
			s := tableOf(g, layout)
			m.reused.keep(s)
			return s
		}
		keep(devicesOfLayout1, 8-layout) // of the other sort
		keep(devicesOfLayout7, layout)   // of another generation
		unwritable := tableOf(devicesOfLayout1, layout)
		for i := range unwritable.devices {
			if unwritable.devices[i].kind == credential {
				unwritable.devices[i].opt = false
			}
		}
		m.reused.keep(unwritable)
		met := keep(devicesOfLayout1, layout)
		require.Same(t, met, m.tableOf(devicesOfLayout1))

		made := m.tableOf(allGenerations)
		require.Equal(t, allGenerations&^hasCreatedAt, made.generation()&^hasCreatedAt)
		require.Equal(t, layout <= 3, made.anchor == nil)
		if layout == 5 {
			require.Same(t, made, m.tableOf(allGenerations), "it is kept")
		}
	}
}

// What the old module is told of copies of a key, and when the anchor was made.
func TestExportOfCopies(t *testing.T) {
	for _, c := range []struct {
		marked, phrase, knows, want bool
	}{{true, true, true, true}, {false, true, true, false}, {true, false, true, false}, {true, true, false, false}} {
		kind := identity.Platform
		if c.phrase {
			kind = identity.SeedPhrase
		}
		with := func(device identity.Device) wire.AnyAnchor {
			device.PublicKey = []byte("key")
			other := identity.Device{Data: identity.Data{PublicKey: []byte("other"), Protected: true}, Proven: true}
			return exported(&identity.Anchor{CreatedAt: 5, Devices: []identity.Device{device, other},
				Copies: []identity.Data{{PublicKey: []byte("key"), Alias: "copy", KeyType: kind, Protected: c.marked}}}, c.knows)
		}
		out := with(identity.Device{Data: identity.Data{Protected: true}, Proven: true})
		require.EqualValues(t, 5, *out.CreatedAt)
		require.Len(t, out.Devices, 3)
		require.Equal(t, c.want, *out.Devices[2].Protection == wire.ProtectionProtected, "%+v", c)
		for _, d := range []identity.Device{{Proven: true}, {Data: identity.Data{Protected: true}}} {
			require.Equal(t, wire.ProtectionUnprotected, *with(d).Devices[2].Protection, "a copy is protected no longer than its device")
		}
		// A device has to be proven, too.
		d := identity.Device{Data: identity.Data{KeyType: kind, Protected: c.marked}}
		require.Equal(t, wire.ProtectionUnprotected, *exported(&identity.Anchor{Devices: []identity.Device{d}}, c.knows).Devices[0].Protection)
		d.Proven = true
		proven := exported(&identity.Anchor{Devices: []identity.Device{d}}, c.knows)
		require.Equal(t, c.want, *proven.Devices[0].Protection == wire.ProtectionProtected, "%+v", c)
		require.Nil(t, proven.CreatedAt)
	}
}

// A field that Kedge does not know is written as absent, in its place in the table that the record has.
func TestFieldOfALaterBuild(t *testing.T) {
	for _, c := range []struct {
		layout       uint8
		change       func(p *parts)
		record, want string // behind the table
	}{
		{3, func(p *parts) { p.device[12345] = p.opt(opText) }, "\x01\x01\x05later\x05alias\x03key\x00", "\x01\x00\x05other\x03key\x00"},
		{9, func(p *parts) { p.anchor = map[uint64]uint64{12345: p.opt(opText)} }, "\x01\x05later\x01\x05alias\x03key\x00", "\x00\x01\x05other\x03key\x00"},
	} {
		p := someParts()
		c.change(p)
		mem := build(t, c.layout)
		o := start(t, mem)
		number := o.Register()
		table := string(p.message())
		o.SetEntry(number, []byte(table+c.record))
		o.Stop()
		s := upgrade(t, mem, 1)
		a := read(t, s, number)
		a.Devices[0].Alias = "other"
		require.NoError(t, s.Write(a))
		require.Equal(t, table+c.want, string(start(t, mem).Entry(number)))
	}
}

// The table that holds more of the devices is taken only if it has a place for the metadata of the anchor, where there
// are any.
func TestTableForMetadataOfTheAnchor(t *testing.T) {
	table := func(metadata bool, kinds map[uint64]uint8, but ...uint8) string {
		p := someParts()
		p.device[purposeField], p.device[keyTypeField], p.device[protectionField] = p.variant(variants[purpose]), p.variant(kinds, but...), p.variant(variants[protection])
		p.device[originField], p.device[lastUsedField], p.device[metadataField] = p.opt(opText), p.opt(opNat64), p.opt(p.metadata(p.blob))
		p.anchor = map[uint64]uint64{}
		if metadata {
			p.anchor[metadataField] = p.device[metadataField]
		}
		return string(p.message())
	}
	four := table(true, variants[keyType], browserStorageKey)
	latest := string(iitest.From2025Oct.Encode(nil))
	//                                                    an anchor without devices, with one pair: "k", the case of a text, "v"
	with, without := "\x01\x01\x01k\x01\x01v\x00", "\x00\x00"
	for _, c := range []struct {
		name         string
		own, another string // records of two anchors
		metadata     bool
		want         wire.KeyType
	}{
		{"no other table, and metadata", four + with, "", true, wire.KeyTypeUnknown},
		{"no other table, and none", four + without, "", false, wire.KeyTypeBrowserStorageKey},
		{"another table with a place for them", four + with, latest, true, wire.KeyTypeBrowserStorageKey},
	} {
		mem := build(t, 9)
		o := start(t, mem)
		o.SetEntry(o.Register(), []byte(c.own))
		o.SetEntry(o.Register(), []byte(c.another))
		before, err := wire.DecodeAnyAnchorArgs([]byte(c.own))
		require.NoError(t, err, c.name)
		require.Equal(t, c.metadata, before.Metadata != nil)
		s := upgrade(t, mem, 3)
		a := read(t, s, 10000)
		a.Devices = append(a.Devices, browserKey("key"))
		require.NoError(t, s.Write(a))
		after, err := wire.DecodeAnyAnchorArgs(start(t, mem).Entry(10000))
		require.NoError(t, err)
		require.Equal(t, before.Metadata, after.Metadata, c.name)
		require.Equal(t, c.want, *after.Devices[0].KeyType, c.name)
	}
}

// A record that is longer than its entry has no table to keep, and one that fills it has.
func TestTableOfARecordAtTheLimit(t *testing.T) {
	mem := build(t, 9)
	o := iitest.Start(t, mem, iitest.From2023Aug)
	o.Register(passkey("first"))
	o.Register(passkey("second"))
	m, err := Open(mem)
	require.NoError(t, err)
	for n, kept := range map[uint16]bool{uint16(m.MaxPayload()): true, uint16(m.MaxPayload() + 1): false} {
		require.NoError(t, m.writeAt(le.AppendUint16(nil, n), uint64(m.EntrySize)))
		_, err := m.tableAt(0) // so that the table is known
		require.NoError(t, err)
		own, err := m.tableAt(1)
		require.NoError(t, err)
		require.Equal(t, kept, own != nil, "%d bytes", n)
	}
}
