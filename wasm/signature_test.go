package wasm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// The types of every instruction are those of wazero's validator, which takes a function that does nothing else and
// refuses it with one operand or result of another type.
func TestSignaturesAreThoseOfTheEngine(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesTailCall))
	defer r.Close(ctx)
	accepts := func(typ FuncType, op Opcode, align uint32, lane byte) bool {
		body := new(Body)
		for i := range typ.Params {
			body.LocalGet(uint32(i))
		}
		switch imm := infoOf(op).imm; imm {
		case immMemArg:
			body.Mem(op, align, 0)
		case immMemArgLane:
			body.Mem(op, align, 0).Raw([]byte{lane})
		case immLane:
			body.Op(op).Raw([]byte{lane})
		case immI32, immI64:
			body.Op(op).Raw([]byte{0})
		case imm4, imm8, imm16:
			body.Op(op).Raw(make([]byte, map[immediate]int{imm4: 4, imm8: 8, imm16: 16}[imm]))
		default:
			require.Equal(t, immNone, imm, op)
			body.Op(op)
		}
		m := &Module{Memories: []MemoryType{{Min: 1}}}
		m.AddFunction(typ, nil, body.End().Bytes())
		binary := m.Encode()
		compiled, engine := r.CompileModule(ctx, binary)
		if engine == nil {
			require.NoError(t, compiled.Close(ctx))
		}
		decoded, err := Decode(binary)
		require.NoError(t, err)
		require.Equal(t, engine == nil, Validate(decoded) == nil, "%v %v, alignment 2^%d, lane %d: %v", op, typ, align, lane, engine)
		return engine == nil
	}
	other := func(t ValType) ValType {
		if t == I32 {
			return I64
		}
		return I32
	}
	known := 0
	for _, op := range Opcodes() {
		s := signatures()[op.Index()]
		if !s.known {
			continue
		}
		known++
		require.True(t, accepts(s.FuncType, op, s.align, 0), "%v %v", op, s.FuncType)
		if s.access {
			require.False(t, accepts(s.FuncType, op, s.align+1, 0), "%v with a larger alignment", op)
		}
		if s.lanes > 0 {
			require.True(t, accepts(s.FuncType, op, s.align, byte(s.lanes-1)), "%v of the last lane", op)
			require.False(t, accepts(s.FuncType, op, s.align, byte(s.lanes)), "%v of a lane beyond", op)
		}
		for i := range s.Params {
			wrong := FuncType{Params: append([]ValType(nil), s.Params...), Results: s.Results}
			wrong.Params[i] = other(wrong.Params[i])
			require.False(t, accepts(wrong, op, s.align, 0), "%v %v", op, wrong)
		}
		for i := range s.Results {
			wrong := FuncType{Params: s.Params, Results: []ValType{other(s.Results[i])}}
			require.False(t, accepts(wrong, op, s.align, 0), "%v %v", op, wrong)
		}
	}
	require.Equal(t, 399, known, "instructions of one type")
}
