package link

import "kedge/wasm"

// The primes of XXH64 (xxHash specification, XXH64 algorithm).
const (
	xxPrime1 = 0x9E3779B185EBCA87
	xxPrime2 = 0xC2B2AE3D27D4EB4F
	xxPrime3 = 0x165667B19E3779F9
	xxPrime4 = 0x85EBCA77C2B2AE63
	xxPrime5 = 0x27D4EB2F165667C5
)

// sum64Body returns the body of func Sum64(b []byte) uint64: XXH64 with seed 0 (xxHash specification). A
// kilobyte costs 1,900 instructions where the compiled function takes 4,300, most of them for slicing.
//
// The Go stack on entry:
//
//	0(SP) return address · 8(SP) b's address · 16(SP) b's length · 24(SP) b's capacity · 32(SP) result
func sum64Body() ([]wasm.Locals, []byte) {
	const sp = 0 // the global
	const (
		_   = iota // the parameter: where to resume
		p          // address of the next byte
		end        // address behind the last byte
		h          // the hash in the making
		v          // four accumulators
	)
	b := new(wasm.Body)
	// Unsigned constants.
	constant := func(c uint64) *wasm.Body { return b.I64Const(int64(c)) }
	// round leaves rotl(acc + input·prime2, 31)·prime1, with acc and input on the stack.
	round := func() *wasm.Body {
		constant(xxPrime2).Ops(wasm.OpI64Mul, wasm.OpI64Add).I64Const(31).Op(wasm.OpI64Rotl)
		return constant(xxPrime1).Op(wasm.OpI64Mul)
	}
	// enough leaves whether n bytes are left.
	enough := func(n int32) *wasm.Body {
		return b.LocalGet(p).I32Const(n).Op(wasm.OpI32Add).LocalGet(end).Op(wasm.OpI32LeU)
	}
	skip := func(n int32) *wasm.Body { return b.LocalGet(p).I32Const(n).Op(wasm.OpI32Add).LocalSet(p) }

	b.GlobalGet(sp).Load(wasm.OpI32Load, 8).LocalTee(p)
	b.GlobalGet(sp).Load(wasm.OpI32Load, 16).Op(wasm.OpI32Add).LocalSet(end)
	constant(xxPrime5).LocalSet(h)
	enough(32).If(wasm.BlockEmpty)
	{
		prime1, prime2 := uint64(xxPrime1), uint64(xxPrime2) // variables wrap around
		for i, start := range []uint64{prime1 + prime2, prime2, 0, -prime1} {
			constant(start).LocalSet(uint32(v + i))
		}
		b.Loop(wasm.BlockEmpty)
		for i := range uint32(4) {
			b.LocalGet(v+i).LocalGet(p).Load(wasm.OpI64Load, uint64(8*i))
			round().LocalSet(v + i)
		}
		skip(32)
		enough(32).BrIf(0)
		b.End()
		for i, distance := range []int64{1, 7, 12, 18} {
			b.LocalGet(uint32(v + i)).I64Const(distance).Op(wasm.OpI64Rotl)
			if i > 0 {
				b.Op(wasm.OpI64Add)
			}
		}
		b.LocalSet(h)
		for i := range uint32(4) {
			b.LocalGet(h).I64Const(0).LocalGet(v + i)
			round().Op(wasm.OpI64Xor)
			constant(xxPrime1).Op(wasm.OpI64Mul)
			constant(xxPrime4).Op(wasm.OpI64Add).LocalSet(h)
		}
	}
	b.End()
	b.LocalGet(h).GlobalGet(sp).Load(wasm.OpI64Load, 16).Op(wasm.OpI64Add).LocalSet(h)

	b.Block(wasm.BlockEmpty).Loop(wasm.BlockEmpty)
	{
		enough(8).Op(wasm.OpI32Eqz).BrIf(1)
		b.LocalGet(h).I64Const(0).LocalGet(p).Load(wasm.OpI64Load, 0)
		round().Op(wasm.OpI64Xor).I64Const(27).Op(wasm.OpI64Rotl)
		constant(xxPrime1).Op(wasm.OpI64Mul)
		constant(xxPrime4).Op(wasm.OpI64Add).LocalSet(h)
		skip(8).Br(0)
	}
	b.End().End()
	enough(4).If(wasm.BlockEmpty)
	{
		b.LocalGet(h).LocalGet(p).Load(wasm.OpI64Load32U, 0)
		constant(xxPrime1).Ops(wasm.OpI64Mul, wasm.OpI64Xor).I64Const(23).Op(wasm.OpI64Rotl)
		constant(xxPrime2).Op(wasm.OpI64Mul)
		constant(xxPrime3).Op(wasm.OpI64Add).LocalSet(h)
		skip(4)
	}
	b.End()
	b.Block(wasm.BlockEmpty).Loop(wasm.BlockEmpty)
	{
		b.LocalGet(p).LocalGet(end).Op(wasm.OpI32GeU).BrIf(1)
		b.LocalGet(h).LocalGet(p).Load(wasm.OpI64Load8U, 0)
		constant(xxPrime5).Ops(wasm.OpI64Mul, wasm.OpI64Xor).I64Const(11).Op(wasm.OpI64Rotl)
		constant(xxPrime1).Op(wasm.OpI64Mul).LocalSet(h)
		skip(1).Br(0)
	}
	b.End().End()

	for _, step := range []struct {
		shift int64
		prime uint64
	}{{33, xxPrime2}, {29, xxPrime3}, {32, 1}} {
		b.LocalGet(h).LocalGet(h).I64Const(step.shift).Ops(wasm.OpI64ShrU, wasm.OpI64Xor)
		constant(step.prime).Op(wasm.OpI64Mul).LocalSet(h)
	}
	b.GlobalGet(sp).LocalGet(h).Store(wasm.OpI64Store, 32)
	goReturn(b)
	return []wasm.Locals{{Count: end, Type: wasm.I32}, {Count: 5, Type: wasm.I64}}, b.Bytes()
}
