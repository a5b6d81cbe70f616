package link

import (
	"math/big"

	"kedge/wasm"
)

const sha256BlockName = "crypto/internal/fips140/sha256.blockGeneric"

// sumOf replaces crypto/sha256.Sum256 or Sum224 by a body that calls the block function; in a module
// without that it stays as it is.
func sumOf(initial [8]uint32, words int) func(*linker) ([]wasm.Locals, []byte, error) {
	return func(l *linker) ([]wasm.Locals, []byte, error) {
		block, ok := l.names[goName(sha256BlockName)]
		if !ok {
			return nil, nil, nil
		}
		locals, body := sumBody(initial, words, block)
		return locals, body, nil
	}
}

// sumBody returns the body of func Sum256(data []byte) [32]byte, and of Sum224: the padding of FIPS 180-4,
// section 5.1.1, around the block function. The library takes 3,200 instructions besides the blocks, in
// seven calls between which the digest is copied; this takes 320.
//
// The Go stack on entry:
//
//	0(SP) return address · 8(SP) data's address · 16(SP) its length · 24(SP) its capacity · 32(SP) result
//
// Below it there is room: Go leaves 800 bytes to functions that do not check. Of those:
//
//	  0  what the block function expects: return address, state, address, length, capacity
//	 40  state
//	 72  the last one or two blocks, padded
//	200  the stack on entry
func sumBody(initial [8]uint32, words int, block uint32) ([]wasm.Locals, []byte) {
	const (
		sp        = 0 // the global
		frame     = 200
		stateAt   = 40
		lastAt    = 72
		argState  = 8
		argFrom   = 16
		argLength = 24
	)
	const (
		_     = iota // the parameter: where to resume, always 0 in a function that never unwinds
		base         // of the frame
		n            // length of the data
		whole        // of which in whole blocks
		rest         // and behind them
		end          // of the padding, from its beginning
		x
	)
	b := new(wasm.Body)
	add := func(local uint32, offset int32) *wasm.Body {
		return b.LocalGet(local).I32Const(offset).Op(wasm.OpI32Add)
	}
	// callBlock compresses blocks; the address and the length are left on the stack by functions.
	callBlock := func(from, length func()) {
		b.LocalGet(base)
		from()
		b.Store(wasm.OpI32Store, argFrom).LocalGet(base)
		length()
		b.Store(wasm.OpI32Store, argLength)
		b.LocalGet(base).GlobalSet(sp).I32Const(0).Call(block).Op(wasm.OpDrop)
	}

	b.GlobalGet(sp).I32Const(frame).Op(wasm.OpI32Sub).LocalSet(base)
	for i := 0; i < len(initial); i += 2 {
		b.LocalGet(base).I64Const(int64(uint64(initial[i+1])<<32|uint64(initial[i]))).Store(wasm.OpI64Store, stateAt+4*uint64(i))
	}
	b.LocalGet(base)
	add(base, stateAt).Store(wasm.OpI32Store, argState)
	b.LocalGet(base).Load(wasm.OpI32Load, frame+16).LocalTee(n)
	b.I32Const(^63).Op(wasm.OpI32And).LocalTee(whole)
	b.If(wasm.BlockEmpty)
	callBlock(
		func() { b.LocalGet(base).Load(wasm.OpI32Load, frame+8) },
		func() { b.LocalGet(whole) })
	b.End()

	// The rest, a bit, zeros, and the length in bits.
	for i := range uint64(16) {
		b.LocalGet(base).I64Const(0).Store(wasm.OpI64Store, lastAt+8*i)
	}
	b.LocalGet(n).LocalGet(whole).Op(wasm.OpI32Sub).LocalTee(rest).If(wasm.BlockEmpty)
	add(base, lastAt)
	b.LocalGet(base).Load(wasm.OpI32Load, frame+8).LocalGet(whole).Op(wasm.OpI32Add)
	b.LocalGet(rest).Index2(wasm.OpMemoryCopy, 0, 0)
	b.End()
	b.LocalGet(base).LocalGet(rest).Op(wasm.OpI32Add).I32Const(0x80).Store(wasm.OpI32Store8, lastAt)
	b.I32Const(128).I32Const(64).LocalGet(rest).I32Const(56).Op(wasm.OpI32GeU).Op(wasm.OpSelect).LocalSet(end)
	for i, shift := range []int32{29, -3} { // the high word and the low one, in bits
		b.LocalGet(base).LocalGet(end).Op(wasm.OpI32Add)
		if b.LocalGet(n); shift > 0 {
			b.I32Const(shift).Op(wasm.OpI32ShrU)
		} else {
			b.I32Const(-shift).Op(wasm.OpI32Shl)
		}
		b.LocalSet(x)
		swapped(b, x).Store(wasm.OpI32Store, lastAt-8+4*uint64(i))
	}
	callBlock(
		func() { add(base, lastAt) },
		func() { b.LocalGet(end) })

	for i := range uint64(words) {
		b.LocalGet(base).LocalGet(base).Load(wasm.OpI32Load, stateAt+4*i).LocalSet(x)
		swapped(b, x).Store(wasm.OpI32Store, frame+32+4*i)
	}
	add(base, frame).GlobalSet(sp)
	goReturn(b)
	return []wasm.Locals{{Count: x, Type: wasm.I32}}, b.Bytes()
}

// swapped leaves a local on the stack with its bytes in the opposite order, see loadBigEndian.
func swapped(b *wasm.Body, x uint32) *wasm.Body {
	b.LocalGet(x).I32Const(8).Op(wasm.OpI32Rotl).I32Const(0x00ff00ff).Op(wasm.OpI32And)
	b.LocalGet(x).I32Const(8).Op(wasm.OpI32Rotr).I32Const(-0xff0100).Op(wasm.OpI32And)
	return b.Op(wasm.OpI32Or)
}

// sha256Initial and sha224Initial are where the state begins (FIPS 180-4, sections 5.3.3 and 5.3.2): the
// first 32 bits of the fractional parts of the square roots of the first eight primes, and the second 32
// bits of those of the next eight.
func sha256Initial() [8]uint32 { return squareRoots(0, 32) }
func sha224Initial() [8]uint32 { return squareRoots(8, 0) }

// squareRoots returns 32 bits of the square roots of eight primes, from the skipped ones on; shift is how
// many of their first 64 bits behind the point are behind those.
func squareRoots(skip int, shift uint) (roots [8]uint32) {
	for n, candidate := 0, int64(2); n < skip+len(roots); candidate++ {
		p := big.NewInt(candidate)
		if !p.ProbablyPrime(0) {
			continue
		}
		if n >= skip {
			root := p.Sqrt(p.Lsh(p, 128)) // √p·2⁶⁴
			roots[n-skip] = uint32(root.Rsh(root, shift).Uint64())
		}
		n++
	}
	return roots
}
