package anchortest

import (
	"bytes"
	"fmt"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// Golden are the anchors of the golden images: a simple one, one without devices, one with every
// field, and one that fills its overflow block. Each version stores what it knows of them.
func Golden() []*identity.Anchor {
	key := func(anchor, device int) []byte { return fmt.Appendf(nil, "public key %d of anchor %d", device, anchor) }
	dev := func(anchor, device int) identity.Device {
		k := key(anchor, device)
		return identity.Device{
			Data:      identity.Data{PublicKey: k, Alias: fmt.Sprintf("device %d", device), CredentialID: fmt.Appendf(nil, "credential %d", device)},
			ID:        identity.DeviceID(device),
			Principal: principal.SelfAuthenticating(k),
			Proven:    device != 1,
			LastUsed:  1_700_000_000_000_000_000 + uint64(device),
			AddedAt:   1_690_000_000_000_000_000 + uint64(anchor)*1e9,
		}
	}
	simple := &identity.Anchor{Number: 10000, CreatedAt: 1_690_000_000_000_000_000, Devices: []identity.Device{dev(10000, 0), dev(10000, 1)}}
	simple.Events = []identity.Event{
		{At: 1, Kind: identity.EventRegistered, By: simple.Devices[0].Principal, Device: simple.Devices[0].Principal},
		{At: 2, Kind: identity.EventProtected, By: simple.Devices[0].Principal, Device: simple.Devices[1].Principal, Until: 604800},
	}
	empty := &identity.Anchor{Number: 10001}

	whole := &identity.Anchor{Number: 10002, Devices: []identity.Device{dev(10002, 0), dev(10002, 1), dev(10002, 2)}}
	phrase := &whole.Devices[0]
	phrase.Purpose, phrase.KeyType, phrase.Protected, phrase.CredentialID = identity.Recovery, identity.SeedPhrase, true, nil
	phrase.SessionsUntil = 1_800_000_000_000_000_000
	phrase.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 1}, {ID: 2, CompletesAt: 77}}}
	lapsing := &whole.Devices[1]
	lapsing.Protected, lapsing.LapsesAt = true, identity.LapseAfter
	passkey := &whole.Devices[2]
	passkey.KeyType, passkey.HasOrigin, passkey.Origin = identity.Platform, true, "https://identity.ic0.app"
	passkey.AAGUID = []byte("0123456789abcdef")
	passkey.Metadata = identity.Metadata{
		{Key: "os", Text: "plan 9"},
		{Key: "raw", Kind: identity.MetadataBytes, Bytes: []byte{0, 255}},
		{Key: "more", Kind: identity.MetadataMap, Map: identity.Metadata{{Key: "inner", Text: "value"}}},
	}
	passkey.Temporary = identity.TemporaryKey{Principal: principal.SelfAuthenticating([]byte("temporary")), ExpiresAt: 99}
	passkey.Challenge = identity.Challenge{Nonce: [16]byte{1, 2, 3}, ExpiresAt: 1_700_000_000_000_000_300}
	passkey.Attestation = identity.Attestation{At: 1_700_000_000_000_000_000, UserPresent: true, UserVerified: true, BackupEligible: true, Counter: 7, CounterStalled: true}
	whole.Copies = []identity.Data{{PublicKey: key(10002, 0), Alias: "the same key once more", KeyType: identity.Unknown}}
	whole.Guard, whole.DeviceBound, whole.SessionLimit = true, true, 3600_000_000_000
	whole.Registration = &identity.Registration{Opener: 2, ExpiresAt: 900, Attempts: 1, Code: 123456, Tentative: &identity.Data{PublicKey: []byte("offered"), Alias: "offered"}}

	phrase.AgreesToContacts = true
	whole.Contacts = &identity.Contacts{Threshold: 2, Delay: identity.MinContactDelay, List: []identity.Contact{
		{Anchor: 10000, Accepted: true, Key: principal.SelfAuthenticating([]byte("new key")), ApprovedAt: 555, ByProtected: true, Noted: true},
		{Anchor: 10001},
		{Anchor: 10003, Accepted: true},
	}}

	full := &identity.Anchor{Number: 10003}
	for i := range identity.MaxDevices {
		d := dev(10003, i)
		d.CredentialID = bytes.Repeat([]byte{byte(i + 1)}, 180)
		full.Devices = append(full.Devices, d)
	}
	for i := range 40 {
		full.Events = append(full.Events, identity.Event{At: uint64(i), Kind: identity.EventAdded, By: full.Devices[0].Principal, Device: full.Devices[i%10].Principal})
	}
	return []*identity.Anchor{simple, empty, whole, full}
}

// AsVersion1 is what record version 1 keeps of an anchor.
func AsVersion1(a *identity.Anchor) *identity.Anchor {
	b := &identity.Anchor{Number: a.Number, Copies: a.Copies}
	for _, d := range a.Devices {
		b.Devices = append(b.Devices, identity.Device{
			Data: d.Data, ID: d.ID, Principal: d.Principal, Proven: d.Proven, LastUsed: d.LastUsed, LapsesAt: d.LapsesAt,
		})
	}
	return b
}

// AsVersion2 is what record version 2 keeps of an anchor.
func AsVersion2(a *identity.Anchor) *identity.Anchor {
	b := *a
	b.Contacts, b.Devices = nil, nil
	for _, d := range a.Devices {
		d.AgreesToContacts = false
		b.Devices = append(b.Devices, d)
	}
	return &b
}
