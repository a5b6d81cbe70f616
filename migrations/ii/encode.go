package ii

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"kedge/migrations/ii/wire"
)

// browserStorageKey is the case of key type that the builds before 2023-08 do not know.
const browserStorageKey = uint8(wire.KeyTypeBrowserStorageKey)

// has tells whether the variant of a field has the case of this number.
func (f *field) has(number uint8) bool { return slices.Contains(f.cases, number) }

// writable tells whether any anchor can be written with the table of a shape. It cannot if a field that
// devices may lack is not optional, or if a variant lacks the case that stands for all that it cannot express.
func (s *shape) writable() bool {
	for _, f := range slices.Concat(s.anchor, s.devices) {
		switch f.kind {
		case origin, lastUsage, aaguid, credential, createdAt, metadata, foreign:
			if !f.opt {
				return false
			}
		case purpose:
			if !f.has(uint8(wire.PurposeAuthentication)) {
				return false
			}
		case keyType:
			if !f.has(uint8(wire.KeyTypeUnknown)) {
				return false
			}
		case protection:
			if !f.has(uint8(wire.ProtectionUnprotected)) {
				return false
			}
		}
		if f.kind == metadata && len(f.cases) != 3 {
			return false
		}
	}
	return true
}

// lostOf is what a record of generation g would lose of an anchor.
func lostOf(a *wire.AnyAnchor, g generation) (lost generation) {
	need := func(there bool, bit generation) {
		if there && g&bit == 0 {
			lost |= bit
		}
	}
	need(a.CreatedAt != nil, hasCreatedAt)
	for i := range a.Devices {
		d := &a.Devices[i]
		need(d.Purpose != nil && *d.Purpose != wire.PurposeAuthentication, hasPurpose)
		need(d.KeyType != nil && *d.KeyType != wire.KeyTypeUnknown, hasKeyType)
		need(d.KeyType != nil && *d.KeyType == wire.KeyTypeBrowserStorageKey, hasBrowserKey)
		need(d.Protection != nil && *d.Protection == wire.ProtectionProtected, hasProtection)
		need(d.Origin != nil, hasOrigin)
		need(d.LastUsageTimestamp != nil, hasLastUsed)
		need(d.Metadata != nil, hasMetadata)
		need(d.Aaguid != nil, hasAAGUID)
	}
	return lost
}

// encode appends an anchor with the table of a writable shape. What the table cannot express is lost, see
// [lostOf].
func (s *shape) encode(b []byte, a *wire.AnyAnchor) []byte {
	b = append(b, s.table...)
	if s.anchor == nil {
		return s.encodeDevices(b, a.Devices)
	}
	for i := range s.anchor {
		switch f := &s.anchor[i]; f.kind {
		case deviceList:
			b = s.encodeDevices(b, a.Devices)
		case createdAt:
			b = appendOptNat64(b, a.CreatedAt)
		case metadata:
			b = appendOptMetadata(b, f, a.Metadata)
		default: // what is not ours
			b = append(b, 0)
		}
	}
	return b
}

func (s *shape) encodeDevices(b []byte, devices []wire.AnyDevice) []byte {
	b = binary.AppendUvarint(b, uint64(len(devices)))
	for i := range devices {
		d := &devices[i]
		for j := range s.devices {
			switch f := &s.devices[j]; f.kind {
			case alias:
				b = appendBlob(b, []byte(d.Alias))
			case publicKey:
				b = appendBlob(b, d.Pubkey)
			case credential:
				b = appendOptBlob(b, d.CredentialID)
			case origin:
				if d.Origin == nil {
					b = append(b, 0)
				} else {
					b = appendOptBlob(b, append([]byte{}, *d.Origin...))
				}
			case lastUsage:
				b = appendOptNat64(b, d.LastUsageTimestamp)
			case aaguid:
				b = appendOptBlob(b, d.Aaguid)
			case purpose:
				b = appendVariant(b, f, d.Purpose, wire.PurposeAuthentication)
			case keyType:
				b = appendVariant(b, f, d.KeyType, wire.KeyTypeUnknown)
			case protection:
				b = appendVariant(b, f, d.Protection, wire.ProtectionUnprotected)
			case metadata:
				b = appendOptMetadata(b, f, d.Metadata)
			default:
				b = append(b, 0)
			}
		}
	}
	return b
}

func appendBlob(b, v []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(v))), v...) }

func appendOptBlob(b, v []byte) []byte {
	if v == nil {
		return append(b, 0)
	}
	return appendBlob(append(b, 1), v)
}

func appendOptNat64(b []byte, v *uint64) []byte {
	if v == nil {
		return append(b, 0)
	}
	return le.AppendUint64(append(b, 1), *v)
}

// appendVariant writes a case, or the one that stands for those that the table does not have.
func appendVariant[T ~uint8](b []byte, f *field, v *T, other T) []byte {
	if v == nil {
		if f.opt {
			return append(b, 0)
		}
		v = &other
	}
	if f.opt {
		b = append(b, 1)
	}
	at := slices.Index(f.cases, uint8(*v))
	if at < 0 {
		at = slices.Index(f.cases, uint8(other))
	}
	return append(b, byte(at))
}

func appendOptMetadata(b []byte, f *field, m wire.Metadata) []byte {
	if m == nil {
		return append(b, 0)
	}
	return appendMetadata(append(b, 1), f, m)
}

