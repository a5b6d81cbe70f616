package ctap

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"kedge/device"
)

// Bounds of the PIN (CTAP 2.1, section 6.5.1).
const (
	minPINLength = 4  // code points
	maxPINLength = 63 // bytes of UTF-8
	pinTries     = 8  // in all, until a reset
	bootTries    = 3  // in a row, until the key is plugged in again
)

// pinState is what a key keeps of the protocol, in canonical CBOR (device.SecurityKey.ProtocolState). It is in the
// encrypted key store.
type pinState struct {
	Version     uint64 `cbor:"1,keyasint"`
	Hash        []byte `cbor:"2,keyasint,omitempty"` // first 16 bytes of the PIN's SHA-256, empty for no PIN
	Tries       int    `cbor:"3,keyasint"`
	Minimum     int    `cbor:"4,keyasint,omitempty"` // code points, 0 for minPINLength
	Length      int    `cbor:"5,keyasint,omitempty"` // code points of the PIN
	ForceChange bool   `cbor:"6,keyasint,omitempty"`

	// Since version 2.
	MinimumRPIDs []string `cbor:"7,keyasint,omitempty"` // who may know the least length of the PIN
	AlwaysUV     bool     `cbor:"8,keyasint,omitempty"`
	Extras       []extra  `cbor:"9,keyasint,omitempty"`
	LargeBlobs   []byte   `cbor:"10,keyasint,omitempty"`
}

// stateVersion is what is written; version 1 is read.
const stateVersion = 2

// maxMinimumRPIDs is how many relying parties may know the least length of the PIN.
const maxMinimumRPIDs = 16

func (s pinState) isSet() bool  { return len(s.Hash) > 0 }
func (s pinState) minimum() int { return max(s.Minimum, minPINLength) }

func loadPIN(k *device.SecurityKey) (pinState, error) {
	raw := k.ProtocolState()
	if raw == nil {
		return pinState{Version: stateVersion, Tries: pinTries}, nil
	}
	var s pinState
	if err := decode(raw, &s); err != nil {
		return s, fmt.Errorf("the security key's record of its PIN is damaged: %v", err)
	}
	if s.Version < 1 || s.Version > stateVersion {
		return s, fmt.Errorf("the security key's record of its PIN has version %d, which a newer version of this program wrote", s.Version)
	}
	return s, nil
}

// pin reads the state of the PIN.
func (a *Authenticator) pin() (pinState, error) {
	k, err := a.o.Store.Load()
	if err != nil {
		return pinState{}, err
	}
	return loadPIN(k)
}

// changeState changes the state of the PIN in one step, safe from others who use the same store.
func (a *Authenticator) changeState(change func(*pinState) error) error {
	return a.o.Store.Change(func(k *device.SecurityKey) error {
		s, err := loadPIN(k)
		if err != nil {
			return err
		}
		if err := change(&s); err != nil {
			return err
		}
		s.keep(k)
		return nil
	})
}

// keep writes the state to the key.
func (s pinState) keep(k *device.SecurityKey) {
	s.Version = stateVersion
	s.prune(k)
	k.SetProtocolState(encode(s))
}

// guarded reports whether there is a way to verify the person.
func (a *Authenticator) guarded(s pinState) bool { return s.isSet() || a.o.Verify != nil }

// permission is a right of a token (CTAP 2.1, section 6.5.5.7).
type permission uint64

const (
	mayMake       permission = 0x01
	maySign       permission = 0x02
	mayManage     permission = 0x04
	mayWriteBlobs permission = 0x10
	mayConfigure  permission = 0x20
)

// tokenLife is how long a token is good for (CTAP 2.1, section 6.5.2.1).
const tokenLife = 10 * time.Minute

// token is the pinUvAuthToken: who has it has given the PIN.
type token struct {
	value    []byte
	protocol uint64
	rights   permission
	rpID     string // empty for any so far
	issued   time.Time
	inUse    bool
}

// renewToken draws a token that nobody has.
func (a *Authenticator) renewToken() error {
	value := make([]byte, 32)
	if _, err := io.ReadFull(a.o.Random, value); err != nil {
		return fmt.Errorf("drawing a token: %w", err)
	}
	a.token = token{value: value}
	return nil
}

