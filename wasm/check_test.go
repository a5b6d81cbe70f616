package wasm_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

func TestSystemAPI(t *testing.T) {
	api := wasm.SystemAPI()
	require.Len(t, api, 76, "functions of the Interface Specification")
	for name, want := range map[string]string{
		"msg_arg_data_size":       "() -> (i32)",
		"msg_arg_data_copy":       "(i32, i32, i32) -> ()",
		"msg_reply":               "() -> ()",
		"msg_cycles_accept128":    "(i64, i64, i32) -> ()",
		"msg_cycles_accept":       "(i64) -> (i64)",
		"call_new":                "(i32, i32, i32, i32, i32, i32, i32, i32) -> ()",
		"call_perform":            "() -> (i32)",
		"stable64_write":          "(i64, i64, i64) -> ()",
		"stable64_grow":           "(i64) -> (i64)",
		"stable_grow":             "(i32) -> (i32)",
		"performance_counter":     "(i32) -> (i64)",
		"time":                    "() -> (i64)",
		"global_timer_set":        "(i64) -> (i64)",
		"is_controller":           "(i32, i32) -> (i32)",
		"cost_sign_with_ecdsa":    "(i32, i32, i32, i32) -> (i32)",
		"cost_http_request":       "(i64, i64, i32) -> ()",
		"env_var_value_copy":      "(i32, i32, i32, i32, i32) -> ()",
		"call_cycles_add128":      "(i64, i64) -> ()",
		"certified_data_set":      "(i32, i32) -> ()",
		"data_certificate_copy":   "(i32, i32, i32) -> ()",
		"canister_self_copy":      "(i32, i32, i32) -> ()",
		"env_var_name_size":       "(i32) -> (i32)",
		"mint_cycles128":          "(i64, i64, i32) -> ()",
		"in_replicated_execution": "() -> (i32)",
	} {
		got, ok := api[name]
		require.True(t, ok, name)
		require.Equal(t, want, got.String(), name)
	}
}

func module(fields ...string) string { return "(module " + strings.Join(fields, "\n") + ")" }

func TestCheckAccepts(t *testing.T) {
	for _, wat := range []string{
		module(),
		module(`(import "ic0" "msg_reply" (func))`, `(func $f)`, `(start $f)`, `(memory 1)`, `(table 1 funcref)`,
			`(export "canister_update a" (func $f))`, `(export "canister_query b" (func $f))`, `(export "canister_init" (func $f))`,
			`(export "memory" (memory 0))`, `(export "anything else" (func $f))`,
			`(elem (i32.const 0) $f)`, `(data (i32.const 65530) "123456")`, `(data "passive")`),
		module(`(func $f)`, `(export "canister_query " (func $f))`, `(export "canister_update <ic-cdk internal> a b" (func $f))`),
		module(`(import "ic0" "msg_reply" (func $f))`, `(export "canister_query a" (func $f))`),
		module(`(memory 1)`, `(data (i32.const 0) "a")`, `(data "b")`, `(func (data.drop 0) (data.drop 1))`),
	} {
		m, err := wasm.Decode(assemble(t, wat))
		require.NoError(t, err)
		require.NoError(t, wasm.Check(m, wasm.Production()))
	}
}

