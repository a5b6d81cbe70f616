package exec

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Instance is a live module: heap and globals in the Wasm engine, stable memory beside it. It runs one
// step at a time; its caller sees to that.
type Instance struct {
	engine *Engine
	module *Module
	stable *Stable

	wasm    api.Module
	memory  api.Memory // nil if the module has none
	counter api.MutableGlobal
	globals []global
	entries map[string]api.Function
	reset   api.Function // of the meter; nil if it tracks no pages
	spare   [][]byte     // buffers for saved pages
}

// Instantiate makes an instance with a fresh heap and the given stable memory, which it takes over. The
// start function has not run yet: see EntryStart.
func (e *Engine) Instantiate(ctx context.Context, m *Module, stable *Stable) (*Instance, error) {
	i := &Instance{engine: e, module: m, stable: stable}
	if err := i.load(ctx); err != nil {
		return nil, err
	}
	return i, nil
}

// load makes the Wasm side of the instance.
func (i *Instance) load(ctx context.Context) error {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	instance, err := i.engine.runtime.InstantiateModule(ctx, i.module.compiled, config)
	if err != nil {
		return fmt.Errorf("instantiate the module: %w", err)
	}
	i.wasm, i.memory = instance, nil
	if i.module.hasMemory {
		i.memory = instance.Memory()
	}
	i.entries = make(map[string]api.Function)
	i.counter = instance.ExportedGlobal(i.module.layout.Counter).(api.MutableGlobal)
	if name := i.module.layout.Reset; name != "" {
		i.reset = instance.ExportedFunction(name)
	}
	i.loadGlobals()
	return nil
}

// Module returns the module of the instance.
func (i *Instance) Module() *Module { return i.module }

// Stable returns a snapshot of the stable memory.
func (i *Instance) Stable() *Stable { return i.stable.Snapshot() }

// SetStable replaces the stable memory.
func (i *Instance) SetStable(stable *Stable) { i.stable = stable }

// StablePages is the size of the stable memory in pages of 64 KiB.
func (i *Instance) StablePages() uint64 { return i.stable.Pages() }

// HeapPages is the size of the heap in pages of 64 KiB.
func (i *Instance) HeapPages() uint64 {
	if i.memory == nil {
		return 0
	}
	return uint64(i.memory.Size()) / WasmPage
}

// pageSize is the unit in which the heap is tracked, in bytes.
func (i *Instance) pageSize() uint64 { return uint64(i.module.layout.Page.Bytes()) }

// Close frees the instance.
func (i *Instance) Close(ctx context.Context) error { return i.wasm.Close(ctx) }

// entry returns an exported function.
func (i *Instance) entry(name string) api.Function {
	f, ok := i.entries[name]
	if !ok {
		f = i.wasm.ExportedFunction(name)
		i.entries[name] = f
	}
	return f
}

// restore undoes a step.
func (i *Instance) restore(ctx context.Context, s *Step) error {
	if i.HeapPages() != s.heapBefore {
		if err := i.shrink(ctx, s); err != nil {
			return fmt.Errorf("undo a step that grew the heap: %w", err)
		}
	}
	for _, saved := range s.pages.saved {
		i.memory.Write(uint32(saved.page*i.pageSize()), saved.data)
	}
	i.dropSaved(s)
	i.writeGlobals(s.globalBefore)
	i.stable = s.stableBefore
	return nil
}

// shrink replaces the Wasm side by a new one whose heap has the size that it had before the step, with
// the content of now.
func (i *Instance) shrink(ctx context.Context, s *Step) error {
	grown, oldMemory := i.wasm, i.memory
	if err := i.load(ctx); err != nil {
		return err
	}
	if missing := s.heapBefore - i.HeapPages(); missing > 0 {
		if _, ok := i.memory.Grow(uint32(missing)); !ok {
			return fmt.Errorf("grow a new heap to %d pages", s.heapBefore)
		}
	}
	i.copyHeap(oldMemory, s.heapBefore)
	return grown.Close(ctx)
}

// CopyHeap replaces the heap by a copy of that of another instance, growing it if need be. It is an error if the
// module begins with more pages than the other instance has.
func (i *Instance) CopyHeap(from *Instance) error {
	if from.memory == nil {
		return nil
	}
	if i.memory == nil || i.HeapPages() > from.HeapPages() {
		return fmt.Errorf("the new module needs a heap of %d pages, the old one has %d", i.HeapPages(), from.HeapPages())
	}
	if _, ok := i.memory.Grow(uint32(from.HeapPages() - i.HeapPages())); !ok {
		return fmt.Errorf("the new module's heap cannot grow to %d pages", from.HeapPages())
	}
	i.copyHeap(from.memory, from.HeapPages())
	return nil
}

// copyHeap copies the first pages of another heap.
func (i *Instance) copyHeap(from api.Memory, pages uint64) {
	content, _ := from.Read(0, uint32(pages*WasmPage))
	i.memory.Write(0, content)
}

// Heap returns a copy of the heap.
func (i *Instance) Heap() []byte {
	if i.memory == nil {
		return nil
	}
	content, _ := i.memory.Read(0, i.memory.Size())
	return append([]byte(nil), content...)
}
