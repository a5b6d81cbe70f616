package exec

// Stable memory, through the calls with 64-bit and with 32-bit addresses.

// stableRoles is every role, the start function among them.
const stableRoles = everywhere

// pages32 is the greatest stable memory that the old calls can address: 4 GiB.
const pages32 = 4 << 30 / WasmPage

var stableCalls = []syscall{
	{name: "stable64_size", results: types(i64), contexts: stableRoles,
		run: func(s *Step, stack []uint64) { stack[0] = s.stable.Pages() }},
	{name: "stable64_grow", params: types(i64), results: types(i64), contexts: stableRoles, cost: costStableGrow,
		run: func(s *Step, stack []uint64) {
			before, ok := s.growStable(stack[0])
			if !ok {
				before = ^uint64(0)
			}
			stack[0] = before
		}},
	{name: "stable64_read", params: types(i64, i64, i64), contexts: stableRoles, cost: costStableAccess, size: argument64(2),
		run: func(s *Step, stack []uint64) { s.stableRead(stack[0], stack[1], stack[2]) }},
	{name: "stable64_write", params: types(i64, i64, i64), contexts: stableRoles, cost: costStableAccess, size: argument64(2),
		run: func(s *Step, stack []uint64) { s.stableWrite(stack[0], stack[1], stack[2]) }},

	{name: "stable_size", results: types(i32), contexts: stableRoles,
		run: func(s *Step, stack []uint64) { s.old(); stack[0] = s.stable.Pages() }},
	{name: "stable_grow", params: types(i32), results: types(i32), contexts: stableRoles, cost: costStableGrow,
		run: func(s *Step, stack []uint64) {
			s.old()
			delta := uint64(uint32(stack[0]))
			if s.stable.Pages()+delta > pages32 {
				stack[0] = uint64(^uint32(0))
				return
			}
			stack[0], _ = s.growStable(delta)
		}},
	{name: "stable_read", params: types(i32, i32, i32), contexts: stableRoles, cost: costStableAccess, size: argument32(2),
		run: func(s *Step, stack []uint64) {
			s.old()
			s.stableRead(uint64(uint32(stack[0])), uint64(uint32(stack[1])), uint64(uint32(stack[2])))
		}},
	{name: "stable_write", params: types(i32, i32, i32), contexts: stableRoles, cost: costStableAccess, size: argument32(2),
		run: func(s *Step, stack []uint64) {
			s.old()
			s.stableWrite(uint64(uint32(stack[0])), uint64(uint32(stack[1])), uint64(uint32(stack[2])))
		}},
}

// growStable grows the stable memory by pages of 64 KiB, if there is room and the balance can carry them.
func (s *Step) growStable(delta uint64) (before uint64, ok bool) {
	if before, ok = s.stable.Grow(delta); ok && delta > 0 {
		s.checkGrowth(delta * WasmPage)
	}
	return before, ok
}

// old traps if the stable memory is too large for the calls with 32-bit addresses.
func (s *Step) old() {
	if s.stable.Pages() > pages32 {
		panic(trapped("32 bit stable memory api used on a memory larger than 4GB"))
	}
}

// stableRead copies stable memory to the heap. No byte to copy means no check.
func (s *Step) stableRead(dst, offset, size uint64) {
	s.copyStable(dst, offset, size, false)
}

// stableWrite copies the heap to stable memory. No byte to copy means no check.
func (s *Step) stableWrite(offset, src, size uint64) {
	s.copyStable(src, offset, size, true)
}

// copyStable checks and pays in production's order: a heap address that is too large for any heap traps before
// pages of stable memory are paid for, one that merely lies outside this heap after that.
func (s *Step) copyStable(heap, offset, size uint64, write bool) {
	const most = 1<<32 - 1
	switch {
	case size == 0:
		return
	case !s.stable.contains(offset, size):
		panic(trapped("stable memory out of bounds"))
	case heap > most || size > most:
		panic(trapped("heap out of bounds"))
	}
	s.pages.touchStable(s, offset, size, write)
	if !s.inHeap64(heap, size) {
		panic(trapped("heap out of bounds"))
	}
	if write {
		s.beforeRead(uint32(heap), uint32(size))
		s.stable.WriteAt(s.view(uint32(heap), uint32(size)), offset)
	} else {
		s.beforeWrite(uint32(heap), uint32(size))
		s.stable.ReadAt(s.view(uint32(heap), uint32(size)), offset)
	}
}
