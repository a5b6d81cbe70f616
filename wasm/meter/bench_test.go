package meter_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"kedge/wasm"
	"kedge/wasm/meter"
)

// goProgram returns testdata/goprogram, built for wasip1.
func goProgram(tb testing.TB) []byte {
	tb.Helper()
	data, err := buildGoProgram()
	require.NoError(tb, err)
	return data
}

var buildGoProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "goprogram")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "program.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/goprogram")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if report, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, report)
	}
	return os.ReadFile(out)
})

// variants of instrumentation that tests and benchmarks compare; nil is none.
var variants = []struct {
	name string
	opts *meter.Options
}{
	{"plain", nil},
	{"metered", &meter.Options{Untracked: true}},
	{"tracked-64KiB", &meter.Options{}},
	{"tracked-4KiB", &meter.Options{Page: meter.OS4KiB}},
	{"tracked-4KiB-writes", &meter.Options{Page: meter.OS4KiB, IgnoreRead: true}},
}

// load instantiates a module on wazero's compiler, with a host that lets everything happen.
func load(tb testing.TB, m *wasm.Module, opts *meter.Options) (context.Context, api.Module, func()) {
	tb.Helper()
	ctx, r := runtime(tb)
	host := r.NewHostModuleBuilder(meter.ImportModule)
	host.NewFunctionBuilder().WithFunc(func() { panic(out) }).Export(meter.OutOfInstructions)
	host.NewFunctionBuilder().WithFunc(func() { panic(out) }).Export(meter.StackOverflow)
	for _, name := range []string{meter.MarkRead, meter.MarkWrite} {
		host.NewFunctionBuilder().WithFunc(func(uint32) {}).Export(name)
	}
	host.NewFunctionBuilder().WithFunc(func(uint32, uint32) uint32 { return 1 }).Export(meter.Grow)
	_, err := host.Instantiate(ctx)
	require.NoError(tb, err)
	_, err = wasi_snapshot_preview1.Instantiate(ctx, r)
	require.NoError(tb, err)
	reset := func() {}
	var layout meter.Layout
	if opts != nil {
		m, layout, err = meter.Instrument(m, *opts)
		require.NoError(tb, err)
	}
	mod, err := r.InstantiateWithConfig(ctx, m.Encode(), wazero.NewModuleConfig().WithStartFunctions())
	require.NoError(tb, err)
	if opts != nil {
		mod.ExportedGlobal(layout.Counter).(api.MutableGlobal).Set(1 << 62)
		if layout.Reset != "" {
			f := mod.ExportedFunction(layout.Reset)
			reset = func() {
				_, err := f.Call(ctx)
				require.NoError(tb, err)
			}
		}
	}
	if f := mod.ExportedFunction("_initialize"); f != nil {
		_, err := f.Call(ctx)
		require.NoError(tb, err)
	}
	return ctx, mod, reset
}

// TestGoProgramBehavesTheSame runs a Go program with a hash and with maps, strings and a garbage
// collector, as it is and tracked.
func TestGoProgramBehavesTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Go program twice")
	}
	m, err := wasm.Decode(goProgram(t))
	require.NoError(t, err)
	want := map[string]uint64{}
	for _, i := range []int{0, 2} {
		v := variants[i]
		t.Run(v.name, func(t *testing.T) {
			ctx, mod, reset := load(t, m, v.opts)
			for _, call := range []struct {
				name string
				n    uint64
			}{{"run", 50}, {"maps", 5000}, {"run", 1}} {
				reset()
				res, err := mod.ExportedFunction(call.name).Call(ctx, call.n)
				require.NoError(t, err)
				key := fmt.Sprint(call)
				if v.opts == nil {
					want[key] = res[0]
				}
				require.Equal(t, want[key], res[0], key)
			}
		})
	}
}

// TestInstrumentedModulesAreValid has wabt look at the Go program and at a module with everything.
func TestInstrumentedModulesAreValid(t *testing.T) {
	tool, err := exec.LookPath("wasm-validate")
	if err != nil {
		t.Skip("wasm-validate (Debian package wabt) is not on the PATH")
	}
	program, err := wasm.Decode(goProgram(t))
	require.NoError(t, err)
	for _, m := range []*wasm.Module{program, decode(t, loop), decode(t, copying)} {
		for _, v := range variants[1:] {
			i, _, err := meter.Instrument(m, *v.opts)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "m.wasm")
			require.NoError(t, os.WriteFile(file, i.Encode(), 0o600))
			report, err := exec.Command(tool, file).CombinedOutput()
			require.NoError(t, err, string(report))
		}
	}
}

// loop walks over 2 MiB: it adds what it reads and writes the sum further on.
const loop = `(module (memory 65)
  (func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i64) (local $a i32)
    (loop $l
      (local.set $a (i32.and (i32.mul (local.get $i) (i32.const 8)) (i32.const 0x1ffff8)))
      (local.set $s (i64.add (local.get $s) (i64.load (local.get $a))))
      (i64.store offset=70000 (local.get $a) (local.get $s))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
    (i32.wrap_i64 (local.get $s))))`

const copying = `(module (memory 65)
  (func (export "run") (param $n i32) (result i32)
    (loop $l
      (memory.copy (i32.const 0) (i32.const 2097152) (i32.const 65536))
      (local.tee $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $l))
    (i32.const 0)))`

// BenchmarkRun compares the variants: divide the time of each by that of plain.
func BenchmarkRun(b *testing.B) {
	program, err := wasm.Decode(goProgram(b))
	require.NoError(b, err)
	for _, c := range []struct {
		name   string
		m      *wasm.Module
		export string
		n      uint64
	}{
		{"loop", decode(b, loop), "run", 1_000_000},
		{"copy", decode(b, copying), "run", 100},
		{"go-sha256", program, "run", 100},
		{"go-maps", program, "maps", 5000},
	} {
		for _, v := range variants {
			b.Run(c.name+"/"+v.name, func(b *testing.B) {
				ctx, mod, reset := load(b, c.m, v.opts)
				f := mod.ExportedFunction(c.export)
				for b.Loop() {
					reset()
					_, err := f.Call(ctx, c.n)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkInstrument measures decoding, instrumenting and encoding a Go program of 2.8 MB.
func BenchmarkInstrument(b *testing.B) {
	data := goProgram(b)
	for b.Loop() {
		m, err := wasm.Decode(data)
		require.NoError(b, err)
		i, _, err := meter.Instrument(m, meter.Options{})
		require.NoError(b, err)
		b.ReportMetric(float64(len(i.Encode())), "bytes")
	}
}
