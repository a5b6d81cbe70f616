package wasm_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"kedge/wasm"
)

// What production says of code that is not well typed: the words of wasmparser, validator/operators.rs.
func TestValidateTellsWhatProductionTells(t *testing.T) {
	i32, i64 := []wasm.ValType{wasm.I32}, []wasm.ValType{wasm.I64}
	for name, c := range map[string]struct {
		typ  wasm.FuncType
		body string
		want string
	}{
		"another type":        {wasm.FuncType{Results: i32}, "\x42\x01\x0b", "type mismatch: expected i32, found i64 (at offset 0x1a)"},
		"nothing":             {wasm.FuncType{Results: i32}, "\x0b", "type mismatch: expected i32 but nothing on stack (at offset 0x18)"},
		"nothing to drop":     {wasm.FuncType{}, "\x1a\x0b", "type mismatch: expected a type but nothing on stack (at offset 0x17)"},
		"too much":            {wasm.FuncType{}, "\x41\x01\x0b", "type mismatch: values remaining on stack at end of block (at offset 0x19)"},
		"operand":             {wasm.FuncType{Params: i64}, "\x20\x00\x41\x01\x6a\x1a\x0b", "type mismatch: expected i32, found i64 (at offset 0x1c)"},
		"local":               {wasm.FuncType{Params: i64}, "\x20\x01\x1a\x0b", "unknown local 1: local index out of bounds (at offset 0x18)"},
		"global":              {wasm.FuncType{}, "\x23\x05\x1a\x0b", "unknown global: global index out of bounds (at offset 0x17)"},
		"function":            {wasm.FuncType{}, "\x10\x07\x0b", "unknown function 7: function index out of bounds (at offset 0x17)"},
		"table":               {wasm.FuncType{}, "\x41\x00\x11\x00\x00\x0b", "unknown table 0: table index out of bounds (at offset 0x19)"},
		"label":               {wasm.FuncType{}, "\x0c\x01\x0b", "unknown label: branch depth too large (at offset 0x17)"},
		"memory":              {wasm.FuncType{}, "\x41\x00\x28\x02\x00\x1a\x0b", "unknown memory 0 (at offset 0x19)"},
		"else without if":     {wasm.FuncType{}, "\x02\x40\x05\x0b\x0b", "else found outside of an `if` block (at offset 0x19)"},
		"if without else":     {wasm.FuncType{}, "\x41\x00\x04\x7f\x41\x01\x0b\x1a\x0b", "type mismatch: expected i32 but nothing on stack (at offset 0x1d)"},
		"select of two types": {wasm.FuncType{}, "\x41\x00\x42\x00\x41\x00\x1b\x1a\x0b", "type mismatch: select operands have different types (at offset 0x1d)"},
		"br_table":            {wasm.FuncType{}, "\x02\x7f\x02\x40\x41\x00\x0e\x01\x00\x01\x0b\x41\x00\x0b\x1a\x0b", "type mismatch: br_table target labels have different number of types (at offset 0x1d)"},
		"after the end":       {wasm.FuncType{}, "\x0b\x01\x0b", "operators remaining after end of function (at offset 0x18)"},
		"open block":          {wasm.FuncType{}, "\x02\x40\x0b", "control frames remain at end of function: END opcode expected (at offset 0x1a)"},
		"segment":             {wasm.FuncType{}, "\xfc\x09\x00\x0b", "data count section required (at offset 0x17)"},
		"unreachable":         {wasm.FuncType{Results: i32}, "\x00\x42\x01\x0b", "type mismatch: expected i32, found i64 (at offset 0x1b)"},
		"select of no type":   {wasm.FuncType{}, "\x41\x00\x41\x00\x41\x00\x1c\x00\x1a\x0b", "invalid result arity (at offset 0x1d)"},
		"select of two":       {wasm.FuncType{}, "\x41\x00\x41\x00\x41\x00\x1c\x02\x7f\x7f\x1a\x0b", "invalid result arity (at offset 0x1d)"},
		"lane":                {wasm.FuncType{Params: []wasm.ValType{wasm.V128}}, "\x20\x00\xfd\x15\x10\x1a\x0b", "SIMD index out of bounds (at offset 0x1a)"},
		"tail call":           {wasm.FuncType{Results: i32}, "\x12\x01\x0b", "unknown function 1: function index out of bounds (at offset 0x18)"},
		"well typed":          {wasm.FuncType{Results: i32}, "\x41\x01\x0b", ""},
		"polymorphic":         {wasm.FuncType{Results: i32}, "\x00\x6a\x0b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			made := &wasm.Module{}
			made.AddFunction(c.typ, nil, []byte(c.body))
			m, err := wasm.Decode(made.Encode())
			require.NoError(t, err)
			err = wasm.Validate(m)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			var e *wasm.DecodeError
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.want, e.InProduction())
		})
	}
}

