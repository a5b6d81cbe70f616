package link

import "kedge/wasm"

// memequalBody returns the body of memeqbody, which answers the comparisons of strings, byte slices and
// structs: func(a, b, n i64) i64, 1 if n bytes at two addresses are equal, else 0. Go compares byte by
// byte for 28 instructions each; eight at a time, they cost less than 3. The last eight bytes of a text of
// eight or more are compared at their end, whether or not some of them were compared before.
func memequalBody() ([]wasm.Locals, []byte) {
	const (
		a64 = iota
		b64
		n64
		a // address of the next eight bytes
		p // the same on the other side
		n
		end // where the last eight bytes begin
	)
	b := new(wasm.Body)
	same := func(load wasm.Opcode, ne wasm.Opcode, offset uint64) *wasm.Body {
		return b.LocalGet(a).Load(load, offset).LocalGet(p).Load(load, offset).Op(ne)
	}
	unequal := func() *wasm.Body { return b.If(wasm.BlockEmpty).I64Const(0).Op(wasm.OpReturn).End() }

	b.LocalGet(a64).Op(wasm.OpI32WrapI64).LocalTee(a)
	b.LocalGet(b64).Op(wasm.OpI32WrapI64).LocalTee(p)
	b.Op(wasm.OpI32Eq).If(wasm.BlockEmpty).I64Const(1).Op(wasm.OpReturn).End()
	b.LocalGet(n64).Op(wasm.OpI32WrapI64).LocalTee(n)
	b.I32Const(8).Op(wasm.OpI32GeU).If(wasm.BlockEmpty)
	{
		b.LocalGet(a).LocalGet(n).Op(wasm.OpI32Add).I32Const(8).Op(wasm.OpI32Sub).LocalSet(end)
		b.Block(wasm.BlockEmpty).LocalGet(a).LocalGet(end).Op(wasm.OpI32GeU).BrIf(0)
		b.Loop(wasm.BlockEmpty)
		same(wasm.OpI64Load, wasm.OpI64Ne, 0)
		unequal()
		b.LocalGet(p).I32Const(8).Op(wasm.OpI32Add).LocalSet(p)
		b.LocalGet(a).I32Const(8).Op(wasm.OpI32Add).LocalTee(a).LocalGet(end).Op(wasm.OpI32LtU).BrIf(0)
		b.End().End()
		b.LocalGet(end).Load(wasm.OpI64Load, 0)
		b.LocalGet(p).LocalGet(end).Op(wasm.OpI32Add).LocalGet(a).Op(wasm.OpI32Sub).Load(wasm.OpI64Load, 0)
		b.Op(wasm.OpI64Eq).Op(wasm.OpI64ExtendI32U).Op(wasm.OpReturn)
	}
	b.End()
	// Four, two and one bytes.
	for _, step := range []struct {
		size int32
		load wasm.Opcode
	}{{4, wasm.OpI32Load}, {2, wasm.OpI32Load16U}} {
		b.LocalGet(n).I32Const(step.size).Op(wasm.OpI32And).If(wasm.BlockEmpty)
		same(step.load, wasm.OpI32Ne, 0)
		unequal()
		b.LocalGet(a).I32Const(step.size).Op(wasm.OpI32Add).LocalSet(a)
		b.LocalGet(p).I32Const(step.size).Op(wasm.OpI32Add).LocalSet(p)
		b.End()
	}
	b.LocalGet(n).I32Const(1).Op(wasm.OpI32And).If(wasm.BlockEmpty)
	same(wasm.OpI32Load8U, wasm.OpI32Ne, 0)
	unequal()
	b.End()
	b.I64Const(1).End()
	return []wasm.Locals{{Count: end - n64, Type: wasm.I32}}, b.Bytes()
}

// The greatest length in bytes that memmoveBody copies word by word.
const wordwise = 128

// memmoveBody returns the body of func memmove(to, from unsafe.Pointer, n uintptr). Go uses memory.copy
// for any length, which costs 100 instructions and one a byte; what canisters copy is short, and moved in
// words costs a third: 29 bytes take 57 instructions in place of 150. Lengths between two powers of two
// are copied from both ends, so that words overlap. All of it is read before anything is written, so that
// the ranges may overlap too.
//
// The Go stack on entry:
//
//	0(SP) return address · 8(SP) to · 16(SP) from · 24(SP) n
func memmoveBody() ([]wasm.Locals, []byte) {
	const sp = 0 // the global
	const (
		_ = iota // the parameter: where to resume
		to
		from
		n
		toEnd // address behind the last byte
		fromEnd
		half  // two words of 32 bits
		_     //
		words // sixteen of 64
	)
	b := new(wasm.Body)
	b.GlobalGet(sp).Load(wasm.OpI32Load, 8).LocalSet(to)
	b.GlobalGet(sp).Load(wasm.OpI32Load, 16).LocalSet(from)
	b.GlobalGet(sp).Load(wasm.OpI32Load, 24).LocalSet(n)
	b.LocalGet(to).LocalGet(n).Op(wasm.OpI32Add).LocalSet(toEnd)
	b.LocalGet(from).LocalGet(n).Op(wasm.OpI32Add).LocalSet(fromEnd)

	// ends copies size bytes from the beginning and as many up to the end, in units.
	ends := func(size, unit int32, load, store wasm.Opcode, first uint32) {
		back := func(local uint32) *wasm.Body { return b.LocalGet(local).I32Const(size).Op(wasm.OpI32Sub) }
		back(fromEnd).LocalSet(fromEnd)
		back(toEnd).LocalSet(toEnd)
		count := uint32(size / unit)
		for i := range count {
			offset := uint64(i) * uint64(unit)
			b.LocalGet(from).Load(load, offset).LocalSet(first + i)
			b.LocalGet(fromEnd).Load(load, offset).LocalSet(first + count + i)
		}
		for i := range count {
			offset := uint64(i) * uint64(unit)
			b.LocalGet(to).LocalGet(first+i).Store(store, offset)
			b.LocalGet(toEnd).LocalGet(first+count+i).Store(store, offset)
		}
	}
	atMost := func(size int32) { b.LocalGet(n).I32Const(size).Op(wasm.OpI32LeU).If(wasm.BlockEmpty) }
	atLeast := func(size int32) { b.LocalGet(n).I32Const(size).Op(wasm.OpI32GeU).If(wasm.BlockEmpty) }

	b.Block(wasm.BlockEmpty) // left when all is done
	atMost(16)
	{
		atLeast(8)
		ends(8, 8, wasm.OpI64Load, wasm.OpI64Store, words)
		b.Br(2).End()
		atLeast(4)
		ends(4, 4, wasm.OpI32Load, wasm.OpI32Store, half)
		b.Br(2).End()
		atLeast(2)
		ends(2, 2, wasm.OpI32Load16U, wasm.OpI32Store16, half)
		b.Br(2).End()
		b.LocalGet(n).If(wasm.BlockEmpty)
		b.LocalGet(to).LocalGet(from).Load(wasm.OpI32Load8U, 0).Store(wasm.OpI32Store8, 0)
		b.End().Br(1)
	}
	b.End()
	for size := int32(16); 2*size <= wordwise; size *= 2 {
		atMost(2 * size)
		ends(size, 8, wasm.OpI64Load, wasm.OpI64Store, words)
		b.Br(1).End()
	}
	b.LocalGet(to).LocalGet(from).LocalGet(n).Index2(wasm.OpMemoryCopy, 0, 0)
	b.End()
	goReturn(b)
	return []wasm.Locals{{Count: words - 1, Type: wasm.I32}, {Count: wordwise / 8, Type: wasm.I64}}, b.Bytes()
}
