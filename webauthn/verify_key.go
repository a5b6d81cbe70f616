package webauthn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
)

// ErrSignature is returned for a signature that does not match the message and the key.
var ErrSignature = errors.New("signature does not match")

// Verify checks a signature over a message, in the form that WebAuthn section 6.5.5 gives it: ECDSA in DER
// over SHA-256, Ed25519 as 64 bytes, RSASSA-PKCS1-v1_5 over SHA-256.
//
// Of an ECDSA signature (r, s) its twin (r, n-s) is valid, too: WebAuthn asks for no low s, and ordinary
// authenticators make high ones. So a signature identifies nothing.
func (k *PublicKey) Verify(message, signature []byte) error {
	ok := false
	switch k.alg {
	case ES256:
		digest := sha256.Sum256(message)
		ok = ecdsa.VerifyASN1(k.ec, digest[:], signature)
	case EdDSA:
		ok = ed25519.Verify(k.ed, message, signature)
	case RS256:
		digest := sha256.Sum256(message)
		ok = rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, digest[:], signature) == nil
	}
	if !ok {
		return ErrSignature
	}
	return nil
}
