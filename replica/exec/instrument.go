package exec

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"kedge/wasm"
	"kedge/wasm/meter"
)

// Where this package meets the meter: the module is rewritten when it is compiled, and the functions that
// the rewritten module imports report to the running step.

// meterOptions are what the meter counts under a model of page charges.
func (e *Engine) meterOptions() meter.Options {
	if e.options.Pages == Pages2025 {
		return meter.Options{Page: meter.OS4KiB, IgnoreRead: true}
	}
	return meter.Options{Page: meter.Wasm64KiB}
}

// instrument returns the module with the meter in it, encoded.
func (e *Engine) instrument(decoded *wasm.Module, m *Module) ([]byte, error) {
	instrumented, layout, err := meter.Instrument(decoded, e.meterOptions())
	if err != nil {
		return nil, err
	}
	m.layout, m.symbols = layout, symbolsOf(decoded, instrumented)
	if !e.options.KeepNames {
		instrumented.Customs = nil // with names the engine's traces would have to be taken apart
	}
	for i := range instrumented.Memories { // CheckInitialHeap is about what was asked for
		instrumented.Memories[i].Min = min(instrumented.Memories[i].Min, maxHeapPages)
	}
	return instrumented.Encode(), nil
}

// exportMeter makes the module that instrumented modules import.
func exportMeter(ctx context.Context, runtime wazero.Runtime) error {
	host := runtime.NewHostModuleBuilder(meter.ImportModule)
	export := func(name string, params, results []api.ValueType, f func(s *Step, stack []uint64)) {
		host.NewFunctionBuilder().
			WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) { f(stepOf(ctx), stack) }), params, results).
			Export(name)
	}
	export(meter.OutOfInstructions, nil, nil, func(s *Step, _ []uint64) { s.endSlice() })
	export(meter.StackOverflow, nil, nil, func(*Step, []uint64) { panic(trapped("stack overflow")) })
	export(meter.MarkRead, types(i32), nil, func(s *Step, stack []uint64) { s.pages.touchHeap(s, uint64(uint32(stack[0])), false) })
	export(meter.MarkWrite, types(i32), nil, func(s *Step, stack []uint64) { s.pages.touchHeap(s, uint64(uint32(stack[0])), true) })
	export(meter.Grow, types(i32, i32), types(i32), func(s *Step, stack []uint64) {
		s.checkHeapSize(uint64(uint32(stack[0])) + uint64(uint32(stack[1])))
		stack[0] = 1
	})
	_, err := host.Instantiate(ctx)
	return err
}

// limitedMemory is the roles whose heap may not grow beyond the canister's wasm_memory_limit.
const limitedMemory = Init | Update | Start

// checkHeapSize traps if the heap may not grow to so many pages of 64 KiB. What is more than the module's memory can
// have fails by itself.
func (s *Step) checkHeapSize(pages uint64) {
	if pages > s.instance.mostPages() {
		return
	}
	size, limit := pages*WasmPage, s.in.Env.WasmLimit
	if limit != 0 && size > limit && s.in.Kind.in(limitedMemory) {
		panic(tooMuchMemory(size, limit))
	}
	if held := s.heapSize(); size > held {
		s.checkGrowth(size - held)
	}
}

// payingGrowth is the roles in which memory cannot grow so far that the canister would be frozen.
const payingGrowth = Update | task

// checkGrowth traps if the balance cannot carry so many bytes of memory more.
func (s *Step) checkGrowth(bytes uint64) {
	s.grown += bytes
	if s.in.Env.ReserveWith == nil || !s.in.Kind.in(payingGrowth) {
		return
	}
	if needed := s.in.Env.ReserveWith(s.grown); s.balance.Less(needed) {
		panic(tooPoorToGrow(bytes, needed.Minus(s.balance), s.isController(s.in.Caller)))
	}
}

// global reaches a mutable global of an instance. A v128 takes two words, which its own functions move.
type global struct {
	scalar   api.MutableGlobal
	get, set api.Function
}

func (i *Instance) loadGlobals() {
	i.globals = i.globals[:0]
	for _, g := range i.module.layout.Globals {
		if g.Export != "" {
			i.globals = append(i.globals, global{scalar: i.wasm.ExportedGlobal(g.Export).(api.MutableGlobal)})
		} else {
			i.globals = append(i.globals, global{get: i.wasm.ExportedFunction(g.Get), set: i.wasm.ExportedFunction(g.Set)})
		}
	}
}

// readGlobals returns the values of the mutable globals.
func (i *Instance) readGlobals() []uint64 {
	values := make([]uint64, 0, len(i.globals))
	for _, g := range i.globals {
		if g.scalar != nil {
			values = append(values, g.scalar.Get())
			continue
		}
		var stack [2]uint64
		mustCall(g.get.CallWithStack(context.Background(), stack[:]))
		values = append(values, stack[:]...)
	}
	return values
}

// writeGlobals sets the mutable globals to values that readGlobals returned.
func (i *Instance) writeGlobals(values []uint64) {
	for _, g := range i.globals {
		if g.scalar != nil {
			g.scalar.Set(values[0])
			values = values[1:]
			continue
		}
		mustCall(g.set.CallWithStack(context.Background(), []uint64{values[0], values[1]}))
		values = values[2:]
	}
}

// globalWords is how many values readGlobals returns.
func (m *Module) globalWords() int {
	n := len(m.layout.Globals)
	for _, g := range m.layout.Globals {
		if g.Export == "" {
			n++
		}
	}
	return n
}

// mustCall panics if one of the meter's own functions fails, which they cannot.
func mustCall(err error) {
	if err != nil {
		panic(fmt.Errorf("exec: a function of the meter failed: %w", err))
	}
}

// beginStep sets the counter and forgets the pages of the step before.
func (i *Instance) beginStep(s *Step) {
	s.beginSlices()
	if i.reset != nil {
		mustCall(i.reset.CallWithStack(context.Background(), nil))
	}
}