// authorize checks a pinUvAuthParam that the token made over the parts.
func (a *Authenticator) authorize(protocol *uint64, param []byte, right permission, parts ...[]byte) error {
	g, err := a.exchange(protocol)
	if err != nil {
		return err
	}
	if !a.token.inUse || a.token.protocol != g.protocol || a.o.Now().Sub(a.token.issued) > tokenLife {
		return PINAuthInvalid
	}
	if err := verifyMAC(g.protocol, a.token.value, param, parts...); err != nil {
		return err
	}
	if a.token.rights&right == 0 {
		return PINAuthInvalid
	}
	return nil
}

// bind gives the token to a relying party, or refuses it to another.
func (a *Authenticator) bind(rpID string) error {
	if a.token.rpID != "" && a.token.rpID != rpID {
		return PINAuthInvalid
	}
	a.token.rpID = rpID
	return nil
}

type pinRequest struct {
	Protocol     *uint64     `cbor:"1,keyasint"`
	Subcommand   *uint64     `cbor:"2,keyasint"`
	KeyAgreement *cosePoint  `cbor:"3,keyasint"`
	AuthParam    []byte      `cbor:"4,keyasint"`
	NewPINEnc    []byte      `cbor:"5,keyasint"`
	PINHashEnc   []byte      `cbor:"6,keyasint"`
	Permissions  *permission `cbor:"9,keyasint"`
	RPID         *string     `cbor:"10,keyasint"`
}

type pinAnswer struct {
	KeyAgreement *cosePoint `cbor:"1,keyasint,omitempty"`
	Token        []byte     `cbor:"2,keyasint,omitempty"`
	Retries      *int       `cbor:"3,keyasint,omitempty"`
	PowerCycle   *bool      `cbor:"4,keyasint,omitempty"`
	UVRetries    *int       `cbor:"5,keyasint,omitempty"`
}

// clientPIN is CTAP 2.1, section 6.5.
func (a *Authenticator) clientPIN(c call, parameters []byte) (any, error) {
	var r pinRequest
	if err := decode(parameters, &r); err != nil {
		return nil, err
	}
	if r.Subcommand == nil {
		return nil, MissingParameter
	}
	switch *r.Subcommand {
	case 1: // getPINRetries
		s, err := a.pin()
		if err != nil {
			return nil, err
		}
		blocked := a.wrongPINs >= bootTries
		return pinAnswer{Retries: &s.Tries, PowerCycle: &blocked}, nil
	case 2: // getKeyAgreement
		g, err := a.exchange(r.Protocol)
		if err != nil {
			return nil, err
		}
		point := g.public()
		return pinAnswer{KeyAgreement: &point}, nil
	case 3:
		return nil, a.setPIN(r)
	case 4:
		return nil, a.changePIN(r)
	case 5: // getPinToken, of CTAP 2.0
		if r.Permissions != nil || r.RPID != nil {
			return nil, InvalidParameter
		}
		return a.giveToken(r, mayMake|maySign, "")
	case 6: // getPinUvAuthTokenUsingUvWithPermissions
		if a.o.Verify == nil {
			return nil, InvalidSubcommand
		}
		return a.giveTokenByUV(c, r)
	case 7: // getUVRetries
		if a.o.Verify == nil {
			return nil, InvalidSubcommand
		}
		left := max(0, uvTries-a.wrongUVs)
		return pinAnswer{UVRetries: &left}, nil
	case 9: // getPinUvAuthTokenUsingPinWithPermissions
		return a.giveTokenFor(r)
	}
	return nil, InvalidSubcommand
}

// share checks what a request needs and returns the shared secret.
func (a *Authenticator) share(r pinRequest, needed ...[]byte) (shared, error) {
	g, err := a.exchange(r.Protocol)
	if err != nil {
		return shared{}, err
	}
	for _, n := range needed {
		if n == nil {
			return shared{}, MissingParameter
		}
	}
	return g.decapsulate(r.KeyAgreement)
}

func (a *Authenticator) setPIN(r pinRequest) error {
	secret, err := a.share(r, r.NewPINEnc, r.AuthParam)
	if err != nil {
		return err
	}
	s, err := a.pin()
	if err != nil {
		return err
	}
	if s.isSet() {
		return PINAuthInvalid
	}
	if err := secret.verify(r.AuthParam, r.NewPINEnc); err != nil {
		return err
	}
	return a.keepPIN(secret, r.NewPINEnc)
}

