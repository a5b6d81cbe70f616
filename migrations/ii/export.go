package ii

import (
	"bytes"
	"fmt"
	"slices"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/stable"
	"kedge/migrations/ii/wire"
)

// exported is an anchor as it is written for the old module. Every device that is protected is written as
// protected if the old module knows that kind (phrases, if it knows protection), else as unprotected. A copy that was
// imported as protected is written so while its device is.
func exported(a *identity.Anchor, knowsProtection bool) wire.AnyAnchor {
	out := wire.AnyAnchor{Devices: make([]wire.AnyDevice, 0, len(a.Devices)+len(a.Copies))}
	if a.CreatedAt != 0 {
		out.CreatedAt = &a.CreatedAt
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		w := exportData(&d.Data, protected(*d) && d.KeyType == identity.SeedPhrase && knowsProtection)
		if d.LastUsed != 0 {
			w.LastUsageTimestamp = &d.LastUsed
		}
		out.Devices = append(out.Devices, w)
	}
	for i := range a.Copies {
		c := &a.Copies[i]
		marked := slices.ContainsFunc(a.Devices, func(d identity.Device) bool { return protected(d) && bytes.Equal(d.PublicKey, c.PublicKey) })
		out.Devices = append(out.Devices, exportData(c, c.Protected && marked && c.KeyType == identity.SeedPhrase && knowsProtection))
	}
	return out
}

func exportData(d *identity.Data, protected bool) wire.AnyDevice {
	purpose, kind, protection := wire.PurposeAuthentication, keyTypeTo[d.KeyType], wire.ProtectionUnprotected
	if d.Purpose == identity.Recovery {
		purpose = wire.PurposeRecovery
	}
	if protected {
		protection = wire.ProtectionProtected
	}
	w := wire.AnyDevice{
		Pubkey: d.PublicKey, Alias: d.Alias, CredentialID: d.CredentialID, Purpose: &purpose, KeyType: &kind,
		Protection: &protection, Aaguid: d.AAGUID, Metadata: exportMetadata(d.Metadata),
	}
	if d.HasOrigin {
		w.Origin = &d.Origin
	}
	return w
}

var keyTypeTo = map[identity.KeyType]wire.KeyType{
	identity.Unknown: wire.KeyTypeUnknown, identity.Platform: wire.KeyTypePlatform,
	identity.CrossPlatform: wire.KeyTypeCrossPlatform, identity.SeedPhrase: wire.KeyTypeSeedPhrase,
	identity.BrowserStorageKey: wire.KeyTypeBrowserStorageKey,
}

func exportMetadata(m identity.Metadata) wire.Metadata {
	if m == nil {
		return nil
	}
	out := make(wire.Metadata, len(m))
	for i := range m {
		e := &m[i]
		out[i].F0 = e.Key
		v := &out[i].F1
		switch e.Kind {
		case identity.MetadataMap:
			v.Tag, v.Map = wire.MetadataItemF1TagMap, exportMetadata(e.Map)
		case identity.MetadataBytes:
			v.Tag, v.Bytes = wire.MetadataItemF1TagBytes, e.Bytes
		default:
			v.Tag, v.String = wire.MetadataItemF1TagString, e.Text
		}
	}
	return out
}

// SetEntry writes the record of the i-th anchor, counted from 0, and erases what is behind it in its entry. It fails for
// a record of more than MaxPayload bytes.
func (m *Image) SetEntry(i uint32, record []byte) error {
	if len(record) > m.MaxPayload() {
		return fmt.Errorf("a record of %d bytes, an entry of layout %d holds %d", len(record), m.Layout, m.MaxPayload())
	}
	b := make([]byte, m.EntrySize)
	le.PutUint16(b, uint16(len(record)))
	copy(b[entryHead:], record)
	if err := m.writeAt(b, uint64(i)*uint64(m.EntrySize)); err != nil {
		return fmt.Errorf("write old record of anchor %d: %w", m.Lo+uint64(i), err)
	}
	return nil
}

// Append makes room for one more anchor, whose entry is empty until it is set. What the old module keeps
// behind the last entry moves on behind the new last entry. The error wraps [storage.ErrFull] when there is no number,
// or no memory, left.
func (m *Image) Append() error {
	if limit := min(m.Hi-m.Lo, m.MaxAnchors()); uint64(m.Anchors) >= limit {
		return fmt.Errorf("%w: layout %d has room for %d anchors", storage.ErrFull, m.Layout, limit)
	}
	state, err := m.State()
	if err != nil {
		return err
	}
	if err := m.ensure(m.entriesEnd() + uint64(m.EntrySize) + uint64(len(state))); err != nil {
		return err
	}
	if err := m.SetEntry(m.Anchors, nil); err != nil {
		return err
	}
	m.Anchors++
	if state != nil {
		if err := m.writeAt(state, m.entriesEnd()); err != nil {
			return fmt.Errorf("move persistent state: %w", err)
		}
	}
	var b [4]byte
	le.PutUint32(b[:], m.Anchors)
	if err := m.mem.WriteAt(b[:], 4); err != nil {
		return fmt.Errorf("write number of anchors: %w", err)
	}
	return nil
}

// ensure makes the memory of the entries at least n bytes long.
func (m *Image) ensure(n uint64) error {
	if m.Layout < 7 {
		return stable.GrowTo(m.mem, (m.entries.base+n+storage.PageSize-1)/storage.PageSize)
	}
	manager, err := openManager(m.mem, m.Layout)
	if err != nil {
		return err
	}
	size, err := manager.size(anchorsMemory)
	if err != nil || n <= size*storage.PageSize {
		return err
	}
	if err := manager.grow(anchorsMemory, (n+storage.PageSize-1)/storage.PageSize); err != nil {
		return err
	}
	m.entries, err = manager.virtual(anchorsMemory)
	return err
}
