package device

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"kedge/device/credid"
	"kedge/device/derive"
	"kedge/internal/minicbor"
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

// Passkey is a WebAuthn credential that can sign. Its private key is derived from the seed of its
// [SecurityKey] each time that it signs, or kept in the [Store].
type Passkey struct {
	source       keySource
	algorithm    credid.Algorithm
	public       crypto.PublicKey
	credentialID []byte
	rpID, origin string
	deviceBound  bool
	backedUp     bool
	counter      uint32 // what an assertion reports; 0 says that there is none

	// remote signs if the private key is in another process, see [Outline].
	remote func(AssertionRequest) (Assertion, error)
}

// keySource gives the private key of a passkey for the time of one signature.
type keySource interface{ key() (crypto.Signer, error) }

// keptKey is a private key that is not derived.
type keptKey struct{ private crypto.Signer }

func (k keptKey) key() (crypto.Signer, error) { return k.private, nil }

func (keptKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "private key") }

// newPasskey fills in the public key.
func newPasskey(p Passkey) (*Passkey, error) {
	private, err := p.source.key()
	if err != nil {
		return nil, err
	}
	p.public = private.Public()
	p.algorithm = credid.ES256
	if _, ok := p.public.(ed25519.PublicKey); ok {
		p.algorithm = credid.EdDSA
	}
	return &p, nil
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
	return newPasskey(Passkey{source: keptKey{private}, credentialID: id, rpID: rpID, origin: o.Origin, deviceBound: o.DeviceBound})
}

// randomP256 draws scalars until one is a private key. ecdsa.GenerateKey would ignore the reader.
func randomP256(random io.Reader) (*ecdsa.PrivateKey, error) {
	var b [32]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return nil, err
		}
		if key, ok := derive.P256Scalar(b[:]); ok {
			return key, nil
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

// Counter returns the signature counter that assertions report, 0 if there is none.
func (p *Passkey) Counter() uint32 { return p.counter }

// Algorithm returns what the passkey signs with.
func (p *Passkey) Algorithm() credid.Algorithm { return p.algorithm }

// COSE returns the public key as a COSE key in canonical CBOR (RFC 9053), 77 bytes for ES256 and 42 for
// EdDSA.
func (p *Passkey) COSE() []byte {
	switch public := p.public.(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 04 ‖ x ‖ y
		if err != nil {
			panic("device: " + err.Error()) // the key was checked when it was made or read
		}
		cose := coseHead(5, 2, credid.ES256, 1)
		cose = minicbor.AppendBytes(minicbor.AppendInt(cose, -2), point[1:33])
		return minicbor.AppendBytes(minicbor.AppendInt(cose, -3), point[33:])
	case ed25519.PublicKey:
		return minicbor.AppendBytes(minicbor.AppendInt(coseHead(4, 1, credid.EdDSA, 6), -2), public)
	}
	panic(fmt.Sprintf("device: public key of type %T", p.public))
}

func coseHead(members uint64, keyType int64, algorithm credid.Algorithm, curve int64) []byte {
	cose := minicbor.AppendHead(nil, minicbor.Map, members)
	for _, member := range [][2]int64{{1, keyType}, {3, int64(algorithm)}, {-1, curve}} {
		cose = minicbor.AppendInt(minicbor.AppendInt(cose, member[0]), member[1])
	}
	return cose
}

// DefaultFlags returns the flags that [Passkey.Sign] sets: user present and verified (the store was
// opened with its passphrase), backup-eligible unless the passkey is device-bound, and backed up once
// a backup of its seed has been checked. Backup-eligible never changes in the life of a credential, as
// the standard demands; backed up may.
func (p *Passkey) DefaultFlags() Flags { return UserPresent | UserVerified | p.BackupFlags() }

// BackupFlags returns BE and BS of the passkey.
func (p *Passkey) BackupFlags() Flags {
	switch {
	case p.deviceBound:
		return 0
	case p.backedUp:
		return BackupEligible | BackedUp
	}
	return BackupEligible
}

// String keeps the private key out of logs.
func (p Passkey) String() string {
	return fmt.Sprintf("passkey %x for %s", p.credentialID, p.origin)
}

// Format prints what [Passkey.String] says for every verb, %#v and %x included.
func (p Passkey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, p.String()) }

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
	if p.remote != nil {
		return p.remote(r)
	}
	data, err := clientData(r.Challenge, r.Origin)
	if err != nil {
		return Assertion{}, err
	}
	auth := authenticatorData(r.RelyingParty, r.Flags, p.counter)
	signature, err := p.signAssertion(auth, sha256.Sum256(data))
	if err != nil {
		return Assertion{}, err
	}
	return Assertion{
		CredentialID:      p.CredentialID(),
		AuthenticatorData: auth,
		ClientDataJSON:    data,
		Signature:         signature,
	}, nil
}

// SignData signs authenticator data and the hash of client data as an assertion or a self attestation
// does: ASN.1 DER for ES256, 64 bytes for EdDSA. It is for an authenticator, which does not know the client data; a
// client uses [Passkey.Assert].
func (p *Passkey) SignData(authenticatorData []byte, clientDataHash [32]byte) ([]byte, error) {
	return p.signAssertion(authenticatorData, clientDataHash)
}

func (p *Passkey) signAssertion(auth []byte, clientHash [32]byte) ([]byte, error) {
	private, err := p.source.key()
	if err != nil {
		return nil, fmt.Errorf("deriving the key of a passkey: %w", err)
	}
	message := append(bytes.Clone(auth), clientHash[:]...)
	var signature []byte
	if p.algorithm == credid.EdDSA {
		signature, err = private.Sign(nil, message, crypto.Hash(0))
	} else {
		// Without a source of randomness the signature is deterministic (RFC 6979, Go 1.24 and later).
		// It is left as it comes: WebAuthn does not ask for a low s.
		digest := sha256.Sum256(message)
		signature, err = private.Sign(nil, digest[:], crypto.SHA256)
	}
	if err != nil {
		return nil, fmt.Errorf("signing with a passkey: %w", err)
	}
	return signature, nil
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
// section 6.1):
//
//	rpIdHash 32 │ flags 1 │ signCount 4, big endian, 0 for none
func authenticatorData(rpID string, f Flags, counter uint32) []byte {
	hash := sha256.Sum256([]byte(rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], byte(f)), counter)
}
