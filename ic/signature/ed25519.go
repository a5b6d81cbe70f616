package signature

import (
	"crypto/sha512"

	"filippo.io/edwards25519"
)

// verifyEd25519 checks a signature by the rules of ZIP 215, which the production network follows (dfinity/ic,
// packages/ic-ed25519, verify_signature): the key and R may be any encoding of any point of the curve, of small
// order too, s is less than the order, and the equation is multiplied by the cofactor. So the neutral
// element is a key, and anybody can sign for it: that key identifies nobody. crypto/ed25519 compares
// without the cofactor and wants R in its one encoding.
func verifyEd25519(key, message, signature []byte) bool {
	a, err := new(edwards25519.Point).SetBytes(key)
	if err != nil {
		return false
	}
	r, err := new(edwards25519.Point).SetBytes(signature[:32])
	if err != nil {
		return false
	}
	s, err := new(edwards25519.Scalar).SetCanonicalBytes(signature[32:])
	if err != nil {
		return false
	}
	hash := sha512.New()
	hash.Write(signature[:32])
	hash.Write(key)
	hash.Write(message)
	k, err := new(edwards25519.Scalar).SetUniformBytes(hash.Sum(nil))
	if err != nil {
		return false
	}
	// 8 (s B - k A - R) is the neutral element.
	left := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(k, new(edwards25519.Point).Negate(a), s)
	left.Subtract(left, r).MultByCofactor(left)
	return left.Equal(edwards25519.NewIdentityPoint()) == 1
}
