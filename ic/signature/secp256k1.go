package signature

import (
	"crypto/sha256"
	"errors"

	"github.com/consensys/gnark-crypto/ecc/secp256k1"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/ecdsa"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/fp"
)

type secp256k1Key struct{ key ecdsa.PublicKey }

func parseSecp256k1(point []byte) (*secp256k1Key, error) {
	err := errors.New("public key is not an uncompressed point of secp256k1")
	if len(point) != pointLen || point[0] != 4 {
		return nil, err
	}
	var p secp256k1.G1Affine
	x, y := point[1:1+fp.Bytes], point[1+fp.Bytes:]
	if p.X.SetBytesCanonical(x) != nil || p.Y.SetBytesCanonical(y) != nil {
		return nil, err
	}
	if p.IsInfinity() || !p.IsOnCurve() {
		return nil, err
	}
	return &secp256k1Key{ecdsa.PublicKey{A: p}}, nil
}

// verify takes s of either half: the specification asks for no low s.
func (k *secp256k1Key) verify(message, signature []byte) bool {
	ok, err := k.key.Verify(signature, message, sha256.New())
	return err == nil && ok
}
