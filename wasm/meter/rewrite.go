package meter

import (
	"fmt"
	"slices"

	"kedge/wasm"
)

// An event is something to insert into a body, or to put in the place of one of its instructions.
// The analysis of a function appends events in the order of the code, and may still change those
// that it has appended: a charge grows with its block, a range with the accesses that share it.
type event struct {
	pos  int // offset in the original body
	kind eventKind
	cost uint64 // of charges
	fn   uint32 // of calls; the flag of dropData
	end  int    // of instructions that are replaced: where they end
	nan  lanes  // of canonical

	// Of checks: the range [lo, hi) relative to root, see track.go.
	root     int32
	lo, hi   int64
	write    bool
	variable int32 // variable that holds root+delta here, or noVariable: it is the address operand
	delta    uint32
	above    wasm.ValType // type of the operand on top of the address, 0 if there is none
}

type eventKind uint8

const (
	charge      eventKind = iota // lower the counter
	chargeCheck                  // and look whether it is used up
	checkRoot                    // mark a range whose root is in a variable
	checkConst                   // mark a range of constant addresses
	checkStack                   // mark a range whose address is an operand of the instruction at pos
	callBefore                   // call fn before the instruction at pos
	callInstead                  // call fn in the place of the instruction
	dropData                     // set a flag in the place of data.drop
	remove                       // leave the instruction out
	leave                        // give the frame back
	canonical                    // make the NaN that is on top of the stack the canonical one
)

// rewriter instruments one function after another.
type rewriter struct {
	*plan
	types  []uint32 // type index of each function
	events []event
	tracker
	block int // index of the charge of the current block in events
	dead  int // nesting of unreachable code, 0 while code is reachable
	body  wasm.Body
	chunk []byte // memory of finished bodies

	frame     frameEstimate
	firstTemp uint32 // index of the first added local
	temps     []wasm.ValType
}

func newRewriter(p *plan) *rewriter {
	r := &rewriter{plan: p}
	for f := uint32(0); ; f++ {
		t, ok := p.m.TypeIndexOf(f)
		if !ok {
			break
		}
		r.types = append(r.types, t)
	}
	r.tracker.init(p)
	return r
}

// function replaces the body of f, which must be one of the original module.
func (r *rewriter) function(f *wasm.Function) error {
	if int64(f.Type) >= int64(len(r.m.Types)) {
		return fmt.Errorf("type %d does not exist", f.Type)
	}
	r.events = r.events[:0]
	r.temps = r.temps[:0]
	r.dead = 0
	r.tracker.enter(r.m.Types[f.Type].Params, f.Locals)
	r.firstTemp = uint32(r.locals)
	r.frame.begin(f, r.locals)
	if err := r.analyse(f); err != nil {
		return err
	}
	r.emit(f)
	return nil
}

