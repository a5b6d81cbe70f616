package device

import (
	"crypto/ed25519"
	"crypto/x509"

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
