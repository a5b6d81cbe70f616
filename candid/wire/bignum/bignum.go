// Package bignum encodes and decodes Candid's nat and int, which have no upper
// bound. It is apart from package wire so that a canister whose interface
// has neither does not carry math/big.
package bignum

import (
	"math/big"
	"slices"

	"kedge/candid/wire"
)

// MaxBytes is the longest encoding of a number that is decoded; the time to
// make a number of it grows with its square.
const MaxBytes = 4096

// Nat decodes a nat. It is zero if decoding failed.
func Nat(d *wire.Decoder, w wire.Ref) *big.Int { return decode(d, w, wire.Nat) }

// Int decodes an int. It is zero if decoding failed.
func Int(d *wire.Decoder, w wire.Ref) *big.Int { return decode(d, w, wire.Int) }

func decode(d *wire.Decoder, w, want wire.Ref) *big.Int {
	raw, signed := d.LEB(w, want)
	n := new(big.Int)
	if len(raw) > MaxBytes {
		d.Refuse("a number is longer than 4096 bytes")
		return n
	}
	digits := make([]byte, len(raw)*7/8+1) // little-endian, then turned round
	var acc, bits uint
	at := 0
	for _, b := range raw {
		acc |= uint(b&0x7f) << bits
		for bits += 7; bits >= 8; bits -= 8 {
			digits[at] = byte(acc)
			acc >>= 8
			at++
		}
	}
	digits[at] = byte(acc)
	slices.Reverse(digits)
	n.SetBytes(digits)
	if signed && len(raw) > 0 && raw[len(raw)-1]&0x40 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(7*len(raw))))
	}
	return n
}

// AppendNat appends a nat. A nil number is zero; a negative one is a mistake of
// the program and panics.
func AppendNat(b []byte, n *big.Int) []byte {
	if n == nil {
		return append(b, 0)
	}
	if n.Sign() < 0 {
		panic("bignum: " + n.String() + " is not a nat")
	}
	return appendGroups(b, n, n.BitLen())
}

// AppendInt appends an int. A nil number is zero.
func AppendInt(b []byte, n *big.Int) []byte {
	if n == nil {
		return append(b, 0)
	}
	if n.Sign() >= 0 {
		return appendGroups(b, n, n.BitLen()+1)
	}
	// Two's complement in as many groups of seven bits as hold |n|-1 and a sign.
	bits := new(big.Int).Not(n).BitLen() + 1
	groups := uint(bits+6) / 7
	return appendGroups(b, new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 7*groups)), bits)
}

// appendGroups appends the lowest bits of n ≥ 0 in groups of seven.
func appendGroups(b []byte, n *big.Int, bits int) []byte {
	digits := n.Bytes()
	slices.Reverse(digits)
	digits = append(digits, 0, 0)
	for i := 0; ; i += 7 {
		two := uint(digits[min(i/8, len(digits)-1)]) | uint(digits[min(i/8+1, len(digits)-1)])<<8
		group := byte(two>>(i%8)) & 0x7f
		if i+7 >= bits {
			return append(b, group)
		}
		b = append(b, group|0x80)
	}
}