// What production says of indices, names and constant expressions: validator/core.rs.
func TestDecodeTellsWhatProductionTells(t *testing.T) {
	const types = "\x01\x04\x01\x60\x00\x00" // one: () -> ()
	for want, sections := range map[string]string{
		"unknown type 3: type index out of bounds (at offset 0x11)":                           types + "\x03\x02\x01\x03",
		"unknown function 4: exported function index out of bounds (at offset 0xb)":           "\x07\x05\x01\x01a\x00\x04",
		"unknown memory 0: exported memory index out of bounds (at offset 0xb)":               "\x07\x05\x01\x01a\x02\x00",
		"duplicate export name `a` already defined (at offset 0x19)":                          types + "\x03\x02\x01\x00" + "\x07\x09\x02\x01a\x00\x00\x01a\x00\x00",
		"unknown function 2: func index out of bounds (at offset 0xa)":                        "\x08\x01\x02",
		"unknown table 0: table index out of bounds (at offset 0xb)":                          "\x09\x06\x01\x00\x41\x00\x0b\x00",
		"type mismatch: expected i32, found i64 (at offset 0xf)":                              "\x06\x06\x01\x7f\x00\x42\x00\x0b",
		"type mismatch: expected i32 but nothing on stack (at offset 0xd)":                    "\x06\x04\x01\x7f\x00\x0b",
		"constant expression required: global.get of locally defined global (at offset 0x12)": "\x06\x0b\x02\x7f\x00\x41\x00\x0b\x7f\x00\x23\x00\x0b",
		"unknown global 3: global index out of bounds (at offset 0xd)":                        "\x06\x06\x01\x7f\x00\x23\x03\x0b",
		"section out of order (at offset 0x10)":                                               types + "\x01\x01\x00",
		"malformed section id: 14 (at offset 0xa)":                                            "\x0e\x00",
		"function and code section have inconsistent lengths (at offset 0x12)":                types + "\x03\x02\x01\x00",
		"data count and data section have inconsistent lengths (at offset 0xe)":               "\x0c\x01\x01" + "\x0b\x01\x00",
		"size minimum must not be greater than maximum (at offset 0xb)":                       "\x05\x04\x01\x01\x02\x01",
		"memory size must be at most 65536 pages (4GiB) (at offset 0xb)":                      "\x05\x05\x01\x00\x81\x80\x04",
		"section size mismatch: unexpected data at the end of the section (at offset 0xb)":    "\x01\x02\x00\x00",
		"constant expression required: non-constant operator: i32.eqz (at offset 0xf)":        "\x06\x07\x01\x7f\x00\x41\x00\x45\x0b",
		"unknown type 5: type index out of bounds (at offset 0xb)":                            "\x02\x07\x01\x01a\x01b\x00\x05",
		"function and code section have inconsistent lengths (at offset 0x14)":                types + "\x03\x02\x01\x00" + "\x0a\x01\x00",
		"unknown memory 0: memory index out of bounds (at offset 0xb)":                        "\x0b\x06\x01\x00\x41\x00\x0b\x00",
		"unknown function 9: func index out of bounds (at offset 0xe)":                        "\x09\x05\x01\x01\x00\x01\x09",
	} {
		t.Run(want, func(t *testing.T) {
			_, err := wasm.Decode([]byte("\x00asm\x01\x00\x00\x00" + sections))
			var e *wasm.DecodeError
			require.ErrorAs(t, err, &e)
			require.Equal(t, want, e.InProduction())
		})
	}
}