func TestCheckRefuses(t *testing.T) {
	methods := func(n int, name string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "(export \"canister_update %s%d\" (func $f))\n", name, i)
		}
		return b.String()
	}
	for name, c := range map[string]struct{ wat, want string }{
		"unknown import": {module(`(import "wasi_snapshot_preview1" "fd_write" (func))`),
			"Module imports function 'fd_write' from 'wasi_snapshot_preview1' that is not exported by the runtime."},
		"import from elsewhere": {module(`(import "env" "msg_reply" (func))`), `expected to be imported from one of ["ic0"] instead`},
		"import params":         {module(`(import "ic0" "trap" (func (param i64 i32)))`), `import "ic0" "trap": Wasm module has an invalid function signature. Expected input params [I32, I32] for 'trap', got [I64, I32].`},
		"import result":         {module(`(import "ic0" "time" (func))`), "Expected return type [I64] for 'time', got []."},
		"imported global":       {module(`(import "env" "g" (global i32))`), "Importing globals is not allowed"},
		"imported memory":       {module(`(import "ic0" "memory" (memory 1))`), "Only memory imported from env.memory"},
		"table of nobody":       {module(`(import "env" "table" (table 1 funcref))`, `(func $f)`, `(elem (i32.const 9) $f)`), "unknown import: `env::table` has not been defined"},
		"memory of nobody":      {module(`(import "foo" "bar" (memory 1))`), "unknown import: `foo::bar` has not been defined"},
		"table before data":     {module(`(table 1 externref)`, `(memory 1)`, `(data (i32.const 65536) "a")`), "Table element type must be funcref, got externref"},
		"imported table":        {module(`(import "ic0" "table" (table 1 funcref))`), "Only tables imported from env.table"},
		"reserved export":       {module(`(func $f)`, `(export "canister_start" (func $f))`), "Exporting reserved symbol canister_start not allowed."},
		"reserved global":       {module(`(global $g i32 (i32.const 0))`, `(export "canister counter_instructions" (global $g))`), "Exporting reserved symbol"},
		"reserved prefix":       {module(`(func $f)`, `(export "canister_update__greet" (func $f))`), `export "canister_update__greet": Wasm module has an invalid export section. Exporting reserved function 'canister_update__greet' with "canister_" prefix`},
		"method type":           {module(`(func $f (param i32))`, `(export "canister_query a" (func $f))`), "Expected input params [] for 'canister_query a', got [I32]."},
		"init result":           {module(`(func $f (result i32) i32.const 1)`, `(export "canister_init" (func $f))`), "Expected return type [] for 'canister_init', got [I32]."},
		"method twice":          {module(`(func $f)`, `(export "canister_query a" (func $f))`, `(export "canister_update a" (func $f))`), "Duplicate function 'a'"},
		"too many methods":      {module(`(func $f)`, methods(1001, "m")), "is 1001 which exceeds 1000."},
		"method names too long": {module(`(func $f)`, methods(100, strings.Repeat("x", 200))), "which exceeds the allowed limit of 20000."},
		"two tables":            {module(`(table 1 funcref)`, `(table 1 funcref)`), "table count too high at 2"},
		"extern table":          {module(`(table 1 externref)`), "Table element type must be funcref, got externref"},
		"large table":           {module(`(table 1000001 funcref)`), "table minimum size of 1000001 elements exceeds table limits"},
		"data outside":          {module(`(memory 1)`, `(data (i32.const 65530) "1234567")`), "data segment 0: Wasm module has invalid data segment of 7 bytes at 65530"},
		"data at negative":      {module(`(memory 1)`, `(data (i32.const -1) "1")`), "1 bytes at 4294967295"},
		"many globals":          {module(strings.Repeat("(global i32 (i32.const 0))\n", 1001)), "defined 1001 globals which exceeds the maximum number allowed 1000"},
		"many functions":        {module(strings.Repeat("(func)", 50_001)), "defined 50001 functions which exceeds the maximum number allowed 50000"},
		"table.set":             {module(`(table 1 funcref)`, `(func $main.set (table.set 0 (i32.const 0) (ref.null func)))`), `function 0 ("main.set"): Wasm module contains a function at index 0 with unsupported instruction table.set`},
		"table.grow":            {module(`(table 1 funcref)`, `(func (drop (table.grow 0 (ref.null func) (i32.const 0))))`), "unsupported instruction table.grow"},
		"size":                  {module(`(func $big ` + strings.Repeat("nop ", 1_000_000) + `)`), `function 0 ("big"): Wasm module contains a function at index 0 with complexity 1000001 which exceeds the maximum complexity allowed 1000000.`},
		"complexity":            {module(`(func $deep ` + strings.Repeat("block end ", 20_001) + `)`), "with complexity 1020052 which exceeds the maximum complexity allowed 1000000"},
		"drop of active data":   {module(`(memory 1)`, `(data "b")`, `(data (i32.const 0) "a")`, `(func $drop (data.drop 1))`), `function 0 ("drop"): Error in Wasm compilation`},
		"elements outside":      {module(`(table 1 funcref)`, `(func $f)`, `(elem (i32.const 0) $f $f)`), "element segment 0: wasm trap: undefined element: out of bounds table access"},
		"reference":             {module(`(global funcref (ref.null func))`), "Unsupported global type: Ref(funcref)"},
		"mutable reference":     {module(`(global (mut externref) (ref.null extern))`), "global 0: Wasm module has an invalid global section. Unsupported global type: Ref(externref)"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := wasm.Decode(assemble(t, c.wat))
			require.NoError(t, err)
			err = wasm.Check(m, wasm.Production())
			require.ErrorContains(t, err, c.want)
			var rule *wasm.RuleError
			require.ErrorAs(t, err, &rule)
		})
	}
}

func TestCheckRefusesWasm64ByName(t *testing.T) {
	m := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1, Is64: true}}}
	require.ErrorIs(t, wasm.Check(m, wasm.Production()), wasm.ErrWasm64)
	limits := wasm.Production()
	limits.Wasm64 = true
	require.NoError(t, wasm.Check(m, limits))
}

