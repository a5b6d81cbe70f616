package identity

import "slices"

// SetConsent records the caller's consent to its own release (rule 6): after a delay, in seconds of
// service time, that passes unanswered, a device of the list that asked may complete it. It takes
// the place of an older consent.
func (c *Actor) SetConsent(delay uint64, askers [][]byte) error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	if delay < MinReleaseDelay/second || delay > MaxReleaseDelay/second {
		return &Error{Code: ErrBadDelay, Length: delay, Limit: clamp(delay, MinReleaseDelay/second, MaxReleaseDelay/second),
			Message: "a release delay of " + decimal(delay) + " s is out of range: name " + decimal(MinReleaseDelay/second) +
				" to " + decimal(MaxReleaseDelay/second) + " s (30 days to a year)"}
	}
	consent := &Consent{Delay: delay * second}
	for _, key := range askers {
		d := c.anchor.byKey(key)
		switch {
		case d == nil:
			return errNoSuchDevice(key)
		case d.ID == c.id:
			return &Error{Code: ErrBadAskers, Key: key, Message: "a device cannot ask for its own release; name others"}
		case consent.asker(d.ID) == nil:
			consent.Askers = append(consent.Askers, Asker{ID: d.ID})
		}
	}
	if n := len(consent.Askers); n == 0 || n > MaxAskers {
		return &Error{Code: ErrBadAskers, Length: uint64(n), Limit: MaxAskers,
			Message: "name 1 to " + decimal(MaxAskers) + " devices that may ask, got " + decimal(uint64(n))}
	}
	d := c.device()
	d.Consent = consent
	c.event(Event{Kind: EventConsented, Device: d.Principal, Until: consent.Delay})
	return nil
}

// WithdrawConsent ends the caller's consent; without one it changes nothing.
func (c *Actor) WithdrawConsent() error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	if d := c.device(); d.Consent != nil {
		d.Consent = nil
		c.event(Event{Kind: EventConsentWithdrawn, Device: d.Principal})
	}
	return nil
}

// RequestRelease asks for the release of the device with the key, which must have named the caller.
// It returns the service time (ns) from which the caller may complete it.
func (c *Actor) RequestRelease(key []byte) (completesAt uint64, err error) {
	d, asker, err := c.asks(key)
	if err != nil {
		return 0, err
	}
	if asker.CompletesAt != 0 {
		return 0, &Error{Code: ErrAlreadyAsked, Key: key, At: asker.CompletesAt,
			Message: "this device has asked already; complete the release when its delay has passed"}
	}
	asker.CompletesAt = c.Service + d.Consent.Delay
	c.event(Event{Kind: EventRequested, Device: d.Principal, Other: c.device().Principal, Until: asker.CompletesAt})
	return asker.CompletesAt, nil
}

// CancelRelease vetoes every pending request for the release of the device with the key and takes
// those who asked off its list. The device itself has done so by calling at all; any protected
// device may do it too.
func (c *Actor) CancelRelease(key []byte) error {
	d := c.anchor.byKey(key)
	switch {
	case d == nil:
		return errNoSuchDevice(key)
	case d.ID == c.id && c.vetoed:
		return nil
	case d.ID != c.id && !c.protected:
		return c.needsProtected()
	case !c.veto(d):
		return errNotAsked(key)
	}
	return nil
}

// CompleteRelease unprotects the device with the key once the caller's own request has waited out the
// whole delay. If no protected device is left, the caller becomes protected.
func (c *Actor) CompleteRelease(key []byte) error {
	d, asker, err := c.asks(key)
	if err != nil {
		return err
	}
	switch {
	case asker.CompletesAt == 0:
		return errNotAsked(key)
	case c.Service < asker.CompletesAt:
		return &Error{Code: ErrTooEarly, Key: key, At: asker.CompletesAt,
			Message: "the delay has not passed: " + decimal((asker.CompletesAt-c.Service+second-1)/second) + " s of service time are left"}
	}
	d.Protected, d.Consent = false, nil
	c.event(Event{Kind: EventReleased, Device: d.Principal})
	if self := c.device(); !c.anchor.protectedBeside(d.ID) {
		c.mark(self)
	}
	c.anchor.settleContacts(c.Now)
	return nil
}

// asks finds the device and the caller's place on its list.
func (c *Actor) asks(key []byte) (*Device, *Asker, error) {
	if c.temporary {
		return nil, nil, errTemporaryKey("ask for a release or complete it")
	}
	d := c.anchor.byKey(key)
	if d == nil {
		return nil, nil, errNoSuchDevice(key)
	}
	if d.Consent != nil {
		if asker := d.Consent.asker(c.id); asker != nil {
			return d, asker, nil
		}
	}
	return nil, nil, &Error{Code: ErrNoConsent, Key: key,
		Message: "the device has not consented that this one asks for its release, or has taken it off its list"}
}

// veto cancels the requests made of d and takes those who asked off the list; it reports whether
// there were any.
func (c *Actor) veto(d *Device) bool {
	if d.Consent == nil {
		return false
	}
	vetoed := false
	for _, asker := range d.Consent.Askers {
		if asker.CompletesAt != 0 {
			vetoed = true
			c.event(Event{Kind: EventCancelled, Device: d.Principal, Other: c.anchor.byID(asker.ID).Principal})
		}
	}
	d.dropAskers(func(asker Asker) bool { return asker.CompletesAt != 0 })
	return vetoed
}

// dropAskers takes askers off the list; a consent without askers is none.
func (d *Device) dropAskers(off func(Asker) bool) {
	if d.Consent == nil {
		return
	}
	d.Consent.Askers = slices.DeleteFunc(d.Consent.Askers, off)
	if len(d.Consent.Askers) == 0 {
		d.Consent = nil
	}
}

func (s *Consent) asker(id DeviceID) *Asker {
	for i := range s.Askers {
		if s.Askers[i].ID == id {
			return &s.Askers[i]
		}
	}
	return nil
}

func errNotAsked(key []byte) error {
	return &Error{Code: ErrNotAsked, Key: key, Message: "no release of this device is pending"}
}
