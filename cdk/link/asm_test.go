package link

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

func TestAssembleEncodesAsWritten(t *testing.T) {
	p, err := parseProgram("test", `
;; a comment
(global $g (mut i64) -2)
(memory $reserved 3)
(data $text "hi; (there)\n")
(func $f (param $a i32) (param $b i64) (result i32)
  (local $c i32)
  block $out
    loop $again
      local.get $a
      br_if $out
      br $again
    end
  end
  global.get $g ;; behind code
  local.get $b
  i64.ne
  if (result i32)
    i32.const $text
  else
    i32.const $text.size
  end
  local.tee $c
  i32.load8_u offset=5
  call $elsewhere
  memory.size
  i32.const 0xffffffff
  memory.fill
  local.get $c
)
`)
	require.NoError(t, err)
	m := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1}}}
	a := newAssembler("test", p, m, 1000, func(name string) (uint32, bool) { return 99, name == "elsewhere" })
	index, err := a.function("$f")
	require.NoError(t, err)
	require.EqualValues(t, 0, index)
	again, err := a.function("$f")
	require.NoError(t, err)
	require.Equal(t, index, again, "a function is added once")
	require.Len(t, m.Functions, 1)

	want := new(wasm.Body).
		Block(wasm.BlockEmpty).Loop(wasm.BlockEmpty).LocalGet(0).BrIf(1).Br(0).End().End().
		GlobalGet(0).LocalGet(1).Op(wasm.OpI64Ne).
		If(wasm.BlockResult(wasm.I32)).I32Const(1008).Else().I32Const(12).End().
		LocalTee(2).Mem(wasm.OpI32Load8U, 0, 5).Call(99).
		Index(wasm.OpMemorySize, 0).I32Const(-1).Index(wasm.OpMemoryFill, 0).LocalGet(2).End().Bytes()
	require.Equal(t, want, m.Functions[0].Body)
	require.Equal(t, []wasm.Locals{{Count: 1, Type: wasm.I32}}, m.Functions[0].Locals)
	require.Equal(t, []wasm.Data{{Offset: wasm.ConstI32(1008), Bytes: []byte("hi; (there)\n")}}, m.Data)
	require.Equal(t, wasm.ConstI64(-2), m.Globals[0].Init)
}

func TestAssembleRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`(module)`:                              `test:1: "module": unknown declaration`,
		`(func $f`:                              `test:1: "$f": unexpected end after this`,
		`(global $g (mut f32) 0)`:               `test:1: "f32": want i32 or i64`,
		`(memory $m many)`:                      `test:1: "many": strconv.ParseUint: parsing "many": invalid syntax`,
		"(func $f\n  i32.plus\n)":               `test:2: "i32.plus": unknown instruction`,
		"(func $f\n  local.get $x\n)":           `test:2: "$x": unknown local`,
		"(func $f\n  global.get $x\n)":          `test:2: "$x": unknown global`,
		"(func $f\n  call $x\n)":                `test:2: "$x": test: unknown function $x`,
		"(func $f\n  br $x\n)":                  `test:2: "$x": unknown label`,
		"(func $f\n  i32.const $x\n)":           `test:2: "$x": unknown memory area`,
		"(func $f\n  block\n)":                  `test: function $f has an open block`,
		"(func $f\n  end\n)":                    `test:2: "end": no open block`,
		"(func $f (param $a i32) (result void)": `test:1: "void": want i32 or i64`,
		"(func $f (type $t))":                   `test:1: "type": want param, result or local`,
	} {
		p, err := parseProgram("test", text)
		if err == nil {
			_, err = newAssembler("test", p, &wasm.Module{}, 0, func(string) (uint32, bool) { return 0, false }).function("$f")
		}
		require.EqualError(t, err, want, text)
	}
}

// All functions of wasi.wat, also those that no test canister uses, are valid WebAssembly.
func TestWasiIsValid(t *testing.T) {
	text, err := parseProgram("wasi.wat", wasiText)
	require.NoError(t, err)
	require.LessOrEqual(t, scratchBegin+text.size, uint32(scratchEnd))
	m := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1}}}
	var roots []string
	for name := range text.functions {
		roots = append(roots, name)
	}
	for _, call := range text.externals(roots) {
		if call != "$_initialize" {
			name := call[len("$ic0."):]
			m.Imports = append(m.Imports, m.FunctionImport(wasm.SystemModule, name, wasm.SystemAPI()[name]))
		}
	}
	initialize := m.AddFunction(wasm.FuncType{}, nil, new(wasm.Body).End().Bytes())
	a := newAssembler("wasi.wat", text, m, scratchBegin, func(name string) (uint32, bool) {
		if name == "_initialize" {
			return initialize, true
		}
		return m.ImportedFunction(wasm.SystemModule, name[len("ic0."):])
	})
	for name := range text.functions {
		_, err := a.function(name)
		require.NoError(t, err)
	}
	validate(t, m.Encode())
	require.NoError(t, check(m.Encode()))
}

// What the linker wrote wrongly is found when it is linked, not when it is installed.
func TestCheckRefusesCodeThatIsNotWellTyped(t *testing.T) {
	m := &wasm.Module{}
	m.AddFunction(wasm.FuncType{Results: []wasm.ValType{wasm.I32}}, nil, new(wasm.Body).I64Const(1).End().Bytes())
	require.ErrorContains(t, check(m.Encode()), "the linked module is not valid: wasm: code section, offset 0x1a: type mismatch: expected i32, found i64")
}
