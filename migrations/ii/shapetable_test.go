package ii

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/migrations/ii/wire"
)

// parts are the types of a table in the making: those of a device, and of the record around the devices. Where
// anchor is nil there is no such record.
type parts struct {
	tableBuilder
	blob           uint64
	device, anchor map[uint64]uint64
}

func someParts() *parts {
	p := &parts{}
	p.blob = p.add(opVec, opNat8)
	p.device = map[uint64]uint64{aliasField: opText, pubkeyField: p.blob, credentialField: p.add(opOpt, p.blob)}
	return p
}

func (p *parts) opt(of uint64) uint64 { return p.add(opOpt, of) }

func (p *parts) message() []byte {
	list := p.add(opVec, p.record(p.device))
	if p.anchor != nil {
		if _, ok := p.anchor[devicesField]; !ok {
			p.anchor[devicesField] = list
		}
		list = p.record(p.anchor)
	}
	return p.table(list)
}

// values is the type of metadata values with these cases, for a map whose pairs have the number pair.
func (p *parts) metadataOf(value func(pair uint64) uint64) uint64 {
	list := uint64(len(p.entries))
	p.add(opVec, list+1)
	p.record(map[uint64]uint64{0: opText, 1: list + 2})
	at := len(p.entries)
	p.append(nil) // the value, whose types may need entries of their own
	ref := value(list + 1)
	p.entries[at] = p.entries[ref]
	return p.opt(list)
}

func TestTablesWithAShape(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(p *parts)
		devices []kind // in the order of the table
	}{
		{"the least", func(*parts) {}, []kind{alias, publicKey, credential}},
		{"an optional field that is not ours", func(p *parts) { p.device[1] = p.opt(opText) }, []kind{foreign, alias, publicKey, credential}},
		{"a field of the anchor that is not ours, behind the devices", func(p *parts) {
			p.anchor = map[uint64]uint64{4000000000: p.opt(opText)}
		}, []kind{alias, publicKey, credential}},
		{"a map of texts", func(p *parts) {
			p.device[metadataField] = p.metadataOf(func(uint64) uint64 {
				return p.fields(opVariantType, map[uint64]uint64{metadataStringCase: opText})
			})
		}, []kind{alias, metadata, publicKey, credential}},
		{"64 types", func(p *parts) {
			for len(p.entries) < 62 {
				p.opt(opText)
			}
		}, []kind{alias, publicKey, credential}},
	} {
		p := someParts()
		c.change(p)
		message := p.message()
		s, ok := shapeOf(message)
		require.True(t, ok, c.name)
		require.Equal(t, message, s.table, c.name)
		var kinds []kind
		for _, f := range s.devices {
			kinds = append(kinds, f.kind)
		}
		require.Equal(t, c.devices, kinds, c.name)
		require.Equal(t, p.anchor == nil, s.anchor == nil, c.name)
	}
}