// analyse fills events.
func (r *rewriter) analyse(f *wasm.Function) error {
	r.startBlock(0, chargeCheck, entryWeight)
	in := f.Walk()
	for in.Next() {
		if r.dead > 0 {
			switch in.Op {
			case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
				r.dead++
				continue
			case wasm.OpElse:
				if r.dead > 1 {
					continue
				}
			case wasm.OpEnd:
				if r.dead--; r.dead > 0 {
					continue
				}
			default:
				continue
			}
			r.dead = 0
			r.startBlock(in.End, charge, 0)
			r.forget()
			continue
		}
		r.events[r.block].cost += uint64(weights[in.Op.Index()])
		switch in.Op {
		case wasm.OpLoop:
			r.frame.loops++
			r.startBlock(in.End, chargeCheck, 0)
			r.forget()
		case wasm.OpElse, wasm.OpEnd:
			r.startBlock(in.End, charge, 0)
			r.forget()
		case wasm.OpIf, wasm.OpBrIf:
			// What was checked before stays checked, but later accesses may not happen.
			r.startBlock(in.End, charge, 0)
			r.noMoreSharing()
			r.stack = r.stack[:0]
		case wasm.OpBlock:
			r.stack = r.stack[:0]
		case wasm.OpReturn, wasm.OpReturnCall, wasm.OpReturnCallIndirect:
			if r.frame.counts {
				r.events = append(r.events, event{pos: in.Pos, kind: leave})
			}
			r.dead = 1
		case wasm.OpBr, wasm.OpBrTable, wasm.OpUnreachable:
			r.dead = 1
		case wasm.OpCall:
			if int64(in.Index) >= int64(len(r.types)) {
				return fmt.Errorf("call of function %d, which does not exist", in.Index)
			}
			r.frame.called = true
			if err := r.call(r.types[in.Index], 0); err != nil {
				return err
			}
		case wasm.OpCallIndirect:
			r.frame.called = true
			if err := r.call(in.Index, 1); err != nil {
				return err
			}
		case wasm.OpMemoryGrow:
			if !r.hasMemory {
				return errNoMemory(in.Op)
			}
			r.replace(in, event{kind: callInstead, fn: r.grow})
			r.effect(in)
		case wasm.OpMemoryCopy, wasm.OpMemoryFill, wasm.OpMemoryInit:
			if !r.hasMemory {
				return errNoMemory(in.Op)
			}
			if in.Op == wasm.OpMemoryCopy {
				r.before(in, r.bulkCopy)
			} else {
				r.before(in, r.bulkWrite)
			}
			if in.Op == wasm.OpMemoryInit {
				r.replace(in, event{kind: callInstead, fn: r.initializers[in.Index]})
			}
		case wasm.OpDataDrop:
			if flag, ok := r.dropped[in.Index]; ok {
				r.replace(in, event{kind: dropData, fn: flag})
			} else {
				r.replace(in, event{kind: remove})
			}
		case wasm.OpElemDrop:
			r.replace(in, event{kind: remove})
		case wasm.OpTableCopy, wasm.OpTableFill, wasm.OpTableInit:
			r.before(in, r.bulkCharge)
		default:
			if in.Op == wasm.OpLocalGet {
				r.frame.read(in.Index, 1)
			}
			if in.Op.AccessSize() > 0 {
				if !r.hasMemory {
					return errNoMemory(in.Op)
				}
				if r.track && (r.reads || in.Op.IsStore()) {
					r.access(in)
				}
			}
			if err := r.effect(in); err != nil {
				return err
			}
			if kind := mayMakeNaN[in.Op.Index()]; kind != noFloats {
				r.events = append(r.events, event{pos: in.End, kind: canonical, nan: kind})
			}
		}
	}
	return in.Err()
}

func errNoMemory(op wasm.Opcode) error { return fmt.Errorf("%v without a memory", op) }

func (r *rewriter) before(in *wasm.Instructions, fn uint32) {
	r.events = append(r.events, event{pos: in.Pos, kind: callBefore, fn: fn})
	r.pop(3)
}

func (r *rewriter) replace(in *wasm.Instructions, e event) {
	e.pos, e.end = in.Pos, in.End
	r.events = append(r.events, e)
}

func (r *rewriter) startBlock(pos int, kind eventKind, cost uint64) {
	r.block = len(r.events)
	r.events = append(r.events, event{pos: pos, kind: kind, cost: cost})
}

// emit writes the new body.
func (r *rewriter) emit(f *wasm.Function) {
	b := r.body.Reset()
	if r.frame.counts {
		// Branches that leave the function end this block, and the frame is given back behind it.
		r.emitEnter(b)
		b.Block(r.resultBlock(f.Type))
	}
	copied := 0
	for i := range r.events {
		e := &r.events[i]
		if e.kind == charge && e.cost == 0 {
			continue
		}
		b.Raw(f.Body[copied:e.pos])
		copied = e.pos
		switch e.kind {
		case charge, chargeCheck:
			if e.cost > 0 {
				b.GlobalGet(r.counter).I64Const(int64(e.cost)).Op(wasm.OpI64Sub).GlobalSet(r.counter)
			}
			if e.kind == chargeCheck {
				r.outIfBelowZero(b)
			}
		case callBefore:
			b.Call(e.fn)
		case callInstead:
			b.Call(e.fn)
			copied = e.end
		case dropData:
			b.I32Const(1).GlobalSet(e.fn)
			copied = e.end
		case remove:
			copied = e.end
		case leave:
			r.emitLeave(b)
		case canonical:
			r.emitCanonical(b, e.nan)
		default:
			r.emitCheck(b, e)
		}
	}
	b.Raw(f.Body[copied:])
	if r.frame.counts {
		r.emitLeave(b)
		b.End()
	}
	f.Body = r.keep(b.Bytes())
	if len(r.temps) > 0 {
		f.Locals = f.Locals[:len(f.Locals):len(f.Locals)]
		for _, t := range r.temps {
			if t == addressTemp {
				t = wasm.I32
			}
			f.Locals = append(f.Locals, wasm.Locals{Count: 1, Type: t})
		}
	}
}

