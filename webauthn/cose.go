package webauthn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"kedge/internal/minicbor"
	"kedge/internal/spki"
)

// A COSE key (RFC 9052, section 7, and RFC 9053) is a CBOR map from small integers:
//
//	         ES256            EdDSA            RS256
//	kty   1  2 (EC2)          1 (OKP)          3 (RSA)
//	alg   3  -7               -8               -257
//	     -1  crv 1 (P-256)    crv 6 (Ed25519)  n, 256 to 1,024 bytes
//	     -2  x, 32 bytes      x, 32 bytes      e
//	     -3  y, 32 bytes
//
// The Internet Computer looks at these members alone, in any order, and at key_ops (4), which must be the text
// "verify" if it is there (dfinity/ic, crypto_lib/basic_sig/cose); so does this package, because keys that
// were registered with the Internet Computer must parse. Of a member that occurs twice nothing is believed.

// Algorithm is a COSE algorithm identifier.
type Algorithm int32

// The algorithms that the Internet Computer accepts.
const (
	ES256 Algorithm = -7
	EdDSA Algorithm = -8
	RS256 Algorithm = -257
)

// String returns the name of the algorithm, or its number.
func (a Algorithm) String() string {
	switch a {
	case ES256:
		return "ES256"
	case EdDSA:
		return "EdDSA"
	case RS256:
		return "RS256"
	default:
		return fmt.Sprintf("algorithm %d", int32(a))
	}
}

// Sizes of RSA moduli that are accepted, in bits, as the Internet Computer has them.
const (
	minRSA = 2048
	maxRSA = 8192
)

const (
	labelKty = 1
	labelAlg = 3
	labelOps = 4

	ktyOKP = 1
	ktyEC2 = 2
	ktyRSA = 3

	crvP256    = 1
	crvEd25519 = 6
)

// PublicKey is the public key of a credential.
type PublicKey struct {
	alg  Algorithm
	cose []byte
	ec   *ecdsa.PublicKey
	ed   ed25519.PublicKey
	rsa  *rsa.PublicKey
}

// Algorithm returns what the key signs with.
func (k *PublicKey) Algorithm() Algorithm { return k.alg }

// COSE returns the key as it was read, byte for byte: principals are derived from these bytes. It must
// not be changed.
func (k *PublicKey) COSE() []byte { return k.cose }

// ParseCOSE reads a key; the whole of data must be the key.
func ParseCOSE(data []byte) (*PublicKey, error) {
	key, rest, err := parseCOSEPrefix(data)
	if err == nil && len(rest) != 0 {
		return nil, fmt.Errorf("COSE key: %d bytes left over", len(rest))
	}
	return key, err
}

// parseCOSEPrefix reads the key that data begins with, and returns what comes after it.
func parseCOSEPrefix(data []byte) (*PublicKey, []byte, error) {
	r := minicbor.NewReader(data)
	m, err := readCOSE(r)
	if err != nil {
		return nil, nil, fmt.Errorf("COSE key: %w", err)
	}
	key, err := m.key()
	if err != nil {
		return nil, nil, fmt.Errorf("COSE key: %w", err)
	}
	key.cose = bytes.Clone(data[:r.Offset()])
	return key, r.Rest(), nil
}

// coseMap holds the members of a key that are integers or byte strings, and whether its key_ops is in order.
type coseMap struct {
	ints     map[int64]int64
	bytes    map[int64][]byte
	otherOps bool
}

// maxDepth is how deep members that nobody reads may nest.
const maxDepth = 16

func readCOSE(r *minicbor.Reader) (coseMap, error) {
	m := coseMap{ints: map[int64]int64{}, bytes: map[int64][]byte{}}
	seen := map[int64]bool{}
	n, err := r.Map()
	if err != nil {
		return m, err
	}
	for range n {
		switch major, err := r.Peek(); {
		case err != nil:
			return m, err
		case major != minicbor.Uint && major != minicbor.Negative:
			// A label that is no integer is none of the labels that count.
			if err := skip(r, 2); err != nil {
				return m, err
			}
			continue
		}
		label, err := r.Int()
		if err != nil {
			return m, err
		}
		if seen[label] {
			return m, fmt.Errorf("member %d occurs twice", label)
		}
		seen[label] = true
		if err := m.member(r, label); err != nil {
			return m, fmt.Errorf("member %d: %w", label, err)
		}
	}
	return m, nil
}

// member reads the value of a member.
func (m *coseMap) member(r *minicbor.Reader, label int64) error {
	major, err := r.Peek()
	if err != nil {
		return err
	}
	switch {
	case label == labelOps:
		if major != minicbor.Text {
			m.otherOps = true
			return skip(r, 1)
		}
		text, err := r.Text()
		m.otherOps = text != "verify"
		return err
	case label > labelAlg || label < -3:
		return skip(r, 1)
	case major == minicbor.Bytes:
		m.bytes[label], err = r.Bytes()
	case major == minicbor.Uint || major == minicbor.Negative:
		m.ints[label], err = r.Int()
	default:
		return skip(r, 1)
	}
	return err
}

