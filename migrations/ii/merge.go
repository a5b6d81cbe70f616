package ii

import (
	"bytes"
	"reflect"
	"slices"

	"kedge/canister/identity"
	"kedge/ic/principal"
	"kedge/migrations/ii/wire"
)

// merge makes the anchor that comes back from a time under the old module. own is our copy from before,
// old what the old module wrote since. The rules:
//
//   - A device that the old module left as we wrote it is as in our copy.
//   - A protected device that it changed or removed is restored whole, unless the old module itself
//     enforced that protection; then its owner did it. An old module enforces the protection of phrases,
//     only if it had it from us as protected (enforceable), and only if it knows protection, which shows
//     in that it wrote this record with the field.
//   - A device that it made protected, on an anchor that had a protected device, is imported unprotected.
//   - What the old module's record cannot express is as in our copy: fields that its type table does not
//     have, and the type of a browser storage key where the table has four cases of key type.
//   - Guard, demand, session limit, consents, contacts and who agrees to them are ours; an agreement ends
//     where the old module itself changed that device. Pending requests and approvals, temporary keys,
//     challenges and registration mode are gone.
//
// Events of the result list what was restored, what was not taken over, and which requests were cancelled.
func merge(own *identity.Anchor, old *Record, raw []byte, enforceable bool) *identity.Anchor {
	theirs, _ := old.Import()
	g, knew := generationOf(raw), old.Protection()
	base := exported(own, enforceable)
	a := &identity.Anchor{
		Number: own.Number, CreatedAt: own.CreatedAt, Copies: theirs.Copies,
		Guard: own.Guard, DeviceBound: own.DeviceBound, SessionLimit: own.SessionLimit,
	}
	if own.Contacts != nil {
		contacts := *own.Contacts
		contacts.List = slices.Clone(contacts.List)
		a.Contacts = &contacts
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
		if d := mergeDevice(was, now, &base.Devices[i], written{g, knew, enforceable}, guarded, a); d != nil {
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
	tidyContacts(a)
	cancelPending(a)
	if !slices.ContainsFunc(a.Devices, protected) {
		a.Guard = false
	}
	return a
}

func copiesOf(a *identity.Anchor, key []byte) []identity.Data {
	return slices.DeleteFunc(slices.Clone(a.Copies), func(c identity.Data) bool { return !bytes.Equal(c.PublicKey, key) })
}

func protected(d identity.Device) bool { return d.Protected && d.Proven }

// written says how an anchor was written last by us, and then by the old module.
type written struct {
	g           generation // of the old module's record
	knew        bool       // the old module's record has protection
	enforceable bool       // ours had it, so that the old module could enforce it
}

// mergeDevice decides what becomes of one of our devices, given what the old module has of it (nil if it is
// gone). It returns nil for a device that is gone.
func mergeDevice(was, now *identity.Device, base *wire.AnyDevice, w written, guarded bool, a *identity.Anchor) *identity.Device {
	restored := func() {
		a.Events = append(a.Events, identity.Event{Kind: identity.EventRestored, Device: was.Principal})
	}
	enforced := w.knew && *base.Protection == wire.ProtectionProtected // which we write of phrases alone
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
	if w.untouched(base, now) {
		if !w.knew && *base.Protection == wire.ProtectionProtected {
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
	d.Data = w.fill(&was.Data, now.Data)
	d.AgreesToContacts = false
	d.Proven = was.Proven || now.LastUsed > was.LastUsed
	switch {
	case now.Protected && !was.Protected && guarded:
		d.Protected = false
		a.Events = append(a.Events, identity.Event{Kind: identity.EventDropped, Device: was.Principal})
	case now.Protected && !was.Protected:
		d.Proven = true // an imported protection is a mark on a proven device
	case was.Protected && !was.Proven:
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

// fill takes from our copy what the old module's record, or ours before it, could not express.
func (w written) fill(was *identity.Data, d identity.Data) identity.Data {
	// The first records have neither purpose nor type, and we may have written it with such a table.
	bare := !w.enforceable && d.Purpose == identity.Authentication && d.KeyType == identity.Unknown
	if w.g&hasPurpose == 0 || bare {
		d.Purpose = was.Purpose
	}
	if w.g&hasKeyType == 0 || bare || w.g&hasBrowserKey == 0 && d.KeyType == identity.Unknown && was.KeyType == identity.BrowserStorageKey {
		d.KeyType = was.KeyType
	}
	if w.g&hasOrigin == 0 {
		d.HasOrigin, d.Origin = was.HasOrigin, was.Origin
	}
	if w.g&hasMetadata == 0 {
		d.Metadata = was.Metadata
	}
	if w.g&hasAAGUID == 0 {
		d.AAGUID = was.AAGUID
	}
	return d
}

// untouched tells whether the old module has a device as we wrote it, as far as it can write it.
func (w written) untouched(base *wire.AnyDevice, now *identity.Device) bool {
	want, _ := importData(base)
	have := now.Data
	if w.g&hasProtection == 0 {
		have.Protected = want.Protected
	}
	return reflect.DeepEqual(want, w.fill(&want, have))
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

// cancelPending cancels what is pending, requests for release and approvals of contacts: its time ran while
// nobody could say no. Nobody is taken off the list of those who may ask or approve. It reports whether there
// was anything.
func cancelPending(a *identity.Anchor) (any bool) {
	if a.Contacts != nil {
		for i := range a.Contacts.List {
			c := &a.Contacts.List[i]
			if c.ApprovedAt != 0 || c.Key.Len() > 0 {
				c.Key, c.ApprovedAt, c.ByProtected = principal.Principal{}, 0, false
				any = true
			}
		}
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		if d.Consent == nil {
			continue
		}
		for j := range d.Consent.Askers {
			asker := &d.Consent.Askers[j]
			if asker.CompletesAt == 0 {
				continue
			}
			any = true
			asker.CompletesAt = 0
			e := identity.Event{Kind: identity.EventCancelled, Device: d.Principal}
			if at := slices.IndexFunc(a.Devices, func(d identity.Device) bool { return d.ID == asker.ID }); at >= 0 {
				e.Other = a.Devices[at].Principal
			}
			a.Events = append(a.Events, e)
		}
	}
	return any
}

// tidyContacts ends the agreements of devices that are not protected, and the contacts with the last one.
func tidyContacts(a *identity.Anchor) {
	agreed := false
	for i := range a.Devices {
		d := &a.Devices[i]
		d.AgreesToContacts = d.AgreesToContacts && protected(*d) && a.Contacts != nil
		agreed = agreed || d.AgreesToContacts
	}
	if !agreed {
		a.Contacts = nil
	}
}

// tidyConsents forgets askers that are gone.
func tidyConsents(a *identity.Anchor) {
	for i := range a.Devices {
		c := a.Devices[i].Consent
		if c == nil {
			continue
		}
		kept := &identity.Consent{Delay: c.Delay}
		for _, asker := range c.Askers {
			if slices.ContainsFunc(a.Devices, func(d identity.Device) bool { return d.ID == asker.ID }) {
				kept.Askers = append(kept.Askers, asker)
			}
		}
		a.Devices[i].Consent = kept
		if len(kept.Askers) == 0 {
			a.Devices[i].Consent = nil
		}
	}
}
