package pubkey

import "encoding/binary"

// The curve P-256 (SP 800-186, section 3.2.1.3): y² = x³ - 3x + b over the field of p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
// Numbers are eight words of 32 bits, the lowest first, each in a uint64, because a 64-bit product of two words is
// the largest that WebAssembly multiplies in one instruction. Public keys are no secrets, so nothing here takes the
// same time for all.
type number [8]uint64

const word = 1<<32 - 1

var p256Prime, p256B number

// init sets the constants, rather than their declaration, because what has its value from the beginning lies elsewhere
// in memory than other variables, and the network charges for every page that a message touches.
func init() {
	p256Prime = number{word, word, word, 0, 0, 0, 1, word}
	p256B = number{0x27d2604b, 0x3bce3c3e, 0xcc53b0f6, 0x651d06b0, 0x769886bc, 0xb3ebbd55, 0xaa3a93e7, 0x5ac635d8}
}

// onP256 reports whether two coordinates, big-endian, are below the prime and are those of a point.
func onP256(x, y *[32]byte) bool {
	a, b := numberOf(x), numberOf(y)
	if !a.less(&p256Prime) || !b.less(&p256Prime) {
		return false
	}
	var product, other wide
	product.of(&a, &a)
	square := reduceP256(&product)
	other.of(&square, &a) // x³
	product.of(&b, &b)    // y²
	for i := range product {
		product[i] -= other[i]
	}
	for i := range a {
		product[i] += 3 * a[i]
	}
	return reduceP256(&product) == p256B // y² - x³ + 3x
}

func numberOf(b *[32]byte) (n number) {
	for i := range n {
		n[7-i] = uint64(binary.BigEndian.Uint32(b[4*i:]))
	}
	return n
}

func (n *number) less(m *number) bool {
	for i := len(n) - 1; i >= 0; i-- {
		if n[i] != m[i] {
			return n[i] < m[i]
		}
	}
	return false
}

// of is the product of two numbers.
func (c *wide) of(a, b *number) {
	b0, b1, b2, b3, b4, b5, b6, b7 := b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]
	var r0, r1, r2, r3, r4, r5, r6, r7 uint64
	for i, u := range a {
		v := u*b0 + r0
		c[i] = v & word
		v = u*b1 + r1 + v>>32
		r0 = v & word
		v = u*b2 + r2 + v>>32
		r1 = v & word
		v = u*b3 + r3 + v>>32
		r2 = v & word
		v = u*b4 + r4 + v>>32
		r3 = v & word
		v = u*b5 + r5 + v>>32
		r4 = v & word
		v = u*b6 + r6 + v>>32
		r5 = v & word
		v = u*b7 + r7 + v>>32
		r6 = v & word
		r7 = v >> 32
	}
	c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15] = r0, r1, r2, r3, r4, r5, r6, r7
}

// wide is sixteen words of a sum of products, which may be negative.
type wide [16]uint64

// reduceP256 is the remainder by the prime (SP 800-186, appendix G.1.2, "P-256").
func reduceP256(c *wide) (r number) {
	c8, c9, c10, c11, c12, c13, c14, c15 := c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15]
	r = number{
		c[0] + c8 + c9 - c11 - c12 - c13 - c14,
		c[1] + c9 + c10 - c12 - c13 - c14 - c15,
		c[2] + c10 + c11 - c13 - c14 - c15,
		c[3] + 2*c11 + 2*c12 + c13 - c15 - c8 - c9,
		c[4] + 2*c12 + 2*c13 + c14 - c9 - c10,
		c[5] + 2*c13 + 2*c14 + c15 - c10 - c11,
		c[6] + 3*c14 + 2*c15 + c13 - c8 - c9,
		c[7] + 3*c15 + c8 - c10 - c11 - c12 - c13,
	}
	for {
		carry := r.carry()
		if carry == 0 {
			break
		}
		// 2^256 is 2^224 - 2^192 - 2^96 + 1.
		r[0] += carry
		r[3] -= carry
		r[6] -= carry
		r[7] += carry
	}
	if !r.less(&p256Prime) {
		for i := range r {
			r[i] -= p256Prime[i]
		}
		r.carry()
	}
	return r
}

// carry makes every word one of 32 bits again and returns what is left over, which may be negative.
func (n *number) carry() uint64 {
	over := int64(0)
	for i := range n {
		v := int64(n[i]) + over
		n[i], over = uint64(v)&word, v>>32
	}
	return uint64(over)
}