func appendMetadata(b []byte, f *field, m wire.Metadata) []byte {
	b = binary.AppendUvarint(b, uint64(len(m)))
	for i := range m {
		v := &m[i].F1
		b = appendBlob(b, []byte(m[i].F0))
		b = append(b, byte(slices.Index(f.cases, uint8(v.Tag))))
		switch v.Tag {
		case wire.MetadataItemF1TagMap:
			b = appendMetadata(b, f, v.Map)
		case wire.MetadataItemF1TagBytes:
			b = appendBlob(b, v.Bytes)
		default:
			b = appendBlob(b, []byte(v.String))
		}
	}
	return b
}

// encode makes the old record of the i-th anchor, and says of which generation it is. It is written with the
// table that the record has, so that whatever module wrote it can read it; with the newest table met in the
// image if that keeps something which the record's own would lose, and for an anchor that has no record yet.
// newest is the generation of the newest table met, 0 for none. Metadata of the anchor itself, for which Kedge has no
// place, stays as the old record has it, where there is room. It fails if the entry has no room for the rest.
func (m *Image) encode(i uint32, a *wire.AnyAnchor, newest generation) ([]byte, generation, error) {
	own, err := m.tableAt(i)
	if err != nil {
		return nil, 0, err
	}
	tables := make([]*shape, 0, 2)
	if own != nil {
		tables = append(tables, own)
		if g := own.generation(); g.newer(newest) {
			newest = g
		}
	}
	if newest == 0 || m.Layout > 1 && leastOf(m.Layout).newer(newest) {
		newest = leastOf(m.Layout)
	}
	kept := *a
	if own != nil && own.keepsMetadata() {
		record, err := m.Entry(i)
		if err != nil {
			return nil, 0, err
		}
		if old, _, err := m.decode(i, record); err == nil { // else there is nothing to keep
			kept.Metadata = old.Anchor.Metadata
		}
	}
	if own == nil || keepsMore(newest, own.generation(), a) {
		if table := m.tableOf(newest); kept.Metadata == nil || table.keepsMetadata() {
			tables = slices.Insert(tables, 0, table)
		}
	}
	var size int
	for _, what := range [...]*wire.AnyAnchor{&kept, a} {
		for _, table := range tables {
			record := table.encode(nil, what)
			if size = len(record); size <= m.MaxPayload() {
				return record, table.generation(), nil
			}
		}
	}
	return nil, 0, fmt.Errorf("its old record would have %d bytes, an entry of layout %d holds %d", size, m.Layout, m.MaxPayload())
}

// keepsMetadata tells whether the table of a shape has metadata of the anchor itself.
func (s *shape) keepsMetadata() bool {
	return slices.ContainsFunc(s.anchor, func(f field) bool { return f.kind == metadata })
}

// keepsMore tells whether a record of generation newest would lose less of an anchor than one of own, and
// nothing that own keeps.
func keepsMore(newest, own generation, a *wire.AnyAnchor) bool {
	lost, still := lostOf(a, own), lostOf(a, newest)
	return still != lost && still&^lost == 0
}

// tableHead is how much of an entry is read to see its table. The longest table of the old module has less.
const tableHead = 1024

// tableAt returns the shape of the record of the i-th anchor, nil if there is no record, or none that
// anchors can be written with.
func (m *Image) tableAt(i uint32) (*shape, error) {
	if i >= m.Anchors {
		return nil, nil
	}
	u := m.buffers()
	if err := m.readAt(u.head[:], uint64(i)*uint64(m.EntrySize)); err != nil {
		return nil, fmt.Errorf("anchor %d: %w", m.Lo+uint64(i), err)
	}
	n := int(le.Uint16(u.head[:]))
	if n == 0 || n > m.MaxPayload() {
		return nil, nil
	}
	s := u.met(u.head[entryHead:min(entryHead+n, tableHead)], m.Layout)
	if s == nil {
		record, err := m.Entry(i)
		if err != nil {
			return nil, nil //nolint:nilerr // a record that cannot be read has no table to keep
		}
		if _, _, err := m.decode(i, record); err != nil {
			return nil, nil //nolint:nilerr // likewise
		}
		var ok bool
		if s, ok = shapeOf(record); !ok {
			return nil, nil
		}
		u.keep(s)
	}
	if !s.writable() || !s.generation().possible(m.Layout) {
		return nil, nil
	}
	return s, nil
}

// met returns the shape whose table a record begins with, nil if there is none among those remembered.
func (u *reused) met(record []byte, layout uint8) *shape {
	for _, s := range u.shapes {
		// A table of the other sort would be refused, or not, by what the layout says.
		if bytes.HasPrefix(record, s.table) && (s.anchor == nil) == (layout <= 3) {
			return s
		}
	}
	return nil
}

// tableOf returns the shape of a generation: one that was met if there is any, so that the very table of the
// old module is written, else one of our making.
func (m *Image) tableOf(g generation) *shape {
	for _, s := range m.buffers().shapes {
		if (s.anchor == nil) == (m.Layout <= 3) && s.generation() == g && s.writable() {
			return s
		}
	}
	s := tableOf(g, m.Layout)
	m.buffers().keep(s)
	return s
}
