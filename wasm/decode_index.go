package wasm

import "fmt"

// This file refuses indices of what a module does not have, duplicate names, and constant expressions of the
// wrong type while the module is read, since the parser that the Internet Computer uses names the place of each
// (wasmparser, validator/core.rs).

func (d *decoder) needType(c *cursor, at int, index uint32) {
	if c.err == nil && int64(index) >= int64(len(d.m.Types)) {
		c.failAs(at, fmt.Sprintf("unknown type %d: type index out of bounds", index), "type %d does not exist, there are %d", index, len(d.m.Types))
	}
}

func (d *decoder) count(kind ExternKind) int {
	n := d.imported[kind]
	switch kind {
	case KindFunction:
		n += len(d.m.Functions)
	case KindTable:
		n = len(d.tables)
	case KindMemory:
		n += len(d.m.Memories)
	case KindGlobal:
		n += d.globals
	}
	return n
}

func (d *decoder) needFunction(c *cursor, at int, index uint32) {
	if n := d.count(KindFunction); c.err == nil && int64(index) >= int64(n) {
		c.failAs(at, fmt.Sprintf("unknown function %d: func index out of bounds", index), "function %d does not exist, there are %d", index, n)
	}
}

// needTable makes sure that an element segment has a table, of elements of its type.
func (d *decoder) needTable(c *cursor, at int, e Element) {
	if c.err != nil {
		return
	}
	if n := d.count(KindTable); int64(e.Table) >= int64(n) {
		c.failAs(at, fmt.Sprintf("unknown table %d: table index out of bounds", e.Table), "table %d does not exist, there are %d", e.Table, n)
		return
	}
	if elem := d.tables[e.Table].Elem; elem != e.Type {
		c.failAs(at, fmt.Sprintf("type mismatch: invalid element type `%v` for table type `%v`", e.Type, elem),
			"elements of type %v for table %d of %v", e.Type, e.Table, elem)
	}
}

func (d *decoder) needMemory(c *cursor, at int, index uint32) {
	if n := d.count(KindMemory); c.err == nil && int64(index) >= int64(n) {
		c.failAs(at, fmt.Sprintf("unknown memory %d: memory index out of bounds", index), "memory %d does not exist, there are %d", index, n)
	}
}

func (d *decoder) needExport(c *cursor, at int, e Export) {
	if c.err != nil {
		return
	}
	if n := d.count(e.Kind); int64(e.Index) >= int64(n) {
		kind := e.Kind.String()
		if e.Kind == KindFunction {
			kind = "function"
		}
		c.failAs(at, fmt.Sprintf("unknown %s %d: exported %s index out of bounds", kind, e.Index, kind),
			"export %.200q: %v %d does not exist, there are %d", e.Name, e.Kind, e.Index, n)
		return
	}
	if d.exported[e.Name] {
		c.failAs(at, fmt.Sprintf("duplicate export name `%s` already defined", e.Name), "export %.200q: exported twice", e.Name)
		return
	}
	if d.exported == nil {
		d.exported = map[string]bool{}
	}
	d.exported[e.Name] = true
}

// decodeOffset reads where a data segment lies.
func (d *decoder) decodeOffset(c *cursor) []byte {
	if d.count(KindMemory) == 0 || d.memory64 {
		return decodeExpr(c)
	}
	return d.decodeTypedExpr(c, I32)
}

// decodeTypedExpr reads a constant expression that gives one value of a type.
func (d *decoder) decodeTypedExpr(c *cursor, want ValType) []byte {
	start := c.pos
	code := decodeExpr(c)
	d.checkExpr(c, start, code, want)
	return code
}

// checkExpr makes sure that a constant expression, which begins at a place in these data, gives one value of a type.
func (d *decoder) checkExpr(c *cursor, start int, code []byte, want ValType) {
	var stack []ValType
	for in := Walk(code); c.err == nil && in.Next(); {
		at := start + in.Pos
		switch in.Op {
		case OpI32Const:
			stack = append(stack, I32)
		case OpI64Const:
			stack = append(stack, I64)
		case OpF32Const:
			stack = append(stack, F32)
		case OpF64Const:
			stack = append(stack, F64)
		case OpV128Const:
			stack = append(stack, V128)
		case OpRefNull:
			stack = append(stack, ValType(in.Const))
		case OpRefFunc:
			if n := d.count(KindFunction); int64(in.Index) >= int64(n) {
				c.failAs(at, fmt.Sprintf("unknown function %d: function index out of bounds", in.Index), "function %d does not exist, there are %d", in.Index, n)
			}
			stack = append(stack, FuncRef)
		case OpGlobalGet:
			stack = append(stack, d.constantGlobal(c, at, in.Index))
		case OpEnd:
			wrong := ""
			switch {
			case len(stack) == 0:
				wrong = fmt.Sprintf("type mismatch: expected %v but nothing on stack", want)
			case stack[len(stack)-1] != want:
				wrong = fmt.Sprintf("type mismatch: expected %v, found %v", want, stack[len(stack)-1])
			case len(stack) > 1:
				wrong = "type mismatch: values remaining on stack at end of block"
			}
			if wrong != "" {
				c.failAs(at, wrong, "constant expression: %s", wrong)
			}
		}
	}
}

// constantGlobal is a global that a constant expression reads: an imported one that never changes.
func (d *decoder) constantGlobal(c *cursor, at int, index uint32) ValType {
	if int64(index) < int64(len(d.constants)) {
		global := d.constants[index]
		if global.Mutable {
			c.failAs(at, "constant expression required: global.get of mutable global", "a constant expression reads global %d, which may change", index)
		}
		return global.Type
	}
	if int64(index) < int64(d.count(KindGlobal)) {
		c.failAs(at, "constant expression required: global.get of locally defined global", "a constant expression reads global %d, which is not imported", index)
	} else {
		c.failAs(at, fmt.Sprintf("unknown global %d: global index out of bounds", index), "global %d does not exist", index)
	}
	return anyType
}
