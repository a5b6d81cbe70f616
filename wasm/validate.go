package wasm

import (
	"fmt"
	"math/bits"
)

// Validate makes sure that every function of a decoded module is well typed, by the algorithm of the core
// specification's appendix "Validation Algorithm". Its errors are *[DecodeError] in the words of the parser
// that the Internet Computer uses (wasmparser, validator/operators.rs). The engine that compiles a module
// validates it, too: Validate is for telling people and canisters what production tells them.
func Validate(m *Module) error {
	v := validator{m: m, declared: declaredFunctions(m)}
	for i := range m.Functions {
		if err := v.function(&m.Functions[i]); err != nil {
			return err
		}
	}
	return nil
}

// declaredFunctions are the functions that ref.func may name: those that occur outside of bodies.
func declaredFunctions(m *Module) map[uint32]bool {
	declared := map[uint32]bool{}
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
	m        *Module
	declared map[uint32]bool
	locals   []ValType
	stack    []ValType
	frames   []frame
	err      string // what is wrong with the current instruction
}

func (v *validator) function(f *Function) error {
	typ := v.m.Types[f.Type]
	v.locals = append(v.locals[:0], typ.Params...)
	for _, l := range f.Locals {
		for range l.Count {
			v.locals = append(v.locals, l.Type)
		}
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
	return &DecodeError{Offset: at, Section: "code", Err: fmt.Errorf("%s", text), Production: fmt.Sprintf("%s (at offset 0x%x)", text, at)}
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
	t, ok := v.m.TypeOf(index)
	if !ok {
		v.fail("unknown function %d: function index out of bounds", index)
	}
	return t
}

func (v *validator) local(index uint32) ValType {
	if int64(index) >= int64(len(v.locals)) {
		v.fail("unknown local %d: local index out of bounds", index)
		return anyType
	}
	return v.locals[index]
}

func (v *validator) global(index uint32) (t GlobalType) {
	n := int64(index)
	for i := range v.m.Imports {
		if im := &v.m.Imports[i]; im.Kind == KindGlobal {
			if n == 0 {
				return im.Global
			}
			n--
		}
	}
	if n >= int64(len(v.m.Globals)) {
		v.fail("unknown global: global index out of bounds")
		return GlobalType{}
	}
	return v.m.Globals[n].GlobalType
}

func (v *validator) table(index uint32) TableType {
	tables := v.m.allTables()
	if int64(index) >= int64(len(tables)) {
		v.fail("unknown table %d: table index out of bounds", index)
		return TableType{}
	}
	return tables[index]
}

func (v *validator) memory() {
	if _, ok := v.m.Memory(); !ok {
		v.fail("unknown memory 0")
	}
}

func (v *validator) instruction(in *Instructions) {
	if params, results, ok := signatureOf(in.Op); ok {
		if size := in.Op.AccessSize(); size > 0 {
			v.memory()
			if in.Mem.Align > uint32(bits.TrailingZeros(uint(size))) {
				v.fail("alignment must not be larger than natural")
			}
			if in.Mem.Offset > 0xffffffff {
				v.fail("offset out of range: must be <= 2**32")
			}
		}
		if n := lanes(in.Op); n > 0 && in.Index >= n {
			v.fail("SIMD index out of bounds")
		}
		if in.Op == OpI8x16Shuffle {
			for _, lane := range in.Raw()[in.End-in.Pos-16:] {
				if lane >= 32 {
					v.fail("SIMD index out of bounds")
				}
			}
		}
		v.apply(FuncType{Params: params, Results: results})
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
		held := append([]ValType(nil), v.stack...)
		v.popAll(types)
		v.stack = append(v.stack[:0], held...)
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
		if results := v.frames[0].typ.Results; v.err == "" && string(typeBytes(results)) != string(typeBytes(t.Results)) {
			v.fail("type mismatch: current function requires result type %v but callee returns %v", results, t.Results)
		}
		v.unreachable()
		return
	}
	v.apply(t)
}

// resource is instructions that work on memories, tables, segments and references.
func (v *validator) resource(in *Instructions) {
	three := []ValType{I32, I32, I32}
	data := func() {
		switch {
		case !v.m.DataCount:
			v.fail("data count section required")
		case int64(in.Index) >= int64(len(v.m.Data)):
			v.fail("unknown data segment %d", in.Index)
		}
	}
	element := func() (t ValType) {
		if int64(in.Index) >= int64(len(v.m.Elements)) {
			v.fail("unknown elem segment %d: segment index out of bounds", in.Index)
			return anyType
		}
		return v.m.Elements[in.Index].Type
	}
	switch in.Op {
	case OpMemorySize:
		v.memory()
		v.push(I32)
	case OpMemoryGrow:
		v.memory()
		v.apply(FuncType{Params: []ValType{I32}, Results: []ValType{I32}})
	case OpMemoryCopy, OpMemoryFill:
		v.memory()
		v.popAll(three)
	case OpMemoryInit:
		v.memory()
		data()
		v.popAll(three)
	case OpDataDrop:
		data()
	case OpElemDrop:
		element()
	case OpTableInit:
		t := v.table(in.Index2)
		if e := element(); v.err == "" && e != t.Elem {
			v.fail("type mismatch")
		}
		v.popAll(three)
	case OpTableCopy:
		to, from := v.table(in.Index), v.table(in.Index2)
		if v.err == "" && to.Elem != from.Elem {
			v.fail("type mismatch")
		}
		v.popAll(three)
	case OpTableGet:
		v.apply(FuncType{Params: []ValType{I32}, Results: []ValType{v.table(in.Index).Elem}})
	case OpTableSet:
		v.popAll([]ValType{I32, v.table(in.Index).Elem})
	case OpTableGrow:
		v.apply(FuncType{Params: []ValType{v.table(in.Index).Elem, I32}, Results: []ValType{I32}})
	case OpTableSize:
		v.table(in.Index)
		v.push(I32)
	case OpTableFill:
		v.popAll([]ValType{I32, v.table(in.Index).Elem, I32})
	case OpRefNull:
		v.push(ValType(in.Const))
	case OpRefIsNull:
		if t := v.pop(anyType); t != anyType && !t.isRef() {
			v.fail("type mismatch: invalid reference type in ref.is_null")
		}
		v.push(I32)
	case OpRefFunc:
		v.functionAt(in.Index)
		if !v.declared[in.Index] {
			v.fail("undeclared function reference")
		}
		v.push(FuncRef)
	}
}
