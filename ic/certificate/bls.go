package certificate

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"

	bls "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"kedge/ic/hashtree"
)

// Sizes in bytes. Signatures are points of G1 and keys points of G2, both compressed.
const (
	PublicKeyLen = bls.SizeOfG2AffineCompressed // 96
	SignatureLen = bls.SizeOfG1AffineCompressed // 48
	SecretKeyLen = fr.Bytes                     // 32
	DERLen       = 37 + PublicKeyLen            // 133
)

// derPrefix is what the DER form of every key begins with: the algorithm 1.3.6.1.4.1.44668.5.3.1.2.1,
// the curve 1.3.6.1.4.1.44668.5.3.2.1 and the head of the bit string.
var derPrefix = mustHex("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100")

// hashToCurveDST is the ciphersuite of the Internet Computer's signatures.
var hashToCurveDST = []byte("BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_")

const stateRootDomain = "\x0dic-state-root"

var (
	_, _, _, g2Generator = bls.Generators()
	negatedG2            = new(bls.G2Affine).Neg(&g2Generator)
)

// PublicKey is a BLS12-381 key that certificates are verified with.
type PublicKey struct{ point bls.G2Affine }

// ParsePublicKey reads a key in DER, 133 bytes. It refuses points that are not in the prime-order
// subgroup, and the point at infinity.
func ParsePublicKey(der []byte) (*PublicKey, error) {
	if len(der) != DERLen || !bytes.HasPrefix(der, derPrefix) {
		return nil, fmt.Errorf("not a BLS12-381 public key in DER: expected %d bytes that begin with %x", DERLen, derPrefix)
	}
	var k PublicKey
	if n, err := k.point.SetBytes(der[len(derPrefix):]); err != nil || n != PublicKeyLen {
		return nil, fmt.Errorf("BLS12-381 public key is not a point of the curve's subgroup: %w", errors.Join(err, lengthError(n, PublicKeyLen)))
	}
	if k.point.IsInfinity() {
		return nil, errors.New("BLS12-381 public key is the point at infinity")
	}
	return &k, nil
}

func lengthError(got, want int) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%d bytes instead of %d", got, want)
}

// DER returns the key in DER, 133 bytes.
func (k *PublicKey) DER() []byte {
	raw := k.point.Bytes()
	return append(bytes.Clone(derPrefix), raw[:]...)
}

// VerifyRoot checks a signature over the root hash of a state tree.
func (k *PublicKey) VerifyRoot(root hashtree.Hash, signature []byte) error {
	return k.verify(rootMessage(root), signature)
}

func (k *PublicKey) verify(message, signature []byte) error {
	var sig bls.G1Affine
	if len(signature) != SignatureLen {
		return fmt.Errorf("certificate signature: %w", lengthError(len(signature), SignatureLen))
	}
	if n, err := sig.SetBytes(signature); err != nil || n != SignatureLen {
		return fmt.Errorf("certificate signature is not a point of the curve's subgroup: %w", errors.Join(err, lengthError(n, SignatureLen)))
	}
	point, err := hashToCurve(message)
	if err != nil {
		return err
	}
	ok, err := bls.PairingCheck([]bls.G1Affine{sig, point}, []bls.G2Affine{*negatedG2, k.point})
	if err != nil {
		return fmt.Errorf("certificate signature: %w", err)
	}
	if !ok {
		return errors.New("certificate signature does not match the key")
	}
	return nil
}

func rootMessage(root hashtree.Hash) []byte { return append([]byte(stateRootDomain), root[:]...) }

func hashToCurve(message []byte) (bls.G1Affine, error) {
	point, err := bls.HashToG1(message, hashToCurveDST)
	if err != nil {
		return point, fmt.Errorf("hash a message to the curve: %w", err)
	}
	return point, nil
}

// SecretKey signs certificates. Signing is not constant-time: it is meant for local networks, whose
// keys guard nothing.
type SecretKey struct {
	scalar big.Int
	public PublicKey
}

// GenerateKey draws a key from random, or from the system's generator if random is nil.
func GenerateKey(random io.Reader) (*SecretKey, error) {
	if random == nil {
		random = rand.Reader
	}
	for {
		raw := make([]byte, SecretKeyLen)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, fmt.Errorf("draw a BLS12-381 key: %w", err)
		}
		raw[0] &= 0x7f // the order has 255 bits: now about nine draws in ten are below it
		if key, err := ParseSecretKey(raw); err == nil {
			return key, nil
		}
	}
}

// ParseSecretKey reads a key that Bytes wrote: 32 bytes, big-endian, above zero and below the order.
func ParseSecretKey(raw []byte) (*SecretKey, error) {
	if len(raw) != SecretKeyLen {
		return nil, fmt.Errorf("BLS12-381 secret key: %w", lengthError(len(raw), SecretKeyLen))
	}
	var k SecretKey
	k.scalar.SetBytes(raw)
	if k.scalar.Sign() == 0 || k.scalar.Cmp(fr.Modulus()) >= 0 {
		return nil, errors.New("BLS12-381 secret key is outside the range of keys")
	}
	k.public.point.ScalarMultiplication(&g2Generator, &k.scalar)
	return &k, nil
}

// Bytes returns the key for storage, 32 bytes.
func (k *SecretKey) Bytes() []byte { return k.scalar.FillBytes(make([]byte, SecretKeyLen)) }

// Public returns the key to verify with.
func (k *SecretKey) Public() *PublicKey { return &k.public }

// SignRoot signs the root hash of a state tree; the signature has 48 bytes.
func (k *SecretKey) SignRoot(root hashtree.Hash) ([]byte, error) {
	point, err := hashToCurve(rootMessage(root))
	if err != nil {
		return nil, err
	}
	var sig bls.G1Affine
	sig.ScalarMultiplication(&point, &k.scalar)
	raw := sig.Bytes()
	return raw[:], nil
}

func mustHex(s string) []byte {
	raw, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return raw
}