// keepPIN decrypts a new PIN, checks its length and keeps its hash.
func (a *Authenticator) keepPIN(secret shared, encrypted []byte) error {
	padded, err := secret.decrypt(encrypted)
	if err != nil {
		return err
	}
	if len(padded) != 64 {
		return InvalidParameter
	}
	pin := bytes.TrimRight(padded, "\x00")
	hash := sha256.Sum256(pin)
	return a.changeState(func(s *pinState) error {
		length := utf8.RuneCount(pin)
		if len(pin) > maxPINLength || length < s.minimum() || !utf8.Valid(pin) {
			return PINPolicyViolation
		}
		if s.ForceChange && subtle.ConstantTimeCompare(s.Hash, hash[:16]) == 1 {
			return PINPolicyViolation
		}
		s.Hash, s.Length, s.Tries, s.ForceChange = hash[:16], length, pinTries, false
		return nil
	})
}

func (a *Authenticator) changePIN(r pinRequest) error {
	secret, err := a.share(r, r.PINHashEnc, r.NewPINEnc, r.AuthParam)
	if err != nil {
		return err
	}
	if err := a.tries(); err != nil {
		return err
	}
	if err := secret.verify(r.AuthParam, r.NewPINEnc, r.PINHashEnc); err != nil {
		return err
	}
	if err := a.checkPIN(secret, r.PINHashEnc); err != nil {
		return err
	}
	if err := a.keepPIN(secret, r.NewPINEnc); err != nil {
		return err
	}
	return a.renewToken()
}

// tries says whether a PIN may be tried.
func (a *Authenticator) tries() error {
	s, err := a.pin()
	switch {
	case err != nil:
		return err
	case !s.isSet():
		return PINNotSet
	case s.Tries <= 0:
		return PINBlocked
	case a.wrongPINs >= bootTries:
		return PINAuthBlocked
	}
	return nil
}

// checkPIN compares the hash of a PIN. The try is counted, and on disk, before the comparison: whoever
// interrupts it has still used it up.
func (a *Authenticator) checkPIN(secret shared, encrypted []byte) error {
	hash, err := secret.decrypt(encrypted)
	if err != nil {
		return err
	}
	var s pinState
	err = a.changeState(func(now *pinState) error {
		if now.Tries <= 0 {
			return PINBlocked
		}
		now.Tries--
		s = *now
		return nil
	})
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(s.Hash, hash) != 1 {
		a.wrongPINs++
		if err := a.renew(secret.protocol); err != nil {
			return err
		}
		switch {
		case s.Tries == 0:
			return PINBlocked
		case a.wrongPINs >= bootTries:
			return PINAuthBlocked
		}
		return PINInvalid
	}
	a.wrongPINs, a.wrongUVs = 0, 0
	return a.changeState(func(now *pinState) error { now.Tries = pinTries; return nil })
}

// wanted reads which rights a token is asked for, and for which relying party.
func (r pinRequest) wanted() (rights permission, rpID string, err error) {
	if r.Permissions == nil {
		return 0, "", MissingParameter
	}
	rights = *r.Permissions
	if r.RPID != nil {
		rpID = *r.RPID
	}
	switch {
	case rights == 0:
		return 0, "", InvalidParameter
	case rights&^(mayMake|maySign|mayManage|mayWriteBlobs|mayConfigure) != 0:
		return 0, "", UnauthorizedPermission
	case rights&(mayMake|maySign) != 0 && rpID == "":
		return 0, "", MissingParameter
	}
	return rights, rpID, nil
}

func (a *Authenticator) giveTokenFor(r pinRequest) (any, error) {
	rights, rpID, err := r.wanted()
	if err != nil {
		return nil, err
	}
	return a.giveToken(r, rights, rpID)
}

// giveTokenByUV gives a token to whom the callback verifies.
func (a *Authenticator) giveTokenByUV(c call, r pinRequest) (any, error) {
	rights, rpID, err := r.wanted()
	if err != nil {
		return nil, err
	}
	secret, err := a.share(r)
	if err != nil {
		return nil, err
	}
	if err := a.verifyPerson(c, Prompt{Action: Verify, RPID: rpID}); err != nil {
		return nil, err
	}
	return a.issue(secret, rights, rpID)
}

