package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"

	k1 "github.com/consensys/gnark-crypto/ecc/secp256k1"
	k1ecdsa "github.com/consensys/gnark-crypto/ecc/secp256k1/ecdsa"
	k1fr "github.com/consensys/gnark-crypto/ecc/secp256k1/fr"

	"kedge/internal/spki"
)

// Signer is a secret key of one of the simple schemes. It implements request.Signer.
type Signer struct {
	der  []byte
	sign func(message []byte) ([]byte, error)
}

// PublicKey returns the public key in DER.
func (s *Signer) PublicKey() []byte { return s.der }

// Sign signs a message.
func (s *Signer) Sign(message []byte) ([]byte, error) { return s.sign(message) }

// NewEd25519 returns the signer of an Ed25519 seed, 32 bytes.
func NewEd25519(seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("seed of an Ed25519 key has %d bytes instead of %d", len(seed), ed25519.SeedSize)
	}
	key := ed25519.NewKeyFromSeed(seed)
	return &Signer{
		der:  spki.Wrap(algEd25519, key.Public().(ed25519.PublicKey)),
		sign: func(message []byte) ([]byte, error) { return ed25519.Sign(key, message), nil },
	}, nil
}

// NewP256 returns the signer of a P-256 scalar, 32 bytes big-endian. Signatures are deterministic
// (RFC 6979).
func NewP256(scalar []byte) (*Signer, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return nil, errors.New("not a scalar of P-256: expected 32 bytes, above zero and below the order")
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode a P-256 key: %w", err)
	}
	return &Signer{
		der: spki.Wrap(algP256, point),
		sign: func(message []byte) ([]byte, error) {
			digest := sha256.Sum256(message)
			der, err := key.Sign(nil, digest[:], crypto.SHA256)
			if err != nil {
				return nil, err
			}
			return rawECDSA(der)
		},
	}, nil
}

// rawECDSA turns the DER form of a signature into r · s.
func rawECDSA(der []byte) ([]byte, error) {
	integer := func(rest []byte) (*big.Int, []byte, error) {
		if len(rest) < 2 || rest[0] != 0x02 || len(rest)-2 < int(rest[1]) || rest[1] > 33 {
			return nil, nil, errors.New("malformed ECDSA signature")
		}
		end := 2 + int(rest[1])
		return new(big.Int).SetBytes(rest[2:end]), rest[end:], nil
	}
	if len(der) < 2 || der[0] != 0x30 {
		return nil, errors.New("malformed ECDSA signature")
	}
	r, rest, err := integer(der[2:])
	if err != nil {
		return nil, err
	}
	s, _, err := integer(rest)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}

// NewSecp256k1 returns the signer of a secp256k1 scalar, 32 bytes big-endian. Its signatures have the
// lower s, which mainnet asks for.
func NewSecp256k1(scalar []byte) (*Signer, error) {
	d := new(big.Int).SetBytes(scalar)
	if len(scalar) != k1fr.Bytes || d.Sign() == 0 || d.Cmp(k1fr.Modulus()) >= 0 {
		return nil, errors.New("not a scalar of secp256k1: expected 32 bytes, above zero and below the order")
	}
	var point k1.G1Affine
	point.ScalarMultiplicationBase(d)
	xy := point.RawBytes()

	var key k1ecdsa.PrivateKey
	if _, err := key.SetBytes(append(xy[:], scalar...)); err != nil {
		return nil, fmt.Errorf("secp256k1 key: %w", err)
	}
	half := new(big.Int).Rsh(k1fr.Modulus(), 1)
	return &Signer{
		der: spki.Wrap(algSecp256k1, append([]byte{4}, xy[:]...)),
		sign: func(message []byte) ([]byte, error) {
			sig, err := key.Sign(message, sha256.New())
			if err != nil {
				return nil, err
			}
			if s := new(big.Int).SetBytes(sig[32:]); s.Cmp(half) > 0 {
				s.Sub(k1fr.Modulus(), s).FillBytes(sig[32:])
			}
			return sig, nil
		},
	}, nil
}

// Generate draws a signer of a simple scheme from random, or from the system's generator if it is nil.
func Generate(scheme Scheme, random io.Reader) (*Signer, error) {
	if random == nil {
		random = rand.Reader
	}
	makers := map[Scheme]func([]byte) (*Signer, error){Ed25519: NewEd25519, P256: NewP256, Secp256k1: NewSecp256k1}
	maker, ok := makers[scheme]
	if !ok {
		return nil, fmt.Errorf("cannot generate a key for %s", scheme)
	}
	for {
		raw := make([]byte, 32)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, fmt.Errorf("draw a key for %s: %w", scheme, err)
		}
		if s, err := maker(raw); err == nil {
			return s, nil // a draw that is no scalar, rarer than one in 2^32, is drawn again
		}
	}
}
