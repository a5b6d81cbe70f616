package wasm

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
)

// Validate makes sure that the start function of a module that Decode returned has the right type and that every
// function is well typed, by the algorithm of the core specification's appendix "Validation Algorithm". Memories
// have to be 32-bit ones. Its errors are *[DecodeError] with the texts of the parser that the Internet Computer
// uses (wasmparser, validator/core.rs and validator/operators.rs), since canisters get them and pay for their length.
func Validate(m *Module) error {
	v := newValidator(m)
	if m.Start != nil {
		if t := v.functions[*m.Start]; len(t.Params)+len(t.Results) > 0 {
			return &DecodeError{Offset: m.startPos, Section: "start", Err: fmt.Errorf("%s has type %v, want () -> ()", m.functionNamer()(*m.Start), t),
				Production: fmt.Sprintf("invalid start function type (at offset 0x%x)", m.startPos)}
		}
	}
	for i := range m.Functions {
		if err := v.function(&m.Functions[i]); err != nil {
			return err
		}
	}
	return nil
}

func newValidator(m *Module) *validator {
	v := &validator{m: m, signatures: signatures(), functions: m.functionTypes(), tables: m.allTables()}
	_, v.hasMemory = m.Memory()
	for i := range m.Imports {
		if im := &m.Imports[i]; im.Kind == KindGlobal {
			v.globals = append(v.globals, im.Global)
		}
	}
	for i := range m.Globals {
		v.globals = append(v.globals, m.Globals[i].GlobalType)
	}
	v.declared = declaredFunctions(m, len(v.functions))
	return v
}

// declaredFunctions tells for each of n functions whether ref.func may name it: whether it occurs outside of bodies.
func declaredFunctions(m *Module, n int) []bool {
	declared := make([]bool, n)
	expression := func(code []byte) {
		for in := Walk(code); in.Next(); {
			if in.Op == OpRefFunc {
				declared[in.Index] = true
			}
		}
	}
	for _, e := range m.Exports {
		if e.Kind == KindFunction {
			declared[e.Index] = true
		}
	}
	for i := range m.Globals {
		expression(m.Globals[i].Init)
	}
	for i := range m.Elements {
		for _, f := range m.Elements[i].Funcs {
			declared[f] = true
		}
		for _, code := range m.Elements[i].Exprs {
			expression(code)
		}
	}
	return declared
}

// anyType stands for an operand of unreachable code, and for an operand that may have any type.
const anyType ValType = 0

type frame struct {
	op          Opcode // block, loop, if or else
	typ         FuncType
	height      int
	unreachable bool
}

// labelTypes are what a branch to the frame takes.
func (f *frame) labelTypes() []ValType {
	if f.op == OpLoop {
		return f.typ.Params
	}
	return f.typ.Results
}

type validator struct {
	m          *Module
	signatures *[OpcodeTable]signature
	functions  []FuncType // of all functions, imported ones first; globals and tables likewise
	globals    []GlobalType
	tables     []TableType
	hasMemory  bool
	declared   []bool // see declaredFunctions

	params []ValType  // of the current function
	locals []localRun // its other locals
	stack  []ValType
	frames []frame
	err    string // what is wrong with the current instruction
}

// localRun is locals of one type that follow each other; end is the index after the last.
type localRun struct {
	end uint32
	typ ValType
}

func (v *validator) function(f *Function) error {
	typ := v.m.Types[f.Type]
	v.params, v.locals = typ.Params, v.locals[:0]
	end := uint32(len(typ.Params))
	for _, l := range f.Locals { // at most maxLocals in all, see decodeCode
		end += l.Count
		v.locals = append(v.locals, localRun{end, l.Type})
	}
	v.stack, v.frames, v.err = v.stack[:0], append(v.frames[:0], frame{op: OpBlock, typ: FuncType{Results: typ.Results}}), ""
	in := f.Walk()
	for in.Next() {
		if len(v.frames) == 0 {
			v.fail("operators remaining after end of function")
		} else {
			v.instruction(in)
		}
		if v.err != "" {
			return invalid(f.Offset+in.Pos, v.err)
		}
	}
	if in.Err() == nil && len(v.frames) > 0 {
		return invalid(f.Offset+len(f.Body), "control frames remain at end of function: END opcode expected")
	}
	return in.Err()
}

func invalid(at int, text string) error {
	return &DecodeError{Offset: at, Section: "code", Err: errors.New(text), Production: fmt.Sprintf("%s (at offset 0x%x)", text, at)}
}

