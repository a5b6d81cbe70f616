package exec

import (
	"context"
	"fmt"
)

// A step runs in slices, between which the host may do something: see [Input.Pause]. The counter in the module
// holds the slice's instructions, the rest of the limit waits outside of it.

// SliceInstructions is how many instructions a step runs between two pauses, about.
const SliceInstructions = 2_000_000

// aborted ends a step that its host no longer wants.
var aborted = &trap{text: "the step was aborted"}

// beginSlices shares the limit out between counter and reserve.
func (s *Step) beginSlices() {
	total := int64(min(s.in.Limit, 1<<62))
	s.reserve = 0
	if s.in.Pause != nil && total > SliceInstructions {
		s.reserve = total - SliceInstructions
	}
	s.setLeft(total)
}

// endSlice is called when the counter is below zero: it begins the next slice, or ends the step if the limit is
// used up.
func (s *Step) endSlice() {
	left := s.left()
	if left < 0 {
		panic(outOfInstructions(s.in.Limit))
	}
	s.reserve = max(left-SliceInstructions, 0)
	s.setLeft(left)
	if !s.in.Pause(s) {
		panic(aborted)
	}
}

// left is how many instructions of the limit are left, below zero if it was exceeded.
func (s *Step) left() int64 { return int64(s.instance.counter.Get()) + s.reserve }

func (s *Step) setLeft(n int64) { s.instance.counter.Set(uint64(n - s.reserve)) }

// Used is the number of instructions so far, at most the limit.
func (s *Step) Used() uint64 { return s.used() }

// Kind is the role that the step runs in.
func (s *Step) Kind() Kind { return s.in.Kind }

// Aborted reports whether a pause ended the step.
func (s *Step) Aborted() bool { return s.aborted }

// Fork makes an instance as the step's own was before the step, while the step pauses or after it, as long as it is
// neither committed nor rolled back.
func (s *Step) Fork(ctx context.Context) (*Instance, error) {
	from := s.instance
	twin, err := from.fork(ctx, s.stableBefore.Snapshot(), s.heapBefore, s.globalBefore)
	if err != nil {
		return nil, err
	}
	for _, saved := range s.pages.saved {
		twin.memory.Write(uint32(saved.page*from.pageSize()), saved.data)
	}
	return twin, nil
}

// Fork makes an instance that is equal to this one, which is between two steps.
func (i *Instance) Fork(ctx context.Context) (*Instance, error) {
	return i.fork(ctx, i.stable.Snapshot(), i.HeapPages(), i.readGlobals())
}

func (i *Instance) fork(ctx context.Context, stable *Stable, heapPages uint64, globals []uint64) (*Instance, error) {
	twin, err := i.engine.Instantiate(ctx, i.module, stable)
	if err != nil {
		return nil, err
	}
	if twin.memory != nil {
		if missing := heapPages - twin.HeapPages(); missing > 0 {
			if _, ok := twin.memory.Grow(uint32(missing)); !ok {
				return nil, fmt.Errorf("grow a second heap to %d pages", heapPages)
			}
		}
		twin.copyHeap(i.memory, heapPages)
	}
	twin.writeGlobals(globals)
	return twin, nil
}
