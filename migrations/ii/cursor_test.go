package ii

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/migrations/ii/iitest/old"
	"kedge/migrations/ii/wire"
)

// A cursor that has failed stays so, and reads nothing behind the end.
func TestCursor(t *testing.T) {
	number := func(c *cursor) any { return c.number() }
	present := func(c *cursor) any { return c.present() }
	blob := func(c *cursor) any { return string(c.blob()) }
	text := func(c *cursor) any { return c.text() }
	nat64 := func(c *cursor) any { return c.nat64() }
	variant := func(c *cursor) any { return c.variant([]uint8{7, 9}) }
	octet := func(c *cursor) any { return c.byte() }
	for _, c := range []struct {
		name string
		read func(*cursor) any
		text string
		want any // nil if it fails
		left int
	}{
		{"byte", octet, "\x05\x06", byte(5), 1},
		{"byte", octet, "", nil, 0},
		{"number", number, "\x00", uint64(0), 0},
		{"number", number, "\x7f\x01", uint64(127), 1},
		{"number", number, "\x80\x01", uint64(128), 0},
		{"number", number, "\xff\xff\xff\xff\x0f", uint64(1<<32 - 1), 0},
		{"number", number, "\xff\xff\xff\xff\x7f", uint64(1<<35 - 1), 0},
		{"number", number, "\xff\xff\xff\xff\xff\x01", nil, 0},
		{"number", number, "\x80", nil, 0},
		{"present", present, "\x00", false, 0},
		{"present", present, "\x01", true, 0},
		{"present", present, "\x02", nil, 0},
		{"present", present, "", nil, 0},
		{"blob", blob, "\x00", "", 0},
		{"blob", blob, "\x02ab", "ab", 0},
		{"blob", blob, "\x02abc", "ab", 1},
		{"blob", blob, "\x03ab", nil, 0},
		{"blob", blob, "\x80", nil, 0},
		{"text", text, "\x02\xc3\xa9", "é", 0},
		{"text", text, "\x02\xc3a", nil, 0},
		{"text", text, "\x03a", nil, 0},
		{"nat64", nat64, "\x01\x02\x03\x04\x05\x06\x07\x08", uint64(0x0807060504030201), 0},
		{"nat64", nat64, "\x01\x02\x03\x04\x05\x06\x07", nil, 0},
		{"variant", variant, "\x00", uint8(7), 0},
		{"variant", variant, "\x01", uint8(9), 0},
		{"variant", variant, "\x02", nil, 0},
		{"variant", variant, "", nil, 0},
	} {
		in := &cursor{b: []byte(c.text)}
		got := c.read(in)
		require.Equal(t, c.want == nil, in.failed, "%s of %q", c.name, c.text)
		if c.want != nil {
			require.Equal(t, c.want, got, "%s of %q", c.name, c.text)
			require.Len(t, in.b[in.at:], c.left, "%s of %q", c.name, c.text)
		}
		in = &cursor{b: []byte(c.text), failed: true}
		c.read(in)
		require.True(t, in.failed, "%s of %q", c.name, c.text)
	}
}

// tableWith makes the table of layout 8, with a change in it: fields of the device, and cases of metadata.
type tableWith struct {
	device   map[uint64]func(b *tableBuilder, blob uint64) uint64 // 0 leaves a field out
	anchor   map[uint64]func(b *tableBuilder, blob uint64) uint64
	metadata func(b *tableBuilder, blob, list uint64) uint64
	list     byte
}

func (w tableWith) message() []byte {
	b := &tableBuilder{}
	blob := b.add(opVec, opNat8)
	device := map[uint64]uint64{pubkeyField: blob, aliasField: opText, credentialField: b.add(opOpt, blob)}
	device[purposeField] = b.variant(variants[purpose])
	if w.device[keyTypeField] == nil {
		device[keyTypeField] = b.variant(variants[keyType])
	}
	device[protectionField] = b.variant(variants[protection])
	device[originField] = b.add(opOpt, opText)
	device[lastUsedField] = b.add(opOpt, opNat64)
	if w.metadata == nil {
		device[metadataField] = b.add(opOpt, b.metadata(blob))
	} else {
		device[metadataField] = b.add(opOpt, w.metadata(b, blob, uint64(len(b.entries))))
	}
	for id, f := range w.device {
		if device[id] = f(b, blob); device[id] == 0 {
			delete(device, id)
		}
	}
	op := byte(opVec)
	if w.list != 0 {
		op = w.list
	}
	anchor := map[uint64]uint64{devicesField: b.add(op, b.record(device)), createdAtField: b.add(opOpt, opNat64)}
	for id, f := range w.anchor {
		if anchor[id] = f(b, blob); anchor[id] == 0 {
			delete(anchor, id)
		}
	}
	return append(b.table(b.record(anchor)), 0)
}