// The type of the start function is for Validate, so that tools can read such a module.
func TestValidateTellsWhatProductionTellsOfTheStartFunction(t *testing.T) {
	m, err := wasm.Decode([]byte("\x00asm\x01\x00\x00\x00" + "\x01\x05\x01\x60\x01\x7f\x00" + "\x03\x02\x01\x00" + "\x08\x01\x00" + "\x0a\x04\x01\x02\x00\x0b"))
	require.NoError(t, err)
	var e *wasm.DecodeError
	require.ErrorAs(t, wasm.Validate(m), &e)
	require.Equal(t, "invalid start function type (at offset 0x15)", e.InProduction())
}

// randomModules are those that were run on the production execution code.
func randomModules(t *testing.T) (modules [][]byte) {
	raw, err := os.ReadFile(filepath.Join("..", "tests", "production", "testdata", "half-a.json"))
	require.NoError(t, err)
	var file struct {
		Scenarios []struct {
			Name  string
			Steps []struct{ Op, Hex string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &file))
	for _, s := range file.Scenarios {
		for _, step := range s.Steps {
			if len(s.Name) > 7 && s.Name[:7] == "random/" && step.Op == "code" {
				code, err := hex.DecodeString(step.Hex)
				require.NoError(t, err)
				modules = append(modules, code)
			}
		}
	}
	require.NotEmpty(t, modules)
	return modules
}

// The verdict on modules is that of wazero's validator, on random modules and on damaged ones.
func TestValidateAgreesWithTheEngine(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesTailCall))
	defer r.Close(ctx)
	random := rand.New(rand.NewPCG(1, 2))
	damaged, refused := 0, 0
	for i, code := range randomModules(t) {
		m, err := wasm.Decode(code)
		require.NoError(t, err)
		require.NoError(t, wasm.Validate(m), "module %d", i)
		for range 60 {
			f := &m.Functions[random.IntN(len(m.Functions))]
			copied := append([]byte(nil), code...)
			copied[f.Offset+random.IntN(len(f.Body))] = byte(random.Uint32())
			other, err := wasm.Decode(copied)
			if err != nil || !wellFormed(other) {
				continue // malformed code is for the decoder, and wazero reads some long opcodes as others
			}
			damaged++
			invalid := wasm.Validate(other)
			compiled, engine := r.CompileModule(ctx, copied)
			if engine == nil {
				require.NoError(t, compiled.Close(ctx))
			} else {
				refused++
			}
			require.Equal(t, engine == nil, invalid == nil, "module %d: Validate: %v, the engine: %v", i, invalid, engine)
		}
	}
	require.Greater(t, damaged, 1000)
	require.Greater(t, refused, damaged/10)
	require.Greater(t, damaged-refused, damaged/20)
}

func wellFormed(m *wasm.Module) bool {
	for i := range m.Functions {
		in := m.Functions[i].Walk()
		for in.Next() {
		}
		if in.Err() != nil {
			return false
		}
	}
	return true
}

// What a module takes to read grows with its size: with many imports, a reference to a function costs no more, and
// with much on the stack neither does a label.
func TestHostileModulesTakeWorkOfTheirSize(t *testing.T) {
	const many = 300_000
	m := &wasm.Module{Types: []wasm.FuncType{{}, {Params: []wasm.ValType{wasm.I32}}}}
	m.Imports = slices.Repeat([]wasm.Import{{Module: "ic0", Name: "msg_reply"}}, many)
	m.Elements = []wasm.Element{{Mode: wasm.Passive, Type: wasm.FuncRef, Funcs: make([]uint32, many)}}
	for i := range many {
		m.Exports = append(m.Exports, wasm.Export{Name: fmt.Sprintf("canister_query %d", i), Index: many})
	}
	body := new(wasm.Body).Block(wasm.BlockEmpty)
	for range many {
		body.Call(0)
	}
	for range many {
		body.I32Const(1)
	}
	body.BrTable(make([]uint32, many)...).End()
	m.AddFunction(wasm.FuncType{}, nil, body.End().Bytes())
	decoded, err := wasm.Decode(m.Encode())
	require.NoError(t, err)
	require.NoError(t, wasm.Validate(decoded))
	require.ErrorContains(t, wasm.Check(decoded, wasm.Production()), "is 300000 which exceeds 1000.")
}
