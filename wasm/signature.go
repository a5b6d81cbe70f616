package wasm

import (
	"math/bits"
	"strings"
	"sync"
)

// signature is what validation has to know of an instruction whose types do not depend on the module or on what is
// on the stack.
type signature struct {
	FuncType
	known  bool   // whether there is such a type
	access bool   // whether it loads from memory, or stores there
	align  uint32 // then: the exponent of its natural alignment
	lanes  uint32 // how many lanes it chooses from; zero if it chooses none
}

// signatures has an entry for every opcode, at its Index.
var signatures = sync.OnceValue(func() *[OpcodeTable]signature {
	table := new([OpcodeTable]signature)
	for _, op := range Opcodes() {
		s := &table[op.Index()]
		s.Params, s.Results, s.known = typesOf(op)
		if size := op.AccessSize(); size > 0 {
			s.access, s.align = true, uint32(bits.TrailingZeros(uint(size)))
		}
		s.lanes = lanes(op)
	}
	return table
})

// SignatureOf returns the operands that an instruction takes and the results that it gives, for instructions whose
// types do not depend on the module or on what is on the stack; ok is false for the others. Addresses are those of a
// 32-bit memory. The lists are shared: do not change them.
func SignatureOf(op Opcode) (t FuncType, ok bool) {
	s := &signatures()[op.Index()]
	return s.FuncType, s.known
}

// typesOf works out what SignatureOf returns, from the name of the instruction.
func typesOf(op Opcode) (params, results []ValType, ok bool) {
	name := op.String()
	kind, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return nil, nil, false
	}
	if op>>8 == 0xfd {
		return vectorSignature(op, kind, rest)
	}
	t, numeric := map[string]ValType{"i32": I32, "i64": I64, "f32": F32, "f64": F64}[kind]
	switch {
	case !numeric:
		return nil, nil, false
	case rest == "const":
		return nil, []ValType{t}, true
	case op.IsStore():
		return []ValType{I32, t}, nil, true
	case op.AccessSize() > 0:
		return []ValType{I32}, []ValType{t}, true
	case rest == "eqz":
		return []ValType{t}, []ValType{I32}, true
	case isComparison(rest):
		return []ValType{t, t}, []ValType{I32}, true
	}
	for source, from := range map[string]ValType{"_i32": I32, "_i64": I64, "_f32": F32, "_f64": F64} {
		if strings.Contains(rest, source) {
			return []ValType{from}, []ValType{t}, true
		}
	}
	if isUnary(rest) {
		return []ValType{t}, []ValType{t}, true
	}
	return []ValType{t, t}, []ValType{t}, true
}

func isComparison(operation string) bool {
	operation, _, _ = strings.Cut(operation, "_")
	switch operation {
	case "eq", "ne", "lt", "gt", "le", "ge":
		return true
	}
	return false
}

func isUnary(operation string) bool {
	operation, _, _ = strings.Cut(operation, "_")
	switch operation {
	case "clz", "ctz", "popcnt", "abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt", "not",
		"extend", "extend8", "extend16", "extend32", "extadd", "convert", "demote", "promote":
		return true
	}
	return false
}

func vectorSignature(op Opcode, shape, rest string) (params, results []ValType, ok bool) {
	lane := map[string]ValType{"i8x16": I32, "i16x8": I32, "i32x4": I32, "i64x2": I64, "f32x4": F32, "f64x2": F64}[shape]
	one := []ValType{V128}
	switch {
	case op.IsStore():
		return []ValType{I32, V128}, nil, true
	case op >= OpV128Load8Lane && op <= OpV128Load64Lane:
		return []ValType{I32, V128}, one, true
	case op.AccessSize() > 0:
		return []ValType{I32}, one, true
	case rest == "const":
		return nil, one, true
	case rest == "splat":
		return []ValType{lane}, one, true
	case strings.HasPrefix(rest, "extract_lane"):
		return one, []ValType{lane}, true
	case rest == "replace_lane":
		return []ValType{V128, lane}, one, true
	case rest == "all_true", rest == "any_true", rest == "bitmask":
		return one, []ValType{I32}, true
	case rest == "shl", rest == "shr_s", rest == "shr_u":
		return []ValType{V128, I32}, one, true
	case rest == "bitselect":
		return []ValType{V128, V128, V128}, one, true
	case isUnary(rest):
		return one, one, true
	}
	return []ValType{V128, V128}, one, op.Valid()
}

// lanes returns how many lanes an instruction chooses from; zero if it chooses none.
func lanes(op Opcode) uint32 {
	name := op.String()
	if size := op.AccessSize(); size > 0 && strings.HasSuffix(name, "_lane") {
		return uint32(16 / size)
	}
	shape, rest, _ := strings.Cut(name, ".")
	if strings.HasPrefix(rest, "extract_lane") || rest == "replace_lane" {
		return map[string]uint32{"i8x16": 16, "i16x8": 8, "i32x4": 4, "i64x2": 2, "f32x4": 4, "f64x2": 2}[shape]
	}
	return 0
}