// resultBlock returns the type of a block with the results of a function type.
func (r *rewriter) resultBlock(typ uint32) wasm.BlockType {
	switch results := r.m.Types[typ].Results; len(results) {
	case 0:
		return wasm.BlockEmpty
	case 1:
		return wasm.BlockResult(results[0])
	default:
		return wasm.BlockType(r.m.AddType(wasm.FuncType{Results: results}))
	}
}

// keep copies a body to memory that it shares with other bodies.
func (r *rewriter) keep(code []byte) []byte {
	const chunkSize = 1 << 20
	if cap(r.chunk)-len(r.chunk) < len(code) {
		r.chunk = make([]byte, 0, max(chunkSize, len(code)))
	}
	start := len(r.chunk)
	r.chunk = append(r.chunk, code...)
	return r.chunk[start:len(r.chunk):len(r.chunk)]
}

// temp returns the added local of the type that holds the operand above an address; for type 0
// the one that holds the address itself.
func (r *rewriter) temp(t wasm.ValType) uint32 {
	i := slices.Index(r.temps, t)
	if i < 0 {
		i = len(r.temps)
		r.temps = append(r.temps, t)
	}
	return r.firstTemp + uint32(i)
}

const addressTemp wasm.ValType = 0

func (r *rewriter) emitCheck(b *wasm.Body, e *event) {
	table, touch := r.readTable, r.touchRead
	if e.write {
		table, touch = r.writeTable, r.touchWrite
	}
	last := int32(e.hi - e.lo - 1)
	marked := func() *wasm.Body {
		return b.I32Const(r.bits).Op(wasm.OpI32ShrU).Index(wasm.OpTableGet, table).Op(wasm.OpRefIsNull)
	}
	if e.kind == checkConst {
		// The pages are known, so there is nothing to find out about crossing.
		b.I32Const(int32(uint32(e.lo)>>r.bits)).Index(wasm.OpTableGet, table).Op(wasm.OpRefIsNull)
		if end := uint32(e.hi - 1); uint32(e.lo)>>r.bits != end>>r.bits {
			b.I32Const(int32(end>>r.bits)).Index(wasm.OpTableGet, table).Op(wasm.OpRefIsNull).Op(wasm.OpI32Or)
		}
		b.If(wasm.BlockEmpty).I32Const(int32(uint32(e.lo))).I32Const(last).Call(touch).End()
		return
	}
	address := r.temp(addressTemp)
	var above uint32
	if e.kind == checkStack {
		if e.above != 0 {
			above = r.temp(e.above)
			b.LocalSet(above)
		}
		b.LocalTee(address)
		b.LocalGet(address)
	} else {
		r.emitGet(b, e.variable)
	}
	if offset := int32(uint32(e.lo) - e.delta); offset != 0 {
		b.I32Const(offset).Op(wasm.OpI32Add)
	}
	b.LocalTee(address)
	marked()
	if last > 0 {
		b.LocalGet(address).I32Const(32 - r.bits).Op(wasm.OpI32Shl)
		b.I32Const(int32(uint32(r.opts.Page.Bytes()-1-int(last)) << (32 - r.bits)))
		b.Ops(wasm.OpI32GtU, wasm.OpI32Or)
	}
	b.If(wasm.BlockEmpty).LocalGet(address).I32Const(last).Call(touch).End()
	if e.above != 0 && e.kind == checkStack {
		b.LocalGet(above)
	}
}

// emitGet pushes the low 32 bits of a variable.
func (r *rewriter) emitGet(b *wasm.Body, variable int32) {
	if int(variable) < r.locals {
		b.LocalGet(uint32(variable))
	} else {
		b.GlobalGet(uint32(int(variable) - r.locals))
	}
	if r.wide[variable] {
		b.Op(wasm.OpI32WrapI64)
	}
}