func TestTablesThatAreShapes(t *testing.T) {
	type fields = map[uint64]func(b *tableBuilder, blob uint64) uint64
	one := func(id uint64, f func(b *tableBuilder, blob uint64) uint64) tableWith {
		return tableWith{device: fields{id: f}}
	}
	prim := func(op uint64) func(*tableBuilder, uint64) uint64 {
		return func(*tableBuilder, uint64) uint64 { return op }
	}
	opt := func(op uint64) func(*tableBuilder, uint64) uint64 {
		return func(b *tableBuilder, _ uint64) uint64 { return b.add(opOpt, op) }
	}
	blobs := func(b *tableBuilder, blob uint64) uint64 { return b.add(opOpt, blob) }
	optional := func(b *tableBuilder, blob uint64) uint64 { return b.add(opOpt, blob) }
	vec := func(elem uint64) func(*tableBuilder, uint64) uint64 {
		return func(b *tableBuilder, _ uint64) uint64 { return b.add(opVec, elem) }
	}
	cases := func(fields map[uint64]uint64) func(*tableBuilder, uint64) uint64 {
		return func(b *tableBuilder, _ uint64) uint64 { return b.fields(opVariantType, fields) }
	}
	record := func(fields map[uint64]uint64) func(*tableBuilder, uint64) uint64 {
		return func(b *tableBuilder, _ uint64) uint64 { return b.record(fields) }
	}
	type change func(pair, value map[uint64]uint64, list, blob uint64) (listOp, pairOp, valueOp byte)
	meta := func(c change) tableWith {
		return tableWith{metadata: func(b *tableBuilder, blob, list uint64) uint64 {
			pair := map[uint64]uint64{0: opText, 1: list + 2}
			value := map[uint64]uint64{metadataMapCase: list, metadataBytesCase: blob, metadataStringCase: opText}
			listOp, pairOp, valueOp := c(pair, value, list, blob)
			b.add(listOp, list+1)
			b.fields(pairOp, pair)
			b.fields(valueOp, value)
			return list
		}}
	}
	right := func(change func(pair, value map[uint64]uint64, list, blob uint64)) tableWith {
		return meta(func(pair, value map[uint64]uint64, list, blob uint64) (byte, byte, byte) {
			change(pair, value, list, blob)
			return opVec, opRecord, opVariantType
		})
	}
	many := func(n int) tableWith {
		return tableWith{device: fields{12345: func(b *tableBuilder, _ uint64) uint64 {
			for len(b.entries) < n-4 { // three more follow: the record, the list, the anchor's record; and this one
				b.add(opVec, opNat8)
			}
			return 0
		}}, anchor: fields{createdAtField: prim(0)}}
	}
	for _, c := range []struct {
		name string
		with tableWith
		ok   bool
	}{
		{"as it is", tableWith{}, true},
		{"no alias", one(aliasField, prim(0)), false},
		{"no key", one(pubkeyField, prim(0)), false},
		{"no purpose", one(purposeField, prim(0)), true},
		{"an optional alias", one(aliasField, opt(opText)), false},
		{"an optional key", one(pubkeyField, blobs), false},
		{"an alias of bytes", one(aliasField, vec(opNat8)), false},
		{"an alias that is a number", one(aliasField, prim(opNat64)), false},
		{"a key of numbers", one(pubkeyField, vec(opNat64)), false},
		{"a key that is text", one(pubkeyField, prim(opText)), false},
		{"an optional type with the element of a vector", one(aaguidField, func(b *tableBuilder, _ uint64) uint64 { return b.add(opOpt, b.add(opOpt, opNat8)) }), false},
		{"an AAGUID", one(aaguidField, optional), true},
		{"a time that is text", one(lastUsedField, opt(opText)), false},
		{"an origin that is a number", one(originField, opt(opNat64)), false},
		{"a purpose of unknown cases", one(purposeField, cases(map[uint64]uint64{5: opNull})), false},
		{"a purpose of a known case and an unknown one", one(purposeField, cases(map[uint64]uint64{3461496: opNull, 5: opNull})), false},
		{"an unknown case before a known one", one(purposeField, cases(map[uint64]uint64{5: opNull, 3461496: opNull})), false},
		{"a purpose whose case has a value", one(purposeField, cases(map[uint64]uint64{3461496: opNat64, 2911501653: opNull})), false},
		{"a purpose of one case", one(purposeField, cases(map[uint64]uint64{3461496: opNull})), true},
		{"a purpose that is a record", one(purposeField, record(map[uint64]uint64{3461496: opNull})), false},
		{"a field of later builds", one(12345, opt(opText)), true},
		{"a field of later builds that is not optional", one(12345, prim(opText)), false},
		{"metadata that is not optional", one(metadataField, func(b *tableBuilder, blob uint64) uint64 { return b.metadata(blob) }), false},
		{"a time of making that is text", tableWith{anchor: fields{createdAtField: opt(opText)}}, false},
		{"no time of making", tableWith{anchor: fields{createdAtField: prim(0)}}, true},
		{"no devices", tableWith{anchor: fields{devicesField: prim(0)}}, false},
		{"optional devices", tableWith{anchor: fields{devicesField: optional}}, false},
		{"devices that are text", tableWith{anchor: fields{devicesField: prim(opText)}}, false},
		{"devices that are bytes", tableWith{anchor: fields{devicesField: vec(opNat8)}}, false},
		{"an optional device", tableWith{list: opOpt}, false},
		{"sixty-four types", many(64), true},
		{"sixty-five types", many(65), false},

		{"metadata", right(func(_, _ map[uint64]uint64, _, _ uint64) {}), true},
		{"metadata of text alone", right(func(_, v map[uint64]uint64, _, _ uint64) { delete(v, metadataMapCase); delete(v, metadataBytesCase) }), true},
		{"optional pairs", meta(func(_, _ map[uint64]uint64, _, _ uint64) (byte, byte, byte) { return opOpt, opRecord, opVariantType }), false},
		{"pairs that are variants", meta(func(_, _ map[uint64]uint64, _, _ uint64) (byte, byte, byte) {
			return opVec, opVariantType, opVariantType
		}), false},
		{"values that are records", meta(func(_, _ map[uint64]uint64, _, _ uint64) (byte, byte, byte) { return opVec, opRecord, opRecord }), false},
		{"three in a pair", right(func(p, _ map[uint64]uint64, _, _ uint64) { p[2] = opText }), false},
		{"one in a pair", right(func(p, _ map[uint64]uint64, _, _ uint64) { delete(p, 1) }), false},
		{"keys that are numbers", right(func(p, _ map[uint64]uint64, _, _ uint64) { p[0] = opNat64 }), false},
		{"the first field by another name", right(func(p, _ map[uint64]uint64, _, _ uint64) { p[1], p[2] = p[0], p[1]; delete(p, 0) }), false},
		{"the second field by another name", right(func(p, _ map[uint64]uint64, _, _ uint64) { p[2] = p[1]; delete(p, 1) }), false},
		{"another case", right(func(_, v map[uint64]uint64, _, _ uint64) { v[5] = opText }), false},
		{"a map of bytes", right(func(_, v map[uint64]uint64, _, blob uint64) { v[metadataMapCase] = blob }), false},
		{"a map that is text", right(func(_, v map[uint64]uint64, _, _ uint64) { v[metadataMapCase] = opText }), false},
		{"bytes that are a map", right(func(_, v map[uint64]uint64, list, _ uint64) { v[metadataBytesCase] = list }), false},
		{"bytes that are text", right(func(_, v map[uint64]uint64, _, _ uint64) { v[metadataBytesCase] = opText }), false},
		{"text that is bytes", right(func(_, v map[uint64]uint64, _, blob uint64) { v[metadataStringCase] = blob }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, ok := shapeOf(c.with.message())
			require.Equal(t, c.ok, ok)
			if ok {
				require.NotNil(t, s.devices)
			}
		})
	}
	whole := tableWith{}.message()
	for n := range len(whole) - 1 { // cut anywhere in the table
		_, ok := shapeOf(whole[:max(n, 4)])
		require.False(t, ok, "%d bytes", n)
	}
	two := slices.Clone(whole)
	two[len(two)-3] = 2 // arguments
	_, ok := shapeOf(two)
	require.False(t, ok)
}

