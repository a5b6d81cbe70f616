package meter_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"kedge/wasm"
	"kedge/wasm/meter"
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
	report, err := exec.Command(tool, "--enable-tail-call", "--enable-multi-memory", "--enable-memory64", "--debug-names", in, "-o", out).CombinedOutput()
	require.NoError(tb, err, string(report))
	data, err := os.ReadFile(out)
	require.NoError(tb, err)
	return data
}

func decode(tb testing.TB, wat string) *wasm.Module {
	tb.Helper()
	m, err := wasm.Decode(assemble(tb, wat))
	require.NoError(tb, err)
	return m
}

func runtime(tb testing.TB) (context.Context, wazero.Runtime) {
	ctx := context.Background()
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall)
	r := wazero.NewRuntimeWithConfig(ctx, config)
	tb.Cleanup(func() { _ = r.Close(ctx) })
	return ctx, r
}

// machine runs an instrumented module with a host that keeps record.
type machine struct {
	tb            testing.TB
	ctx           context.Context
	mod           api.Module
	layout        meter.Layout
	reads, writes []uint32 // pages in the order in which they were marked
	grown         [][2]uint32
	refuseGrow    bool
	pageCost      int64 // lowers the counter at each mark
	calls         int   // of imports of ic0
}

const (
	out      = "out of instructions"
	overflow = "stack overflow of the meter"
)

func start(tb testing.TB, m *wasm.Module, opts meter.Options) *machine {
	tb.Helper()
	instrumented, layout, err := meter.Instrument(m, opts)
	require.NoError(tb, err)
	return startBinary(tb, instrumented.Encode(), layout, instrumented.Imports, instrumented.Types)
}

func startBinary(tb testing.TB, data []byte, layout meter.Layout, imports []wasm.Import, types []wasm.FuncType) *machine {
	tb.Helper()
	ctx, r := runtime(tb)
	h := &machine{tb: tb, ctx: ctx, layout: layout}
	host := r.NewHostModuleBuilder(meter.ImportModule)
	host.NewFunctionBuilder().WithFunc(func() { panic(out) }).Export(meter.OutOfInstructions)
	host.NewFunctionBuilder().WithFunc(func() { panic(overflow) }).Export(meter.StackOverflow)
	host.NewFunctionBuilder().WithFunc(func(page uint32) {
		h.reads = append(h.reads, page)
		h.setCounter(h.counter() - h.pageCost)
	}).Export(meter.MarkRead)
	host.NewFunctionBuilder().WithFunc(func(page uint32) {
		h.writes = append(h.writes, page)
		h.setCounter(h.counter() - h.pageCost)
	}).Export(meter.MarkWrite)
	host.NewFunctionBuilder().WithFunc(func(pages, delta uint32) uint32 {
		h.grown = append(h.grown, [2]uint32{pages, delta})
		if h.refuseGrow {
			return 0
		}
		return 1
	}).Export(meter.Grow)
	_, err := host.Instantiate(ctx)
	require.NoError(tb, err)

	ic0 := r.NewHostModuleBuilder(wasm.SystemModule)
	for _, im := range imports {
		if im.Module == wasm.SystemModule {
			t := types[im.Type]
			ic0.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) {
				h.calls++
				clear(stack[:len(t.Results)])
			}), apiTypes(t.Params), apiTypes(t.Results)).Export(im.Name)
		}
	}
	_, err = ic0.Instantiate(ctx)
	require.NoError(tb, err)
	h.mod, err = r.InstantiateWithConfig(ctx, data, wazero.NewModuleConfig().WithStartFunctions())
	require.NoError(tb, err)
	h.setCounter(1 << 40)
	return h
}

func apiTypes(types []wasm.ValType) []api.ValueType {
	list := make([]api.ValueType, len(types))
	for i, t := range types {
		list[i] = api.ValueType(t)
	}
	return list
}

func (h *machine) global() api.MutableGlobal {
	return h.mod.ExportedGlobal(h.layout.Counter).(api.MutableGlobal)
}
func (h *machine) counter() int64     { return int64(h.global().Get()) }
func (h *machine) setCounter(n int64) { h.global().Set(uint64(n)) }

func (h *machine) message() {
	if h.layout.Reset != "" {
		_, err := h.mod.ExportedFunction(h.layout.Reset).Call(h.ctx)
		require.NoError(h.tb, err)
	}
	h.reads, h.writes = nil, nil
}

// run starts a message and returns results and the instructions that it took.
func (h *machine) run(name string, args ...uint64) (results []uint64, cost int64, err error) {
	h.message()
	before := h.counter()
	results, err = h.mod.ExportedFunction(name).Call(h.ctx, args...)
	return results, before - h.counter(), err
}

// setGlobal sets a global of the canister.
func (h *machine) setGlobal(index int, v uint64) {
	h.mod.ExportedGlobal(h.layout.Globals[index].Export).(api.MutableGlobal).Set(v)
}
