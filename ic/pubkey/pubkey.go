// Package pubkey tells which bytes can be the public key of somebody who signs requests to the Internet
// Computer. It is as lenient as the network's own parser: a key that it refuses is accepted nowhere, so nobody
// can ever sign with it. Package signature, which verifies, is stricter.
//
// The form is SubjectPublicKeyInfo (RFC 5280, section 4.1) in DER, with one of the algorithms of the Interface
// Specification, "Signatures". The network reads it with a parser that takes lengths and object identifiers
// in longer forms than DER has, and COSE keys with members of any kind besides those that it knows
// (dfinity/ic, rs/crypto/internal/crypto_lib/basic_sig/{der_utils,cose,rsa_pkcs1}).
package pubkey

import (
	"bytes"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// The object identifiers of the algorithms, as DER has them, without tag and length.
var (
	oidEd25519   = []byte{0x2b, 0x65, 0x70}
	oidEC        = []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}
	oidP256      = []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	oidSecp256k1 = []byte{0x2b, 0x81, 0x04, 0x00, 0x0a}
	oidCOSE      = []byte{0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01}
	oidCanister  = []byte{0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02}
)

// The forms in which clients make almost all keys: Ed25519 (RFC 8410), and a COSE key for ES256 as authenticators
// encode it (CTAP 2.1, section 8). Whatever is said of them here, the general parser says too; it takes twenty times
// as many instructions.
const (
	plainEd25519 = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"
	plainES256   = "\x30\x5e\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x83\xb8\x43\x01\x01\x03\x4e\x00\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"
	plainES256Y  = "\x22\x58\x20"

	lenEd25519 = len(plainEd25519) + 32
	lenES256   = len(plainES256) + 32 + len(plainES256Y) + 32
)

// plain are the beginnings of these, set when the program starts for the reason that p256Prime is.
var plain struct {
	ed25519 [len(plainEd25519)]byte
	es256   [len(plainES256)]byte
}

func init() {
	copy(plain.ed25519[:], plainEd25519)
	copy(plain.es256[:], plainES256)
}

func isPlainEd25519(der []byte) bool {
	return len(der) == lenEd25519 && bytes.HasPrefix(der, plain.ed25519[:])
}

func isPlainES256(der []byte) bool {
	const y = len(plainES256) + 32
	return len(der) == lenES256 && bytes.HasPrefix(der, plain.es256[:]) &&
		der[y] == plainES256Y[0] && der[y+1] == plainES256Y[1] && der[y+2] == plainES256Y[2]
}

// Check returns nil for a key that can sign, else why it cannot.
func Check(der []byte) error {
	switch {
	case isPlainEd25519(der):
		return nil
	case isPlainES256(der):
		return checkCoordinates((*[32]byte)(der[len(plainES256):]), (*[32]byte)(der[lenES256-32:]))
	}
	return check(der)
}

func check(der []byte) error {
	algorithm, parameters, key, err := unwrap(der)
	if err != nil {
		return err
	}
	switch string(algorithm) {
	case string(oidEd25519):
		return checkLength("an Ed25519 key", key, 32)
	case string(oidEC):
		tag, curve, rest, err := element(parameters)
		if err != nil || tag != tagOID || len(rest) != 0 {
			return errors.New("an elliptic curve key names its curve")
		}
		switch string(unpadded(curve)) {
		case string(oidP256):
			return checkP256(key)
		case string(oidSecp256k1):
			return checkSecp256k1(key)
		}
		return fmt.Errorf("the elliptic curve %x is none that the network knows", curve)
	case string(oidCOSE):
		return checkCOSE(key)
	case string(oidCanister):
		if len(key) == 0 || int(key[0]) > len(key)-1 || key[0] > 29 {
			return errors.New("a canister signature key begins with the canister's id")
		}
		return nil
	}
	return fmt.Errorf("the algorithm %x is none that the network knows", algorithm)
}

// Canister returns the canister and the seed of a key of canister signatures in any form that the network
// reads. A key of another kind has none.
func Canister(der []byte) (canister, seed []byte, ok bool) {
	if isPlainES256(der) || isPlainEd25519(der) {
		return nil, nil, false
	}
	algorithm, _, key, err := unwrap(der)
	if err != nil || string(algorithm) != string(oidCanister) || len(key) == 0 || int(key[0]) > len(key)-1 {
		return nil, nil, false
	}
	return key[1 : 1+key[0]], key[1+key[0]:], true
}

const (
	tagBitString = 0x03
	tagOID       = 0x06
	tagSequence  = 0x30
)

// Errors are made once, for what is made anew costs pages of memory, whether it is needed or not.
var (
	errMalformed = errors.New("it is not a public key in DER (SubjectPublicKeyInfo)")
	errCutShort  = errors.New("an element is cut short")
	errNotOnP256 = errors.New("the point is not on the curve P-256")
)

// unwrap takes a SubjectPublicKeyInfo apart; the object identifier is in its shortest form then.
func unwrap(der []byte) (algorithm, parameters, key []byte, err error) {
	tag, body, rest, err := element(der)
	if err != nil || tag != tagSequence || len(rest) != 0 {
		return nil, nil, nil, errMalformed
	}
	tag, identifier, rest, err := element(body)
	if err != nil || tag != tagSequence {
		return nil, nil, nil, errMalformed
	}
	tag, key, rest, err = element(rest)
	if err != nil || tag != tagBitString || len(rest) != 0 || len(key) == 0 || key[0] != 0 {
		return nil, nil, nil, errMalformed
	}
	tag, algorithm, parameters, err = element(identifier)
	if err != nil || tag != tagOID {
		return nil, nil, nil, errMalformed
	}
	return unpadded(algorithm), parameters, key[1:], nil
}

