package meter_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
	"kedge/wasm/meter"
)

// The float operators of WebAssembly by what becomes of a NaN: made (and canonical), kept bit for bit but for the
// sign, or none of it in the result.
const (
	makers  = "ceil floor trunc nearest sqrt add sub mul div min max demote_f64 promote_f32 demote_f64x2_zero promote_low_f32x4"
	keepers = "abs neg copysign pmin pmax"
	others  = `const load store eq ne lt gt le ge convert_i32_s convert_i32_u convert_i64_s convert_i64_u reinterpret_i32 reinterpret_i64
		convert_i32x4_s convert_i32x4_u convert_low_i32x4_s convert_low_i32x4_u extract_lane replace_lane splat`
)

const (
	canonical32 = uint64(0x7fc00000)
	canonical64 = uint64(0x7ff8000000000000)
	signMask32  = uint64(0x80000000)
	signMask64  = uint64(1) << 63
)

// operands are pairs of which every maker gives a NaN in at least one order or by its first alone; as f64.
var operands = [][2]uint64{
	{0xfff8000000001234, 0x3ff0000000000000},                        // a negative quiet NaN with a payload, and 1
	{0x3ff0000000000000, 0x7ffc000000000001},                        // 1, and another NaN
	{0x7ff4000000000000, 0x7ff4000000000000},                        // signalling
	{math.Float64bits(math.Inf(1)), math.Float64bits(math.Inf(1))},  // inf - inf
	{math.Float64bits(math.Inf(1)), math.Float64bits(math.Inf(-1))}, // inf + -inf
	{0, 0}, {math.Float64bits(math.Inf(-1)), 0}, {1 << 63, 1 << 63}, // 0 / 0, inf * 0
	{math.Float64bits(-1), math.Float64bits(2)}, {1, math.Float64bits(3)}, // sqrt(-1), numbers
}

// narrow is the float of 32 bits with the same class, sign and beginning of the payload.
func narrow(bits uint64) uint32 {
	if exponent := bits >> 52 & 0x7ff; exponent == 0x7ff {
		fraction := uint32(bits >> 29 & 0x7fffff)
		if bits<<12 != 0 && fraction == 0 {
			fraction = 1
		}
		return uint32(bits>>63<<31) | 0xff<<23 | fraction
	}
	return math.Float32bits(float32(math.Float64frombits(bits)))
}

func unary(name string) bool {
	return strings.Contains("ceil floor trunc nearest sqrt demote_f64 promote_f32 demote_f64x2_zero promote_low_f32x4 abs neg", name)
}

// floatModule is a function that gives the 128 bits of an operation on two constants, in two halves.
func floatModule(op wasm.Opcode, a, b uint64) *wasm.Module {
	shape, name, _ := strings.Cut(op.String(), ".")
	code := new(wasm.Body)
	push := func(bits uint64) {
		half := binary.LittleEndian.AppendUint64(nil, bits)
		pair := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, narrow(bits)), narrow(bits))
		switch in := name; {
		case shape == "f64" && in != "promote_f32" || in == "demote_f64":
			code.F64Const(math.Float64frombits(bits))
		case shape == "f32" || in == "promote_f32":
			code.Op(wasm.OpF32Const).Raw(pair[:4])
		case shape == "f64x2" && in != "promote_low_f32x4" || in == "demote_f64x2_zero":
			code.Op(0xfd0c).Raw(half).Raw(half)
		default:
			code.Op(0xfd0c).Raw(pair).Raw(pair)
		}
	}
	push(a)
	if !unary(name) {
		push(b)
	}
	code.Op(op)
	const reinterpret32, reinterpret64, extract = 0xbc, 0xbd, 0xfd1d
	switch shape {
	case "f32":
		code.Op(reinterpret32).Op(wasm.OpI64ExtendI32U).I64Const(0)
	case "f64":
		code.Op(reinterpret64).I64Const(0)
	default:
		code.LocalSet(0).LocalGet(0).Op(extract).Raw([]byte{0}).LocalGet(0).Op(extract).Raw([]byte{1})
	}
	m := &wasm.Module{}
	f := m.AddFunction(wasm.FuncType{Results: []wasm.ValType{wasm.I64, wasm.I64}}, []wasm.Locals{{Count: 1, Type: wasm.V128}}, code.End().Bytes())
	m.Exports = []wasm.Export{{Name: "run", Kind: wasm.KindFunction, Index: f}}
	return m
}

// lanesOf cuts the result of floatModule into the floats that it is made of.
func lanesOf(shape string, halves []uint64) []uint64 {
	low := func(v uint64) uint64 { return v & 0xffffffff }
	switch shape {
	case "f32":
		return []uint64{low(halves[0])}
	case "f64":
		return halves[:1]
	case "f32x4":
		return []uint64{low(halves[0]), halves[0] >> 32, low(halves[1]), halves[1] >> 32}
	}
	return halves
}

func isNaN(shape string, bits uint64) bool {
	if strings.HasPrefix(shape, "f32") {
		return bits&^signMask32 > 0x7f800000
	}
	return bits&^signMask64 > 0x7ff0000000000000
}

// Every NaN that an operation makes is the canonical one, in all lanes; operations that only move bits keep them.
func TestNaN(t *testing.T) {
	list := func(names string) map[string]bool {
		set := map[string]bool{}
		for _, name := range strings.Fields(names) {
			set[name] = true
		}
		return set
	}
	makes, keeps, rest := list(makers), list(keepers), list(others)
	for _, op := range wasm.Opcodes() {
		shape, name, _ := strings.Cut(op.String(), ".")
		if shape != "f32" && shape != "f64" && shape != "f32x4" && shape != "f64x2" {
			continue
		}
		require.True(t, makes[name] != keeps[name] != rest[name], "%v is in just one of the lists", op)
		if rest[name] {
			continue
		}
		t.Run(op.String(), func(t *testing.T) {
			seen := false
			for _, pair := range operands {
				h := start(t, floatModule(op, pair[0], pair[1]), meter.Options{})
				halves, _, err := h.run("run")
				require.NoError(t, err)
				for _, got := range lanesOf(shape, halves) {
					if !isNaN(shape, got) {
						continue
					}
					seen = true
					where := fmt.Sprintf("%x and %x give %x", pair[0], pair[1], got)
					first, canonical, sign := pair[0], canonical64, signMask64
					if strings.HasPrefix(shape, "f32") {
						first, canonical, sign = uint64(narrow(pair[0])), canonical32, signMask32
					}
					switch {
					case makes[name]:
						require.Equal(t, canonical, got, where)
					case name == "pmin" || name == "pmax":
						require.Equal(t, first, got, where) // unless the second is less or greater, which no NaN is
					default:
						require.Equal(t, first&^sign, got&^sign, where)
					}
				}
			}
			require.True(t, seen, "some operands give a NaN")
		})
	}
}

// Code without floats is not made longer.
func TestNaNIsFree(t *testing.T) {
	integers := &wasm.Module{}
	integers.AddFunction(wasm.FuncType{}, nil, new(wasm.Body).I32Const(1).I32Const(2).Op(wasm.OpI32Add).Op(wasm.OpDrop).End().Bytes())
	out, _, err := meter.Instrument(integers, meter.Options{})
	require.NoError(t, err)
	const charge, check = 4, 6
	count := 0
	for in := out.Functions[0].Walk(); in.Next(); {
		count++
	}
	require.Equal(t, 5+charge+check, count)
}
