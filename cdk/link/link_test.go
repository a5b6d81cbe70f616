package link_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cdk/link"
	"kedge/internal/wasmhost"
	"kedge/wasm"
)

func decode(t *testing.T, module []byte) *wasm.Module {
	m, err := wasm.Decode(module)
	require.NoError(t, err)
	return m
}

// edited decodes what go build made of the test canister, lets edit change it, and links it.
func edited(t *testing.T, o link.Options, edit func(*wasm.Module)) ([]byte, error) {
	m := decode(t, wasmhost.Reactor(t))
	edit(m)
	return link.Link(m.Encode(), o)
}

func TestLinkedModule(t *testing.T) {
	m := decode(t, wasmhost.Linked(t))
	for _, im := range m.Imports {
		require.Equal(t, wasm.SystemModule, im.Module, im.Name)
	}
	var exports []string
	for _, e := range m.Exports {
		if !strings.HasPrefix(e.Name, "canister_") {
			exports = append(exports, e.Name)
		}
	}
	require.Equal(t, []string{"memory"}, exports)
	for _, name := range []string{"canister_update greet", "canister_query random_in_query", "canister_inspect_message", "canister_global_timer"} {
		_, ok := m.ExportedFunction(name)
		require.True(t, ok, name)
	}
	require.NotNil(t, m.Start)
	require.Less(t, len(m.Data), 5_000)

	service, ok := m.Custom("icp:public candid:service")
	require.True(t, ok)
	require.Equal(t, "service : {}", string(service))
	args, ok := m.Custom("icp:public candid:args")
	require.True(t, ok)
	require.Equal(t, "(text)", string(args))
	require.NoError(t, wasm.Check(m, wasm.Production()))
}

// Every function that the linker replaces is in the test canister, and has another body afterwards.
func TestFunctionsAreReplaced(t *testing.T) {
	module, err := link.Link(wasmhost.Reactor(t), link.Options{KeepNames: true})
	require.NoError(t, err)
	bodies := func(m *wasm.Module) map[string]string {
		names, err := m.Names()
		require.NoError(t, err)
		bodies := map[string]string{}
		for index, name := range names.Functions {
			if i := int(index) - m.Imported(wasm.KindFunction); i >= 0 {
				bodies[name] = string(m.Functions[i].Body)
			}
		}
		return bodies
	}
	before, after := bodies(decode(t, wasmhost.Reactor(t))), bodies(decode(t, module))
	for _, name := range []string{
		"crypto_internal_fips140_sha256.blockGeneric", "crypto_sha256.Sum256", "crypto_sha256.Sum224",
		"github.com_cespare_xxhash_v2.Sum64", "memeqbody", "runtime.memmove",
		"runtime.dopanic_m", "runtime.usleep", "crypto_internal_sysrand.Read",
	} {
		require.NotEmpty(t, before[name], name)
		require.NotEqual(t, before[name], after[name], name)
	}
}

// memoryImage is the memory as the data segments make it.
func memoryImage(t *testing.T, m *wasm.Module) []byte {
	image := make([]byte, m.Memories[0].Min<<16)
	for _, d := range m.Data {
		in := wasm.Walk(d.Offset)
		require.True(t, in.Next())
		copy(image[in.Const:], d.Bytes)
	}
	return image
}

func TestMergedDataIsTheSameMemory(t *testing.T) {
	before, after := decode(t, wasmhost.Reactor(t)), decode(t, wasmhost.Linked(t))
	require.Greater(t, len(before.Data), 20_000)
	image := memoryImage(t, after)
	clear(image[4096:12288]) // the linker's own
	require.Equal(t, memoryImage(t, before), image)
}

func TestNamesAreDroppedUnlessKept(t *testing.T) {
	kept := decode(t, wasmhost.Linked(t))
	names, err := kept.Names()
	require.NoError(t, err)
	require.Equal(t, "link.start", names.Functions[*kept.Start])
	greet, ok := kept.ExportedFunction("canister_update greet")
	require.True(t, ok)
	require.Equal(t, "canister_update__greet", names.Functions[greet])

	module, err := link.Link(wasmhost.Reactor(t), link.Options{})
	require.NoError(t, err)
	require.Empty(t, decode(t, module).Customs)
}

