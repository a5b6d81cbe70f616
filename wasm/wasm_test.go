package wasm_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"kedge/internal/vectors"
	"kedge/wasm"
)

// assemble turns text format into a binary by wat2wasm of wabt.
func assemble(tb testing.TB, wat string) []byte {
	tb.Helper()
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		tb.Skip("wat2wasm (Debian package wabt) is not on the PATH")
	}
	dir := tb.TempDir()
	in, out := filepath.Join(dir, "in.wat"), filepath.Join(dir, "out.wasm")
	require.NoError(tb, os.WriteFile(in, []byte(wat), 0o600))
	report, err := exec.Command(tool, "--enable-tail-call", "--debug-names", in, "-o", out).CombinedOutput()
	require.NoError(tb, err, string(report))
	data, err := os.ReadFile(out)
	require.NoError(tb, err)
	return data
}

// validate has wazero compile the module.
func validate(tb testing.TB, data []byte) {
	tb.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesTailCall))
	defer r.Close(ctx)
	_, err := r.CompileModule(ctx, data)
	require.NoError(tb, err)
}

// everything has every section and every form that the decoder knows.
const everything = `(module
  (type $v (func))
  (type $pair (func (param i32 i64) (result f32 f64)))
  (import "ic0" "time" (func $time (result i64)))
  (import "ic0" "trap" (func $trap (param i32 i32)))
  (table $t 4 10 funcref)
  (table $x 2 externref)
  (memory (export "memory") 1 3)
  (global $g (mut i32) (i32.const -7))
  (global $r funcref (ref.func $two))
  (global $v (mut v128) (v128.const i32x4 1 2 3 4))
  (export "canister_update two" (func $two))
  (export "g" (global $g))
  (start $two)
  (elem (i32.const 1) $two $time)
  (elem func $two)
  (elem declare func $many)
  (elem (table $t) (i32.const 0) funcref (ref.null func) (ref.func $two))
  (data (i32.const 8) "hello")
  (data $passive "world")
  (func $two (type $v) (local i32 i32 i64)
    (call $trap (i32.const 1) (i32.const 0x7fffffff))
    (drop (call $time))
    (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 5))
    (data.drop $passive)
    (call_indirect (type $v) (i32.const 1))
    (global.set $g (i32.const -1))
    (i64.store offset=4000000000 align=1 (i32.const 1) (i64.const -9223372036854775808)))
  (func $many (param i32) (result i32)
    (block (result i32)
      (loop (result i32)
        (block
          (br_table 0 1 0 (local.get 0)))
        (br_table 1 2 1 (i32.const 3) (local.get 0))))
    (drop (v128.load8_lane offset=3 2 (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (global.get $v) (global.get $v))))
    (drop (select (result f64) (f64.const 1) (f64.const nan:0x123) (i32.const 1)))
    (drop (i64.trunc_sat_f32_s (f32.const 3)))
    (drop (ref.is_null (table.get $x (i32.const 0)))))
  (func (param i32) (result i32)
    (return_call $many (local.get 0)))
)`

func TestRoundTrip(t *testing.T) {
	data := assemble(t, everything)
	m, err := wasm.Decode(data)
	require.NoError(t, err)
	once := m.Encode()
	validate(t, once)
	again, err := wasm.Decode(once)
	require.NoError(t, err)
	require.True(t, bytes.Equal(once, again.Encode()))
	require.Len(t, once, len(data), "wabt writes shortest forms too, so only the order of custom sections may differ")

	names, err := m.Names()
	require.NoError(t, err)
	require.Equal(t, map[uint32]string{0: "time", 1: "trap", 2: "two", 3: "many"}, names.Functions)
	require.Len(t, m.Elements, 4)
	require.Equal(t, wasm.Declared, m.Elements[2].Mode)
	require.Equal(t, uint32(2), *m.Start)
}

func TestVectorsRoundTrip(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors.Dir(t, "ic/metering"), "*.wat"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		wat, err := os.ReadFile(file)
		require.NoError(t, err)
		data := assemble(t, string(wat))
		m, err := wasm.Decode(data)
		require.NoError(t, err, file)
		require.Len(t, m.Encode(), len(data), file)
		validate(t, m.Encode())
	}
}