// Each table has one fault, for which its records are left to the decoder.
func TestTablesWithoutAShape(t *testing.T) {
	value := func(op byte, cases func(p *parts, pair uint64) map[uint64]uint64) func(p *parts) {
		return func(p *parts) {
			p.device[metadataField] = p.metadataOf(func(pair uint64) uint64 { return p.fields(op, cases(p, pair)) })
		}
	}
	texts := func(p *parts) uint64 { return p.fields(opVariantType, map[uint64]uint64{metadataStringCase: opText}) }
	for name, change := range map[string]func(p *parts){
		"no alias":                   func(p *parts) { delete(p.device, aliasField) },
		"no public key":              func(p *parts) { delete(p.device, pubkeyField) },
		"an optional alias":          func(p *parts) { p.device[aliasField] = p.opt(opText) },
		"an optional public key":     func(p *parts) { p.device[pubkeyField] = p.opt(p.blob) },
		"an alias that is a number":  func(p *parts) { p.device[aliasField] = opNat64 },
		"an origin of bytes":         func(p *parts) { p.device[originField] = p.opt(p.blob) },
		"a key that is a text":       func(p *parts) { p.device[pubkeyField] = opText },
		"an AAGUID of texts":         func(p *parts) { p.device[aaguidField] = p.opt(p.add(opVec, opText)) },
		"an AAGUID of one byte":      func(p *parts) { p.device[aaguidField] = p.opt(p.opt(opNat8)) },
		"a time that is a text":      func(p *parts) { p.device[lastUsedField] = p.opt(opText) },
		"a purpose that is a text":   func(p *parts) { p.device[purposeField] = p.opt(opText) },
		"a purpose that nobody knew": func(p *parts) { p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{5: opNull}) },
		"a purpose that nobody knew before one of ours": func(p *parts) {
			p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{5: opNull, 3461496: opNull})
		},
		"a purpose with a value": func(p *parts) {
			p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{3461496: opText})
		},
		"a field that is not ours and not optional": func(p *parts) { p.device[1] = opText },
		"a time of creation that is a text":         func(p *parts) { p.anchor = map[uint64]uint64{createdAtField: p.opt(opText)} },
		"no devices":                                func(p *parts) { p.anchor = map[uint64]uint64{devicesField: opText} },
		"optional devices": func(p *parts) {
			p.anchor = map[uint64]uint64{devicesField: p.opt(p.add(opVec, p.record(p.device)))}
		},
		"one device": func(p *parts) { p.anchor = map[uint64]uint64{devicesField: p.opt(p.record(p.device))} },
		"devices that are variants": func(p *parts) {
			p.anchor = map[uint64]uint64{devicesField: p.add(opVec, p.fields(opVariantType, p.device))}
		},
		"65 types": func(p *parts) {
			for len(p.entries) < 63 {
				p.opt(opText)
			}
		},
		"metadata that every device has": func(p *parts) { p.device[metadataField] = p.metadata(p.blob) },
		"metadata of one pair": func(p *parts) {
			p.device[metadataField] = p.opt(p.opt(p.record(map[uint64]uint64{0: opText, 1: texts(p)})))
		},
		"metadata of variants": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.fields(opVariantType, map[uint64]uint64{0: opText, 1: texts(p)})))
		},
		"metadata of three": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{0: opText, 1: texts(p), 2: opText})))
		},
		"metadata of numbered values": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{0: opNat64, 1: texts(p)})))
		},
		"metadata without a value": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{0: opText, 2: texts(p)})))
		},
		"metadata values that are records": value(opRecord, func(*parts, uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataStringCase: opText}
		}),
		"a map of texts alone": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataMapCase: p.add(opVec, opText)}
		}),
		"a map of one pair": value(opVariantType, func(p *parts, pair uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataMapCase: p.opt(pair)}
		}),
		"a map by another name": value(opVariantType, func(p *parts, pair uint64) map[uint64]uint64 {
			return map[uint64]uint64{7: p.add(opVec, pair)}
		}),
		"bytes that are texts": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataBytesCase: p.add(opVec, opText)}
		}),
		"one byte": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataBytesCase: p.opt(opNat8)}
		}),
		"bytes by another name": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 { return map[uint64]uint64{7: p.blob} }),
		"a text that is a number": value(opVariantType, func(*parts, uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataStringCase: opNat64}
		}),
		"a text by another name": value(opVariantType, func(*parts, uint64) map[uint64]uint64 { return map[uint64]uint64{7: opText} }),
	} {
		p := someParts()
		change(p)
		_, ok := shapeOf(p.message())
		require.False(t, ok, name)
	}

	p := &parts{} // a list whose number is 0, so that an argument that is missing would be taken for it
	p.add(opVec, 1)
	p.record(map[uint64]uint64{aliasField: opText, pubkeyField: 2})
	p.add(opVec, opNat8)
	whole := p.table(0)
	whole = whole[:len(whole)-2]
	for tail, want := range map[string]bool{"\x01\x00": true, "\x02\x00": false, "\x01": false, "\x01\x03": false} {
		_, ok := shapeOf(append(bytes.Clone(whole), tail...))
		require.Equal(t, want, ok, "arguments %q", tail)
	}
	_, ok := shapeOf([]byte("DIDL\x05"))
	require.False(t, ok, "a table that is cut short")
}

