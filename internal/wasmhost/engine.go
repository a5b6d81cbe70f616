package wasmhost

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"kedge/wasm"
	"kedge/wasm/meter"
)

// Compiling takes a second or two, so that all hosts of a test binary share one engine, and a
// module is compiled once. The functions of the system find their host in the context.

type hostKey struct{}

func hostOf(ctx context.Context) *Host { return ctx.Value(hostKey{}).(*Host) }

var engine = sync.OnceValue(func() wazero.Runtime {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryLimit))
	m := r.NewHostModuleBuilder(meter.ImportModule)
	m.NewFunctionBuilder().WithFunc(func() { panic("out of instructions") }).Export(meter.OutOfInstructions)
	m.NewFunctionBuilder().WithFunc(func() { panic("stack overflow") }).Export(meter.StackOverflow)
	m.NewFunctionBuilder().WithFunc(func(ctx context.Context, page uint32) { hostOf(ctx).Reads++ }).Export(meter.MarkRead)
	m.NewFunctionBuilder().WithFunc(func(ctx context.Context, page uint32) { hostOf(ctx).Writes++ }).Export(meter.MarkWrite)
	m.NewFunctionBuilder().WithFunc(func(pages, delta uint32) uint32 { return 1 }).Export(meter.Grow)
	for _, b := range []wazero.HostModuleBuilder{m, system(r.NewHostModuleBuilder(wasm.SystemModule))} {
		if _, err := b.Instantiate(ctx); err != nil {
			panic(err)
		}
	}
	return r
})

// prepared is a module ready to be instantiated.
type prepared struct {
	code   wazero.CompiledModule
	layout meter.Layout
}

var prepares sync.Map // hash of the module to func() (prepared, error)

func prepare(module []byte) (prepared, error) {
	once, _ := prepares.LoadOrStore(sha256.Sum256(module), sync.OnceValues(func() (prepared, error) {
		m, err := wasm.Decode(module)
		if err != nil {
			return prepared{}, err
		}
		// A trampoline calls through the table: (index, env).
		one := m.AddType(wasm.FuncType{Params: []wasm.ValType{wasm.I32}})
		two := wasm.FuncType{Params: []wasm.ValType{wasm.I32, wasm.I32}}
		trampoline := m.AddFunction(two, nil, new(wasm.Body).LocalGet(1).LocalGet(0).CallIndirect(one, 0).End().Bytes())
		m.Exports = append(m.Exports, wasm.Export{Name: "callback", Index: trampoline})
		metered, layout, err := meter.Instrument(m, meter.Options{})
		if err != nil {
			return prepared{}, err
		}
		code, err := engine().CompileModule(context.Background(), metered.Encode())
		return prepared{code, layout}, err
	}))
	return once.(func() (prepared, error))()
}

func valTypes(types []wasm.ValType) []api.ValueType {
	out := make([]api.ValueType, len(types))
	for i, t := range types {
		out[i] = api.ValueType(t)
	}
	return out
}
