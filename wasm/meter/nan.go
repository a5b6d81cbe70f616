package meter

import (
	"encoding/binary"
	"math"
	"strings"

	"kedge/wasm"
)

// WebAssembly leaves open which NaN an operation gives. Production makes every one the canonical NaN, by
// wasmtime's option for that: the operations below are those of Cranelift's pass (cranelift-codegen,
// nan_canonicalization.rs, 2026). Operations on the sign bit alone, comparisons, pmin and pmax are not
// among them: they give bits that they were given.

// lanes is what a value is made of.
type lanes uint8

const (
	noFloats lanes = iota
	oneF32
	oneF64
	fourF32
	twoF64
)

// mayMakeNaN says what the result of an operation is made of if it may be a NaN of any kind; like weights it
// has an entry for every opcode.
var mayMakeNaN = func() (table [wasm.OpcodeTable]lanes) {
	rows := map[string]lanes{
		"f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min f32.max f32.demote_f64":  oneF32,
		"f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub f64.mul f64.div f64.min f64.max f64.promote_f32": oneF64,
		`f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min
			f32x4.max f32x4.demote_f64x2_zero`: fourF32,
		`f64x2.ceil f64x2.floor f64x2.trunc f64x2.nearest f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min
			f64x2.max f64x2.promote_low_f32x4`: twoF64,
	}
	byName := map[string]lanes{}
	for names, kind := range rows {
		for _, name := range strings.Fields(names) {
			byName[name] = kind
		}
	}
	for _, op := range wasm.Opcodes() {
		table[op.Index()] = byName[op.String()]
	}
	return table
}()

const (
	canonicalF32 = 0x7fc00000
	canonicalF64 = 0x7ff8000000000000
)

// emitCanonical puts the canonical NaN in the place of any other on top of the stack.
func (r *rewriter) emitCanonical(b *wasm.Body, kind lanes) {
	switch kind {
	case oneF32:
		t := r.temp(wasm.F32)
		b.LocalSet(t).F32Const(math.Float32frombits(canonicalF32))
		b.LocalGet(t).LocalGet(t).LocalGet(t).Op(opF32Ne).Op(wasm.OpSelect)
	case oneF64:
		t := r.temp(wasm.F64)
		b.LocalSet(t).F64Const(math.Float64frombits(canonicalF64))
		b.LocalGet(t).LocalGet(t).LocalGet(t).Op(opF64Ne).Op(wasm.OpSelect)
	case fourF32, twoF64:
		pattern, notEqual := uint64(canonicalF32<<32|canonicalF32), opF32x4Ne
		if kind == twoF64 {
			pattern, notEqual = canonicalF64, opF64x2Ne
		}
		half := binary.LittleEndian.AppendUint64(nil, pattern)
		t := r.temp(wasm.V128)
		b.LocalSet(t).Op(opV128Const).Raw(half).Raw(half)
		b.LocalGet(t).LocalGet(t).LocalGet(t).Op(notEqual).Op(opBitselect)
	}
}

const (
	opF32Ne     wasm.Opcode = 0x5c
	opF64Ne     wasm.Opcode = 0x62
	opV128Const wasm.Opcode = 0xfd0c
	opF32x4Ne   wasm.Opcode = 0xfd42
	opF64x2Ne   wasm.Opcode = 0xfd48
	opBitselect wasm.Opcode = 0xfd52
)
