package identity

// Protect marks the device with the key (rules 2, 7, 9). Marking a marked device again changes
// nothing and does not prolong a mark that may lapse.
func (c *Actor) Protect(key []byte) error {
	d := c.anchor.byKey(key)
	if d == nil {
		return errNoSuchDevice(key)
	}
	if d.Protected && c.protected {
		return nil
	}
	if err := c.mayGrant(d, d.ID == c.id); err != nil {
		return err
	}
	c.mark(d)
	return nil
}

// Unprotect takes the mark, and with it the consent, from the device with the key (rules 1, 2, 3).
// On an unmarked device it changes nothing.
func (c *Actor) Unprotect(key []byte) error {
	if c.temporary {
		return errTemporaryKey("unprotect a device")
	}
	d := c.anchor.byKey(key)
	if d == nil {
		return errNoSuchDevice(key)
	}
	if !d.Protected {
		return nil
	}
	if err := c.mayChange(d); err != nil {
		return err
	}
	if err := c.mayUnguard(d); err != nil {
		return err
	}
	c.unmark(d)
	return nil
}

// SetGuard switches the guard (rule 3).
func (c *Actor) SetGuard(on bool) error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	if c.anchor.Guard != on {
		c.anchor.Guard = on
		c.event(Event{Kind: either(on, EventGuardOn, EventGuardOff)})
	}
	return nil
}

// SetDeviceBound switches the demand that passkeys which become protected are device-bound (rule 9).
func (c *Actor) SetDeviceBound(on bool) error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	if c.anchor.DeviceBound != on {
		c.anchor.DeviceBound = on
		c.event(Event{Kind: either(on, EventDeviceBoundOn, EventDeviceBoundOff)})
	}
	return nil
}

// SetSessionLimit sets the longest session of the anchor, in seconds; nil for MaxSession (rule 8). It
// concerns sessions to come.
func (c *Actor) SetSessionLimit(seconds *uint64) error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	limit := uint64(0)
	if seconds != nil {
		if *seconds < MinSession/second || *seconds > MaxSession/second {
			return &Error{Code: ErrBadLimit, Length: *seconds, Limit: clamp(*seconds, MinSession/second, MaxSession/second),
				Message: "a session limit of " + decimal(*seconds) + " s is out of range: name " + decimal(MinSession/second) +
					" to " + decimal(MaxSession/second) + " s"}
		}
		limit = *seconds * second
	}
	if c.anchor.SessionLimit != limit {
		c.anchor.SessionLimit = limit
		c.event(Event{Kind: EventSessionLimit, Until: limit})
	}
	return nil
}

// needsProtected refuses every caller but a protected device in person.
func (c *Actor) needsProtected() error {
	switch {
	case c.temporary:
		return errTemporaryKey("do this")
	case !c.protected:
		return &Error{Code: ErrNeedsProtected, Message: "only a protected device may do this; sign with one"}
	}
	return nil
}

func (c *Actor) mark(d *Device) {
	c.event(Event{Kind: EventProtected, Device: d.Principal, Until: c.markQuietly(d)})
}

// markQuietly marks a device and returns the service time of its lapse, 0 for a final mark.
func (c *Actor) markQuietly(d *Device) uint64 {
	d.Protected, d.AddedUnprotected = true, false
	d.Temporary = TemporaryKey{} // rule 7
	if !d.Proven {
		d.LapsesAt = c.Service + LapseAfter
	}
	return d.LapsesAt
}

func (c *Actor) unmark(d *Device) {
	d.Protected, d.LapsesAt, d.Consent = false, 0, nil
	c.event(Event{Kind: EventUnprotected, Device: d.Principal})
	c.anchor.settleContacts(c.Now)
}

func either(on bool, yes, no EventKind) EventKind {
	if on {
		return yes
	}
	return no
}

func clamp(n, low, high uint64) uint64 { return max(low, min(n, high)) }