// A shape reads whole messages only, and what it leaves to the decoder it leaves whole.
func TestShapeReadsWholeMessages(t *testing.T) {
	origin, used, created := "https://a.example", uint64(1<<63), uint64(77)
	purpose, kind, protection := wire.PurposeRecovery, wire.KeyTypeSeedPhrase, wire.ProtectionProtected
	full := wire.AnyAnchor{CreatedAt: &created, Devices: []wire.AnyDevice{{
		Pubkey: []byte{1, 2}, Alias: "ä", CredentialID: []byte{3, 4, 5}, Origin: &origin, LastUsageTimestamp: &used,
		Purpose: &purpose, KeyType: &kind, Protection: &protection, Aaguid: []byte{9},
	}}}
	bare := wire.AnyAnchor{Devices: []wire.AnyDevice{{Pubkey: []byte{}, Alias: ""}}}
	for _, layout := range []uint8{1, 9} {
		s := tableOf(allGenerations, layout)
		var room shapeRoom
		var got wire.AnyAnchor
		message := s.encode(nil, &full)
		require.True(t, s.read(message, &room, &got))
		want := full
		if layout == 1 {
			want.CreatedAt = nil
		}
		require.Equal(t, want, got)
		for n := len(s.table); n < len(message); n++ {
			require.False(t, s.read(message[:n:n], &room, &got), "the first %d bytes", n)
		}
		require.False(t, s.read(append(message, 0), &room, &got), "a byte too many")

		// Nothing of the record before shows in the next.
		require.True(t, s.read(s.encode(nil, &full), &room, &got))
		require.True(t, s.read(s.encode(nil, &bare), &room, &got))
		require.Equal(t, "", got.Devices[0].Alias)
		require.Empty(t, got.Devices[0].Pubkey)
		got.Devices[0].Pubkey, got.Devices[0].Alias = nil, ""
		purpose, kind, protection := wire.PurposeAuthentication, wire.KeyTypeUnknown, wire.ProtectionUnprotected
		if layout == 9 {
			require.Equal(t, wire.AnyAnchor{Devices: []wire.AnyDevice{{Purpose: &purpose, KeyType: &kind, Protection: &protection}}}, got)
		} else {
			require.Equal(t, wire.AnyAnchor{Devices: []wire.AnyDevice{{}}}, got)
		}

		many := wire.AnyAnchor{Devices: make([]wire.AnyDevice, 24)}
		require.True(t, s.read(s.encode(nil, &many), &room, &got))
		require.Len(t, got.Devices, 24)
		many.Devices = append(many.Devices, wire.AnyDevice{})
		require.False(t, s.read(s.encode(nil, &many), &room, &got), "more devices than there is room for")

		wrong := s.encode(nil, &bare)
		wrong[len(wrong)-1] = 2
		require.False(t, s.read(wrong, &room, &got), "an optional value is there or not")
		broken := full
		broken.Devices = []wire.AnyDevice{{Alias: "\xff"}}
		require.False(t, s.read(s.encode(nil, &broken), &room, &got), "a text that is none")
	}

	p := someParts()
	p.device[1] = p.opt(opText)
	s, ok := shapeOf(p.message())
	require.True(t, ok)
	var room shapeRoom
	var got wire.AnyAnchor
	//                                                 one device, a text of ours, alias, key, no credential
	require.False(t, s.read(append(bytes.Clone(s.table), 1, 1, 1, 'x', 0, 0, 0), &room, &got), "a value that is not ours")
	require.True(t, s.read(append(bytes.Clone(s.table), 1, 0, 0, 0, 0), &room, &got))

	p = someParts()
	delete(p.device, credentialField)
	p.device[lastUsedField] = p.opt(opNat64)
	s, ok = shapeOf(p.message())
	require.True(t, ok)
	require.True(t, s.read(append(bytes.Clone(s.table), 1, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0), &room, &got), "a time at the end")
	require.EqualValues(t, 8, *got.Devices[0].LastUsageTimestamp)
}

func TestCursorFails(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		read func(c *cursor)
	}{
		"no byte":             {nil, func(c *cursor) { c.byte() }},
		"a number of 6 bytes": {[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0}, func(c *cursor) { c.number() }},
		"a blob too long":     {[]byte{2, 0}, func(c *cursor) { c.blob() }},
		"a time too short":    {make([]byte, 7), func(c *cursor) { c.nat64() }},
		"an unknown case":     {[]byte{2}, func(c *cursor) { c.variant([]uint8{0, 1}) }},
		"neither 0 nor 1":     {[]byte{2}, func(c *cursor) { c.present() }},
		"not UTF-8":           {[]byte{1, 0xff}, func(c *cursor) { c.text() }},
	} {
		in := cursor{b: c.b}
		c.read(&in)
		require.True(t, in.failed, name)
		after := cursor{b: []byte{1, 'a', 1}, failed: true}
		require.Equal(t, "a", after.text())
		require.True(t, after.present())
		require.True(t, after.failed, "it stays failed")
	}
	c := cursor{b: []byte{0x80, 0x80, 0x80, 0x80, 1}}
	require.EqualValues(t, 1<<28, c.number())
	require.False(t, c.failed)
}

func TestImportNextUsesItsRoom(t *testing.T) {
	m := &Image{reused: new(reused)}
	none := &Record{Number: 10000}
	want, _ := none.Import()
	require.Equal(t, want, m.importNext(none))
	require.Nil(t, m.importNext(none).Devices)
	one := &Record{Number: 10001, Anchor: wire.AnyAnchor{Devices: []wire.AnyDevice{{Pubkey: []byte{1}, Alias: "key"}}}}
	got := m.importNext(one)
	require.Len(t, got.Devices, 1)
	require.Same(t, &m.reused.anchor.devices[0], &got.Devices[0], "nothing is allocated for a device")
}

