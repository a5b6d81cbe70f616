package derive

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// SLIP-0010 makes a tree of keys from one seed. Every step is one HMAC-SHA512 of 64 bytes out, the
// left half for the key and the right half for the chain code:
//
//	master  I = HMAC(curve name, seed)                           key = I[:32]             chain = I[32:]
//	child   I = HMAC(chain, 00 ‖ key ‖ index, big endian)        key = I[:32]             Ed25519
//	                                                             key = I[:32] + key mod n P-256
//
// P-256 repeats a step that gives zero or a number not below the group order n: the master with I
// as the seed, a child with 01 ‖ I[32:] ‖ index as the data. Its steps that are not hardened take the
// compressed public key in place of 00 ‖ key; Ed25519 has none.

// Hardened is the bit that marks a hardened step of a path, written 44' or 44H elsewhere.
const Hardened uint32 = 1 << 31

// minSeed and maxSeed bound the seed that SLIP-0010 takes, in bytes.
const minSeed, maxSeed = 16, 64

// Ed25519 returns the Ed25519 key at the path below the seed of 16 to 64 bytes (SLIP-0010).
// It refuses a step that is not [Hardened].
func Ed25519(seed []byte, path ...uint32) (ed25519.PrivateKey, error) {
	if err := checkSeed(seed); err != nil {
		return nil, err
	}
	i := hmac512([]byte("ed25519 seed"), seed)
	for _, step := range path {
		if step&Hardened == 0 {
			return nil, fmt.Errorf("step %d of a path is not hardened, Ed25519 has no such step", step)
		}
		i = hmac512(i[32:], childData(0, i[:32], step))
	}
	return ed25519.NewKeyFromSeed(i[:32]), nil
}

// P256 returns the P-256 key at the path below the seed of 16 to 64 bytes (SLIP-0010).
func P256(seed []byte, path ...uint32) (*ecdsa.PrivateKey, error) {
	node, err := P256Node(seed, path...)
	if err != nil {
		return nil, err
	}
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), node.Key[:])
}

// Node is a key of the tree with its chain code, 32 bytes each.
type Node struct{ Key, Chain [32]byte }

// String keeps the key out of logs.
func (Node) String() string { return "node of a key tree" }

// Format prints the placeholder for every verb, %#v and %x included.
func (n Node) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, n.String()) }

// P256Node is [P256] for what needs the chain code, too.
func P256Node(seed []byte, path ...uint32) (Node, error) {
	if err := checkSeed(seed); err != nil {
		return Node{}, err
	}
	i := hmac512([]byte("Nist256p1 seed"), seed)
	key, ok := addModOrder(scalar{}, readScalar(i[:32]))
	for !ok {
		i = hmac512([]byte("Nist256p1 seed"), i)
		key, ok = addModOrder(scalar{}, readScalar(i[:32]))
	}
	chain := i[32:]
	for _, step := range path {
		parent := key
		data := childData(0, parent.bytes(), step)
		if step&Hardened == 0 {
			point, err := compressedPoint(parent)
			if err != nil {
				return Node{}, err
			}
			data = childData(point[0], point[1:], step)
		}
		i = hmac512(chain, data)
		for key, ok = addModOrder(parent, readScalar(i[:32])); !ok; key, ok = addModOrder(parent, readScalar(i[:32])) {
			i = hmac512(chain, childData(1, i[32:], step))
		}
		chain = i[32:]
	}
	return Node{Key: [32]byte(key.bytes()), Chain: [32]byte(chain)}, nil
}

func checkSeed(seed []byte) error {
	if len(seed) < minSeed || len(seed) > maxSeed {
		return fmt.Errorf("a SLIP-0010 seed has %d to %d bytes, this one has %d", minSeed, maxSeed, len(seed))
	}
	return nil
}

func hmac512(key, data []byte) []byte {
	h := hmac.New(sha512.New, key)
	h.Write(data)
	return h.Sum(nil)
}

func childData(first byte, middle []byte, step uint32) []byte {
	data := append([]byte{first}, middle...)
	return binary.BigEndian.AppendUint32(data, step)
}

// compressedPoint returns the 33 bytes of the public key of k (SEC 1, section 2.3.3).
func compressedPoint(k scalar) ([]byte, error) {
	key, err := ecdh.P256().NewPrivateKey(k.bytes())
	if err != nil {
		return nil, err
	}
	point := key.PublicKey().Bytes() // 04 ‖ x ‖ y
	return append([]byte{2 | point[64]&1}, point[1:33]...), nil
}

// scalar is a 256-bit number, least significant word first. Its arithmetic takes the same time for
// every value, which math/big does not promise.
type scalar [4]uint64

// p256Order is the order of the P-256 group (SEC 2, section 2.4.2).
var p256Order = scalar{0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000}

func readScalar(b []byte) (s scalar) {
	for i := range s {
		s[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
	return s
}

func (s scalar) bytes() []byte {
	b := make([]byte, 32)
	for i, word := range s {
		binary.BigEndian.PutUint64(b[24-8*i:], word)
	}
	return b
}

// minus returns s - t modulo 2^256 and 1 if t is the larger, else 0.
func (s scalar) minus(t scalar) (difference scalar, borrow uint64) {
	for i := range s {
		difference[i], borrow = bits.Sub64(s[i], t[i], borrow)
	}
	return difference, borrow
}

// P256Scalar returns the P-256 key whose private scalar is the 32 bytes, big endian. It is not ok if
// the number is zero or not below the group order, one case in 2^32.
func P256Scalar(b []byte) (*ecdsa.PrivateKey, bool) {
	if len(b) != 32 {
		return nil, false
	}
	k, ok := addModOrder(scalar{}, readScalar(b))
	if !ok {
		return nil, false
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.bytes())
	return key, err == nil
}

// addModOrder returns k + il modulo the group order, for k below the order. It is not ok if il is
// not below the order or the sum is zero: SLIP-0010 then takes the step again.
func addModOrder(k, il scalar) (sum scalar, ok bool) {
	_, below := il.minus(p256Order)
	var carry uint64
	for i := range sum {
		sum[i], carry = bits.Add64(k[i], il[i], carry)
	}
	reduced, borrow := sum.minus(p256Order)
	// The sum stays as it is only if it is below the order: no carry out of it, a borrow in the difference.
	keep := -(borrow &^ carry)
	var any uint64
	for i := range sum {
		sum[i] = sum[i]&keep | reduced[i]&^keep
		any |= sum[i]
	}
	return sum, below == 1 && any != 0
}