func (v *validator) fail(format string, args ...any) {
	if v.err == "" {
		v.err = fmt.Sprintf(format, args...)
	}
}

func (v *validator) push(types ...ValType) { v.stack = append(v.stack, types...) }

// pop takes one operand of a type, or of any, and returns its type.
func (v *validator) pop(want ValType) ValType {
	f := &v.frames[len(v.frames)-1]
	if len(v.stack) == f.height {
		if !f.unreachable {
			if want == anyType {
				v.fail("type mismatch: expected a type but nothing on stack")
			} else {
				v.fail("type mismatch: expected %v but nothing on stack", want)
			}
		}
		return anyType
	}
	got := v.stack[len(v.stack)-1]
	v.stack = v.stack[:len(v.stack)-1]
	if want != anyType && got != anyType && got != want {
		v.fail("type mismatch: expected %v, found %v", want, got)
	}
	return got
}

func (v *validator) popAll(types []ValType) {
	for i := len(types) - 1; i >= 0; i-- {
		v.pop(types[i])
	}
}

func (v *validator) apply(t FuncType) {
	v.popAll(t.Params)
	v.push(t.Results...)
}

func (v *validator) unreachable() {
	f := &v.frames[len(v.frames)-1]
	v.stack = v.stack[:f.height]
	f.unreachable = true
}

func (v *validator) enter(op Opcode, typ FuncType) {
	v.frames = append(v.frames, frame{op: op, typ: typ, height: len(v.stack)})
	v.push(typ.Params...)
}

// leave closes the innermost block.
func (v *validator) leave() frame {
	f := v.frames[len(v.frames)-1]
	v.popAll(f.typ.Results)
	if v.err == "" && len(v.stack) != f.height {
		v.fail("type mismatch: values remaining on stack at end of block")
	}
	if v.err == "" {
		v.frames = v.frames[:len(v.frames)-1]
	}
	return f
}

// label returns what a branch takes.
func (v *validator) label(depth uint32) []ValType {
	if int64(depth) >= int64(len(v.frames)) {
		v.fail("unknown label: branch depth too large")
		return nil
	}
	return v.frames[len(v.frames)-1-int(depth)].labelTypes()
}

func (v *validator) typeAt(index int64) FuncType {
	if index >= int64(len(v.m.Types)) {
		v.fail("unknown type %d: type index out of bounds", index)
		return FuncType{}
	}
	return v.m.Types[index]
}

func (v *validator) functionAt(index uint32) FuncType {
	if int64(index) >= int64(len(v.functions)) {
		v.fail("unknown function %d: function index out of bounds", index)
		return FuncType{}
	}
	return v.functions[index]
}

func (v *validator) local(index uint32) ValType {
	if int64(index) < int64(len(v.params)) {
		return v.params[index]
	}
	run := sort.Search(len(v.locals), func(i int) bool { return index < v.locals[i].end })
	if run == len(v.locals) {
		v.fail("unknown local %d: local index out of bounds", index)
		return anyType
	}
	return v.locals[run].typ
}

func (v *validator) global(index uint32) GlobalType {
	if int64(index) >= int64(len(v.globals)) {
		v.fail("unknown global: global index out of bounds")
		return GlobalType{}
	}
	return v.globals[index]
}

func (v *validator) table(index uint32) TableType {
	if int64(index) >= int64(len(v.tables)) {
		v.fail("unknown table %d: table index out of bounds", index)
		return TableType{}
	}
	return v.tables[index]
}

func (v *validator) memory() {
	if !v.hasMemory {
		v.fail("unknown memory 0")
	}
}

