package meter

import "kedge/wasm"

// Production gives a message a stack of 5 MiB, on which Cranelift's frames lie. How large they are only
// Cranelift knows: it keeps there what lives across a call, the call that ends a message without
// instructions included. The estimate below is exact for small functions, as tests/production shows.
// Functions that call nothing are not counted: they end before anything follows.
const (
	// StackSize is what frames may take together, in bytes: 5 MiB, less what lies below the canister's first
	// function.
	StackSize = 5<<20 - 864

	linkSize  = 16 // return address and frame pointer
	frameUnit = 16
	wordSize  = 8
	ownWords  = 1 // the pointer to the instance, which every function keeps
)

// frameEstimate collects what a function keeps across calls: locals that are read behind a call, or in a loop.
type frameEstimate struct {
	counts bool // whether the function calls anything
	called bool // whether a call has been passed
	loops  int  // that have been entered
	words  int
	kept   []bool
}

func (e *frameEstimate) begin(f *wasm.Function, locals int) {
	e.counts, e.called, e.loops, e.words = callsOthers(f), false, 0, ownWords
	if cap(e.kept) < locals {
		e.kept = make([]bool, locals)
	}
	e.kept = e.kept[:locals]
	clear(e.kept)
}

func (e *frameEstimate) read(local uint32, words int) {
	if (e.called || e.loops > 0) && int64(local) < int64(len(e.kept)) && !e.kept[local] {
		e.kept[local] = true
		e.words += words
	}
}

// size is the estimate in bytes; zero if the function is not counted.
func (e *frameEstimate) size() int32 {
	if !e.counts {
		return 0
	}
	return int32(linkSize + (e.words*wordSize+frameUnit-1)/frameUnit*frameUnit)
}

// callsOthers reports whether a function calls anything.
func callsOthers(f *wasm.Function) bool {
	for in := f.Walk(); in.Next(); {
		switch in.Op {
		case wasm.OpCall, wasm.OpCallIndirect, wasm.OpReturnCall, wasm.OpReturnCallIndirect:
			return true
		}
	}
	return false
}

// emitEnter takes the frame from the stack and tells the host if there is no room.
func (r *rewriter) emitEnter(b *wasm.Body) {
	b.GlobalGet(r.depth).I32Const(r.frame.size()).Op(wasm.OpI32Sub).GlobalSet(r.depth)
	b.GlobalGet(r.depth).I32Const(0).Op(wasm.OpI32LtS).If(wasm.BlockEmpty).Call(r.hostOverflow).End()
}

// emitLeave gives the frame back.
func (r *rewriter) emitLeave(b *wasm.Body) {
	b.GlobalGet(r.depth).I32Const(r.frame.size()).Op(wasm.OpI32Add).GlobalSet(r.depth)
}