// A generation is told by the table, by a shape and without one.
func TestGenerationOfEveryField(t *testing.T) {
	type fields = map[uint64]func(b *tableBuilder, blob uint64) uint64
	leave := func(*tableBuilder, uint64) uint64 { return 0 }
	noBrowser := func(b *tableBuilder, _ uint64) uint64 { return b.variant(variants[keyType], browserStorageKey) }
	odd := func(*tableBuilder, uint64) uint64 { return opText } // with which there is no shape
	for _, c := range []struct {
		name string
		with fields
		want generation
	}{
		{"layout 8", fields{}, devicesOfLayout8 | hasCreatedAt},
		{"no purpose", fields{purposeField: leave}, (devicesOfLayout8 | hasCreatedAt) &^ hasPurpose},
		{"no type", fields{keyTypeField: leave}, (devicesOfLayout8 | hasCreatedAt) &^ (hasKeyType | hasBrowserKey)},
		{"no browser storage key", fields{keyTypeField: noBrowser}, (devicesOfLayout8 | hasCreatedAt) &^ hasBrowserKey},
		{"no protection", fields{protectionField: leave}, (devicesOfLayout8 | hasCreatedAt) &^ hasProtection},
		{"no origin", fields{originField: leave}, (devicesOfLayout8 | hasCreatedAt) &^ hasOrigin},
		{"no last use", fields{lastUsedField: leave}, (devicesOfLayout8 | hasCreatedAt) &^ hasLastUsed},
		{"no metadata", fields{metadataField: leave}, (devicesOfLayout8 | hasCreatedAt) &^ hasMetadata},
		{"an AAGUID", fields{aaguidField: func(b *tableBuilder, blob uint64) uint64 { return b.add(opOpt, blob) }}, allGenerations},
	} {
		message := tableWith{device: c.with}.message()
		_, ok := shapeOf(message)
		require.True(t, ok)
		require.Equal(t, c.want, generationOf(message), c.name)
		c.with[12345] = odd
		message = tableWith{device: c.with}.message()
		_, ok = shapeOf(message)
		require.False(t, ok)
		if _, none := c.with[metadataField]; none {
			continue // a table names metadata of the device and of the anchor alike
		}
		require.Equal(t, c.want, generationOf(message), "%s, without a shape", c.name)
	}
}

