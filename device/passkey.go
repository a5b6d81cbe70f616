package device

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// credentialIDSize is the size in bytes of a new passkey's credential id, random and without
// meaning.
const credentialIDSize = 32

// Flags is the flags byte of authenticator data (WebAuthn Level 3, section 6.1).
type Flags byte

// The flags that an assertion may carry.
const (
	UserPresent    Flags = 1 << 0 // UP
	UserVerified   Flags = 1 << 2 // UV
	BackupEligible Flags = 1 << 3 // BE: the credential may exist on more than one device
	BackedUp       Flags = 1 << 4 // BS: it does at present
)

// Passkey is a P-256 WebAuthn credential whose private key is random and kept in a [Store].
type Passkey struct {
	private      *ecdsa.PrivateKey
	credentialID []byte
	rpID, origin string
	deviceBound  bool
}

// PasskeyOptions says for whom a new passkey is.
type PasskeyOptions struct {
	// Origin is the web origin that the passkey signs for, such as https://id.example. The relying
	// party id is its host.
	Origin string
	// DeviceBound makes a passkey that reports backup-eligible off. It is a claim, as that of every
	// authenticator without attestation is: the default is on, since a store is a file that can be
	// copied.
	DeviceBound bool
}

// NewPasskey makes a passkey from random, which must be a cryptographic source.
func NewPasskey(random io.Reader, o PasskeyOptions) (*Passkey, error) {
	rpID, err := RelyingParty(o.Origin)
	if err != nil {
		return nil, err
	}
	private, err := randomP256(random)
	if err != nil {
		return nil, fmt.Errorf("drawing a passkey: %w", err)
	}
	id := make([]byte, credentialIDSize)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, fmt.Errorf("drawing a credential id: %w", err)
	}
	return &Passkey{private: private, credentialID: id, rpID: rpID, origin: o.Origin, deviceBound: o.DeviceBound}, nil
}

// randomP256 draws scalars until one is a private key. ecdsa.GenerateKey would ignore the reader.
func randomP256(random io.Reader) (*ecdsa.PrivateKey, error) {
	var b [32]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return nil, err
		}
		if key, ok := addModOrder(scalar{}, readScalar(b[:])); ok {
			return ecdsa.ParseRawPrivateKey(elliptic.P256(), key.bytes())
		}
	}
}

// RelyingParty returns the host of an origin and refuses what is not an origin: scheme, host and
// port, nothing behind them, lower case. It does not repair.
func RelyingParty(origin string) (string, error) {
	u, err := url.Parse(origin)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("origin %q is not of the form https://host", origin)
	case u.Scheme+"://"+u.Host != origin:
		return "", fmt.Errorf("origin %q has more than a scheme, a host and a port", origin)
	case strings.ToLower(origin) != origin:
		return "", fmt.Errorf("origin %q is not in lower case", origin)
	}
	return u.Hostname(), nil
}

// CredentialID returns the credential id.
func (p *Passkey) CredentialID() []byte { return bytes.Clone(p.credentialID) }

// Origin returns the origin that the passkey signs for.
func (p *Passkey) Origin() string { return p.origin }

// RelyingParty returns the relying party id, the host of the origin.
func (p *Passkey) RelyingParty() string { return p.rpID }

// DeviceBound reports whether the passkey reports backup-eligible off.
func (p *Passkey) DeviceBound() bool { return p.deviceBound }

// DefaultFlags returns the flags that [Passkey.Sign] sets: user present and verified (the store was
// opened with its passphrase), and backup-eligible unless the passkey is device-bound. The last one
// never changes in the life of a credential, as the standard demands.
func (p *Passkey) DefaultFlags() Flags {
	if p.deviceBound {
		return UserPresent | UserVerified
	}
	return UserPresent | UserVerified | BackupEligible
}

// String keeps the private key out of logs.
func (p *Passkey) String() string { return fmt.Sprintf("passkey %x for %s", p.credentialID, p.origin) }

// GoString keeps the private key out of logs.
func (p *Passkey) GoString() string { return p.String() }

// Assertion is a WebAuthn assertion: what navigator.credentials.get answers.
type Assertion struct {
	CredentialID      []byte
	AuthenticatorData []byte // 37 bytes, see authenticatorData
	ClientDataJSON    []byte
	Signature         []byte // ASN.1 DER, of AuthenticatorData ‖ SHA-256(ClientDataJSON)
}

// AssertionRequest is what an assertion is asked for with. The zero RelyingParty and Origin stand
// for the passkey's own, the zero Flags for [Passkey.DefaultFlags].
type AssertionRequest struct {
	Challenge    []byte
	RelyingParty string
	Origin       string
	Flags        Flags
}

// Assert signs a challenge. It refuses flags that no authenticator may report: user presence
// missing, backed up without being eligible, or an eligibility other than the passkey's own.
func (p *Passkey) Assert(r AssertionRequest) (Assertion, error) {
	if r.Flags == 0 {
		r.Flags = p.DefaultFlags()
	}
	if r.RelyingParty == "" {
		r.RelyingParty = p.rpID
	}
	if r.Origin == "" {
		r.Origin = p.origin
	}
	if err := p.checkFlags(r.Flags); err != nil {
		return Assertion{}, err
	}
	data, err := clientData(r.Challenge, r.Origin)
	if err != nil {
		return Assertion{}, err
	}
	auth := authenticatorData(r.RelyingParty, r.Flags)
	clientHash := sha256.Sum256(data)
	digest := sha256.Sum256(append(bytes.Clone(auth), clientHash[:]...))
	// Without a source of randomness the signature is deterministic (RFC 6979, Go 1.24 and later).
	// It is left as it comes: WebAuthn does not ask for a low s.
	signature, err := p.private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return Assertion{}, fmt.Errorf("signing with a passkey: %w", err)
	}
	return Assertion{
		CredentialID:      p.CredentialID(),
		AuthenticatorData: auth,
		ClientDataJSON:    data,
		Signature:         signature,
	}, nil
}

func (p *Passkey) checkFlags(f Flags) error {
	switch {
	case f&UserPresent == 0:
		return errors.New("an assertion without user presence does not exist")
	case f&^(UserPresent|UserVerified|BackupEligible|BackedUp) != 0:
		return fmt.Errorf("flags %#02x are not those of an assertion", byte(f))
	case f&BackedUp != 0 && f&BackupEligible == 0:
		return errors.New("a passkey that is not backup-eligible cannot be backed up")
	case f&BackupEligible == 0 != p.deviceBound:
		return errors.New("the backup-eligible flag of a passkey never changes")
	}
	return nil
}

// authenticatorData returns the 37 bytes of an assertion's authenticator data (WebAuthn Level 3,
// section 6.1). The counter is 0, which says that there is none:
//
//	rpIdHash 32 │ flags 1 │ signCount 4 (0)
func authenticatorData(rpID string, f Flags) []byte {
	hash := sha256.Sum256([]byte(rpID))
	return append(hash[:], byte(f), 0, 0, 0, 0)
}
