package webauthn

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// Assertion is what an authenticator answers to a challenge.
type Assertion struct {
	AuthenticatorData []byte
	ClientDataJSON    []byte
	Signature         []byte
}

// Expectation is what an assertion must say.
type Expectation struct {
	Challenge []byte   // the bytes that the authenticator was asked to sign
	Origins   []string // allowed origins, compared byte by byte
	// AllowOrigin, if not nil, says which origins are allowed, in place of Origins.
	AllowOrigin func(origin string) bool
	TopOrigins  []string // origins that may embed them; none: not from inside a frame of another origin
	RPID        string   // relying party id

	RequireUserVerified bool
	// BackupEligible is the flag BE that was stored when the credential was first seen; nil if it is
	// not known.
	BackupEligible *bool
}

// Result is what an assertion said, once verified. Flags BE and BS are claims of the authenticator.
type Result struct {
	Flags   Flags
	Counter uint32 // zero if the authenticator does not count
	Origin  string
}

// UserVerified tells whether the authenticator verified the user (UV).
func (r Result) UserVerified() bool { return r.Flags.Has(UserVerified) }

// BackupEligible tells whether the credential may leave its device (BE).
func (r Result) BackupEligible() bool { return r.Flags.Has(BackupEligible) }

// BackedUp tells whether the credential has left its device (BS).
func (r Result) BackedUp() bool { return r.Flags.Has(BackupState) }

// Cloned tells whether the counter did not grow as it must: a sign, though not a proof, that the
// credential exists twice (WebAuthn section 7.2, step 22). Authenticators that do not count send zero.
func (r Result) Cloned(stored uint32) bool {
	return (r.Counter != 0 || stored != 0) && r.Counter <= stored
}

// Verify checks an assertion, in the order of WebAuthn section 7.2, whose steps the comments name. The
// caller has found the credential's key (steps 5 to 7), and afterwards stores what changed (22 to 25).
func Verify(key *PublicKey, a Assertion, want Expectation) (Result, error) {
	// Steps 8 to 10: parse the client data.
	client, err := DecodeClientData(a.ClientDataJSON)
	if err != nil {
		return Result{}, err
	}
	if err := client.check(TypeGet, want); err != nil {
		return Result{}, err
	}
	auth, err := ParseAuthenticatorData(a.AuthenticatorData)
	if err != nil {
		return Result{}, err
	}
	if err := auth.check(want); err != nil {
		return Result{}, err
	}
	// Section 6.1: no attested credential in an assertion.
	if auth.Flags.Has(AttestedData) {
		return Result{}, errors.New("assertion carries a new credential (flag AT)")
	}
	// Steps 20 and 21: the signature over the authenticator data and the hash of the client data.
	if err := key.VerifyAssertion(a); err != nil {
		return Result{}, err
	}
	return Result{Flags: auth.Flags, Counter: auth.Counter, Origin: client.Origin}, nil
}

// VerifyAssertion checks the signature of an assertion and nothing else.
func (k *PublicKey) VerifyAssertion(a Assertion) error {
	hash := sha256.Sum256(a.ClientDataJSON)
	return k.Verify(append(bytes.Clone(a.AuthenticatorData), hash[:]...), a.Signature)
}

// ChallengeText returns how a challenge stands in client data: base64url without padding.
func ChallengeText(challenge []byte) string { return base64.RawURLEncoding.EncodeToString(challenge) }

func (c *ClientData) check(ceremony string, want Expectation) error {
	// Step 11: the type.
	if c.Type != ceremony {
		return fmt.Errorf("client data is of type %q, expected %q", c.Type, ceremony)
	}
	// Step 12: the challenge. Comparing the text refuses every encoding but the canonical one.
	if c.Challenge != ChallengeText(want.Challenge) {
		return errors.New("challenge is not the expected one")
	}
	// Step 13: the origin.
	allowed := want.AllowOrigin
	if allowed == nil {
		allowed = func(origin string) bool { return slices.Contains(want.Origins, origin) }
	}
	if !allowed(c.Origin) {
		return fmt.Errorf("origin %q is not allowed", c.Origin)
	}
	// Step 14: embedded in a page of another origin. Level 2 clients set crossOrigin without topOrigin;
	// whoever embeds is not known then, so that is refused, too.
	if c.CrossOrigin && (c.TopOrigin == nil || !slices.Contains(want.TopOrigins, *c.TopOrigin)) {
		return errors.New("request came from inside a frame of another origin")
	}
	if c.TopOrigin != nil && !slices.Contains(want.TopOrigins, *c.TopOrigin) {
		return fmt.Errorf("top origin %q is not allowed", *c.TopOrigin)
	}
	return nil
}

func (a *AuthenticatorData) check(want Expectation) error {
	// Step 15: the relying party.
	if a.RPIDHash != sha256.Sum256([]byte(want.RPID)) {
		return fmt.Errorf("credential is not of relying party %q", want.RPID)
	}
	// Step 16: user present.
	if !a.Flags.Has(UserPresent) {
		return errors.New("user was not present (flag UP)")
	}
	// Step 17: user verified, if asked for.
	if want.RequireUserVerified && !a.Flags.Has(UserVerified) {
		return errors.New("user was not verified (flag UV)")
	}
	// Step 18, BS only with BE, is part of parsing. Step 19: BE never changes.
	if be := want.BackupEligible; be != nil && *be != a.Flags.Has(BackupEligible) {
		return errors.New("backup eligibility (flag BE) changed since the credential was registered")
	}
	return nil
}