func TestMentionsOfFields(t *testing.T) {
	for _, c := range []struct {
		message string
		of      byte
		field   uint64
		want    bool
	}{
		{"", opRecord, 5, false},
		{"DID", opRecord, 5, false},
		{"DIDL", opRecord, 5, false},
		{"DIDX\x01\x6c\x01\x05\x71", opRecord, 5, false},
		{"DIDL\x01\x6c\x01\x05\x71", opRecord, 5, true},
		{"DIDL\x01\x6c\x01\x05\x71", opRecord, 6, false},
		{"DIDL\x01\x6c\x01\x05\x71", opVariantType, 5, false},
		{"DIDL\x01\x6b\x01\x05\x7f", opVariantType, 5, true},
		{"DIDL\x01\x6c\x02\x04\x71\x05\x71", opRecord, 5, true},
		{"DIDL\x02\x6e\x71\x6c\x01\x05\x71", opRecord, 5, true},
		{"DIDL\x02\x6d\x71\x6c\x01\x05\x71", opRecord, 5, true},
		{"DIDL\x01\x6e\x71\x6c\x01\x05\x71", opRecord, 5, false}, // behind the table
		{"DIDL\x00\x6c\x01\x05\x71", opRecord, 5, false},
		{"DIDL\x02\x6a\x71\x6c\x01\x05\x71", opRecord, 5, false}, // a function
		{"DIDL\x01\x6c\x00\x05\x71", opRecord, 5, false},
		{"DIDL\x01\x6c\x01\x85\x01\x71", opRecord, 133, true},
		{"DIDL\x01\x6c\x01\x05", opRecord, 5, true}, // cut short behind it
		{"DIDL\x01\x6c\x01", opRecord, 0, false},
		{"DIDL\x01\x6c", opRecord, 0, false},
		{"DIDL\x01", opRecord, 0, false},
		{"DIDL\x02\x6c\x01\x04", opRecord, 5, false},
		{"DIDL\x01\x6c\x01" + strings.Repeat("\x80", 9) + "\x00\x71", opRecord, 0, true},
		{"DIDL\x01\x6c\x01" + strings.Repeat("\x80", 10) + "\x00\x71", opRecord, 0, false},
	} {
		require.Equal(t, c.want, mentions([]byte(c.message), c.of, c.field), "%q", c.message)
	}
}

