package ii

import (
	"bytes"
	"unicode/utf8"
	"unsafe"

	"kedge/canister/identity"
	"kedge/migrations/ii/wire"
)

// A canister has millions of records and a handful of type tables, those of the builds that wrote it. A
// shape is what one table says about the order of the fields, so that the records behind that table are
// read without a look at it, and written with it (encode.go). Shapes are only made of tables that the
// decoder of package wire has accepted, and they know what the old modules write in practice. Whatever else
// comes, metadata for one, or values that are cut short, is left to that decoder, which also says what is
// wrong.
type shape struct {
	table   []byte  // of the message: all up to its first value
	anchor  []field // of the record around the devices; nil in layouts 1 to 3
	devices []field
}

type field struct {
	kind  kind
	opt   bool
	cases []uint8 // of a variant: our case by its number in the table
}

type kind uint8

const (
	alias kind = iota
	metadata
	origin
	protection
	publicKey
	keyType
	lastUsage
	aaguid
	purpose
	credential
	createdAt
	deviceList
	foreign // an optional field that Kedge does not know: read by the decoder, written as absent
)

// The Candid ids of the fields of a record: hashes of their names, as the Candid specification has it.
const (
	aliasField      = 563171728  // alias
	metadataField   = 1075439471 // metadata, of a device and of an anchor
	originField     = 1258363366 // origin
	protectionField = 1684155417 // protection
	pubkeyField     = 1727183618 // pubkey
	createdAtField  = 1779848746 // created_at
	keyTypeField    = 2975220890 // key_type
	devicesField    = 3613992733 // devices
	lastUsedField   = 3870005711 // last_usage_timestamp
	aaguidField     = 3874120297 // aaguid
	purposeField    = 3878670750 // purpose
	credentialField = 4147013763 // credential_id
)

// browserKeyCase is the Candid id of the case browser_storage_key.
const browserKeyCase = 4220448004

// The fields and cases that shapes know.
var (
	anchorFields = map[uint64]kind{metadataField: metadata, createdAtField: createdAt, devicesField: deviceList}
	deviceFields = map[uint64]kind{
		aliasField: alias, metadataField: metadata, originField: origin, protectionField: protection, pubkeyField: publicKey,
		keyTypeField: keyType, lastUsedField: lastUsage, aaguidField: aaguid, purposeField: purpose, credentialField: credential,
	}
	variants = map[kind]map[uint64]uint8{
		purpose: {3461496: uint8(wire.PurposeAuthentication), 2911501653: uint8(wire.PurposeRecovery)},
		keyType: {
			1744417459: uint8(wire.KeyTypePlatform), 3053362247: uint8(wire.KeyTypeSeedPhrase),
			3484244626: uint8(wire.KeyTypeCrossPlatform), 3782943626: uint8(wire.KeyTypeUnknown),
			browserKeyCase: uint8(wire.KeyTypeBrowserStorageKey),
		},
		protection: {439399861: uint8(wire.ProtectionUnprotected), 2492084014: uint8(wire.ProtectionProtected)},
	}
)

// The opcodes of Candid types that shapes know, as the bytes that stand for them.
const (
	opNull, opNat8, opNat64, opText       = 0x7f, 0x7b, 0x78, 0x71
	opOpt, opVec, opRecord, opVariantType = 0x6e, 0x6d, 0x6c, 0x6b
)

// tableEntry is a type of a table: its opcode, and its element or its fields.
type tableEntry struct {
	op     uint64
	elem   uint64
	fields [][2]uint64 // id and type
}

// shapeOf makes the shape of a message that the decoder has accepted; ok is false if there is none.
func shapeOf(message []byte) (s *shape, ok bool) {
	c := cursor{b: message, at: len("DIDL")}
	entries := make([]tableEntry, 0, 32)
	for n := c.number(); n > 0; n-- { // ends at the end of the message: no type is 0
		e := tableEntry{op: c.number()}
		switch e.op {
		case opOpt, opVec:
			e.elem = c.number()
		case opRecord, opVariantType:
			for n := c.number(); n > 0 && !c.failed; n-- {
				e.fields = append(e.fields, [2]uint64{c.number(), c.number()})
			}
		default:
			return nil, false
		}
		entries = append(entries, e)
	}
	one, arg := c.number(), c.number()
	// A reference to an entry is a signed number: below 64 it reads as it is, and no old table has more.
	at := func(ref uint64) tableEntry {
		if ref < uint64(len(entries)) {
			return entries[ref]
		}
		return tableEntry{op: ref}
	}
	if c.failed || one != 1 || len(entries) > 64 {
		return nil, false
	}
	s = &shape{table: bytes.Clone(message[:c.at])}
	list := at(arg)
	if list.op == opRecord {
		if s.anchor, ok = fieldsOf(list, anchorFields, at); !ok {
			return nil, false
		}
		for _, f := range list.fields {
			if anchorFields[f[0]] == deviceList {
				list = at(f[1])
			}
		}
	}
	if list.op != opVec || at(list.elem).op != opRecord {
		return nil, false
	}
	s.devices, ok = fieldsOf(at(list.elem), deviceFields, at)
	return s, ok
}

