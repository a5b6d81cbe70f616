package identity

import (
	"bytes"
	"slices"
)

// mayChange judges rules 1, 2, 3 and 7 for a call that changes, replaces, unprotects or removes target.
// What the guard leaves an unprotected device to do to itself is for the caller to check.
func (c *Actor) mayChange(target *Device) error {
	own := target.ID == c.id
	switch {
	case c.temporary && own:
		return errTemporaryKey("change its own device")
	// A mark that is not proven yet binds unprotected devices only.
	case target.Protected && !own && (target.Proven || !c.protected):
		return &Error{Code: ErrSelfOnly, Key: target.PublicKey,
			Message: "Device is locked. Must be authenticated with this device to mutate: authorized principal " +
				target.Principal.Text() + ", actual principal " + c.Caller.Text()}
	case !own:
		return c.guard()
	}
	return nil
}

// guard refuses what only a protected device may do while the guard is on (rule 3).
func (c *Actor) guard() error {
	if c.anchor.Guard && !c.protected {
		return &Error{Code: ErrGuarded,
			Message: "the anchor is guarded: only a protected device may do this; sign with one, or have one switch the guard off"}
	}
	return nil
}

// mayGrant judges rules 2, 7 and 9 for a call that marks a device; own says that the device is the
// caller's.
func (c *Actor) mayGrant(d *Device, own bool) error {
	switch {
	case c.temporary:
		return errTemporaryKey("protect a device")
	case !c.protected && c.anchor.marked():
		return &Error{Code: ErrNotGranted,
			Message: "only a protected device of this anchor may protect another; sign with one"}
	case !c.protected && !own:
		return &Error{Code: ErrNotGranted,
			Message: "the first protection of an anchor is granted by the device itself; sign with the device that is to be protected"}
	case c.anchor.DeviceBound && d.KeyType != SeedPhrase && (d.Attestation.At == 0 || d.Attestation.BackupEligible):
		return &Error{Code: ErrNotDeviceBound, Key: d.PublicKey,
			Message: "this anchor demands that a protected passkey be attested as device-bound; attest it first, or have a protected device lift the demand"}
	}
	return nil
}

// mayUnguard refuses to take protection from target if that leaves a guarded anchor without a
// protected device (rule 3).
func (c *Actor) mayUnguard(target *Device) error {
	if c.anchor.Guard && !c.anchor.protectedBeside(target.ID) { // a refreshed guard has a protected device
		return &Error{Code: ErrGuardNeedsDevice,
			Message: "a guarded anchor keeps a protected device; switch the guard off first"}
	}
	return nil
}

// Add adds a device. A mark on it is granted under rule 2, so only by a protected device, and lapses
// after LapseAfter without a call of its own.
func (c *Actor) Add(data Data) error { return prefixed("failed to add device: ", c.add(data)) }

func (c *Actor) add(data Data) error {
	if err := c.guard(); err != nil {
		return err
	}
	if err := c.anchor.checkNew(&data, nil, c.Canister); err != nil {
		return err
	}
	d := newDevice(data, c.Now)
	if data.Protected {
		if err := c.mayGrant(&d, false); err != nil {
			return err
		}
	}
	d.ID, d.AddedUnprotected = c.anchor.freeID(), !c.protected
	c.anchor.Devices = append(c.anchor.Devices, d)
	c.event(Event{Kind: EventAdded, Device: d.Principal})
	if data.Protected {
		c.mark(c.anchor.byID(d.ID))
	}
	return nil
}

// Update changes the classic fields of the device with the key. Key and key type stay; a changed
// protection is Protect or Unprotect, under their rules.
func (c *Actor) Update(key []byte, data Data) error {
	return prefixed("failed to modify device: ", c.update(key, data))
}

func (c *Actor) update(key []byte, data Data) error {
	if !bytes.Equal(key, data.PublicKey) {
		return &Error{Code: ErrKeyChange, Message: "Device key cannot be updated."}
	}
	d := c.anchor.byKey(key)
	if d == nil {
		return &Error{Code: ErrNoSuchDevice, Key: key, Message: "Could not find device to update, check device key"}
	}
	if err := c.mayChange(d); err != nil {
		return err
	}
	if !onlyAlias(&data, &d.Data) {
		if err := c.guard(); err != nil {
			return err
		}
	}
	if err := c.anchor.checkChange(&data, d); err != nil {
		return err
	}
	if data.Protected && !d.Protected {
		if err := c.mayGrant(d, d.ID == c.id); err != nil {
			return err
		}
	}
	if !data.Protected {
		if err := c.mayUnguard(d); err != nil {
			return err
		}
	}
	was := d.Protected
	d.Data = data
	c.anchor.dropCopies(key)
	c.event(Event{Kind: EventUpdated, Device: d.Principal})
	switch {
	case data.Protected && !was:
		c.mark(d)
	case was && !data.Protected:
		c.unmark(d)
	}
	return nil
}

// Replace removes the device with the key and adds another at the end, which inherits nothing, even
// with the same key. A device that replaces itself with its own key is proven by the call.
func (c *Actor) Replace(key []byte, data Data) error {
	return prefixed("failed to replace device: ", c.replace(key, data))
}