// One record after the other: each is read by the shape of its table, which is met with the second.
func TestDecodeOneAfterTheOther(t *testing.T) {
	mem := build(t, 9)
	o := start(t, mem)
	o.Register(passkey("a"))
	o.SetEntry(o.Register(), nil)
	o.Register(phrase("b", true), passkey("c"))
	o.Register()
	o.Register(passkey("d"))
	m, err := Open(mem)
	require.NoError(t, err)
	shaped := func(i uint32) bool {
		want, raw, err := m.Decode(i)
		require.NoError(t, err)
		got, same, err := m.decodeNext(i)
		require.NoError(t, err)
		require.Equal(t, string(raw), string(same))
		require.Equal(t, want.Number, got.Number)
		require.Equal(t, want.Empty, got.Empty)
		require.Equal(t, len(want.Anchor.Devices), len(got.Anchor.Devices))
		for j := range want.Anchor.Devices {
			require.Equal(t, want.Anchor.Devices[j], got.Anchor.Devices[j])
		}
		anchor, _ := want.Import()
		imported := m.importNext(got)
		require.Equal(t, anchor.Devices, imported.Devices)
		if len(imported.Devices) > 0 {
			require.Same(t, &m.reused.anchor.devices[0], &imported.Devices[0], "in the room for it")
		}
		return got == &m.reused.record
	}
	for i, want := range []bool{false, false, true, true, true} {
		require.Equal(t, want, shaped(uint32(i)), "record %d", i)
	}
	require.Len(t, m.reused.shapes, 1)
	_, _, err = m.decodeNext(5)
	require.ErrorContains(t, err, "anchor 10005: the header has 5 anchors from 10000 on")
	o.SetEntry(10003, []byte("DIDL"))
	_, _, err = m.decodeNext(3)
	require.ErrorContains(t, err, "anchor 10003")
}

func TestShapesAreKept(t *testing.T) {
	u := new(reused)
	var all []*shape
	for range 2*maxShapes + 2 {
		s := new(shape)
		all = append(all, s)
		u.keep(s)
	}
	require.Len(t, u.shapes, maxShapes)
	for i, s := range u.shapes { // the last ones, each in the place of the oldest
		want := all[maxShapes+i]
		if i < 2 {
			want = all[2*maxShapes+i]
		}
		require.Same(t, want, s, "place %d", i)
	}
}

// Anything may follow a table that is known: what is cut short, and devices that are too many, are left to the decoder.
func TestShapeLeavesToTheDecoder(t *testing.T) {
	device := old.Device{Pubkey: []byte("key"), Alias: "alias", CredentialID: []byte("id"), Origin: ptr("origin"), LastUsageTimestamp: ptr(uint64(7)), Aaguid: []byte("aaguid")}
	for i, message := range messages([]old.Device{device, device}, ptr(uint64(3))) {
		s, ok := shapeOf(message)
		require.True(t, ok)
		require.True(t, agree(t, s, message))
		require.False(t, agree(t, s, append(slices.Clone(message), 0)), "a byte too many")
		for n := len(s.table); n < len(message); n++ {
			require.False(t, agree(t, s, message[:n]), "message %d cut to %d of %d bytes", i, n, len(message))
		}
	}
	for _, n := range []int{24, 25} {
		message := messages(slices.Repeat([]old.Device{{Pubkey: []byte("key")}}, n), nil)[3]
		s, ok := shapeOf(message)
		require.True(t, ok)
		require.Equal(t, n == 24, agree(t, s, message), "%d devices", n)
	}
	// The room has what was read before, of which nothing shows.
	var room shapeRoom
	var a wire.AnyAnchor
	full := messages([]old.Device{device}, ptr(uint64(3)))[3]
	s, _ := shapeOf(full)
	require.True(t, s.read(full, &room, &a))
	bare := messages([]old.Device{{Pubkey: []byte("key")}}, nil)[3]
	require.True(t, s.read(bare, &room, &a))
	want, err := wire.DecodeAnyAnchorArgs(bare)
	require.NoError(t, err)
	require.Equal(t, want, a)
}

func TestTrialHasEveryField(t *testing.T) {
	want := Trial{Layout: 9, KnowsProtection: true, Imported: 1, WithoutKey: 2, Unreadable: 3, Amended: 4, Generation: 0x1ff, Returns: 63, Named: 5}
	for i := range want.FirstAmended {
		want.FirstAmended[i], want.FirstNamed[i] = uint32(100+i), uint32(200+i)
	}
	for _, w := range []Trial{want, {}, {Layout: 1}} {
		var b [storage.LegacySize]byte
		w.encode(&b)
		var got Trial
		got.decode(&b)
		require.Equal(t, w, got)
	}
}

func TestLimitsOfLayouts(t *testing.T) {
	for layout, want := range map[uint8]uint64{1: 3_774_873, 3: 3_774_873, 5: 8_178_860, 6: 8_178_860, 7: 8_178_860, 8: 67_106_816, 9: 67_106_816} {
		m := &Image{Layout: layout, Lo: 10, Hi: 1 << 60}
		require.Equal(t, want, m.MaxAnchors(), "layout %d", layout)
		require.Equal(t, 10+min(want, storage.MaxAnchors), m.limit())
		m.Hi = 20
		require.Equal(t, uint64(20), m.limit())
	}
}
