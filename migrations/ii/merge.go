package ii

import (
	"bytes"
	"reflect"
	"slices"

	"kedge/canister/identity"
	"kedge/migrations/ii/wire"
)

// merge makes the anchor that comes back from a time under the old module. own is our copy from before,
// old what the old module wrote since. The rules (design, section 4):
//
//   - A device that the old module left as we wrote it is as in our copy.
//   - A protected device that it changed or removed is restored whole, unless the old module itself
//     enforced that protection; then its owner did it. An old module enforces the protection of phrases,
//     only if it had it from us as protected (enforceable), and only if it knows protection, which shows
//     in that it wrote this record with the field.
//   - A device that it made protected, on an anchor that had a protected device, is imported unprotected.
//   - Guard, demand, session limit and consents are ours. Pending requests, temporary keys, challenges
//     and registration mode are gone.
//
// Events of the result list what was restored and what was not taken over.
func merge(own *identity.Anchor, old *Record, raw []byte, enforceable bool) *identity.Anchor {
	theirs, _ := old.Import()
	knew := old.Protection()
	base := exported(own, enforceable)
	a := &identity.Anchor{
		Number: own.Number, CreatedAt: own.CreatedAt, Copies: theirs.Copies,
		Guard: own.Guard, DeviceBound: own.DeviceBound, SessionLimit: own.SessionLimit,
	}
	guarded := slices.ContainsFunc(own.Devices, protected)
	taken := make([]bool, len(theirs.Devices))
	for i := range own.Devices {
		was := &own.Devices[i]
		at := slices.IndexFunc(theirs.Devices, func(d identity.Device) bool { return bytes.Equal(d.PublicKey, was.PublicKey) })
		var now *identity.Device
		if at >= 0 {
			now, taken[at] = &theirs.Devices[at], true
		}
		if d := settle(was, now, &base.Devices[i], knew, raw, guarded, a); d != nil {
			d.Temporary, d.Challenge = identity.TemporaryKey{}, identity.Challenge{}
			a.Devices = append(a.Devices, *d)
			if now == nil {
				a.Copies = append(a.Copies, copiesOf(own, d.PublicKey)...)
			}
		}
	}
	for i := range theirs.Devices {
		if taken[i] {
			continue
		}
		d := theirs.Devices[i]
		if d.Protected && guarded {
			d.Protected = false
			d.Proven = d.LastUsed > 0
			a.Events = append(a.Events, identity.Event{Kind: identity.EventDropped, Device: d.Principal})
		}
		d.ID = freeID(a, own)
		a.Devices = append(a.Devices, d)
	}
	for i := range a.Copies { // a copy never carries a mark that its device does not
		c := &a.Copies[i]
		at := slices.IndexFunc(a.Devices, func(d identity.Device) bool { return bytes.Equal(d.PublicKey, c.PublicKey) })
		c.Protected = c.Protected && at >= 0 && a.Devices[at].Protected
	}
	tidyConsents(a)
	if !slices.ContainsFunc(a.Devices, protected) {
		a.Guard = false
	}
	return a
}

func copiesOf(a *identity.Anchor, key []byte) []identity.Data {
	return slices.DeleteFunc(slices.Clone(a.Copies), func(c identity.Data) bool { return !bytes.Equal(c.PublicKey, key) })
}

func protected(d identity.Device) bool { return d.Protected && d.Proven }

// settle decides what becomes of one of our devices, given what the old module has of it (nil if it is
// gone) and whether it knew protection. It returns nil for a device that is gone.
func settle(was, now *identity.Device, base *wire.AnyDevice, knew bool, raw []byte, guarded bool, a *identity.Anchor) *identity.Device {
	restored := func() {
		a.Events = append(a.Events, identity.Event{Kind: identity.EventRestored, Device: was.Principal})
	}
	enforced := knew && was.KeyType == identity.SeedPhrase && *base.Protection == wire.ProtectionProtected
	if now == nil {
		if protected(*was) && !enforced {
			restored()
			d := *was
			return &d
		}
		return nil
	}
	d := *was
	d.LastUsed = max(was.LastUsed, now.LastUsed)
	if untouched(base, now, raw) {
		if !knew && *base.Protection == wire.ProtectionProtected {
			restored() // dropped by a module that does not know it
		}
		if now.LastUsed > was.LastUsed {
			d.Proven, d.LapsesAt = true, 0
		}
		return &d
	}
	if protected(*was) && !enforced {
		restored()
		return &d
	}
	d.Data = keepUnknown(was, now.Data, raw)
	d.Proven = was.Proven || now.LastUsed > was.LastUsed
	switch {
	case !knew:
		d.Protected = was.Protected
	case now.Protected && !was.Protected && guarded:
		d.Protected = false
		a.Events = append(a.Events, identity.Event{Kind: identity.EventDropped, Device: was.Principal})
	case now.Protected && !was.Protected:
		d.Proven = true // an imported protection is a mark on a proven device
	case !now.Protected && was.Protected && !was.Proven:
		d.Protected = true // we wrote this mark as none; the old module did not take it off
	}
	if !d.Protected {
		d.Consent, d.LapsesAt = nil, 0
	}
	if d.Proven {
		d.LapsesAt = 0
	}
	return &d
}

// The ids of the fields that some old modules do not know (ii.md 1.4).
const (
	purposeField  = 3878670750
	keyTypeField  = 2975220890
	originField   = 1258363366
	metadataField = 1075439471
	aaguidField   = 3874120297
)

// keepUnknown fills in from our copy the fields that the old module does not know and so dropped.
func keepUnknown(was *identity.Device, d identity.Data, raw []byte) identity.Data {
	if !mentions(raw, purposeField) {
		d.Purpose = was.Purpose
	}
	if !mentions(raw, keyTypeField) {
		d.KeyType = was.KeyType
	}
	if !mentions(raw, originField) {
		d.HasOrigin, d.Origin = was.HasOrigin, was.Origin
	}
	if !mentions(raw, metadataField) {
		d.Metadata = was.Metadata
	}
	if !mentions(raw, aaguidField) {
		d.AAGUID = was.AAGUID
	}
	return d
}

// untouched tells whether the old module has a device as we wrote it, as far as it can write it.
func untouched(base *wire.AnyDevice, now *identity.Device, raw []byte) bool {
	want, _ := importData(base)
	have := now.Data
	if !mentions(raw, protectionField) {
		have.Protected = want.Protected
	}
	have = keepUnknown(&identity.Device{Data: want}, have, raw)
	return reflect.DeepEqual(want, have)
}

// freeID is the lowest device number that neither the anchor nor our copy of before uses, so that nothing
// that named an old device can come to name a new one.
func freeID(a, own *identity.Anchor) identity.DeviceID {
	for id := identity.DeviceID(0); ; id++ {
		used := func(d identity.Device) bool { return d.ID == id }
		if !slices.ContainsFunc(a.Devices, used) && !slices.ContainsFunc(own.Devices, used) {
			return id
		}
	}
}

// tidyConsents cancels pending requests and forgets askers that are gone.
func tidyConsents(a *identity.Anchor) {
	for i := range a.Devices {
		c := a.Devices[i].Consent
		if c == nil {
			continue
		}
		kept := &identity.Consent{Delay: c.Delay}
		for _, asker := range c.Askers {
			if slices.ContainsFunc(a.Devices, func(d identity.Device) bool { return d.ID == asker.ID }) {
				kept.Askers = append(kept.Askers, identity.Asker{ID: asker.ID})
			}
		}
		a.Devices[i].Consent = kept
		if len(kept.Askers) == 0 {
			a.Devices[i].Consent = nil
		}
	}
}