func (c *Actor) replace(key []byte, data Data) error {
	gone := c.anchor.byKey(key)
	if gone == nil {
		return errNoSuchDevice(key)
	}
	if err := c.mayChange(gone); err != nil {
		return err
	}
	if err := c.guard(); err != nil {
		return err
	}
	if err := c.anchor.checkNew(&data, gone, c.Canister); err != nil {
		return err
	}
	d := newDevice(data, c.Now)
	own := !c.temporary && d.Principal == c.Caller
	if own {
		d.Proven, d.LastUsed = true, c.Now
	}
	if data.Protected {
		if err := c.mayGrant(&d, own); err != nil {
			return err
		}
	}
	if !data.Protected || !own {
		if err := c.mayUnguard(gone); err != nil {
			return err
		}
	}
	same := own && gone.KeyType == d.KeyType && sameBytes(gone.CredentialID, d.CredentialID) // its own key is gone's
	if same {                                                                                // so that its place in look-ups stays, too
		d.AddedAt = gone.AddedAt
	}
	c.event(Event{Kind: EventReplaced, Device: gone.Principal, Other: d.Principal, Until: gone.SessionsUntil,
		Routine: c.shortLived(gone) || same && !c.protected})
	by := c.device().Principal
	c.anchor.drop(gone.ID)
	d.ID, d.AddedUnprotected = c.anchor.freeID(), !c.protected
	c.anchor.Devices = append(c.anchor.Devices, d)
	if data.Protected {
		added := c.anchor.byID(d.ID)
		until := c.markQuietly(added)
		c.anchor.emit(Event{At: c.Now, By: by, Kind: EventProtected, Device: d.Principal, Until: until})
	}
	c.anchor.settleContacts(c.Now)
	return nil
}

// Remove removes the device with the key and returns until when (ns since the epoch, 0 for none) the
// sessions run that it prepared: they outlive it (rule 8).
func (c *Actor) Remove(key []byte) (sessionsUntil uint64, err error) {
	sessionsUntil, err = c.remove(key)
	return sessionsUntil, prefixed("failed to remove device: ", err)
}

func (c *Actor) remove(key []byte) (uint64, error) {
	d := c.anchor.byKey(key)
	if d == nil {
		return 0, errNoSuchDevice(key)
	}
	if err := c.mayChange(d); err != nil {
		return 0, err
	}
	if len(c.anchor.Devices) == 1 {
		return 0, &Error{Code: ErrLastDevice, Key: key,
			Message: "the last device of an anchor cannot be removed; add another first, or replace it"}
	}
	if err := c.mayUnguard(d); err != nil {
		return 0, err
	}
	until := d.SessionsUntil
	c.event(Event{Kind: EventRemoved, Device: d.Principal, Until: until, Routine: c.shortLived(d)})
	c.anchor.drop(d.ID)
	c.anchor.settleContacts(c.Now)
	return until, nil
}

// shortLived reports whether the caller takes away only what a device like itself brought within the last
// day. That is no news to the owner, and must not push older entries out of the history.
func (c *Actor) shortLived(d *Device) bool {
	return !c.protected && d.AddedUnprotected && !d.Protected && c.Now < d.AddedAt+day
}

// drop takes a device off the anchor, with everything that names it.
func (a *Anchor) drop(id DeviceID) {
	a.dropCopies(a.byID(id).PublicKey)
	for i := range a.Devices {
		if a.Devices[i].ID == id {
			a.Devices = slices.Delete(a.Devices, i, i+1)
			break
		}
	}
	for i := range a.Devices {
		a.Devices[i].dropAskers(func(asker Asker) bool { return asker.ID == id })
	}
	if a.Registration != nil && a.Registration.Opener == id {
		a.Registration = nil
	}
}

func (a *Anchor) dropCopies(key []byte) {
	a.Copies = slices.DeleteFunc(a.Copies, func(d Data) bool { return bytes.Equal(d.PublicKey, key) })
}

// onlyAlias reports whether the two differ at most in the alias.
func onlyAlias(a, b *Data) bool {
	return a.KeyType == b.KeyType && a.Purpose == b.Purpose && a.Protected == b.Protected &&
		a.HasOrigin == b.HasOrigin && a.Origin == b.Origin &&
		sameBytes(a.PublicKey, b.PublicKey) && sameBytes(a.CredentialID, b.CredentialID) &&
		sameBytes(a.AAGUID, b.AAGUID) && sameMetadata(a.Metadata, b.Metadata)
}

func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func sameMetadata(a, b Metadata) bool {
	if (a == nil) != (b == nil) || len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || a[i].Kind != b[i].Kind || a[i].Text != b[i].Text ||
			!bytes.Equal(a[i].Bytes, b[i].Bytes) || !sameMetadata(a[i].Map, b[i].Map) {
			return false
		}
	}
	return true
}

func errNoSuchDevice(key []byte) error {
	return &Error{Code: ErrNoSuchDevice, Key: key, Message: "Device with key " + hexadecimal(key) + " not found."}
}

func errTemporaryKey(what string) error {
	return &Error{Code: ErrTemporaryKey, Message: "a temporary key may not " + what + "; sign with the device itself"}
}

// prefixed puts the classic prefix of a method before err.
func prefixed(prefix string, err error) error {
	if e, ok := err.(*Error); ok {
		e.Prefix = prefix
	}
	return err
}
