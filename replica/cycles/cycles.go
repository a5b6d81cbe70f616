// Package cycles is the arithmetic of cycles: unsigned 128-bit amounts that saturate instead of
// wrapping, as the network's do.
package cycles

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"strings"
)

// Amount is a number of cycles, 0 to 2^128-1. It is a plain value; the zero Amount is no cycles.
type Amount struct{ Hi, Lo uint64 }

// Max is the greatest amount.
var Max = Amount{Hi: ^uint64(0), Lo: ^uint64(0)}

// New returns an amount of n cycles.
func New(n uint64) Amount { return Amount{Lo: n} }

// Trillion returns an amount of n·10¹² cycles.
func Trillion(n uint64) Amount { return New(1_000_000_000_000).Times(n) }

// Plus returns a+b, at most Max.
func (a Amount) Plus(b Amount) Amount {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, carry := bits.Add64(a.Hi, b.Hi, carry)
	if carry != 0 {
		return Max
	}
	return Amount{hi, lo}
}

// Minus returns a-b, at least zero.
func (a Amount) Minus(b Amount) Amount {
	if a.Less(b) {
		return Amount{}
	}
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(a.Hi, b.Hi, borrow)
	return Amount{hi, lo}
}

// Times returns a·n, at most Max.
func (a Amount) Times(n uint64) Amount {
	carry, lo := bits.Mul64(a.Lo, n)
	over, hi := bits.Mul64(a.Hi, n)
	hi, c := bits.Add64(hi, carry, 0)
	if over != 0 || c != 0 {
		return Max
	}
	return Amount{hi, lo}
}

// Over returns a/n, rounded down. It panics if n is zero.
func (a Amount) Over(n uint64) Amount {
	hi, rem := bits.Div64(0, a.Hi, n)
	lo, _ := bits.Div64(rem, a.Lo, n)
	return Amount{hi, lo}
}

// Less reports whether a < b.
func (a Amount) Less(b Amount) bool { return a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo }

// Min returns the lesser of a and b.
func (a Amount) Min(b Amount) Amount {
	if b.Less(a) {
		return b
	}
	return a
}

// IsZero reports whether a is no cycles.
func (a Amount) IsZero() bool { return a == Amount{} }

// LittleEndian returns the sixteen bytes that the 128-bit system calls write.
func (a Amount) LittleEndian() [16]byte {
	var out [16]byte
	binary.LittleEndian.PutUint64(out[:8], a.Lo)
	binary.LittleEndian.PutUint64(out[8:], a.Hi)
	return out
}

// Big returns the amount as a big integer.
func (a Amount) Big() *big.Int {
	n := new(big.Int).SetUint64(a.Hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(a.Lo))
}

// FromBig returns the amount nearest to n: zero if n is negative, Max if it is 2^128 or more.
func FromBig(n *big.Int) Amount {
	switch {
	case n == nil || n.Sign() < 0:
		return Amount{}
	case n.BitLen() > 128:
		return Max
	}
	lo := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
	return Amount{Hi: new(big.Int).Rsh(n, 64).Uint64(), Lo: lo}
}

// Grouped writes a number with an underscore before every three digits, as the production replica does.
func Grouped(number fmt.Stringer) string {
	digits := number.String()
	var out strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte('_')
		}
		out.WriteRune(digit)
	}
	return out.String()
}

// String returns the amount in decimal.
func (a Amount) String() string { return a.Big().String() }