func TestShapesAreKeptInARing(t *testing.T) {
	u := new(reused)
	var all []*shape
	for i := range 2*maxShapes + 1 {
		s := &shape{table: fmt.Appendf(nil, "%c table", 'a'+i)}
		all = append(all, s)
		u.keep(s)
		require.Same(t, s, u.met(fmt.Appendf(nil, "%c table and values", 'a'+i), 1))
	}
	require.Len(t, u.shapes, maxShapes)
	for i, s := range all {
		got := u.met(s.table, 3)
		if i > maxShapes {
			require.Same(t, s, got)
		} else {
			require.Nil(t, got, "%d gave way", i)
		}
		require.Nil(t, u.met(s.table, 5), "a list of devices is no record of a later layout")
	}
	require.Nil(t, u.met([]byte("z table"), 1))

	later := tableOf(devicesOfLayout7, 7)
	u.keep(later)
	require.Same(t, later, u.met(later.table, 4))
	require.Nil(t, u.met(later.table, 3))
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

func TestVariantsAreWrittenAsTheTableHasThem(t *testing.T) {
	recovery := wire.PurposeRecovery
	both := []uint8{uint8(wire.PurposeRecovery), uint8(wire.PurposeAuthentication)}
	for _, c := range []struct {
		f    field
		v    *wire.Purpose
		want []byte
	}{
		{field{opt: true, cases: both}, nil, []byte{0}}, {field{opt: true, cases: both}, &recovery, []byte{1, 0}},
		{field{cases: both}, nil, []byte{1}}, {field{cases: both}, &recovery, []byte{0}},
		{field{cases: both[1:]}, &recovery, []byte{0}},
	} {
		require.Equal(t, c.want, appendVariant(nil, &c.f, c.v, wire.PurposeAuthentication), "%+v", c.f)
	}
}

func TestMentions(t *testing.T) {
	p := someParts()
	p.device[purposeField] = p.opt(p.variant(variants[purpose]))
	message := p.message()
	require.True(t, mentions(message, opRecord, purposeField))
	require.True(t, mentions(message, opVariantType, 3461496))
	require.False(t, mentions(message, opRecord, 3461496), "a case of a variant is no field")
	require.False(t, mentions(message, opVariantType, purposeField))
	require.False(t, mentions(message, opRecord, originField))
	for _, wrong := range []string{"", "DID", "DIDX\x01\x6c\x01\x01\x71", "DIDL", "DIDL\x01", "DIDL\x01\x6c", "DIDL\x01\x6c\x01", "DIDL\x02\x6a\x6c\x01\x01\x71", "DIDL\x00\x6c\x01\x01\x71"} {
		require.False(t, mentions([]byte(wrong), opRecord, 1), "%q", wrong)
	}
	require.True(t, mentions([]byte("DIDL\x01\x6c\x01\x01\x71"), opRecord, 1))
	require.True(t, mentions([]byte("DIDL\x01\x6c\x01\x01"), opRecord, 1), "what is cut short mentions what it mentioned so far")
	require.True(t, mentions([]byte("DIDL\x02\x6e\x71\x6c\x01\x01"), opRecord, 1))
}

// A table without a shape tells its generation by the fields that it mentions.
func TestGenerationOfATableWithoutShape(t *testing.T) {
	for id, want := range map[uint64]generation{
		purposeField: hasPurpose, keyTypeField: hasKeyType, protectionField: hasProtection, originField: hasOrigin,
		lastUsedField: hasLastUsed, metadataField: hasMetadata, aaguidField: hasAAGUID, createdAtField: hasCreatedAt, 1: 0,
	} {
		p := someParts()
		p.device[id] = opNat64 // neither optional nor of its type
		if id == lastUsedField || id == createdAtField {
			p.device[id] = opText
		}
		message := p.message()
		_, ok := shapeOf(message)
		require.False(t, ok)
		require.Equal(t, want, generationOf(message), id)
	}
	p := someParts()
	p.device[1] = p.fields(opVariantType, map[uint64]uint64{browserKeyCase: opNull})
	require.Equal(t, hasBrowserKey, generationOf(p.message()))
	for _, g := range []generation{devicesOfLayout1, devicesOfLayout7, devicesOfLayout8, allGenerations} {
		require.Equal(t, g, generationOf(tableOf(g, 9).table))
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
