package wasm

import (
	"fmt"
	"slices"
)

// ValType is the type of a value, as its byte in the binary format.
type ValType byte

// The value types.
const (
	I32       ValType = 0x7f
	I64       ValType = 0x7e
	F32       ValType = 0x7d
	F64       ValType = 0x7c
	V128      ValType = 0x7b
	FuncRef   ValType = 0x70
	ExternRef ValType = 0x6f
)

// String returns the name that the text format gives the type.
func (t ValType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	case ExternRef:
		return "externref"
	}
	return fmt.Sprintf("type 0x%02x", byte(t))
}

func (t ValType) valid() bool { return t >= V128 && t <= I32 || t == FuncRef || t == ExternRef }
func (t ValType) isRef() bool { return t == FuncRef || t == ExternRef }

// ExternKind says what an import or an export is, as its byte in the binary format.
type ExternKind byte

// The kinds of imports and exports.
const (
	KindFunction ExternKind = 0
	KindTable    ExternKind = 1
	KindMemory   ExternKind = 2
	KindGlobal   ExternKind = 3
)

// String returns the name that the text format gives the kind.
func (k ExternKind) String() string {
	switch k {
	case KindFunction:
		return "func"
	case KindTable:
		return "table"
	case KindMemory:
		return "memory"
	case KindGlobal:
		return "global"
	}
	return fmt.Sprintf("kind 0x%02x", byte(k))
}

// FuncType is the signature of a function.
type FuncType struct {
	Params, Results []ValType
}

// Equal reports whether both signatures are the same.
func (t FuncType) Equal(u FuncType) bool {
	return slices.Equal(t.Params, u.Params) && slices.Equal(t.Results, u.Results)
}

// String renders the signature as "(i32, i64) -> (i32)".
func (t FuncType) String() string {
	return typeList(t.Params) + " -> " + typeList(t.Results)
}

func typeList(types []ValType) string {
	s := "("
	for i, t := range types {
		if i > 0 {
			s += ", "
		}
		s += t.String()
	}
	return s + ")"
}

// MemoryType is the size of a memory in pages of 64 KiB.
type MemoryType struct {
	Min, Max uint64
	HasMax   bool
	Is64     bool // addresses are i64 (the memory64 proposal)
}

// TableType is the element type of a table and its size in elements.
type TableType struct {
	Elem     ValType
	Min, Max uint32
	HasMax   bool
}

// GlobalType is the type of a global variable.
type GlobalType struct {
	Type    ValType
	Mutable bool
}

// Import is one imported function, table, memory or global. Kind says which of the last four
// fields counts.
type Import struct {
	Module, Name string
	Kind         ExternKind
	Type         uint32 // index into Module.Types
	Table        TableType
	Memory       MemoryType
	Global       GlobalType
}

// Locals is a run of local variables of one type.
type Locals struct {
	Count uint32
	Type  ValType
}

// Function is a function defined in the module.
type Function struct {
	Type   uint32 // index into Module.Types
	Locals []Locals
	Body   []byte // instructions, the closing end included
	Offset int    // where Body began in the decoded file; 0 for one made by hand
}

// Global is a global variable defined in the module. Init is a constant expression, its end included.
type Global struct {
	GlobalType
	Init []byte
}

// Export gives a function, table, memory or global a name.
type Export struct {
	Name  string
	Kind  ExternKind
	Index uint32
}

// SegmentMode says when an element or data segment is written.
type SegmentMode byte

// The modes of segments.
const (
	Active   SegmentMode = iota // on instantiation, at Offset
	Passive                     // by table.init or memory.init
	Declared                    // never; it only declares functions for ref.func (elements)
)

// Element is an element segment. It has either Funcs or, when Exprs is not nil, one constant
// expression (end included) per element.
type Element struct {
	Mode   SegmentMode
	Table  uint32
	Offset []byte // constant expression, end included; active segments only
	Type   ValType
	Funcs  []uint32
	Exprs  [][]byte
}

// Data is a data segment.
type Data struct {
	Mode   SegmentMode // Active or Passive
	Memory uint32
	Offset []byte // constant expression, end included; active segments only
	Bytes  []byte
}

// Custom is a custom section.
type Custom struct {
	Name  string
	Bytes []byte
}

// Module is a WebAssembly module. Imported functions, tables, memories and globals come first in
// their index spaces, the ones defined in the module follow.
type Module struct {
	Types     []FuncType
	Imports   []Import
	Functions []Function
	Tables    []TableType
	Memories  []MemoryType
	Globals   []Global
	Exports   []Export
	Start     *uint32
	startPos  int // where the start section names it, in the decoded file
	Elements  []Element
	DataCount bool // whether there is a data count section; its value is len(Data)
	Data      []Data
	Customs   []Custom
}

// Imported returns how many imports are of the kind: the index of the first one defined here.
func (m *Module) Imported(kind ExternKind) int {
	n := 0
	for i := range m.Imports {
		if m.Imports[i].Kind == kind {
			n++
		}
	}
	return n
}

// ImportedFunction returns the index in the function index space of an imported function.
func (m *Module) ImportedFunction(module, name string) (index uint32, ok bool) {
	for i := range m.Imports {
		im := &m.Imports[i]
		if im.Kind != KindFunction {
			continue
		}
		if im.Module == module && im.Name == name {
			return index, true
		}
		index++
	}
	return 0, false
}

// TypeIndexOf returns the type index of the function with the index, imported or not.
func (m *Module) TypeIndexOf(function uint32) (index uint32, ok bool) {
	n := uint32(0)
	for i := range m.Imports {
		if m.Imports[i].Kind == KindFunction {
			if n == function {
				return m.Imports[i].Type, true
			}
			n++
		}
	}
	if i := int64(function) - int64(n); i < int64(len(m.Functions)) {
		return m.Functions[i].Type, true
	}
	return 0, false
}

// TypeOf returns the signature of the function with the index, imported or not.
func (m *Module) TypeOf(function uint32) (t FuncType, ok bool) {
	index, ok := m.TypeIndexOf(function)
	if !ok || int64(index) >= int64(len(m.Types)) {
		return FuncType{}, false
	}
	return m.Types[index], true
}

// functionTypes returns the signatures of all functions of a module that Decode returned, imported ones first.
func (m *Module) functionTypes() []FuncType {
	var types []FuncType
	for i := range m.Imports {
		if im := &m.Imports[i]; im.Kind == KindFunction {
			types = append(types, m.Types[im.Type])
		}
	}
	for i := range m.Functions {
		types = append(types, m.Types[m.Functions[i].Type])
	}
	return types
}

// Export returns the export with the name.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

// ExportedFunction returns the index of the function exported under the name.
func (m *Module) ExportedFunction(name string) (index uint32, ok bool) {
	e, ok := m.Export(name)
	if !ok || e.Kind != KindFunction {
		return 0, false
	}
	return e.Index, true
}

// Custom returns the content of the first custom section with the name.
func (m *Module) Custom(name string) (content []byte, ok bool) {
	for _, c := range m.Customs {
		if c.Name == name {
			return c.Bytes, true
		}
	}
	return nil, false
}

// Memory returns the type of memory 0, imported or not.
func (m *Module) Memory() (t MemoryType, ok bool) {
	for i := range m.Imports {
		if m.Imports[i].Kind == KindMemory {
			return m.Imports[i].Memory, true
		}
	}
	if len(m.Memories) > 0 {
		return m.Memories[0], true
	}
	return MemoryType{}, false
}
