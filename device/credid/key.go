package credid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"errors"
	"fmt"

	"kedge/device/derive"
)

// Algorithm is a COSE algorithm identifier (RFC 9053), 0 standing for [ES256].
type Algorithm int64

// The algorithms of credentials.
const (
	ES256 Algorithm = -7 // ECDSA with P-256 and SHA-256
	EdDSA Algorithm = -8 // Ed25519
)

// String returns the name of the algorithm, or its number.
func (a Algorithm) String() string {
	switch a {
	case ES256, 0:
		return "ES256"
	case EdDSA:
		return "EdDSA"
	}
	return fmt.Sprintf("COSE algorithm %d", int64(a))
}

// Known reports whether credentials sign with the algorithm.
func (a Algorithm) Known() bool { return a == ES256 || a == EdDSA || a == 0 }

// ErrForeign says that a credential id was not made from this seed for this relying party, or is no
// credential id at all: nobody can tell these apart.
var ErrForeign = errors.New("the credential id is not of this seed and relying party")

// keyAt derives a key of the algorithm by SLIP-0010.
func keyAt(seed []byte, a Algorithm, path ...uint32) (crypto.Signer, error) {
	switch a {
	case ES256, 0:
		key, err := derive.P256(seed, path...)
		return signer(key, err)
	case EdDSA:
		key, err := derive.Ed25519(seed, path...)
		if err != nil {
			return nil, err
		}
		return key, nil
	}
	return nil, fmt.Errorf("there are no credentials of %s", a)
}

// signer keeps a nil pointer from becoming an interface that is not nil.
func signer(key *ecdsa.PrivateKey, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, err
	}
	return key, nil
}

// scalarKey returns the key of the algorithm whose private key is the 32 bytes themselves.
func scalarKey(private []byte, a Algorithm) (crypto.Signer, error) {
	switch a {
	case ES256, 0:
		key, ok := derive.P256Scalar(private)
		if !ok {
			return nil, errors.New("the derived number is no P-256 key")
		}
		return key, nil
	case EdDSA:
		return ed25519.NewKeyFromSeed(private), nil
	}
	return nil, fmt.Errorf("there are no credentials of %s", a)
}