func TestCheckCustomSections(t *testing.T) {
	for name, c := range map[string]struct {
		customs []wasm.Custom
		want    string
	}{
		"fine":            {[]wasm.Custom{{Name: "icp:public candid:service"}, {Name: "icp:private x", Bytes: make([]byte, 1<<20-18)}, {Name: "name"}, {Name: "name"}}, ""},
		"both":            {[]wasm.Custom{{Name: "icp:public x"}, {Name: "icp:private x"}}, "name x already exists"},
		"other prefix":    {[]wasm.Custom{{Name: "icp:secret x"}}, "no public/private scope defined"},
		"empty name":      {[]wasm.Custom{{Name: "icp:public "}}, ""},
		"no space":        {[]wasm.Custom{{Name: "icp:public"}}, "must have a space after the public/private scope"},
		"too large":       {[]wasm.Custom{{Name: "icp:public x", Bytes: make([]byte, 1<<20)}}, "size 1048577 bytes, allowed 1048576 bytes"},
		"too many":        {many(17), "defined 17 custom sections which exceeds the maximum number allowed 16"},
		"just not enough": {many(16), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := wasm.Check(&wasm.Module{Customs: c.customs}, wasm.Production())
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

func many(n int) (list []wasm.Custom) {
	for i := range n {
		list = append(list, wasm.Custom{Name: fmt.Sprintf("icp:public n%d", i)})
	}
	return list
}

// Check is for modules that Decode returned, which refuses the indices that do not exist.
func TestDecodeRefusesIndices(t *testing.T) {
	one := uint32(1)
	made := &wasm.Module{}
	f := made.AddFunction(wasm.FuncType{}, nil, new(wasm.Body).End().Bytes())
	made.Exports = []wasm.Export{{Name: "x", Index: f}, {Name: "x", Index: f}}
	for want, m := range map[string]*wasm.Module{
		"type 0 does not exist, there are 0":           {Functions: []wasm.Function{{Body: []byte{0x0b}}}},
		`export "x": func 0 does not exist`:            {Exports: []wasm.Export{{Name: "x"}}},
		`export "x": memory 3 does not exist`:          {Exports: []wasm.Export{{Name: "x", Kind: wasm.KindMemory, Index: 3}}},
		"function 1 does not exist, there are 0":       {Start: &one},
		"element section, offset 0x11: table 0 does":   {Elements: []wasm.Element{{Offset: wasm.ConstI32(0)}}},
		"function 5 does not exist, there are 0":       {Elements: []wasm.Element{{Mode: wasm.Passive, Funcs: []uint32{5}}}},
		"memory 0 does not exist, there are 0":         {Data: []wasm.Data{{Offset: wasm.ConstI32(0)}}},
		"import section, offset 0x16: type 0 does not": {Imports: []wasm.Import{{Module: "ic0", Name: "time"}}},
		`export "x": exported twice`:                   made,
	} {
		_, err := wasm.Decode(m.Encode())
		require.ErrorContains(t, err, want)
	}
}

func TestCheckMadeModules(t *testing.T) {
	imported := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1}},
		Imports: []wasm.Import{{Module: "env", Name: "g", Kind: wasm.KindGlobal, Global: wasm.GlobalType{Type: wasm.I32}}},
		Data:    []wasm.Data{{Offset: new(wasm.Body).GlobalGet(0).End().Bytes()}}}
	m, err := wasm.Decode(imported.Encode())
	require.NoError(t, err)
	m.Imports = nil // which Check refuses first
	require.ErrorContains(t, wasm.Check(m, wasm.Production()), "Invalid offset expression in data segment for 32bit memory: global.get")

	m = &wasm.Module{}
	m.AddFunction(wasm.FuncType{}, nil, []byte{0xfe, 0x0b})
	require.ErrorContains(t, wasm.Check(m, wasm.Production()), "threads are not supported")
}

func TestFigures(t *testing.T) {
	m, err := wasm.Decode(assemble(t, module(`(memory 1)`, `(data (i32.const 0) "abc")`, `(func nop)`, `(func (drop (i32.load (i32.const 0))))`)))
	require.NoError(t, err)
	m.Customs = append(m.Customs, wasm.Custom{Name: "icp:public ab", Bytes: []byte("cde")}, wasm.Custom{Name: "other", Bytes: []byte("x")})
	f, err := m.Size()
	require.NoError(t, err)
	require.Equal(t, wasm.Size{
		Functions: 2, Instructions: 2 + 4, CodeSection: 14, DataSegments: 1, DataBytes: 3, MetadataSize: 5,
		Largest: wasm.FunctionFigures{Index: 1, Instructions: 4, Complexity: 1 + 3 + 1 + 1},
	}, f)
}

// TestWasmValidate has wabt look at what we write.
func TestWasmValidate(t *testing.T) {
	tool, err := exec.LookPath("wasm-validate")
	if err != nil {
		t.Skip("wasm-validate (Debian package wabt) is not on the PATH")
	}
	m, err := wasm.Decode(assemble(t, everything))
	require.NoError(t, err)
	_, err = m.AddImports(m.FunctionImport("ic0", "msg_reply", wasm.FuncType{}))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "m.wasm")
	require.NoError(t, os.WriteFile(file, m.Encode(), 0o600))
	report, err := exec.Command(tool, "--enable-tail-call", file).CombinedOutput()
	require.NoError(t, err, string(bytes.TrimSpace(report)))
}