func fieldsOf(record tableEntry, known map[uint64]kind, at func(uint64) tableEntry) ([]field, bool) {
	out, missing := []field{}, 0
	for _, k := range known {
		if mandatory(k) {
			missing++
		}
	}
	for _, in := range record.fields {
		k, ok := known[in[0]]
		if !ok {
			k = foreign
		}
		f, t := field{kind: k}, at(in[1])
		if t.op == opOpt {
			f.opt, t = true, at(t.elem)
		}
		switch k {
		case foreign:
			ok = f.opt
		case metadata:
			f.cases, ok = metadataCases(t, at)
		case alias, origin:
			ok = t.op == opText
		case publicKey, aaguid, credential:
			ok = t.op == opVec && t.elem == opNat8
		case lastUsage, createdAt:
			ok = t.op == opNat64
		case purpose, keyType, protection:
			ok = t.op == opVariantType
			for _, c := range t.fields {
				number, is := variants[k][c[0]]
				ok = ok && is && c[1] == opNull
				f.cases = append(f.cases, number)
			}
		}
		if !ok || mandatory(k) && f.opt || k == metadata && !f.opt {
			return nil, false
		}
		if mandatory(k) {
			missing--
		}
		out = append(out, f)
	}
	return out, missing == 0
}

// metadataCases returns the cases of the values of a metadata map, in the order of the table: our number of
// each. ok is false if the type is not that map.
func metadataCases(list tableEntry, at func(uint64) tableEntry) (cases []uint8, ok bool) {
	pair := at(list.elem)
	if list.op != opVec || pair.op != opRecord || len(pair.fields) != 2 || pair.fields[0] != [2]uint64{0, opText} || pair.fields[1][0] != 1 {
		return nil, false
	}
	value := at(pair.fields[1][1])
	if value.op != opVariantType {
		return nil, false
	}
	for _, c := range value.fields {
		t := at(c[1])
		switch {
		case c[0] == metadataMapCase && t.op == opVec && t.elem == list.elem:
			cases = append(cases, uint8(wire.MetadataItemF1TagMap))
		case c[0] == metadataBytesCase && t.op == opVec && t.elem == opNat8:
			cases = append(cases, uint8(wire.MetadataItemF1TagBytes))
		case c[0] == metadataStringCase && c[1] == opText:
			cases = append(cases, uint8(wire.MetadataItemF1TagString))
		default:
			return nil, false
		}
	}
	return cases, true
}

// The Candid ids of the cases of a metadata value.
const (
	metadataMapCase    = 5442204
	metadataBytesCase  = 3180857451
	metadataStringCase = 288368849
)

// mandatory tells whether a record without the field is not one of ours. A table without it is accepted
// by the decoder as long as no record follows.
func mandatory(k kind) bool { return k == alias || k == publicKey }

// shapeRoom is where a record is read to. The next record takes its place.
type shapeRoom struct {
	created uint64
	devices [24]wire.AnyDevice
	values  [24]struct {
		origin     string
		used       uint64
		purpose    wire.Purpose
		keyType    wire.KeyType
		protection wire.Protection
	}
}

// read reads a message that begins with the table of s; ok is false if it has to be left to the decoder.
func (s *shape) read(message []byte, room *shapeRoom, a *wire.AnyAnchor) (ok bool) {
	c := cursor{b: message, at: len(s.table)}
	*a = wire.AnyAnchor{}
	if s.anchor == nil {
		s.readDevices(&c, room, a)
	}
	for i := range s.anchor {
		f := &s.anchor[i]
		if f.opt && !c.present() {
			continue
		}
		switch f.kind {
		case createdAt:
			room.created = c.nat64()
			a.CreatedAt = &room.created
		case deviceList:
			s.readDevices(&c, room, a)
		default:
			return false
		}
	}
	return !c.failed && c.at == len(message)
}

