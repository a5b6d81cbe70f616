package device

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// AAGUID is the model of this software key (WebAuthn Level 3, section 6.5.1): a random constant.
var AAGUID = [16]byte{0x6e, 0x1f, 0x0b, 0xd1, 0x5c, 0x2a, 0x4e, 0x9b, 0x93, 0x57, 0x70, 0xd8, 0x2c, 0x41, 0xa6, 0x3f}

// NonceSize is the size in bytes of the nonce of a [Proof].
const NonceSize = 32

// Proof shows that whoever made it has a seed: a signature over a nonce with the key of the seed's
// fingerprint. The rest is what the key says of itself, signed along with it.
type Proof struct {
	Name      string `json:"name"`
	Model     []byte `json:"model"` // AAGUID, 16 bytes
	Checked   bool   `json:"checked"`
	Finalized bool   `json:"finalized"`
	PublicKey []byte `json:"public_key"` // 32 bytes, Ed25519
	Nonce     []byte `json:"nonce"`
	Signature []byte `json:"signature"`
}

// NewNonce draws the nonce of a proof.
func NewNonce(random io.Reader) ([]byte, error) {
	nonce := make([]byte, NonceSize)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return nonce, nil
}

// Prove shows for this nonce that the key has its seed.
func (k *SecurityKey) Prove(nonce []byte) (Proof, error) {
	if !k.HasSeed() {
		return Proof{}, errNoSeed
	}
	if len(nonce) != NonceSize {
		return Proof{}, fmt.Errorf("a nonce has %d bytes, this one has %d", NonceSize, len(nonce))
	}
	private, err := k.root.fingerprintKey()
	if err != nil {
		return Proof{}, err
	}
	p := Proof{
		Name: k.name, Model: bytes.Clone(AAGUID[:]), Checked: !k.backup.checked.IsZero(), Finalized: !k.backup.finalized.IsZero(),
		PublicKey: private.Public().(ed25519.PublicKey), Nonce: bytes.Clone(nonce),
	}
	p.Signature = ed25519.Sign(private, p.message())
	return p, nil
}

// message is what a proof signs:
//
//	"Kedge pairing proof 1" 00 │ nonce 32 │ model 16 │ checked 1 │ finalized 1 │ length of name 2 │ name
func (p Proof) message() []byte {
	m := append([]byte("Kedge pairing proof 1\x00"), p.Nonce...)
	m = append(m, p.Model...)
	for _, flag := range []bool{p.Checked, p.Finalized} {
		if flag {
			m = append(m, 1)
		} else {
			m = append(m, 0)
		}
	}
	return append(binary.BigEndian.AppendUint16(m, uint16(len(p.Name))), p.Name...)
}

// Verify returns the fingerprint of the seed that the proof was made with, for the nonce that was asked.
func (p Proof) Verify(nonce []byte) (Fingerprint, error) {
	switch {
	case len(nonce) != NonceSize || !bytes.Equal(p.Nonce, nonce):
		return Fingerprint{}, errors.New("the proof was made for another nonce")
	case len(p.Model) != len(AAGUID), len(p.PublicKey) != ed25519.PublicKeySize || len(p.Name) > maxNameLength || !ed25519.Verify(p.PublicKey, p.message(), p.Signature):
		return Fingerprint{}, errors.New("the signature of the proof is wrong")
	}
	return fingerprintOf(p.PublicKey)
}

// CloneError says that two keys have one seed: whoever has one of them has both, and losing the words of
// one is losing those of the other.
type CloneError struct{ Fingerprint Fingerprint }

func (e *CloneError) Error() string {
	return fmt.Sprintf("both keys have the seed %s: they are clones, not a pair", e.Fingerprint)
}

// Pair checks that two proofs for one nonce are of two seeds, else the error is a [*CloneError]. The
// models may be the same; sameModel says so, since one fault may then break both.
func Pair(a, b Proof, nonce []byte) (sameModel bool, err error) {
	fa, err := a.Verify(nonce)
	if err != nil {
		return false, fmt.Errorf("key %q: %w", a.Name, err)
	}
	fb, err := b.Verify(nonce)
	if err != nil {
		return false, fmt.Errorf("key %q: %w", b.Name, err)
	}
	if fa == fb {
		return false, &CloneError{fa}
	}
	return bytes.Equal(a.Model, b.Model), nil
}
