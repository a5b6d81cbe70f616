package meter

import (
	"fmt"
	"slices"

	"kedge/wasm"
)

// tracker follows, through one function, which values differ by constants, so that accesses near
// each other share one check.
//
// A value is known as root+delta modulo 2^32, where roots are numbered and denote values that
// never change: a variable that gets an unknown value gets a new root. Extending to and wrapping
// from 64 bits do not change a value modulo 2^32. An access at root+delta with the immediate
// offset touches [D, D+size) with D = delta+offset, relative to the root.
//
// Accesses with one root in straight-line code, without a call between them, share the check of
// their hull [lo, hi), made before the first of them. Let a be root+lo modulo 2^32. If a's page is
// marked and [a, a+hi-lo) lies within it, then so does every access of the group: its address
// before adding the immediate is below 2^32, after it either equals a+D-lo, or is at or above 2^32
// and traps. Otherwise touch marks the pages of both ends of the hull. They are at most two, and
// both are really touched: the hull begins and ends with bytes of accesses that are about to
// happen. Only if one of these traps is a page marked that was not touched, and then the message
// as a whole fails. Since marks last until the end of the message, everything that the check
// dominates and that touches the same range needs no check: after calls and inside of blocks and
// ifs, but not after labels, where other paths join.
type tracker struct {
	page               int64
	reach              int64 // widest hull; a wide one crosses pages more often
	locals             int
	wide               []bool // whether a variable is 64 bits wide; locals first, then globals
	variables          []variable
	moduleWidth        []bool
	epochs             int32 // counts up; an epoch is one of its values
	epoch, globalEpoch int32 // of what is known of locals and of globals
	nextRoot           int32
	stack              []value
	known              []int32 // events that check ranges which are marked from here on
	sharing            int     // known[sharing:] may still be widened
}

type variable struct {
	root  int32
	delta uint32
	epoch int32 // root and delta count only if this is the current epoch
}

type value struct {
	root     int32
	delta    uint32
	variable int32 // variable that held it when it was pushed
}

const (
	unknown    = 0 // root of values of which nothing is known
	constant   = 1 // root of constants: zero
	firstRoot  = 2
	noVariable = -1

	maxOffset = 1 << 30 // offsets beyond do not take part, so that sums stay small
	maxKnown  = 48      // entries of known that are searched
)

func (t *tracker) init(p *plan) {
	t.page = int64(p.opts.Page.Bytes())
	t.reach = t.page / 32
	for _, g := range p.m.Globals {
		t.moduleWidth = append(t.moduleWidth, g.Type == wasm.I64)
	}
}

// enter begins a function.
func (t *tracker) enter(params []wasm.ValType, locals []wasm.Locals) {
	t.wide = t.wide[:0]
	for _, p := range params {
		t.wide = append(t.wide, p == wasm.I64)
	}
	for _, l := range locals {
		n := len(t.wide)
		t.wide = slices.Grow(t.wide, int(l.Count))[:n+int(l.Count)]
		clear(t.wide[n:])
		for i := n; l.Type == wasm.I64 && i < len(t.wide); i++ {
			t.wide[i] = true
		}
	}
	t.locals = len(t.wide)
	t.wide = append(t.wide, t.moduleWidth...)
	if cap(t.variables) < len(t.wide) {
		t.variables = make([]variable, len(t.wide)*2)
	}
	t.variables = t.variables[:len(t.wide)]
	t.nextRoot = firstRoot
	t.forget()
}

// forget begins code that other paths reach as well.
func (t *tracker) forget() {
	t.epochs++
	t.epoch, t.globalEpoch = t.epochs, t.epochs
	t.stack = t.stack[:0]
	t.known = t.known[:0]
	t.sharing = 0
}

// noMoreSharing ends a straight line: what follows may not happen.
func (t *tracker) noMoreSharing() { t.sharing = len(t.known) }

func (t *tracker) freshRoot() int32 {
	t.nextRoot++
	return t.nextRoot - 1
}

func (t *tracker) current(v int32) *variable {
	x := &t.variables[v]
	epoch := t.epoch
	if int(v) >= t.locals {
		epoch = t.globalEpoch
	}
	if x.epoch != epoch {
		*x = variable{root: t.freshRoot(), epoch: epoch}
	}
	return x
}

func (t *tracker) get(v int32) {
	x := t.current(v)
	t.push(value{x.root, x.delta, v})
}

func (t *tracker) set(v int32, to value) {
	x := t.current(v)
	if to.root == unknown {
		to = value{root: t.freshRoot()}
	}
	x.root, x.delta = to.root, to.delta
}

func (t *tracker) push(v value) { t.stack = append(t.stack, v) }

// pop removes n values and returns the lowest. Values below what is known are unknown.
func (t *tracker) pop(n int) value {
	if n > len(t.stack) {
		t.stack = t.stack[:0]
		return value{}
	}
	v := value{}
	if n > 0 {
		v = t.stack[len(t.stack)-n]
	}
	t.stack = t.stack[:len(t.stack)-n]
	return v
}

func (t *tracker) peek(depth int) value {
	if depth >= len(t.stack) {
		return value{}
	}
	return t.stack[len(t.stack)-1-depth]
}

// call follows a call: the callee may change every global.
func (r *rewriter) call(typ uint32, operands int) error {
	if int64(typ) >= int64(len(r.m.Types)) {
		return fmt.Errorf("call of type %d, which does not exist", typ)
	}
	t := &r.m.Types[typ]
	r.pop(operands + len(t.Params))
	for range t.Results {
		r.push(value{})
	}
	r.epochs++
	r.globalEpoch = r.epochs
	r.noMoreSharing()
	return nil
}