// uvTries is how often in a row the person may fail to be verified without a PIN.
const uvTries = 3

// verifyPerson asks the person to prove who they are.
func (a *Authenticator) verifyPerson(c call, p Prompt) error {
	if a.wrongUVs >= uvTries {
		return UVBlocked
	}
	err := a.ask(c, a.o.Verify, p)
	switch {
	case errors.Is(err, ErrNotVerified):
		if a.wrongUVs++; a.wrongUVs >= uvTries {
			return UVBlocked
		}
		return UVInvalid
	case err == nil:
		a.wrongUVs = 0
	}
	return err
}

func (a *Authenticator) giveToken(r pinRequest, rights permission, rpID string) (any, error) {
	secret, err := a.share(r, r.PINHashEnc)
	if err != nil {
		return nil, err
	}
	if err := a.tries(); err != nil {
		return nil, err
	}
	if err := a.checkPIN(secret, r.PINHashEnc); err != nil {
		return nil, err
	}
	s, err := a.pin()
	if err != nil {
		return nil, err
	}
	if s.ForceChange {
		return nil, PINInvalid
	}
	return a.issue(secret, rights, rpID)
}

// issue gives out a new token, encrypted; the last one is good for nothing any more.
func (a *Authenticator) issue(secret shared, rights permission, rpID string) (any, error) {
	if err := a.renewToken(); err != nil {
		return nil, err
	}
	a.token.protocol, a.token.rights, a.token.rpID = secret.protocol, rights, rpID
	a.token.issued, a.token.inUse = a.o.Now(), true
	encrypted, err := secret.encrypt(a.token.value, a.o.Random)
	if err != nil {
		return nil, err
	}
	return pinAnswer{Token: encrypted}, nil
}

type configRequest struct {
	Subcommand *uint64 `cbor:"1,keyasint"`
	Params     rawCBOR `cbor:"2,keyasint"`
	Protocol   *uint64 `cbor:"3,keyasint"`
	AuthParam  []byte  `cbor:"4,keyasint"`
}

type minPINParams struct {
	Minimum     *int     `cbor:"1,keyasint"`
	RPIDs       []string `cbor:"2,keyasint"`
	ForceChange bool     `cbor:"3,keyasint"`
}

// The subcommands of authenticatorConfig. There is no enterprise attestation.
const (
	toggleAlwaysUV  = 2
	setMinPINLength = 3
)

// config is authenticatorConfig (CTAP 2.1, section 6.11).
func (a *Authenticator) config(parameters []byte) error {
	var r configRequest
	if err := decode(parameters, &r); err != nil {
		return err
	}
	if r.Subcommand == nil {
		return MissingParameter
	}
	if *r.Subcommand != toggleAlwaysUV && *r.Subcommand != setMinPINLength {
		return InvalidSubcommand
	}
	s, err := a.pin()
	if err != nil {
		return err
	}
	if a.guarded(s) {
		if r.AuthParam == nil {
			return PUATRequired
		}
		prefix := append(bytes.Repeat([]byte{0xff}, 32), cmdConfig, byte(*r.Subcommand))
		if err := a.authorize(r.Protocol, r.AuthParam, mayConfigure, prefix, r.Params); err != nil {
			return err
		}
	}
	if *r.Subcommand == toggleAlwaysUV {
		return a.changeState(func(s *pinState) error { s.AlwaysUV = !s.AlwaysUV; return nil })
	}
	var p minPINParams
	if len(r.Params) > 0 {
		if err := decode(r.Params, &p); err != nil {
			return err
		}
	}
	if len(p.RPIDs) > maxMinimumRPIDs {
		return KeyStoreFull
	}
	err = a.changeState(func(s *pinState) error {
		minimum := s.minimum()
		if p.Minimum != nil {
			minimum = *p.Minimum
		}
		switch {
		case minimum < s.minimum() || minimum > maxPINLength:
			return PINPolicyViolation
		case p.ForceChange && !s.isSet():
			return PINNotSet
		}
		s.ForceChange = s.ForceChange || p.ForceChange || s.isSet() && s.Length < minimum
		s.Minimum = minimum
		if p.RPIDs != nil {
			s.MinimumRPIDs = p.RPIDs
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.renewToken()
}
