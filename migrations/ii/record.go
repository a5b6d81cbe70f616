package ii

import (
	"bytes"
	"fmt"
	"slices"

	"kedge/canister/identity"
	"kedge/ic/principal"
	"kedge/migrations/ii/wire"
)

// Record is an anchor as an old module stored it.
type Record struct {
	Number uint64
	Empty  bool // the entry was never written
	Anchor wire.AnyAnchor
	raw    []byte
}

// Protection tells whether the record's type table has the field of that name: whether the module that
// wrote it knew of protection.
func (r *Record) Protection() bool { return mentions(r.raw, opRecord, protectionField) }

// Decode reads the record of the i-th anchor, counted from 0, and returns its bytes as well. It fails, with the anchor's
// number, as [Image.Entry] does, and for what is not a record.
func (m *Image) Decode(i uint32) (*Record, []byte, error) {
	b, err := m.Entry(i)
	if err != nil {
		return nil, nil, err
	}
	return m.decode(i, b)
}

// decode is Decode of the bytes b.
func (m *Image) decode(i uint32, b []byte) (*Record, []byte, error) {
	r := &Record{Number: m.Lo + uint64(i), raw: b}
	if len(b) == 0 {
		r.Empty = true
		return r, b, nil
	}
	var err error
	if m.Layout <= 3 {
		r.Anchor.Devices, err = wire.DecodeAnyDevicesArgs(b)
	} else {
		r.Anchor, err = wire.DecodeAnyAnchorArgs(b)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("anchor %d: %w", r.Number, err)
	}
	return r, b, nil
}

// Oddity is something about an old record that an operator should know.
type Oddity string

// The oddities. All are imported as they are, except where the words say otherwise.
const (
	OddEmpty      Oddity = "it was registered but never written; imported without devices"
	OddNoDevices  Oddity = "it has no device"
	OddNoKey      Oddity = "a device has an empty public key"
	OddPhrases    Oddity = "it has more than one recovery phrase"
	OddDevices    Oddity = "it has more devices than the limit"
	OddBytes      Oddity = "its variable fields have more bytes than the limit"
	OddField      Oddity = "a field of a device is longer than its limit"
	OddCredential Oddity = "two devices share a credential id, or a recovery phrase has one"
	OddCopies     Oddity = "two of its records share a public key and count as one device"
	OddProtected  Oddity = "a device that is no recovery phrase is protected"
	OddAAGUID     Oddity = "a device has an AAGUID that is not 16 bytes; it was left out"
	OddMetadata   Oddity = "it has metadata of its own, which has no place here; it stays in the old record until the migration is finalised"
)

// Import makes an anchor of an old record: an imported protection is a mark on a proven device, and any
// other device is proven if it has a last usage. Records that share a key become one device, protected if
// any is, and copies. The oddities are in the order in which they were met, each once.
func (r *Record) Import() (*identity.Anchor, []Oddity) {
	a := new(identity.Anchor)
	if n := len(r.Anchor.Devices); n > 0 {
		a.Devices = make([]identity.Device, 0, n)
	}
	var odd []Oddity
	r.importTo(a, func(o Oddity) {
		if !slices.Contains(odd, o) {
			odd = append(odd, o)
		}
	})
	return a, odd
}

// importTo is Import to an empty anchor, whose devices are put in the room that a.Devices has. It tells
// note of the oddities, which may be nil: looking for them costs more than the import.
func (r *Record) importTo(a *identity.Anchor, note func(Oddity)) {
	a.Number = r.Number
	if c := r.Anchor.CreatedAt; c != nil {
		a.CreatedAt = *c
	}
	if note != nil && r.Empty {
		note(OddEmpty)
	}
	if note != nil && len(r.Anchor.Metadata) > 0 {
		note(OddMetadata)
	}
	for i := range r.Anchor.Devices {
		w := &r.Anchor.Devices[i]
		data, used := importData(w)
		if note != nil {
			oddDevice(r.Anchor.Devices[:i], w, &data, note)
		}
		if at := indexOfKey(a.Devices, data.PublicKey); at >= 0 {
			if note != nil {
				note(OddCopies)
			}
			d := &a.Devices[at]
			d.LastUsed = max(d.LastUsed, used)
			d.Protected = d.Protected || data.Protected
			d.Proven = d.Proven || data.Protected || used > 0
			a.Copies = append(a.Copies, data)
			continue
		}
		a.Devices = append(a.Devices, identity.Device{
			Data: data, ID: identity.DeviceID(len(a.Devices)), Principal: principal.SelfAuthenticating(data.PublicKey),
			Proven: data.Protected || used > 0, LastUsed: used,
		})
	}
	if note != nil {
		r.oddAnchor(a, note)
	}
}