// access adds a check for the load or store, unless earlier checks cover it.
func (r *rewriter) access(in *wasm.Instructions) {
	e := event{pos: in.Pos, kind: checkStack, write: in.Op.IsStore(), variable: noVariable}
	size := int64(in.Op.AccessSize())
	e.above = operandAbove(in.Op)
	depth := 0
	if e.above != 0 {
		depth = 1
	}
	base := r.peek(depth)
	offset := int64(in.Mem.Offset)

	if base.root == constant {
		e.kind, e.root = checkConst, constant
		e.lo = int64(base.delta) + offset
		e.hi = e.lo + size
		if e.hi > 1<<32 {
			return // traps
		}
	} else if delta := int64(int32(base.delta)); base.root != unknown && offset < maxOffset && delta > -maxOffset && delta < maxOffset {
		e.root, e.delta = base.root, base.delta
		e.lo = delta + offset
		e.hi = e.lo + size
		if v := base.variable; v != noVariable {
			if x := r.current(v); x.root == base.root {
				e.kind, e.variable, e.delta = checkRoot, v, x.delta
			}
		}
	} else {
		e.lo, e.hi = offset, offset+size
		r.events = append(r.events, e)
		return
	}
	if r.covered(&e) || e.kind != checkStack && r.widen(&e) {
		return
	}
	r.known = append(r.known, int32(len(r.events)))
	r.events = append(r.events, e)
}

// covered reports whether a check that was made covers the access.
func (r *rewriter) covered(e *event) bool {
	for i := len(r.known) - 1; i >= max(0, len(r.known)-maxKnown); i-- {
		k := &r.events[r.known[i]]
		if k.root == e.root && k.lo <= e.lo && e.hi <= k.hi && (k.write || !e.write) {
			return true
		}
	}
	return false
}

// widen makes a check of the same straight line cover the access.
func (r *rewriter) widen(e *event) bool {
	for i := len(r.known) - 1; i >= max(r.sharing, len(r.known)-maxKnown); i-- {
		k := &r.events[r.known[i]]
		if k.root != e.root || k.write != e.write || k.kind != e.kind {
			continue
		}
		lo, hi := min(k.lo, e.lo), max(k.hi, e.hi)
		if hi-lo <= r.reach {
			k.lo, k.hi = lo, hi
			return true
		}
	}
	return false
}

// operandAbove returns the type of the operand on top of the address that a load or store takes, 0 if there is none.
func operandAbove(op wasm.Opcode) wasm.ValType {
	if t, _ := wasm.SignatureOf(op); len(t.Params) == 2 {
		return t.Params[1]
	}
	return 0
}

// effect follows an instruction that neither branches nor calls.
func (r *rewriter) effect(in *wasm.Instructions) error {
	switch op := in.Op; {
	case op == wasm.OpLocalGet || op == wasm.OpLocalSet || op == wasm.OpLocalTee:
		if int64(in.Index) >= int64(r.locals) {
			return fmt.Errorf("%v of local %d, there are %d", op, in.Index, r.locals)
		}
		switch v := int32(in.Index); op {
		case wasm.OpLocalGet:
			r.get(v)
		case wasm.OpLocalSet:
			r.set(v, r.pop(1))
		default:
			r.set(v, r.pop(1))
			r.get(v)
		}
	case op == wasm.OpGlobalGet || op == wasm.OpGlobalSet:
		if int64(in.Index) >= int64(len(r.moduleWidth)) {
			return fmt.Errorf("%v of global %d, there are %d", op, in.Index, len(r.moduleWidth))
		}
		if v := int32(r.locals) + int32(in.Index); op == wasm.OpGlobalGet {
			r.get(v)
		} else {
			r.set(v, r.pop(1))
		}
	case op == wasm.OpI32Const || op == wasm.OpI64Const:
		r.push(value{constant, uint32(in.Const), noVariable})
	case op == wasm.OpI32Add || op == wasm.OpI64Add:
		b := r.peek(0)
		a := r.pop(2)
		if a.root == constant {
			a, b = b, a
		}
		if b.root == constant && a.root != unknown {
			r.push(value{a.root, a.delta + b.delta, a.variable})
		} else {
			r.push(value{})
		}
	case op == wasm.OpI32Sub || op == wasm.OpI64Sub:
		b := r.peek(0)
		a := r.pop(2)
		if b.root == constant && a.root != unknown {
			r.push(value{a.root, a.delta - b.delta, a.variable})
		} else {
			r.push(value{})
		}
	case op == wasm.OpI32WrapI64 || op == wasm.OpI64ExtendI32U || op == wasm.OpI64ExtendI32S:
		// modulo 2^32 nothing changes
	default:
		pops, pushes, ok := stackEffect(op)
		if !ok {
			r.stack = r.stack[:0] // forgets more than happened: the rest is unknown
			return nil
		}
		r.pop(pops)
		for range pushes {
			r.push(value{})
		}
	}
	return nil
}

// stackEffect returns how many operands an instruction takes and gives; ok is false for those
// that are not worth a line.
func stackEffect(op wasm.Opcode) (pops, pushes int, ok bool) {
	if t, ok := wasm.SignatureOf(op); ok {
		return len(t.Params), len(t.Results), true
	}
	switch op {
	case wasm.OpNop, wasm.OpDataDrop, wasm.OpElemDrop:
		return 0, 0, true
	case wasm.OpDrop:
		return 1, 0, true
	case wasm.OpSelect, wasm.OpSelectT:
		return 3, 1, true
	case wasm.OpMemoryGrow, wasm.OpTableGet, wasm.OpRefIsNull:
		return 1, 1, true
	case wasm.OpTableSet:
		return 2, 0, true
	case wasm.OpMemorySize, wasm.OpTableSize, wasm.OpRefNull, wasm.OpRefFunc:
		return 0, 1, true
	}
	return 0, 0, false
}