func TestInstructionsNameEveryOpcode(t *testing.T) {
	all := wasm.Opcodes()
	require.Len(t, all, 439, "MVP 172, sign extension 5, saturation 8, bulk and references 15, typed select 1, tail calls 2, SIMD 236")
	seen := map[string]wasm.Opcode{}
	for _, op := range all {
		name := op.String()
		if other, twice := seen[name]; twice && name != "select" {
			t.Errorf("%#x and %#x are both named %q", uint16(op), uint16(other), name)
		}
		seen[name] = op
	}
	for name, op := range map[string]wasm.Opcode{
		"f64x2.convert_low_i32x4_u": 0xfdff, "i64x2.mul": 0xfdd5, "f32x4.sqrt": 0xfde3, "i8x16.abs": 0xfd60, "table.fill": 0xfc11,
		"i64.extend32_s": 0xc4, "f64.reinterpret_i64": 0xbf, "f64x2.sqrt": 0xfdef, "i32x4.mul": 0xfdb5, "v128.any_true": 0xfd53,
		"i16x8.avgr_u": 0xfd9b, "i32x4.dot_i16x8_s": 0xfdba,
	} {
		require.Equal(t, op, seen[name], name)
	}
}

func TestDecodeErrors(t *testing.T) {
	section := func(id byte, content string) string {
		return "\x00asm\x01\x00\x00\x00" + string([]byte{id, byte(len(content))}) + content
	}
	for name, c := range map[string]struct{ in, want string }{
		"empty":              {"", `does not begin with`},
		"gzip":               {"\x1f\x8b\x08\x00", "gzip"},
		"version":            {"\x00asm\x02\x00\x00\x00", "version 02000000"},
		"truncated section":  {"\x00asm\x01\x00\x00\x00\x01\x05\x00", "unexpected end"},
		"unknown section":    {section(14, ""), "unknown section id 14"},
		"tag section":        {section(13, ""), "exceptions"},
		"twice":              {section(1, "\x00") + "\x01\x01\x00", "repeated or out of order"},
		"trailing":           {section(1, "\x00\x00"), "trailing bytes"},
		"hostile count":      {section(1, "\xff\xff\x03"), "65535 types in 0 bytes"},
		"huge count":         {section(11, "\xff\xff\xff\xff\x0f"), "4294967295 data segments, at most 100000"},
		"struct type":        {section(1, "\x01\x5f"), "garbage collection"},
		"leb overflow":       {section(8, "\xff\xff\xff\xff\x1f"), "out of range"},
		"two memories":       {section(5, "\x02\x00\x01\x00\x01"), "multi-memory"},
		"shared memory":      {section(5, "\x01\x03\x01\x02"), "threads"},
		"memory too large":   {section(5, "\x01\x00\x81\x80\x04"), "65537 pages"},
		"min over max":       {section(5, "\x01\x01\x02\x01"), "minimum 2 exceeds its maximum 1"},
		"missing code":       {section(1, "\x01\x60\x00\x00") + "\x03\x02\x01\x00", "1 functions are declared"},
		"value type":         {section(1, "\x01\x60\x01\x33\x00"), "type section, offset 0xd: unknown value type 0x33"},
		"name not utf-8":     {section(0, "\x01\xff"), "not UTF-8"},
		"not constant":       {section(6, "\x01\x7f\x00\x41\x00\x45\x0b"), "i32.eqz is not allowed in a constant expression"},
		"open constant":      {section(6, "\x01\x7f\x00\x41\x00"), "constant expression"},
		"too many locals":    {section(1, "\x01\x60\x00\x00") + "\x03\x02\x01\x00" + "\x0a\x08\x01\x06\x01\xd1\x86\x03\x7f\x0b", "50001 locals"},
		"body without end":   {section(1, "\x01\x60\x00\x00") + "\x03\x02\x01\x00" + "\x0a\x04\x01\x02\x00\x01", "does not close with end"},
		"data count differs": {section(12, "\x01") + "\x0b\x01\x00", "says 1 segments"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wasm.Decode([]byte(c.in))
			require.ErrorContains(t, err, c.want)
			var e *wasm.DecodeError
			require.ErrorAs(t, err, &e)
		})
	}
}

func TestInstructionErrors(t *testing.T) {
	for code, want := range map[string]string{
		"\x06":                     "exceptions",
		"\x1f":                     "exceptions",
		"\xfe\x10\x02\x00":         "threads",
		"\xfb\x00":                 "garbage collection",
		"\x14\x00":                 "typed function references",
		"\xfd\x80\x02":             "relaxed SIMD",
		"\xfc\x12":                 "unknown instruction 0xfc 18",
		"\xfd\x9a\x01":             "unknown instruction 0xfd 154",
		"\xff":                     "unknown instruction 0xff",
		"\x28\x42\x00\x00":         "multi-memory",
		"\x3f\x01":                 "multi-memory",
		"\x41\x80":                 "unexpected end",
		"\x41\xff\xff\xff\xff\x4f": "out of range",
		"\x02\x50":                 "unknown block type -48",
		"\x0e\x05\x00":             "br_table of 5 labels in 1 bytes",
		"\xd0\x6e":                 "heap type 0x6e",
		"\x1c\x01\x00":             "select of unknown type 0x00",
		"\xfd\x0c\x00":             "unexpected end",
	} {
		in := wasm.Walk([]byte(code))
		for in.Next() {
		}
		require.ErrorContains(t, in.Err(), want, "%x", code)
	}
}

