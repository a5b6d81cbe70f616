package exec

import (
	"context"
	"fmt"
)

// Image is all that an instance holds, as plain data.
type Image struct {
	Heap    []byte
	Globals []uint64
	Stable  *Stable
}

// Capture copies what the instance holds.
func (i *Instance) Capture() *Image {
	return &Image{Heap: i.Heap(), Globals: i.readGlobals(), Stable: i.Stable()}
}

// Restore makes an instance that holds an image, which must come from an instance of the same module.
func (e *Engine) Restore(ctx context.Context, m *Module, image *Image) (*Instance, error) {
	i, err := e.Instantiate(ctx, m, image.Stable.Snapshot())
	if err != nil {
		return nil, err
	}
	if err := i.takeImage(image); err != nil {
		return nil, fmt.Errorf("restore an instance: %w", err)
	}
	return i, nil
}

// takeImage replaces heap and globals.
func (i *Instance) takeImage(image *Image) error {
	if words := i.module.globalWords(); len(image.Globals) != words {
		return fmt.Errorf("the image has %d words of globals, the module %d", len(image.Globals), words)
	}
	pages := uint64(len(image.Heap)) / WasmPage
	if pages < i.HeapPages() {
		return fmt.Errorf("the image has %d pages of heap, the module at least %d", pages, i.HeapPages())
	}
	if i.memory != nil {
		if _, ok := i.memory.Grow(uint32(pages - i.HeapPages())); !ok {
			return fmt.Errorf("the heap cannot grow to %d pages", pages)
		}
		i.memory.Write(0, image.Heap)
	}
	i.writeGlobals(image.Globals)
	return nil
}
