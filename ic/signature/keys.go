package signature

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"

	"kedge/ic/principal"
	"kedge/internal/spki"
	"kedge/webauthn"
)

// Scheme tells the schemes apart.
type Scheme uint8

// The schemes.
const (
	Ed25519 Scheme = iota + 1
	P256
	Secp256k1
	WebAuthn
	Canister
)

func (s Scheme) String() string {
	names := [...]string{Ed25519: "Ed25519", P256: "ECDSA P-256", Secp256k1: "ECDSA secp256k1", WebAuthn: "WebAuthn", Canister: "canister signature"}
	if s == 0 || int(s) >= len(names) {
		return "unknown scheme"
	}
	return names[s]
}

// The DER of the algorithms.
var (
	algEd25519   = []byte{0x06, 0x03, 0x2b, 0x65, 0x70}
	algECDSA     = []byte{0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}
	algP256      = append(bytes.Clone(algECDSA), 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07)
	algSecp256k1 = append(bytes.Clone(algECDSA), 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a)
	algCanister  = []byte{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02}
)

// pointLen is the size of an uncompressed point: 04 · x · y.
const pointLen = 65

// PublicKey is a public key of any scheme.
type PublicKey struct {
	scheme   Scheme
	ed       ed25519.PublicKey
	p256     *ecdsa.PublicKey
	k1       *secp256k1Key
	webauthn *webauthn.PublicKey
	canister CanisterKey
}

// CanisterKey is a key of canister signatures: what the canister calls seed tells its keys apart.
type CanisterKey struct {
	Canister principal.Principal
	Seed     []byte
}

// Scheme returns the scheme of the key.
func (k *PublicKey) Scheme() Scheme { return k.scheme }

// CanisterKey returns the parts of a key of canister signatures.
func (k *PublicKey) CanisterKey() (key CanisterKey, ok bool) {
	return k.canister, k.scheme == Canister
}

// DER returns the key in DER.
func (k CanisterKey) DER() []byte {
	raw := append([]byte{byte(k.Canister.Len())}, k.Canister.Bytes()...)
	return spki.Wrap(algCanister, append(raw, k.Seed...))
}

// ParsePublicKey reads a public key in DER. It is strict: lengths in their shortest form, points
// uncompressed and on their curve, nothing left over.
func ParsePublicKey(der []byte) (*PublicKey, error) {
	algorithm, raw, err := spki.Unwrap(der)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.Equal(algorithm, algEd25519):
		if len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("public key of Ed25519 has %d bytes instead of %d", len(raw), ed25519.PublicKeySize)
		}
		return &PublicKey{scheme: Ed25519, ed: bytes.Clone(raw)}, nil
	case bytes.Equal(algorithm, algP256):
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
		if err != nil {
			return nil, errors.New("public key is not an uncompressed point of P-256")
		}
		return &PublicKey{scheme: P256, p256: key}, nil
	case bytes.Equal(algorithm, algSecp256k1):
		key, err := parseSecp256k1(raw)
		if err != nil {
			return nil, err
		}
		return &PublicKey{scheme: Secp256k1, k1: key}, nil
	case bytes.Equal(algorithm, algCanister):
		key, err := parseCanisterKey(raw)
		if err != nil {
			return nil, err
		}
		return &PublicKey{scheme: Canister, canister: key}, nil
	case webauthn.IsDER(der):
		key, err := webauthn.ParseDER(der)
		if err != nil {
			return nil, err
		}
		return &PublicKey{scheme: WebAuthn, webauthn: key}, nil
	}
	return nil, fmt.Errorf("public key has an unknown algorithm, DER %x", algorithm)
}

func parseCanisterKey(raw []byte) (CanisterKey, error) {
	if len(raw) == 0 || int(raw[0]) > len(raw)-1 {
		return CanisterKey{}, errors.New("public key of a canister is shorter than its canister id")
	}
	end := 1 + int(raw[0])
	id, err := principal.FromBytes(raw[1:end])
	if err != nil {
		return CanisterKey{}, fmt.Errorf("public key of a canister: %w", err)
	}
	return CanisterKey{Canister: id, Seed: bytes.Clone(raw[end:])}, nil
}
