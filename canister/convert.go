package canister

import (
	"kedge/candid/kedge"
	"kedge/canister/identity"
)

// isTrue and isFalse are what opt bool fields point to. isTrue is set when the program starts, because what has its
// value from the beginning lies elsewhere in memory than the variables that every message touches.
var isTrue, isFalse bool

func init() { isTrue = true }

func boolean(b bool) *bool {
	if b {
		return &isTrue
	}
	return &isFalse
}

// timestamp is an opt Timestamp whose absence is 0 in the rules. It points to what it is given, because an
// anchor has three for each device and allocating one costs 700 instructions.
func timestamp(t *uint64) *uint64 {
	if *t == 0 {
		return nil
	}
	return t
}

func protectionTo(marked bool) kedge.DeviceProtection {
	if marked {
		return kedge.DeviceProtectionProtected
	}
	return kedge.DeviceProtectionUnprotected
}

func dataFrom(d *kedge.DeviceData) identity.Data {
	data := identity.Data{
		PublicKey:    d.Pubkey,
		Alias:        d.Alias,
		CredentialID: d.CredentialID,
		AAGUID:       d.Aaguid,
		Purpose:      purposeFrom[d.Purpose],
		KeyType:      keyTypeFrom[d.KeyType],
		Protected:    d.Protection == kedge.DeviceProtectionProtected,
		Metadata:     metadataFrom(d.Metadata),
	}
	if d.Origin != nil {
		data.HasOrigin, data.Origin = true, *d.Origin
	}
	return data
}

func dataTo(d *identity.Data) kedge.DeviceData {
	return kedge.DeviceData{
		Pubkey:       d.PublicKey,
		Alias:        d.Alias,
		CredentialID: d.CredentialID,
		Aaguid:       d.AAGUID,
		Purpose:      purposeTo[d.Purpose],
		KeyType:      keyTypeTo[d.KeyType],
		Protection:   protectionTo(d.Protected),
		Origin:       originTo(d),
		Metadata:     metadataTo(d.Metadata),
	}
}

func originTo(d *identity.Data) *string {
	if !d.HasOrigin {
		return nil
	}
	return &d.Origin
}

func metadataFrom(m kedge.MetadataMap) identity.Metadata {
	if m == nil {
		return nil
	}
	entries := make(identity.Metadata, len(m))
	for i := range m {
		e := identity.MetadataEntry{Key: m[i].F0}
		switch v := &m[i].F1; v.Tag {
		case kedge.MetadataValueTagMap:
			e.Kind, e.Map = identity.MetadataMap, metadataFrom(v.Map)
		case kedge.MetadataValueTagString:
			e.Kind, e.Text = identity.MetadataText, v.String
		case kedge.MetadataValueTagBytes:
			e.Kind, e.Bytes = identity.MetadataBytes, v.Bytes
		}
		entries[i] = e
	}
	return entries
}

func metadataTo(m identity.Metadata) kedge.MetadataMap {
	if m == nil {
		return nil
	}
	items := make(kedge.MetadataMap, len(m))
	for i := range m {
		items[i].F0 = m[i].Key
		v := &items[i].F1
		switch m[i].Kind {
		case identity.MetadataMap:
			v.Tag, v.Map = kedge.MetadataValueTagMap, metadataTo(m[i].Map)
		case identity.MetadataText:
			v.Tag, v.String = kedge.MetadataValueTagString, m[i].Text
		case identity.MetadataBytes:
			v.Tag, v.Bytes = kedge.MetadataValueTagBytes, m[i].Bytes
		}
	}
	return items
}

// lookupTo is what everyone may know of a device.
func lookupTo(d *identity.Device) kedge.LookupDevice {
	return kedge.LookupDevice{
		Pubkey:       d.PublicKey,
		CredentialID: d.CredentialID,
		Aaguid:       d.AAGUID,
		Purpose:      purposeTo[d.Purpose],
		KeyType:      keyTypeTo[d.KeyType],
		Protection:   protectionTo(d.Protected),
		Origin:       originTo(&d.Data),
		Proven:       boolean(d.Proven),
	}
}

// deviceTo is what an anchor's own devices may know of a device of a.
func deviceTo(a *identity.Anchor, d *identity.Device, service uint64) kedge.DeviceWithUsage {
	device := kedge.DeviceWithUsage{
		Pubkey:        d.PublicKey,
		Alias:         d.Alias,
		CredentialID:  d.CredentialID,
		Aaguid:        d.AAGUID,
		Purpose:       purposeTo[d.Purpose],
		KeyType:       keyTypeTo[d.KeyType],
		Protection:    protectionTo(d.Protected),
		Origin:        originTo(&d.Data),
		Metadata:      metadataTo(d.Metadata),
		LastUsage:     timestamp(&d.LastUsed),
		Proven:        boolean(d.Proven),
		AddedAt:       timestamp(&d.AddedAt),
		SessionsUntil: timestamp(&d.SessionsUntil),
		LapsesInS:     secondsUntil(d.LapsesAt, service),
		Attestation:   attestationTo(&d.Attestation),
	}
	if d.Consent != nil {
		device.Release = releaseTo(a, d.Consent, service)
	}
	if a.HasContacts() {
		device.AgreesToContacts = boolean(d.AgreesToContacts)
	}
	return device
}

func releaseTo(a *identity.Anchor, c *identity.Consent, service uint64) *kedge.Release {
	release := &kedge.Release{DelayS: c.Delay / second, Askers: make([]kedge.Asker, 0, len(c.Askers))}
	for _, asker := range c.Askers {
		for i := range a.Devices {
			if d := &a.Devices[i]; d.ID == asker.ID {
				release.Askers = append(release.Askers, kedge.Asker{
					Pubkey:       d.PublicKey,
					CompletesInS: secondsUntil(asker.CompletesAt, service),
				})
			}
		}
	}
	return release
}

// secondsUntil is the service time, rounded up, until a point of service time; nil if there is none.
func secondsUntil(at, service uint64) *uint64 {
	if at == 0 {
		return nil
	}
	var left uint64
	if at > service {
		left = (at - service + second - 1) / second
	}
	return &left
}

func attestationTo(a *identity.Attestation) *kedge.Attestation {
	if a.At == 0 {
		return nil
	}
	return &kedge.Attestation{
		At:             a.At,
		UserPresent:    a.UserPresent,
		UserVerified:   a.UserVerified,
		BackupEligible: a.BackupEligible,
		BackedUp:       a.BackedUp,
		Counter:        a.Counter,
		CounterStalled: a.CounterStalled,
	}
}