// element reads one element. A length may be in a longer form than it needs.
func element(der []byte) (tag byte, body, rest []byte, err error) {
	if len(der) < 2 {
		return 0, nil, nil, errCutShort
	}
	tag, n, at := der[0], uint64(der[1]), 2
	if n >= 0x80 {
		octets := int(n & 0x7f)
		if octets == 0 || octets > len(der)-at {
			return 0, nil, nil, errCutShort
		}
		n = 0
		for _, b := range der[at : at+octets] {
			if n > 1<<32 {
				return 0, nil, nil, errCutShort
			}
			n = n<<8 | uint64(b)
		}
		at += octets
	}
	if n > uint64(len(der)-at) {
		return 0, nil, nil, errCutShort
	}
	end := at + int(n)
	return tag, der[at:end], der[end:], nil
}

// unpadded is an object identifier without the bytes 80 that its numbers may begin with.
func unpadded(oid []byte) []byte {
	if !bytes.Contains(oid, []byte{0x80}) {
		return oid
	}
	out := make([]byte, 0, len(oid))
	begins := true
	for i, b := range oid {
		if i > 0 && begins && b == 0x80 {
			continue
		}
		out = append(out, b)
		begins = b < 0x80
	}
	return out
}

func checkLength(what string, b []byte, want int) error {
	if len(b) != want {
		return fmt.Errorf("%s has %d bytes, this has %d", what, want, len(b))
	}
	return nil
}

// checkP256 takes points in either form.
func checkP256(point []byte) error {
	if len(point) == 33 {
		if x, _ := elliptic.UnmarshalCompressed(elliptic.P256(), point); x == nil {
			return errNotOnP256
		}
		return nil
	}
	if len(point) != 65 || point[0] != 4 {
		return errNotOnP256
	}
	return checkCoordinates((*[32]byte)(point[1:]), (*[32]byte)(point[33:]))
}

func checkCoordinates(x, y *[32]byte) error {
	if !onP256(x, y) {
		return errNotOnP256
	}
	return nil
}

// The prime of the field of secp256k1 (SEC 2, section 2.4.1): 2^256 - 2^32 - 977. The curve is y² = x³ + 7.
var secp256k1Prime, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", 16)

// checkSecp256k1 takes points in either form. Of a compressed one any x below the prime is taken.
func checkSecp256k1(point []byte) error {
	p := secp256k1Prime
	outside := errors.New("the point is not on the curve secp256k1")
	switch {
	case len(point) == 33 && (point[0] == 2 || point[0] == 3):
		if new(big.Int).SetBytes(point[1:]).Cmp(p) >= 0 {
			return outside
		}
		return nil
	case len(point) != 65 || point[0] != 4:
		return outside
	}
	x, y := new(big.Int).SetBytes(point[1:33]), new(big.Int).SetBytes(point[33:])
	if x.Cmp(p) >= 0 || y.Cmp(p) >= 0 {
		return outside
	}
	right := new(big.Int).Mul(x, x)
	right.Mul(right, x).Add(right, big.NewInt(7)).Mod(right, p)
	if left := y.Mul(y, y).Mod(y, p); left.Cmp(right) != 0 {
		return outside
	}
	return nil
}

// Members of a COSE key (RFC 9052, section 7; RFC 9053, sections 7.1 and 7.2; RFC 8230, section 4).
const (
	labelKeyType   = 1
	labelAlgorithm = 3
)

func checkCOSE(key []byte) error {
	members, err := readCOSE(key)
	if err != nil {
		return fmt.Errorf("the COSE key is no CBOR map: %w", err)
	}
	kty, alg := members.at(labelKeyType).int, members.at(labelAlgorithm).int
	switch {
	case kty == 2 && alg == -7: // EC2, ES256
		x, y := members.at(-2).bytes, members.at(-3).bytes
		if members.at(-1).int != 1 || len(x) != 32 || len(y) != 32 {
			return errors.New("an ES256 key has the curve 1 and two coordinates of 32 bytes")
		}
		return checkCoordinates((*[32]byte)(x), (*[32]byte)(y))
	case kty == 1 && alg == -8: // OKP, EdDSA
		if members.at(-1).int != 6 {
			return errors.New("an EdDSA key has the curve 6")
		}
		return checkLength("an EdDSA key", members.at(-2).bytes, 32)
	case kty == 3 && alg == -257: // RSA, RS256
		return checkRSA(members.at(-1).bytes, members.at(-2).bytes)
	}
	return fmt.Errorf("key type %d with algorithm %d is none that the network knows: ES256 (2, -7), EdDSA (1, -8), RS256 (3, -257)", kty, alg)
}

// checkRSA takes moduli of 2,048 to 8,192 bits and odd exponents from 3 to 2^33 - 1.
func checkRSA(modulus, exponent []byte) error {
	n, e := trimmed(modulus), trimmed(exponent)
	size := 0
	if len(n) > 0 {
		size = 8*(len(n)-1) + bits.Len8(n[0])
	}
	if size < 2048 || size > 8192 || n[len(n)-1]&1 == 0 {
		return fmt.Errorf("an RSA modulus is odd and has 2048 to 8192 bits, this has %d", size)
	}
	value := uint64(0)
	for _, b := range e {
		if value >= 1<<33 {
			break
		}
		value = value<<8 | uint64(b)
	}
	if value < 3 || value >= 1<<33 || value&1 == 0 {
		return errors.New("an RSA exponent is an odd number from 3 to 2^33-1")
	}
	return nil
}

func trimmed(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}
