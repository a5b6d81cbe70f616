package meter

import "kedge/wasm"

// The price of installing a module depends on the number of instructions that the production replica
// compiles: those of the module as its own instrumentation leaves it. The constants are counted in that
// instrumentation (dfinity/ic, rs/embedders, 2026-05) and confirmed by production's prices (tests/production).
const (
	sizeOfHelpers = 66 // the two functions that it adds to every module
	sizeOfGlobal  = 2  // the initial value of a global
	ownGlobals    = 3  // that it adds
	sizeOfCharge  = 4  // what lowers the counter
	sizeOfCheck   = 6  // what looks whether the counter is below zero
	sizeOfBulk    = 3  // what charges for the bytes or elements of a bulk instruction
	sizeOfGrow    = 3  // what asks whether the memory may grow
)

// sizeOfImport is the size of the functions that take the place of imports: stable memory is a memory of the
// module in production.
var sizeOfImport = map[string]uint64{
	"stable_size": 10, "stable_grow": 24, "stable_read": 106, "stable_write": 91,
	"stable64_size": 2, "stable64_grow": 21, "stable64_read": 119, "stable64_write": 107,
}

// InstrumentedSize returns how many instructions the module has as the production replica instruments it.
// The bodies must have been checked: what cannot be decoded is not counted.
func InstrumentedSize(m *wasm.Module) uint64 {
	size := uint64(sizeOfHelpers + sizeOfGlobal*(ownGlobals+len(m.Globals)))
	for i := range m.Imports {
		if im := &m.Imports[i]; im.Kind == wasm.KindFunction && im.Module == wasm.SystemModule {
			size += sizeOfImport[im.Name]
		}
	}
	for i := range m.Functions {
		size += instrumentedBody(&m.Functions[i])
	}
	return size
}

// instrumentedBody is the size of one function. Code that cannot be reached counts like any other.
func instrumentedBody(f *wasm.Function) uint64 {
	size := uint64(sizeOfCheck)
	cost, loop := uint64(entryWeight), false // of the current block
	in := f.Walk()
	for in.Next() {
		size++
		cost += uint64(weights[in.Op.Index()])
		switch in.Op {
		case wasm.OpLoop:
			size += sizeOfCheck
		case wasm.OpIf, wasm.OpElse, wasm.OpEnd, wasm.OpBr, wasm.OpBrIf, wasm.OpBrTable, wasm.OpReturn, wasm.OpUnreachable,
			wasm.OpReturnCall, wasm.OpReturnCallIndirect:
		case wasm.OpMemoryGrow:
			size += sizeOfGrow
			continue
		case wasm.OpMemoryCopy, wasm.OpMemoryFill, wasm.OpMemoryInit, wasm.OpTableCopy, wasm.OpTableFill, wasm.OpTableInit:
			size += sizeOfBulk
			continue
		default:
			continue
		}
		if cost > 0 || loop {
			size += sizeOfCharge
		}
		cost, loop = 0, in.Op == wasm.OpLoop
	}
	return size
}
