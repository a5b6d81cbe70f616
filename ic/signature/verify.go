package signature

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"kedge/ic/certificate"
	"kedge/internal/minicbor"
	"kedge/webauthn"
)

// ErrMismatch is returned for a signature that does not match the message and the key.
var ErrMismatch = errors.New("signature does not match")

// Verifier verifies signatures of every scheme. It may be used by several goroutines. The zero Verifier
// refuses canister signatures, because it knows no root key.
type Verifier struct {
	Root *certificate.PublicKey

	certificates certificateCache
}

// Verify checks a signature over a message, by the public key in DER.
func (v *Verifier) Verify(der, message, signature []byte) error {
	key, err := ParsePublicKey(der)
	if err != nil {
		return err
	}
	return v.VerifyKey(key, message, signature)
}

// VerifyKey is Verify for a key that has been parsed.
func (v *Verifier) VerifyKey(key *PublicKey, message, signature []byte) error {
	switch key.scheme {
	case WebAuthn:
		return verifyWebAuthn(key.webauthn, message, signature)
	case Canister:
		return v.verifyCanister(key.canister, message, signature)
	}
	if len(signature) != 64 {
		return fmt.Errorf("signature of %s has %d bytes instead of 64", key.scheme, len(signature))
	}
	ok := false
	switch key.scheme {
	case Ed25519:
		ok = verifyEd25519(key.ed, message, signature)
	case P256:
		digest := sha256.Sum256(message)
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		ok = ecdsa.Verify(key.p256, digest[:], r, s)
	case Secp256k1:
		ok = key.k1.verify(message, signature)
	}
	if !ok {
		return ErrMismatch
	}
	return nil
}

// verifyWebAuthn checks what the network checks: that the client data's challenge is the message, and
// the signature. Type, origin, relying party and flags are not its business: the message, which
// names one request or delegation, is signed or it is not.
func verifyWebAuthn(key *webauthn.PublicKey, message, signature []byte) error {
	assertion, err := decodeWebAuthn(signature)
	if err != nil {
		return fmt.Errorf("WebAuthn signature: %w", err)
	}
	client, err := webauthn.ParseClientData(assertion.ClientDataJSON)
	if err != nil {
		return fmt.Errorf("WebAuthn signature: %w", err)
	}
	if client.Challenge != webauthn.ChallengeText(message) {
		return errors.New("WebAuthn signature: its challenge is not the message")
	}
	if err := key.VerifyAssertion(assertion); err != nil {
		return ErrMismatch
	}
	return nil
}

func decodeWebAuthn(signature []byte) (a webauthn.Assertion, err error) {
	r := minicbor.NewReader(signature)
	return a, readMap(r, map[string]func() error{
		"authenticator_data": func() (err error) { a.AuthenticatorData, err = r.Bytes(); return err },
		"client_data_json": func() (err error) { // text; older clients sent bytes
			if major, _ := r.Peek(); major == minicbor.Bytes {
				a.ClientDataJSON, err = r.Bytes()
				return err
			}
			text, err := r.Text()
			a.ClientDataJSON = []byte(text)
			return err
		},
		"signature": func() (err error) { a.Signature, err = r.Bytes(); return err },
	})
}

// EncodeWebAuthn returns an assertion as the network takes it for a signature.
func EncodeWebAuthn(a webauthn.Assertion) []byte {
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 3)
	out = minicbor.AppendBytes(minicbor.AppendText(out, "authenticator_data"), a.AuthenticatorData)
	out = minicbor.AppendText(minicbor.AppendText(out, "client_data_json"), string(a.ClientDataJSON))
	return minicbor.AppendBytes(minicbor.AppendText(out, "signature"), a.Signature)
}

// readMap reads a whole item, a map tagged or not, with exactly these text keys, each once.
func readMap(r *minicbor.Reader, fields map[string]func() error) error {
	if err := r.SkipTag(minicbor.SelfDescribed); err != nil {
		return err
	}
	if err := r.AllFields(fields); err != nil {
		return err
	}
	return r.Done()
}