func TestEdit(t *testing.T) {
	m, err := wasm.Decode(assemble(t, everything))
	require.NoError(t, err)

	first, err := m.AddImports(
		m.FunctionImport("meter", "a", wasm.FuncType{}),
		m.FunctionImport("meter", "b", wasm.FuncType{Params: []wasm.ValType{wasm.I32}}))
	require.NoError(t, err)
	require.Equal(t, uint32(2), first)
	require.Equal(t, uint32(4), *m.Start)
	require.Equal(t, []uint32{4, 0}, m.Elements[0].Funcs)
	validate(t, m.Encode())

	// A function takes the place of ic0.trap.
	stub := m.AddFunction(wasm.FuncType{Params: []wasm.ValType{wasm.I32, wasm.I32}}, nil,
		new(wasm.Body).LocalGet(0).LocalGet(1).Op(wasm.OpI32Add).Op(wasm.OpDrop).End().Bytes())
	trap, ok := m.ImportedFunction("ic0", "trap")
	require.True(t, ok)
	require.NoError(t, m.ReplaceImports(map[uint32]uint32{trap: stub}))
	require.Len(t, m.Imports, 3)
	validate(t, m.Encode())
	two, ok := m.ExportedFunction("canister_update two")
	require.True(t, ok)
	require.Equal(t, uint32(3), two)
	names, err := m.Names()
	require.NoError(t, err)
	require.Equal(t, map[uint32]string{0: "time", 3: "two", 4: "many"}, names.Functions)
	in := m.Functions[0].Walk()
	for in.Next() && in.Op != wasm.OpCall {
	}
	require.Equal(t, stub-1, in.Index)

	require.ErrorContains(t, m.ReplaceImports(map[uint32]uint32{two: 0}), "is not an import")
	require.ErrorContains(t, m.ReplaceImports(map[uint32]uint32{0: two}), "cannot replace")
	m.Functions[0].Body = []byte("\x10\x99\x01\x0b")
	require.ErrorContains(t, m.Renumber(wasm.Renumbering{Functions: make([]uint32, 10)}), `function 3 ("two"): wasm: code section`)
}

func TestNames(t *testing.T) {
	m := &wasm.Module{}
	want := wasm.Names{Module: "kedge", Functions: map[uint32]string{0: "zero", 300: "main.run"}}
	m.SetNames(want)
	got, err := m.Names()
	require.NoError(t, err)
	require.Equal(t, want, got)

	m.Customs[0].Bytes = append(m.Customs[0].Bytes, 1, 3, 1, 0, 9) // a name of nine bytes that are not there
	_, err = m.Names()
	require.ErrorContains(t, err, `custom section "name"`)
	require.NoError(t, m.Renumber(wasm.Renumbering{Functions: []uint32{}}))
	require.Empty(t, m.Customs, "names that cannot be read cannot be renumbered")

	m.SetNames(want)
	m.SetNames(wasm.Names{})
	require.Empty(t, m.Customs)
}

func TestBodyConstants(t *testing.T) {
	for _, v := range []int64{0, 63, 64, -64, -65, 1 << 31, -1 << 31, 1<<63 - 1, -1 << 63} {
		in := wasm.Walk(wasm.ConstI64(v))
		require.True(t, in.Next())
		require.Equal(t, v, in.Const)
		require.Equal(t, wasm.OpI64Const, in.Op)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00asm\x01\x00\x00\x00"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x01\x7f\x00\x03\x02\x01\x00\x0a\x07\x01\x05\x00\x20\x00\x1a\x0b"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x00\x09\x04name\x01\x02\x00\x00"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x01\x0c\x01\x01\x0b\x0b\x01\x00\x41\x08\x0b\x05hello"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x04\x04\x01\x70\x00\x01\x07\x05\x01\x01a\x00\x00\x08\x01\x00\x09\x07\x01\x00\x41\x00\x0b\x01\x00" +
		"\x0a\x0f\x01\x0d\x00\x02\x40\x41\x00\x0e\x01\x00\x00\x0b\x10\x00\x0b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := wasm.Decode(data)
		if err != nil {
			require.False(t, strings.Contains(err.Error(), "%!"), err)
			return
		}
		once := m.Encode()
		again, err := wasm.Decode(once)
		require.NoError(t, err)
		require.Equal(t, once, again.Encode())
		_, _ = m.Names()
		_, _ = m.Size()
		_ = wasm.Validate(m)
		_ = wasm.Check(m, wasm.Production())
		_ = m.Renumber(wasm.Renumbering{Functions: make([]uint32, len(m.Functions)+m.Imported(wasm.KindFunction))})
	})
}
