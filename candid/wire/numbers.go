package wire

import (
	"encoding/binary"
	"math"
)

// fixed reads a number of n bytes whose type is want.
func (d *Decoder) fixed(w, want Ref, n uint64) uint64 {
	if w != want {
		d.mismatch(primitiveNames[-want], w)
		return 0
	}
	b := d.take(n)
	if b == nil {
		return 0
	}
	switch n {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	default:
		return binary.LittleEndian.Uint64(b)
	}
}

// Nat8 decodes a nat8.
func (d *Decoder) Nat8(w Ref) uint8 { return uint8(d.fixed(w, Nat8, 1)) }

// Nat16 decodes a nat16.
func (d *Decoder) Nat16(w Ref) uint16 { return uint16(d.fixed(w, Nat16, 2)) }

// Nat32 decodes a nat32.
func (d *Decoder) Nat32(w Ref) uint32 { return uint32(d.fixed(w, Nat32, 4)) }

// Nat64 decodes a nat64.
func (d *Decoder) Nat64(w Ref) uint64 { return d.fixed(w, Nat64, 8) }

// Int8 decodes an int8.
func (d *Decoder) Int8(w Ref) int8 { return int8(d.fixed(w, Int8, 1)) }

// Int16 decodes an int16.
func (d *Decoder) Int16(w Ref) int16 { return int16(d.fixed(w, Int16, 2)) }

// Int32 decodes an int32.
func (d *Decoder) Int32(w Ref) int32 { return int32(d.fixed(w, Int32, 4)) }

// Int64 decodes an int64.
func (d *Decoder) Int64(w Ref) int64 { return int64(d.fixed(w, Int64, 8)) }

// Float32 decodes a float32.
func (d *Decoder) Float32(w Ref) float32 {
	return math.Float32frombits(uint32(d.fixed(w, Float32, 4)))
}

// Float64 decodes a float64.
func (d *Decoder) Float64(w Ref) float64 { return math.Float64frombits(d.fixed(w, Float64, 8)) }

// LEB reads the bytes of a nat, or of an int or a nat if want is Int, and
// reports whether they are to be read as signed. Package bignum makes numbers
// of them; it is apart so that a canister without nat and int does not carry
// math/big.
func (d *Decoder) LEB(w, want Ref) (raw []byte, signed bool) {
	if w != want && (want != Int || w != Nat) {
		d.mismatch(primitiveNames[-want], w)
		return nil, false
	}
	return d.leb(), w == Int
}

// leb reads up to and including the first byte that does not say that another
// one follows.
func (d *Decoder) leb() []byte {
	lo := d.pos
	for d.byte() >= 0x80 {
	}
	if d.Failed() {
		return nil
	}
	return d.data[lo:d.pos:d.pos]
}