func (s *shape) readDevices(c *cursor, room *shapeRoom, a *wire.AnyAnchor) {
	n := c.number()
	if n > uint64(len(room.devices)) {
		c.failed = true
		return
	}
	a.Devices = room.devices[:n]
	for i := range a.Devices {
		d, v := &a.Devices[i], &room.values[i]
		*d = wire.AnyDevice{}
		for j := range s.devices {
			f := &s.devices[j]
			if f.opt && !c.present() {
				continue
			}
			switch f.kind {
			case alias:
				d.Alias = c.text()
			case origin:
				v.origin = c.text()
				d.Origin = &v.origin
			case publicKey:
				d.Pubkey = c.blob()
			case aaguid:
				d.Aaguid = c.blob()
			case credential:
				d.CredentialID = c.blob()
			case lastUsage:
				v.used = c.nat64()
				d.LastUsageTimestamp = &v.used
			case protection:
				v.protection = wire.Protection(c.variant(f.cases))
				d.Protection = &v.protection
			case keyType:
				v.keyType = wire.KeyType(c.variant(f.cases))
				d.KeyType = &v.keyType
			case purpose:
				v.purpose = wire.Purpose(c.variant(f.cases))
				d.Purpose = &v.purpose
			default: // metadata, and what is not ours
				c.failed = true
			}
		}
	}
}

// cursor reads a message. Once it has failed it stays so; what it reads then means nothing.
type cursor struct {
	b      []byte
	at     int
	failed bool
}

func (c *cursor) byte() byte {
	if c.at >= len(c.b) {
		c.failed = true
		return 0
	}
	b := c.b[c.at]
	c.at++
	return b
}

// number reads a LEB128 number of at most five bytes, the longest of a field's id. It is 0 when that fails.
func (c *cursor) number() uint64 {
	var n uint64
	for shift := uint(0); shift < 35; shift += 7 {
		b := c.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	c.failed = true
	return 0
}

func (c *cursor) present() bool {
	b := c.byte()
	c.failed = c.failed || b > 1
	return b == 1
}

func (c *cursor) blob() []byte {
	n := c.number()
	if n > uint64(len(c.b)-c.at) {
		c.failed = true
		return nil
	}
	from := c.at
	c.at += int(n)
	return c.b[from:c.at:c.at]
}

// text borrows a string from the message, which nobody writes to while the record is in use.
func (c *cursor) text() string {
	b := c.blob()
	c.failed = c.failed || !utf8.Valid(b)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (c *cursor) nat64() uint64 {
	if len(c.b)-c.at < 8 {
		c.failed = true
		return 0
	}
	c.at += 8
	return le.Uint64(c.b[c.at-8:])
}

func (c *cursor) variant(cases []uint8) uint8 {
	n := c.byte() // a number of one byte: no variant has 128 cases
	if int(n) >= len(cases) {
		c.failed = true
		return 0
	}
	return cases[n]
}

// maxShapes is how many tables are kept at once.
const maxShapes = 8

// reused is the room of [Image.decodeNext].
type reused struct {
	entry  [4096]byte
	head   [tableHead]byte
	record Record
	room   shapeRoom
	anchor struct {
		anchor  identity.Anchor
		devices [identity.MaxDevices]identity.Device
	}
	shapes []*shape
	next   int // of shapes to give up for a new one
}

// importNext is Import of what decodeNext returned, valid as long as that.
func (m *Image) importNext(r *Record) *identity.Anchor {
	in := &m.reused.anchor
	in.anchor = identity.Anchor{}
	if len(r.Anchor.Devices) > 0 {
		in.anchor.Devices = in.devices[:0]
	}
	r.importTo(&in.anchor, nil)
	return &in.anchor
}

// decodeNext is Decode for one anchor after the other: the record is valid until the next.
func (m *Image) decodeNext(i uint32) (*Record, []byte, error) {
	u := m.buffers()
	b, err := m.entryInto(u.entry[:], i)
	if err != nil {
		return nil, nil, err
	}
	if s := u.met(b, m.Layout); s != nil {
		r := &u.record
		*r = Record{Number: m.Lo + uint64(i), raw: b}
		if s.read(b, &u.room, &r.Anchor) {
			return r, b, nil
		}
		return m.decode(i, b)
	}
	r, b, err := m.decode(i, b)
	if err != nil || len(b) == 0 {
		return r, b, err
	}
	if s, ok := shapeOf(b); ok {
		u.keep(s)
	}
	return r, b, nil
}

// buffers is where records are read to, and the shapes met.
func (m *Image) buffers() *reused {
	if m.reused == nil {
		m.reused = new(reused)
	}
	return m.reused
}

// keep remembers a shape, in the place of the oldest if there are as many as are kept.
func (u *reused) keep(s *shape) {
	if len(u.shapes) < maxShapes {
		u.shapes = append(u.shapes, s)
		return
	}
	u.shapes[u.next] = s
	u.next = (u.next + 1) % maxShapes
}
