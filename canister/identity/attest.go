package identity

// Assertion is what a WebAuthn assertion says once its signature, challenge, origin and relying party
// have been verified (WebAuthn level 3, section 7.2, steps 16 to 22).
type Assertion struct {
	UserPresent    bool
	UserVerified   bool
	BackupEligible bool
	BackedUp       bool
	Counter        uint32
}

// NewChallenge gives the caller's device a challenge with this random nonce, in the place of an older
// one, and returns when it expires (ns since the epoch).
func (c *Actor) NewChallenge(nonce [16]byte) (expiresAt uint64, err error) {
	if c.temporary {
		return 0, errTemporaryKey("attest")
	}
	d := c.device()
	d.Challenge = Challenge{Nonce: nonce, ExpiresAt: c.Now + ChallengeLife}
	return d.Challenge.ExpiresAt, nil
}

// SpendChallenge returns the nonce of the caller's pending challenge. Any answer spends it, so it is
// gone whatever becomes of the assertion.
func (c *Actor) SpendChallenge() (nonce [16]byte, err error) {
	if c.temporary {
		return nonce, errTemporaryKey("attest")
	}
	d := c.device()
	if d.Challenge.ExpiresAt == 0 {
		return nonce, &Error{Code: ErrNoChallenge, Message: "no attestation challenge is pending; ask for one, and answer within five minutes"}
	}
	nonce, d.Challenge = d.Challenge.Nonce, Challenge{}
	return nonce, nil
}

// RecordAttestation records a verified assertion of the caller's own key. A backup-eligible flag that
// differs from the recorded one is refused (WebAuthn says that it never changes); a counter that does
// not grow is recorded and shown, and locks nobody out.
func (c *Actor) RecordAttestation(as Assertion) error {
	if c.temporary {
		return errTemporaryKey("attest")
	}
	d := c.device()
	old := d.Attestation
	if old.At != 0 && old.BackupEligible != as.BackupEligible {
		return &Error{Code: ErrEligibility, Key: d.PublicKey,
			Message: "the backup-eligible flag differs from the recorded one, which no honest authenticator does"}
	}
	d.Attestation = Attestation{
		At:             c.Now,
		UserPresent:    as.UserPresent,
		UserVerified:   as.UserVerified,
		BackupEligible: as.BackupEligible,
		BackedUp:       as.BackedUp,
		Counter:        max(as.Counter, old.Counter),
		// An authenticator without a counter always sends 0.
		CounterStalled: old.CounterStalled || old.Counter != 0 && as.Counter <= old.Counter,
	}
	c.event(Event{Kind: EventAttested, Device: d.Principal})
	return nil
}