func indexOfKey(devices []identity.Device, key []byte) int {
	for i := range devices {
		if bytes.Equal(devices[i].PublicKey, key) {
			return i
		}
	}
	return -1
}

// oddDevice notes what is odd about a device that comes after others.
func oddDevice(before []wire.AnyDevice, w *wire.AnyDevice, data *identity.Data, note func(Oddity)) {
	if w.Aaguid != nil && data.AAGUID == nil {
		note(OddAAGUID)
	}
	if len(data.PublicKey) == 0 {
		note(OddNoKey)
	}
	if data.Protected && data.KeyType != identity.SeedPhrase {
		note(OddProtected)
	}
	if len(data.Alias) > identity.MaxAlias || len(data.PublicKey) > identity.MaxPublicKey ||
		len(data.CredentialID) > identity.MaxCredentialID || len(data.Origin) > identity.MaxOrigin {
		note(OddField)
	}
	if data.CredentialID != nil {
		same := func(w wire.AnyDevice) bool {
			return w.CredentialID != nil && bytes.Equal(w.CredentialID, data.CredentialID)
		}
		if data.KeyType == identity.SeedPhrase || slices.ContainsFunc(before, same) {
			note(OddCredential)
		}
	}
}

// oddAnchor notes what is odd about the devices taken together.
func (r *Record) oddAnchor(a *identity.Anchor, note func(Oddity)) {
	phrases := 0
	for i := range a.Devices {
		if a.Devices[i].KeyType == identity.SeedPhrase {
			phrases++
		}
	}
	if !r.Empty && len(a.Devices) == 0 {
		note(OddNoDevices)
	}
	if phrases > 1 {
		note(OddPhrases)
	}
	if len(r.Anchor.Devices) > identity.MaxDevices {
		note(OddDevices)
	}
	if a.VariableBytes() > identity.MaxVariableBytes {
		note(OddBytes)
	}
}

func importData(w *wire.AnyDevice) (data identity.Data, used uint64) {
	data = identity.Data{PublicKey: w.Pubkey, Alias: w.Alias, CredentialID: w.CredentialID}
	if len(w.Pubkey) == 0 {
		data.PublicKey = nil
	}
	if w.Purpose != nil && *w.Purpose == wire.PurposeRecovery {
		data.Purpose = identity.Recovery
	}
	if w.KeyType != nil {
		data.KeyType = keyTypeFrom[*w.KeyType]
	}
	data.Protected = w.Protection != nil && *w.Protection == wire.ProtectionProtected
	if w.Origin != nil {
		data.HasOrigin, data.Origin = true, *w.Origin
	}
	if len(w.Aaguid) == identity.AAGUIDSize {
		data.AAGUID = w.Aaguid
	}
	data.Metadata = importMetadata(w.Metadata)
	if w.LastUsageTimestamp != nil {
		used = *w.LastUsageTimestamp
	}
	return data, used
}

var keyTypeFrom = [...]identity.KeyType{
	wire.KeyTypeUnknown: identity.Unknown, wire.KeyTypePlatform: identity.Platform,
	wire.KeyTypeCrossPlatform: identity.CrossPlatform, wire.KeyTypeSeedPhrase: identity.SeedPhrase,
	wire.KeyTypeBrowserStorageKey: identity.BrowserStorageKey,
}

func importMetadata(m wire.Metadata) identity.Metadata {
	if m == nil {
		return nil
	}
	out := make(identity.Metadata, len(m))
	for i := range m {
		v := &m[i].F1
		out[i].Key = m[i].F0
		switch v.Tag {
		case wire.MetadataItemF1TagMap:
			out[i].Kind, out[i].Map = identity.MetadataMap, importMetadata(v.Map)
			if out[i].Map == nil {
				out[i].Map = identity.Metadata{}
			}
		case wire.MetadataItemF1TagBytes:
			out[i].Kind, out[i].Bytes = identity.MetadataBytes, v.Bytes
		default:
			out[i].Text = v.String
		}
	}
	return out
}