func skip(r *minicbor.Reader, items int) error {
	for range items {
		if err := r.Skip(maxDepth); err != nil {
			return err
		}
	}
	return nil
}

// need fails unless the members are there.
func (m coseMap) need(ints, bytes []int64) error {
	for _, label := range ints {
		if _, ok := m.ints[label]; !ok {
			return fmt.Errorf("member %d is missing or not an integer", label)
		}
	}
	for _, label := range bytes {
		if _, ok := m.bytes[label]; !ok {
			return fmt.Errorf("member %d is missing or not a byte string", label)
		}
	}
	return nil
}

func (m coseMap) key() (*PublicKey, error) {
	alg, ok := m.ints[labelAlg]
	if !ok {
		return nil, errors.New("member 3, the algorithm, is missing")
	}
	kty := m.ints[labelKty]
	switch {
	case m.otherOps:
		return nil, errors.New(`member 4, key_ops, is not the text "verify"`)
	case alg == int64(ES256) && kty == ktyEC2:
		return m.es256()
	case alg == int64(EdDSA) && kty == ktyOKP:
		return m.eddsa()
	case alg == int64(RS256) && kty == ktyRSA:
		return m.rs256()
	}
	return nil, fmt.Errorf("key type %d with algorithm %d is not supported: expected ES256 (2, -7), EdDSA (1, -8) or RS256 (3, -257)", kty, alg)
}

func (m coseMap) es256() (*PublicKey, error) {
	if err := m.need([]int64{labelKty, labelAlg, -1}, []int64{-2, -3}); err != nil {
		return nil, err
	}
	x, y := m.bytes[-2], m.bytes[-3]
	if m.ints[-1] != crvP256 || len(x) != 32 || len(y) != 32 {
		return nil, fmt.Errorf("ES256 takes curve 1 and coordinates of 32 bytes, got curve %d, %d and %d bytes", m.ints[-1], len(x), len(y))
	}
	point := append(append([]byte{4}, x...), y...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, fmt.Errorf("not a point of P-256: %w", err)
	}
	return &PublicKey{alg: ES256, ec: key}, nil
}

func (m coseMap) eddsa() (*PublicKey, error) {
	if err := m.need([]int64{labelKty, labelAlg, -1}, []int64{-2}); err != nil {
		return nil, err
	}
	x := m.bytes[-2]
	if m.ints[-1] != crvEd25519 || len(x) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("EdDSA takes curve 6 and 32 bytes, got curve %d and %d bytes", m.ints[-1], len(x))
	}
	return &PublicKey{alg: EdDSA, ed: bytes.Clone(x)}, nil
}

func (m coseMap) rs256() (*PublicKey, error) {
	if err := m.need([]int64{labelKty, labelAlg}, []int64{-1, -2}); err != nil {
		return nil, err
	}
	n, e := new(big.Int).SetBytes(m.bytes[-1]), bytes.TrimLeft(m.bytes[-2], "\x00")
	if size := n.BitLen(); size < minRSA || size > maxRSA || n.Bit(0) == 0 {
		return nil, fmt.Errorf("RSA modulus of %d bits: expected an odd one of %d to %d", size, minRSA, maxRSA)
	}
	if len(e) == 0 || len(e) > 4 {
		return nil, fmt.Errorf("RSA exponent of %d bytes: expected 1 to 4", len(e))
	}
	exponent := 0
	for _, b := range e {
		exponent = exponent<<8 | int(b)
	}
	if exponent < 3 || exponent&1 == 0 || exponent > 1<<31-1 {
		return nil, fmt.Errorf("RSA exponent %d: expected an odd number from 3 to 2^31-1", exponent)
	}
	return &PublicKey{alg: RS256, rsa: &rsa.PublicKey{N: n, E: exponent}}, nil
}

// derAlgorithm is the object identifier of COSE keys on the Internet Computer, 1.3.6.1.4.1.56387.1.1.
var derAlgorithm = []byte{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01}

// IsDER tells whether a public key in DER is marked as a COSE key.
func IsDER(der []byte) bool {
	algorithm, _, err := spki.Unwrap(der)
	return err == nil && bytes.Equal(algorithm, derAlgorithm)
}

// ParseDER reads a key in the form that the Internet Computer wraps COSE keys in.
func ParseDER(der []byte) (*PublicKey, error) {
	algorithm, cose, err := spki.Unwrap(der)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(algorithm, derAlgorithm) {
		return nil, errors.New("public key in DER is not a COSE key")
	}
	return ParseCOSE(cose)
}

// DER returns the key as the Internet Computer wraps it.
func (k *PublicKey) DER() []byte { return spki.Wrap(derAlgorithm, k.cose) }
