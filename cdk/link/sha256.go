package link

import (
	"math"
	"math/big"

	"kedge/wasm"
)

// sha256Block returns the body of func block(dig *Digest, p []byte): the compression function of
// SHA-256 (FIPS 180-4, section 6.2.2) over all whole blocks of p. The state is the first field of
// Digest, eight words of 32 bits. All 64 rounds are unrolled, the eight working variables change
// their roles instead of their places, and the message schedule is sixteen locals, so that a block
// costs about 5,000 instructions where the compiled loop costs 16,400.
//
// The Go stack on entry:
//
//	0(SP) return address · 8(SP) dig · 16(SP) p's address · 24(SP) p's length · 32(SP) p's capacity
func sha256Block() ([]wasm.Locals, []byte) {
	const sp = 0 // the global
	const (
		_     = iota // the parameter: where to resume, always 0 in a function that calls nothing
		dig          // address of the state
		p            // address of the block
		end          // address behind the last block
		t            // a sum in the making
		abXor        // a^b of the last round, which is b^c of this one
		state        // eight working variables
		words = state + 8
		count = words + 16
	)
	b := new(wasm.Body)
	k := sha256Constants()

	stackArg := func(offset uint64) *wasm.Body {
		return b.GlobalGet(sp).Load(wasm.OpI32Load, offset) // the low half of the 64 bits; addresses have no more
	}
	stackArg(8).LocalSet(dig)
	stackArg(16).LocalTee(p)
	stackArg(24).I32Const(^63).Ops(wasm.OpI32And, wasm.OpI32Add).LocalSet(end)
	for i := range uint32(8) {
		b.LocalGet(dig).Load(wasm.OpI32Load, uint64(4*i)).LocalSet(state + i)
	}
	b.Block(wasm.BlockEmpty).LocalGet(p).LocalGet(end).Op(wasm.OpI32GeU).BrIf(0)
	b.Loop(wasm.BlockEmpty)

	// b^c for the first round.
	b.LocalGet(state + 1).LocalGet(state + 2).Op(wasm.OpI32Xor).LocalSet(abXor)
	for i := range 64 {
		// variable returns the local that stands for a, b, …, h in this round.
		variable := func(role int) uint32 { return state + uint32((role-i+64)%8) }
		A, B, D := variable(0), variable(1), variable(3)
		E, F, G, H := variable(4), variable(5), variable(6), variable(7)
		w := words + uint32(i%16)

		// t = h + Σ1(e) + Ch(e,f,g) + K[i] + W[i]
		if i < 16 {
			loadBigEndian(b, p, uint64(4*i), w)
		} else {
			schedule(b, words, i)
		}
		// The new word is on the stack.
		b.LocalTee(w)
		b.I32Const(int32(k[i])).Op(wasm.OpI32Add)
		b.LocalGet(H).Op(wasm.OpI32Add)
		rotations(b, E, 6, 11, 25)
		b.Op(wasm.OpI32Add)
		b.LocalGet(E).LocalGet(F).LocalGet(G).Ops(wasm.OpI32Xor, wasm.OpI32And).LocalGet(G).Op(wasm.OpI32Xor) // ((f^g)&e)^g
		b.Op(wasm.OpI32Add)
		b.LocalTee(t)

		// d += t; h = t + Σ0(a) + Maj(a,b,c), with Maj = b ^ ((a^b) & (b^c)).
		b.LocalGet(D).Op(wasm.OpI32Add).LocalSet(D)
		b.LocalGet(t)
		rotations(b, A, 2, 13, 22)
		b.Op(wasm.OpI32Add)
		b.LocalGet(abXor).LocalGet(A).LocalGet(B).Op(wasm.OpI32Xor).LocalTee(abXor)
		b.Op(wasm.OpI32And).LocalGet(B).Op(wasm.OpI32Xor)
		b.Op(wasm.OpI32Add).LocalSet(H)
	}
	// Add to the state, which memory holds; the roles are back where they began.
	for i := range uint32(8) {
		b.LocalGet(dig)
		b.LocalGet(dig).Load(wasm.OpI32Load, uint64(4*i)).LocalGet(state + i).Op(wasm.OpI32Add).LocalTee(state + i)
		b.Store(wasm.OpI32Store, uint64(4*i))
	}
	b.LocalGet(p).I32Const(64).Op(wasm.OpI32Add).LocalTee(p).LocalGet(end).Op(wasm.OpI32LtU).BrIf(0)
	b.End().End()
	goReturn(b)
	return []wasm.Locals{{Count: count - 1, Type: wasm.I32}}, b.Bytes()
}

// rotations leaves Σ(x) on the stack: the xor of x rotated right by three distances.
func rotations(b *wasm.Body, x uint32, r1, r2, r3 int32) {
	b.LocalGet(x).I32Const(r1).Op(wasm.OpI32Rotr)
	b.LocalGet(x).I32Const(r2).Op(wasm.OpI32Rotr).Op(wasm.OpI32Xor)
	b.LocalGet(x).I32Const(r3).Op(wasm.OpI32Rotr).Op(wasm.OpI32Xor)
}

// shifts leaves σ(x) on the stack: the xor of x rotated by two distances and shifted by a third.
func shifts(b *wasm.Body, x uint32, r1, r2, s int32) {
	b.LocalGet(x).I32Const(r1).Op(wasm.OpI32Rotr)
	b.LocalGet(x).I32Const(r2).Op(wasm.OpI32Rotr).Op(wasm.OpI32Xor)
	b.LocalGet(x).I32Const(s).Op(wasm.OpI32ShrU).Op(wasm.OpI32Xor)
}

// schedule leaves W[i] = σ1(W[i-2]) + W[i-7] + σ0(W[i-15]) + W[i-16] on the stack.
func schedule(b *wasm.Body, words uint32, i int) {
	w := func(j int) uint32 { return words + uint32(j%16) }
	shifts(b, w(i-2), 17, 19, 10)
	b.LocalGet(w(i - 7)).Op(wasm.OpI32Add)
	shifts(b, w(i-15), 7, 18, 3)
	b.Op(wasm.OpI32Add)
	b.LocalGet(w(i - 16)).Op(wasm.OpI32Add)
}

// loadBigEndian leaves a big-endian word of memory on the stack: WebAssembly loads little-endian
// ones and has no byte swap, so the even and the odd bytes are rotated to their places.
func loadBigEndian(b *wasm.Body, p uint32, offset uint64, w uint32) {
	b.LocalGet(p).Mem(wasm.OpI32Load, 0, offset).LocalTee(w)
	b.I32Const(8).Op(wasm.OpI32Rotl).I32Const(0x00ff00ff).Op(wasm.OpI32And)
	b.LocalGet(w).I32Const(8).Op(wasm.OpI32Rotr).I32Const(-0xff0100).Op(wasm.OpI32And)
	b.Op(wasm.OpI32Or)
}

// sha256Constants returns K: the first 32 bits of the fractional parts of the cube roots of the
// first 64 primes (FIPS 180-4, section 4.2.2). Computed, because 64 numbers typed by hand are 64
// places for a mistake; 21 bits of a float64 are left for rounding.
func sha256Constants() (k [64]uint32) {
	n := 0
	for candidate := int64(2); n < len(k); candidate++ {
		if big.NewInt(candidate).ProbablyPrime(0) {
			_, fraction := math.Modf(math.Cbrt(float64(candidate)))
			k[n] = uint32(fraction * (1 << 32))
			n++
		}
	}
	return k
}
