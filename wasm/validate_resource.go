package wasm

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
		if v.err == "" && !v.declared[in.Index] {
			v.fail("undeclared function reference")
		}
		v.push(FuncRef)
	}
}
