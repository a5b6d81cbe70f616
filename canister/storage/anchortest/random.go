// Package anchortest makes anchors for the tests of storage.
package anchortest

import (
	"fmt"

	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

func anyMetadata(depth int) *rapid.Generator[[]identity.MetadataEntry] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) identity.MetadataEntry {
		e := identity.MetadataEntry{Key: rapid.StringN(0, 8, 16).Draw(t, "key"), Kind: identity.MetadataKind(rapid.IntRange(0, 1).Draw(t, "kind"))}
		switch e.Kind {
		case identity.MetadataText:
			e.Text = rapid.StringN(0, 8, 16).Draw(t, "text")
		case identity.MetadataBytes:
			e.Bytes = append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes")...)
		}
		if depth > 0 && rapid.IntRange(0, 3).Draw(t, "map") == 0 {
			e = identity.MetadataEntry{Key: e.Key, Kind: identity.MetadataMap, Map: append(identity.Metadata{}, anyMetadata(depth-1).Draw(t, "inner")...)}
		}
		return e
	}), 0, 2)
}

var anyPrincipal = rapid.Custom(func(t *rapid.T) principal.Principal {
	return principal.SelfAuthenticating([]byte{rapid.Byte().Draw(t, "principal")})
})

var anyDevice = rapid.Custom(func(t *rapid.T) identity.Device {
	key := fmt.Appendf(nil, "key %d", rapid.IntRange(0, 40).Draw(t, "key"))
	d := identity.Device{
		Data: identity.Data{
			PublicKey: key, Alias: rapid.StringN(0, 16, 64).Draw(t, "alias"),
			Purpose: identity.Purpose(rapid.IntRange(0, 1).Draw(t, "purpose")), KeyType: identity.KeyType(rapid.IntRange(0, 4).Draw(t, "type")),
			Protected: rapid.Bool().Draw(t, "protected"), HasOrigin: rapid.Bool().Draw(t, "has origin"),
		},
		ID: identity.DeviceID(rapid.Uint16().Draw(t, "id")), Principal: principal.SelfAuthenticating(key),
		Proven: rapid.Bool().Draw(t, "proven"), LastUsed: rapid.Uint64().Draw(t, "used"), AddedAt: rapid.Uint64Range(0, 5e9).Draw(t, "added"),
		AddedUnprotected: rapid.Bool().Draw(t, "added unprotected"), AgreesToContacts: rapid.Bool().Draw(t, "agrees"),
		SessionsUntil: rapid.Uint64().Draw(t, "sessions"), LapsesAt: rapid.Uint64().Draw(t, "lapses"),
	}
	if d.HasOrigin {
		d.Origin = rapid.StringN(0, 10, 50).Draw(t, "origin")
	}
	if rapid.Bool().Draw(t, "credential") {
		d.CredentialID = append([]byte{}, make([]byte, rapid.IntRange(0, 400).Draw(t, "credential length"))...)
	}
	if rapid.Bool().Draw(t, "aaguid") {
		d.AAGUID = make([]byte, identity.AAGUIDSize)
	}
	if rapid.Bool().Draw(t, "metadata") {
		d.Metadata = append(identity.Metadata{}, anyMetadata(3).Draw(t, "metadata")...)
	}
	if rapid.Bool().Draw(t, "temporary") {
		d.Temporary = identity.TemporaryKey{Principal: anyPrincipal.Draw(t, "temporary"), ExpiresAt: 1}
	}
	if rapid.Bool().Draw(t, "consent") {
		d.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 3}, {ID: 4, CompletesAt: 9}}}
	}
	if rapid.Bool().Draw(t, "challenge") {
		d.Challenge = identity.Challenge{Nonce: [16]byte{9}, ExpiresAt: 3}
	}
	if rapid.Bool().Draw(t, "attestation") {
		d.Attestation = identity.Attestation{At: 5, BackedUp: true, Counter: rapid.Uint32().Draw(t, "counter")}
	}
	return d
})

var anyContact = rapid.Custom(func(t *rapid.T) identity.Contact {
	c := identity.Contact{
		Anchor: rapid.Uint64().Draw(t, "contact"), Accepted: rapid.Bool().Draw(t, "accepted"),
		ByProtected: rapid.Bool().Draw(t, "by protected"), Noted: rapid.Bool().Draw(t, "noted"),
	}
	if rapid.Bool().Draw(t, "approves") {
		c.Key, c.ApprovedAt = anyPrincipal.Draw(t, "approved"), rapid.Uint64().Draw(t, "approved at")
	}
	return c
})

// Random draws an anchor with any of the fields that are stored.
func Random(t *rapid.T, number uint64) *identity.Anchor {
	a := &identity.Anchor{
		Number: number, CreatedAt: rapid.Uint64().Draw(t, "created"), Guard: rapid.Bool().Draw(t, "guard"),
		DeviceBound: rapid.Bool().Draw(t, "bound"), SessionLimit: rapid.Uint64().Draw(t, "limit"),
		Devices: rapid.SliceOfNDistinct(anyDevice, 0, 12, func(d identity.Device) string { return string(d.PublicKey) }).Draw(t, "devices"),
	}
	if len(a.Devices) == 0 {
		a.Devices = nil
	} else if rapid.Bool().Draw(t, "copy") {
		a.Copies = []identity.Data{anyDevice.Draw(t, "copied").Data}
	}
	if rapid.Bool().Draw(t, "contacts") {
		a.Contacts = &identity.Contacts{
			Threshold: rapid.Byte().Draw(t, "threshold"), Delay: rapid.Uint64().Draw(t, "contacts' delay"),
			List: rapid.SliceOfN(anyContact, 1, identity.MaxContacts).Draw(t, "list"),
		}
	}
	if rapid.Bool().Draw(t, "registration") {
		a.Registration = &identity.Registration{Opener: 1, ExpiresAt: 2, Attempts: 3, Code: 4}
		if rapid.Bool().Draw(t, "tentative") {
			data := anyDevice.Draw(t, "tentative device").Data
			a.Registration.Tentative = &data
		}
	}
	return a
}