func (v *validator) instruction(in *Instructions) {
	if s := &v.signatures[in.Op.Index()]; s.known {
		if s.access {
			v.memory()
			if in.Mem.Align > s.align {
				v.fail("alignment must not be larger than natural")
			}
			if in.Mem.Offset > math.MaxUint32 {
				v.fail("offset out of range: must be <= 2**32")
			}
		}
		if s.lanes > 0 && in.Index >= s.lanes {
			v.fail("SIMD index out of bounds")
		}
		if in.Op == OpI8x16Shuffle {
			for _, lane := range in.Raw()[in.End-in.Pos-16:] {
				if lane >= 32 {
					v.fail("SIMD index out of bounds")
				}
			}
		}
		v.apply(s.FuncType)
		return
	}
	switch in.Op {
	case OpBlock, OpLoop, OpIf, OpElse, OpEnd, OpBr, OpBrIf, OpBrTable, OpReturn, OpUnreachable,
		OpCall, OpCallIndirect, OpReturnCall, OpReturnCallIndirect:
		v.control(in)
	case OpDrop:
		v.pop(anyType)
	case OpSelect, OpSelectT:
		v.choice(in)
	case OpLocalGet:
		v.push(v.local(in.Index))
	case OpLocalSet:
		v.pop(v.local(in.Index))
	case OpLocalTee:
		t := v.local(in.Index)
		v.apply(FuncType{Params: []ValType{t}, Results: []ValType{t}})
	case OpGlobalGet:
		v.push(v.global(in.Index).Type)
	case OpGlobalSet:
		g := v.global(in.Index)
		if !g.Mutable {
			v.fail("global is immutable: cannot modify it with `global.set`")
		}
		v.pop(g.Type)
	default:
		v.resource(in)
	}
}

// choice is select, with or without a type.
func (v *validator) choice(in *Instructions) {
	if in.Op == OpSelectT && in.Index != 1 {
		v.fail("invalid result arity")
		return
	}
	v.pop(I32)
	if in.Op == OpSelectT {
		t := ValType(in.Raw()[in.End-in.Pos-1])
		v.apply(FuncType{Params: []ValType{t, t}, Results: []ValType{t}})
		return
	}
	a, b := v.pop(anyType), v.pop(anyType)
	switch {
	case a.isRef() || b.isRef():
		v.fail("type mismatch: select only takes integral types")
	case a != b && a != anyType && b != anyType:
		v.fail("type mismatch: select operands have different types")
	case a == anyType:
		a = b
	}
	v.push(a)
}

func (v *validator) blockType(in *Instructions) FuncType {
	if in.Const >= 0 {
		return v.typeAt(in.Const)
	}
	t, _ := in.BlockType(v.m.Types)
	return t
}

func (v *validator) control(in *Instructions) {
	switch in.Op {
	case OpBlock, OpLoop, OpIf:
		t := v.blockType(in)
		if in.Op == OpIf {
			v.pop(I32)
		}
		v.popAll(t.Params)
		v.enter(in.Op, t)
	case OpElse:
		f := v.leave()
		if f.op != OpIf {
			v.fail("else found outside of an `if` block")
		}
		v.enter(OpElse, f.typ)
	case OpEnd:
		f := v.leave()
		if v.err == "" && f.op == OpIf { // without else the parameters are the results
			v.enter(OpElse, f.typ)
			f = v.leave()
		}
		v.push(f.typ.Results...)
	case OpBr:
		v.popAll(v.label(in.Index))
		v.unreachable()
	case OpBrIf:
		v.pop(I32)
		types := v.label(in.Index)
		v.apply(FuncType{Params: types, Results: types})
	case OpBrTable:
		v.branchTable(in)
	case OpReturn:
		v.popAll(v.frames[0].typ.Results)
		v.unreachable()
	case OpUnreachable:
		v.unreachable()
	default:
		v.call(in)
	}
}

func (v *validator) branchTable(in *Instructions) {
	v.pop(I32)
	last := v.label(in.Index) // the default
	for depth := range in.Labels {
		types := v.label(depth)
		if v.err == "" && len(types) != len(last) {
			v.fail("type mismatch: br_table target labels have different number of types")
		}
		if v.err != "" {
			return
		}
		height := len(v.stack)
		v.popAll(types)
		v.stack = v.stack[:height] // popping leaves the types where they are
	}
	v.popAll(last)
	v.unreachable()
}

func (v *validator) call(in *Instructions) {
	var t FuncType
	switch in.Op {
	case OpCall, OpReturnCall:
		t = v.functionAt(in.Index)
	default:
		if v.table(in.Index2).Elem != FuncRef {
			v.fail("indirect calls must go through a table with type <= funcref")
		}
		t = v.typeAt(int64(in.Index))
		v.pop(I32)
	}
	if in.Op == OpReturnCall || in.Op == OpReturnCallIndirect {
		v.popAll(t.Params)
		if results := v.frames[0].typ.Results; v.err == "" && !slices.Equal(results, t.Results) {
			v.fail("type mismatch: current function requires result type %v but callee returns %v", results, t.Results)
		}
		v.unreachable()
		return
	}
	v.apply(t)
}
