package identity

import "kedge/ic/principal"

// Register makes an anchor with its first device. The caller is the device, or the temporary key that
// acts for it until TemporaryKeyLife has passed (nil for none). A mark takes the device's own call.
func Register(call Call, number uint64, data Data, temporary *principal.Principal) (*Anchor, error) {
	d := newDevice(data, call.Now)
	own := call.Caller == d.Principal
	switch {
	case temporary != nil && *temporary == d.Principal:
		return nil, &Error{Code: ErrTemporaryIsDevice, Message: "temp_key and device key must not be equal"}
	case temporary != nil && temporary.IsAnonymous():
		return nil, &Error{Code: ErrTemporaryIsDevice, Message: "temp_key must not be the anonymous principal"}
	case !own && temporary == nil:
		return nil, &Error{Code: ErrCallerMismatch, Message: "caller " + call.Caller.Text() +
			" could not be authenticated against device pubkey " + d.Principal.Text() + " and no temporary key was sent"}
	case !own && call.Caller != *temporary:
		return nil, &Error{Code: ErrCallerMismatch, Message: "caller " + call.Caller.Text() +
			" could not be authenticated against device pubkey " + d.Principal.Text() + " or temporary key " + temporary.Text()}
	}
	a := &Anchor{Number: number, CreatedAt: call.Now}
	prefix := "failed to register anchor " + decimal(number) + ": "
	if err := a.checkNew(&data, nil, call.Canister); err != nil {
		return nil, prefixed(prefix, err)
	}
	c := &Actor{Call: call, anchor: a, temporary: !own}
	if data.Protected {
		if err := c.mayGrant(&d, own); err != nil {
			return nil, prefixed(prefix, err)
		}
	}
	if own {
		d.Proven, d.LastUsed = true, call.Now
	}
	if temporary != nil {
		d.Temporary = TemporaryKey{Principal: *temporary, ExpiresAt: call.Now + TemporaryKeyLife}
	}
	a.Devices = append(a.Devices, d)
	c.event(Event{Kind: EventRegistered, Device: d.Principal})
	if data.Protected {
		c.mark(&a.Devices[0])
	}
	return a, nil
}

// newDevice is a device that has never called. Its ID is for the caller to choose, and its mark to grant.
func newDevice(data Data, now uint64) Device {
	return Device{Data: data, Principal: principal.SelfAuthenticating(data.PublicKey), AddedAt: now}
}

// EnterRegistration opens registration mode and returns when it ends (ns since the epoch). If it is
// open, whoever opened it, it stays as it is.
func (c *Actor) EnterRegistration() (expiresAt uint64, err error) {
	if c.temporary {
		return 0, errTemporaryKey("open registration mode")
	}
	if err := c.guard(); err != nil {
		return 0, err
	}
	if c.anchor.Registration == nil {
		c.anchor.Registration = &Registration{Opener: c.id, ExpiresAt: c.Now + RegistrationWindow}
		c.event(Event{Kind: EventRegistrationOpened})
	}
	return c.anchor.Registration.ExpiresAt, nil
}

// ExitRegistration closes registration mode, with its tentative device.
func (c *Actor) ExitRegistration() error {
	if err := c.mayFinish(); err != nil {
		return err
	}
	c.closeRegistration()
	return nil
}

// Offer is the answer to add_tentative_device.
type Offer uint8

// The answers.
const (
	OfferAccepted Offer = iota
	OfferModeOff
	OfferAnother // another device waits for its verification
)

// OfferDevice puts a device forward for verification; anyone may, while registration mode is open. If
// the caller is a device of the anchor, the call is its sign of life. code is random, below 1,000,000.
func (a *Anchor) OfferDevice(call Call, data Data, code uint32) (Offer, error) {
	a.Witness(call)
	switch {
	case a.Registration == nil:
		return OfferModeOff, nil
	case a.Registration.Tentative != nil:
		return OfferAnother, nil
	case data.Protected:
		return OfferModeOff, prefixed("failed to add device: ", &Error{Code: ErrTentativeMarked,
			Message: "a tentative device cannot be protected; offer it unprotected and protect it once it is verified"})
	}
	if err := a.checkNew(&data, nil, call.Canister); err != nil {
		return OfferModeOff, prefixed("failed to add device: ", err)
	}
	a.Registration.Tentative, a.Registration.Code = &data, code
	return OfferAccepted, nil
}

// Verification is the answer to verify_tentative_device.
type Verification uint8

// The answers.
const (
	Verified Verification = iota
	WrongCode
	VerificationModeOff
	NothingToVerify
)

// VerifyDevice adds the tentative device if the code is right, and closes registration mode then. After
// RegistrationAttempts wrong codes it closes too; retries is how many are left.
func (c *Actor) VerifyDevice(code uint32) (answer Verification, retries uint8, err error) {
	if err := c.mayFinish(); err != nil {
		return VerificationModeOff, 0, err
	}
	r := c.anchor.Registration
	switch {
	case r == nil:
		return VerificationModeOff, 0, nil
	case r.Tentative == nil:
		return NothingToVerify, 0, nil
	case r.Code != code:
		r.Attempts++
		if r.Attempts >= RegistrationAttempts {
			c.closeRegistration()
		}
		return WrongCode, RegistrationAttempts - r.Attempts, nil
	}
	c.anchor.Registration = nil // the tentative device's bytes become the device's
	if err := c.Add(*r.Tentative); err != nil {
		c.anchor.Registration = r
		return VerificationModeOff, 0, err
	}
	c.event(Event{Kind: EventRegistrationClosed})
	return Verified, 0, nil
}

// mayFinish lets only the device that opened registration mode, or a protected one, close or finish it
// (rules 3 and 7).
func (c *Actor) mayFinish() error {
	if c.temporary {
		return errTemporaryKey("close or finish registration mode")
	}
	if err := c.guard(); err != nil {
		return err
	}
	if r := c.anchor.Registration; r != nil && r.Opener != c.id && !c.protected {
		return &Error{Code: ErrNotOpener,
			Message: "registration mode was opened by another device; only that one, or a protected device, may finish or close it"}
	}
	return nil
}

func (c *Actor) closeRegistration() {
	if c.anchor.Registration != nil {
		c.anchor.Registration = nil
		c.event(Event{Kind: EventRegistrationClosed})
	}
}