func TestLinkIsDeterministic(t *testing.T) {
	o := link.Options{Sections: []link.Section{link.Service([]byte("service : {}")), {Name: "b", Private: true}, {Name: "a"}}}
	first, err := link.Link(wasmhost.Reactor(t), o)
	require.NoError(t, err)
	for range 3 {
		again, err := link.Link(wasmhost.Reactor(t), o)
		require.NoError(t, err)
		require.True(t, string(first) == string(again))
	}
}

// A module may import functions of WASI that the linker does not know: they fail with an errno.
func TestUnknownWASIFunctionsFail(t *testing.T) {
	var typ wasm.FuncType
	module, err := edited(t, link.Options{}, func(m *wasm.Module) {
		typ = wasm.FuncType{Params: []wasm.ValType{wasm.I32, wasm.I64}, Results: []wasm.ValType{wasm.I32}}
		index, err := m.AddImports(m.FunctionImport("wasi_snapshot_preview1", "path_teleport", typ))
		require.NoError(t, err)
		probe := new(wasm.Body).I32Const(1).I64Const(2).Call(index).End().Bytes()
		f := m.AddFunction(wasm.FuncType{Results: []wasm.ValType{wasm.I32}}, nil, probe)
		m.Exports = append(m.Exports, wasm.Export{Name: "probe", Index: f})
	})
	require.NoError(t, err)
	m := decode(t, module)
	probe, ok := m.ExportedFunction("probe")
	require.True(t, ok, "an export that is none of the network's names stays")
	in := m.Functions[int(probe)-m.Imported(wasm.KindFunction)].Walk()
	for in.Next() && in.Op != wasm.OpCall {
	}
	callee := m.Functions[int(in.Index)-m.Imported(wasm.KindFunction)]
	require.Equal(t, wasm.ConstI32(52), callee.Body)
}

