package device

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"kedge/device/derive"
)

// Key is something that signs messages of the Internet Computer, or of anyone else who takes
// its kind of key.
type Key interface {
	// PublicKey returns the key as a DER SubjectPublicKeyInfo, which is a device key of an anchor.
	PublicKey() []byte
	// Sign returns the signature of message in the form that belongs to the kind of key.
	Sign(message []byte) ([]byte, error)
}

var (
	_ Key = PhraseKey{}
	_ Key = (*Passkey)(nil)
)

// phrasePath is the path m/44'/223'/0'/0'/0' of Internet Identity's recovery phrases.
var phrasePath = []uint32{44 | derive.Hardened, 223 | derive.Hardened, derive.Hardened, derive.Hardened, derive.Hardened}

// PhraseKey is the Ed25519 key of a recovery phrase.
type PhraseKey struct{ private ed25519.PrivateKey }

// Key derives the key of the phrase as Internet Identity does: SLIP-0010 Ed25519 at
// m/44'/223'/0'/0'/0' below the BIP-39 seed. It panics on the zero Phrase, whose key everybody has.
func (p Phrase) Key() PhraseKey {
	if len(p.words) == 0 {
		panic("device: Key of a Phrase that was neither made nor parsed")
	}
	private, err := derive.Ed25519(p.Seed(), phrasePath...)
	if err != nil {
		panic("device: " + err.Error()) // a BIP-39 seed has 64 bytes, always
	}
	return PhraseKey{private}
}

// PublicKey returns the 44 bytes of the key's SubjectPublicKeyInfo (RFC 8410).
func (k PhraseKey) PublicKey() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		panic("device: " + err.Error()) // an Ed25519 key always has an encoding
	}
	return der
}

// Sign returns the 64-byte Ed25519 signature of the message.
func (k PhraseKey) Sign(message []byte) ([]byte, error) { return ed25519.Sign(k.private, message), nil }

// String keeps the private key out of logs.
func (PhraseKey) String() string { return "key of a recovery phrase" }

// GoString keeps the private key out of logs.
func (k PhraseKey) GoString() string { return k.String() }

// plainSigner signs as a key and not as a passkey: ASN.1 DER over SHA-256 becomes the 64 bytes r ‖ s that the
// Internet Computer takes for P-256, Ed25519 its own 64.
type plainSigner struct{ private crypto.Signer }

func newPlainKey(private crypto.Signer) (Key, error) {
	if _, err := x509.MarshalPKIXPublicKey(private.Public()); err != nil {
		return nil, err
	}
	return plainSigner{private}, nil
}

// PublicKey returns the key as a DER SubjectPublicKeyInfo.
func (k plainSigner) PublicKey() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		panic("device: " + err.Error()) // newPlainKey checked it
	}
	return der
}

// Sign returns 64 bytes.
func (k plainSigner) Sign(message []byte) ([]byte, error) {
	if _, ok := k.private.(ed25519.PrivateKey); ok {
		return k.private.Sign(nil, message, crypto.Hash(0))
	}
	digest := sha256.Sum256(message)
	der, err := k.private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	rs.R.FillBytes(signature[:32])
	rs.S.FillBytes(signature[32:])
	return signature, nil
}

// Format keeps the private key out of logs.
func (plainSigner) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "key that was found") }