func TestLinkRefuses(t *testing.T) {
	rename := func(from, to string) func(*wasm.Module) {
		return func(m *wasm.Module) {
			i := slices.IndexFunc(m.Exports, func(e wasm.Export) bool { return e.Name == from })
			m.Exports[i].Name = to
		}
	}
	for name, c := range map[string]struct {
		edit    func(*wasm.Module)
		options link.Options
		want    string
	}{
		"no reactor": {
			edit: rename("_initialize", "_start"),
			want: "the module does not export _initialize: build it with GOOS=wasip1 GOARCH=wasm -buildmode=c-shared",
		},
		"a start function": {
			edit: func(m *wasm.Module) { m.Start = new(uint32) },
			want: "the module has a start function already",
		},
		"no entry points": {
			edit: func(m *wasm.Module) {
				m.Exports = slices.DeleteFunc(m.Exports, func(e wasm.Export) bool { return strings.HasPrefix(e.Name, "canister_") })
			},
			want: "the package exports no entry point of a canister",
		},
		"an update and a query of one name": {
			edit: rename("canister_query__lines", "canister_query__greet"),
			want: `are both the canister method greet`,
		},
		"a method without a name": {
			edit: rename("canister_query__lines", "canister_query__"),
			want: `the export "canister_query__" has no method name`,
		},
		"an entry point that does not exist": {
			edit: rename("canister_query__lines", "canister_queries__lines"),
			want: `the linked module breaks a rule of the network: wasm: export "canister_queries__lines"`,
		},
		"a system call that does not exist": {
			edit: func(m *wasm.Module) {
				_, err := m.AddImports(m.FunctionImport("ic0", "teleport", wasm.FuncType{}))
				require.NoError(t, err)
			},
			want: "teleport",
		},
		"an import of nobody": {
			edit: func(m *wasm.Module) {
				_, err := m.AddImports(m.FunctionImport("env", "abort", wasm.FuncType{}))
				require.NoError(t, err)
			},
			want: "abort",
		},
		"an unknown question to the linker": {
			edit: func(m *wasm.Module) {
				_, err := m.AddImports(m.FunctionImport("link", "answer", wasm.FuncType{}))
				require.NoError(t, err)
			},
			want: `import "answer" from "link": wasi.wat: unknown function $link.answer`,
		},
		"a callback that is not exported": {
			edit: rename("cdk_on_reply", "cdk_on_nothing"),
			want: `import "index_of.cdk_on_reply" from "link": no function is exported as "cdk_on_reply"`,
		},
		"a WASI function without errno": {
			edit: func(m *wasm.Module) {
				_, err := m.AddImports(m.FunctionImport("wasi_snapshot_preview1", "halt", wasm.FuncType{}))
				require.NoError(t, err)
			},
			want: `import "halt" from "wasi_snapshot_preview1": no errno can be returned by a function of type () -> ()`,
		},
		"a replaced function that Go renamed": {
			edit: func(m *wasm.Module) {
				names, err := m.Names()
				require.NoError(t, err)
				for i, name := range names.Functions {
					if name == "crypto_internal_fips140_sha256.blockGeneric" {
						names.Functions[i] = "crypto_internal_fips140_sha256.blockOther"
					}
				}
				m.SetNames(names)
			},
			want: "cannot replace crypto/internal/fips140/sha256.blockGeneric: it is not in the module although crypto/internal/fips140/sha256.(*Digest).Write is",
		},
		"no names": {
			edit: func(m *wasm.Module) { m.SetNames(wasm.Names{}) },
			want: "the module has no function names: build it without -ldflags=-s",
		},
		"data where the linker's is": {
			edit: func(m *wasm.Module) {
				m.Data = append(m.Data, wasm.Data{Offset: wasm.ConstI32(5000), Bytes: []byte("mine")})
			},
			want: "the module has data at address 5000, below 12288, which Go leaves free",
		},
		"data that overlaps": {
			edit: func(m *wasm.Module) {
				m.Data = append(m.Data, wasm.Data{Offset: m.Data[0].Offset, Bytes: []byte("mine")})
			},
			want: "data segments overlap at address",
		},
		"a section twice": {
			options: link.Options{Sections: []link.Section{{Name: "a"}, {Name: "a", Private: true}}},
			want:    `metadata section "a" is given twice`,
		},
		"a section without a name": {
			options: link.Options{Sections: []link.Section{{}}},
			want:    `metadata section ""`,
		},
		"a section that is too large": {
			options: link.Options{Sections: []link.Section{{Name: "large", Content: make([]byte, 1<<20+1)}}},
			want:    "the linked module breaks a rule of the network",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.edit == nil {
				c.edit = func(*wasm.Module) {}
			}
			_, err := edited(t, c.options, c.edit)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := link.Link([]byte("not a module"), link.Options{})
	require.ErrorContains(t, err, "the output of go build: ")
}

func TestOtherToolsAcceptTheModule(t *testing.T) {
	path := link.WriteModule(t, wasmhost.Linked(t))
	t.Run("wasm-validate", func(t *testing.T) { link.Tool(t, link.WasmValidate(), path) })
	t.Run("ic-wasm", func(t *testing.T) {
		tool := link.ICWasm()
		require.Equal(t, "service : {}", strings.TrimSpace(link.Tool(t, tool, path, "metadata", "candid:service")))
		require.Contains(t, link.Tool(t, tool, path, "info"), "canister_update greet")
		shrunk := path + ".shrunk"
		link.Tool(t, tool, path, "-o", shrunk, "shrink")
		module, err := os.ReadFile(shrunk)
		require.NoError(t, err)
		r, err := wasmhost.New(t, module).Update("greet", []byte("world"))
		require.NoError(t, err)
		require.Equal(t, "hello world", string(r.Reply))
	})
}

func BenchmarkLink(b *testing.B) {
	reactor := wasmhost.Reactor(b)
	b.SetBytes(int64(len(reactor)))
	for b.Loop() {
		_, err := link.Link(reactor, link.Options{})
		require.NoError(b, err)
	}
}
