package wasm

import (
	"fmt"
	"slices"
)

// AddType returns the index of the signature in Types, added if it is new.
func (m *Module) AddType(t FuncType) uint32 {
	for i := range m.Types {
		if m.Types[i].Equal(t) {
			return uint32(i)
		}
	}
	m.Types = append(m.Types, t)
	return uint32(len(m.Types) - 1)
}

// AddFunction adds a function at the end and returns its index in the function index space. The
// body includes its closing end; see [Body].
func (m *Module) AddFunction(t FuncType, locals []Locals, body []byte) uint32 {
	m.Functions = append(m.Functions, Function{Type: m.AddType(t), Locals: locals, Body: body})
	return uint32(m.Imported(KindFunction) + len(m.Functions) - 1)
}

// AddGlobal adds a global at the end and returns its index. Init is a constant expression with its end.
func (m *Module) AddGlobal(t GlobalType, init []byte) uint32 {
	m.Globals = append(m.Globals, Global{t, init})
	return uint32(m.Imported(KindGlobal) + len(m.Globals) - 1)
}

// FunctionImport is a shorthand for an import of a function.
func (m *Module) FunctionImport(module, name string, t FuncType) Import {
	return Import{Module: module, Name: name, Kind: KindFunction, Type: m.AddType(t)}
}

// AddImports adds imports of functions behind the existing imports and renumbers every reference
// to the functions defined in the module. It returns the index of the first new function.
func (m *Module) AddImports(imports ...Import) (first uint32, err error) {
	for _, im := range imports {
		if im.Kind != KindFunction {
			return 0, fmt.Errorf("wasm: cannot add import %q %q: only functions can be added, not a %v", im.Module, im.Name, im.Kind)
		}
	}
	n := m.Imported(KindFunction)
	table := identity(n + len(m.Functions))
	for i := n; i < len(table); i++ {
		table[i] += uint32(len(imports))
	}
	if err := m.Renumber(Renumbering{Functions: table}); err != nil {
		return 0, err
	}
	m.Imports = append(slices.Clip(m.Imports), imports...)
	return uint32(n), nil
}

// ReplaceImports removes imported functions and lets other functions take their place: every
// reference to a key of replace becomes one to its value. Both are indices in the function index
// space before the call, in which keys are imports and values are not keys; the signatures must be
// the same. All functions behind a removed import move up.
func (m *Module) ReplaceImports(replace map[uint32]uint32) error {
	n := m.Imported(KindFunction)
	for from, to := range replace {
		if int(from) >= n {
			return fmt.Errorf("wasm: cannot replace function %d: it is not an import", from)
		}
		if _, both := replace[to]; both {
			return fmt.Errorf("wasm: function %d replaces import %d and is itself replaced", to, from)
		}
		a, _ := m.TypeOf(from)
		b, ok := m.TypeOf(to)
		if !ok || !a.Equal(b) {
			return fmt.Errorf("wasm: function %d of type %v cannot replace import %d of type %v", to, b, from, a)
		}
	}
	table := make([]uint32, n+len(m.Functions))
	next := uint32(0)
	for i := range table {
		if _, gone := replace[uint32(i)]; !gone {
			table[i] = next
			next++
		}
	}
	for from, to := range replace {
		table[from] = table[to]
	}
	names, err := m.Names()
	if err == nil && len(names.Functions) > 0 {
		for from := range replace { // or the replacement would take the name of the import
			delete(names.Functions, from)
		}
		m.SetNames(names)
	}
	if err := m.Renumber(Renumbering{Functions: table}); err != nil {
		return err
	}
	index := uint32(0)
	m.Imports = slices.DeleteFunc(slices.Clone(m.Imports), func(im Import) bool {
		if im.Kind != KindFunction {
			return false
		}
		_, gone := replace[index]
		index++
		return gone
	})
	return nil
}

// Renumbering gives every index its new value. A nil table changes nothing.
type Renumbering struct {
	Functions []uint32
	Globals   []uint32
	Types     []uint32
}

func identity(n int) []uint32 {
	table := make([]uint32, n)
	for i := range table {
		table[i] = uint32(i)
	}
	return table
}

func lookup(table []uint32, index uint32, what string) (uint32, error) {
	if table == nil {
		return index, nil
	}
	if int64(index) >= int64(len(table)) {
		return 0, fmt.Errorf("%s %d does not exist, there are %d", what, index, len(table))
	}
	return table[index], nil
}

// Renumber changes every reference in code, constant expressions, element segments, exports, the
// start section, imports (types) and function names. It moves no definitions: that is the caller's
// part. On an error the module is unchanged.
func (m *Module) Renumber(r Renumbering) error {
	out := *m
	w := renumberer{Renumbering: r}
	var err error
	keep := func(index uint32, e error) uint32 {
		if err == nil {
			err = e
		}
		return index
	}

	out.Imports = slices.Clone(m.Imports)
	for i := range out.Imports {
		if im := &out.Imports[i]; im.Kind == KindFunction {
			im.Type = keep(lookup(r.Types, im.Type, "type"))
		}
	}
	out.Functions = slices.Clone(m.Functions)
	for i := range out.Functions {
		f := &out.Functions[i]
		f.Type = keep(lookup(r.Types, f.Type, "type"))
		if err == nil {
			f.Body, err = w.code(f.Walk())
		}
		if err != nil {
			return fmt.Errorf("wasm: %s: %w", m.functionNamer()(uint32(m.Imported(KindFunction)+i)), err)
		}
	}
	expr := func(code []byte) []byte {
		if err != nil {
			return code
		}
		code, err = w.code(Walk(code))
		return code
	}
	out.Globals = slices.Clone(m.Globals)
	for i := range out.Globals {
		out.Globals[i].Init = expr(out.Globals[i].Init)
	}
	out.Exports = slices.Clone(m.Exports)
	for i := range out.Exports {
		switch e := &out.Exports[i]; e.Kind {
		case KindFunction:
			e.Index = keep(lookup(r.Functions, e.Index, "exported function"))
		case KindGlobal:
			e.Index = keep(lookup(r.Globals, e.Index, "exported global"))
		}
	}
	if m.Start != nil {
		s := keep(lookup(r.Functions, *m.Start, "start function"))
		out.Start = &s
	}
	out.Elements = slices.Clone(m.Elements)
	for i := range out.Elements {
		e := &out.Elements[i]
		e.Offset = expr(e.Offset)
		e.Funcs = slices.Clone(e.Funcs)
		for j := range e.Funcs {
			e.Funcs[j] = keep(lookup(r.Functions, e.Funcs[j], "function in element segment"))
		}
		e.Exprs = slices.Clone(e.Exprs)
		for j := range e.Exprs {
			e.Exprs[j] = expr(e.Exprs[j])
		}
	}
	out.Data = slices.Clone(m.Data)
	for i := range out.Data {
		out.Data[i].Offset = expr(out.Data[i].Offset)
	}
	if err != nil {
		return fmt.Errorf("wasm: %w", err)
	}
	if r.Functions != nil {
		out.renumberNames(r.Functions)
	}
	*m = out
	return nil
}

// renumberNames rewrites the section "name". One that cannot be read names nothing and goes.
func (m *Module) renumberNames(table []uint32) {
	if _, ok := m.Custom(nameSection); !ok {
		return
	}
	m.Customs = slices.Clone(m.Customs)
	old, _ := m.Names()
	n := Names{Module: old.Module, Functions: make(map[uint32]string, len(old.Functions))}
	for i, name := range old.Functions {
		if int64(i) < int64(len(table)) {
			n.Functions[table[i]] = name
		}
	}
	m.SetNames(n)
}

// renumberer rewrites code. Results share chunks of memory, since most functions are small.
type renumberer struct {
	Renumbering
	chunk []byte
}

const chunkSize = 1 << 20

func (w *renumberer) code(in *Instructions) ([]byte, error) {
	start := len(w.chunk)
	copied := 0 // how much of the old code is in the new
	changed := false
	for in.Next() {
		table, what := w.Functions, "function"
		switch in.Op {
		case OpCall, OpReturnCall, OpRefFunc:
		case OpGlobalGet, OpGlobalSet:
			table, what = w.Globals, "global"
		case OpCallIndirect, OpReturnCallIndirect:
			table, what = w.Types, "type"
		case OpBlock, OpLoop, OpIf:
			if in.Const < 0 {
				continue
			}
			table, what, in.Index = w.Types, "type", uint32(in.Const)
		default:
			continue
		}
		index, err := lookup(table, in.Index, what)
		if err != nil {
			return nil, &DecodeError{Offset: in.base + in.Pos, Section: "code", Err: err}
		}
		if index == in.Index {
			continue
		}
		if !changed {
			changed = true
			if need := len(in.code) + len(in.code)/2 + 64; cap(w.chunk)-start < need {
				w.chunk, start = make([]byte, 0, max(chunkSize, need)), 0
			}
		}
		w.chunk = append(w.chunk, in.code[copied:in.Pos+1]...) // all five kinds have one opcode byte
		copied = in.End
		switch in.Op {
		case OpCallIndirect, OpReturnCallIndirect:
			w.chunk = AppendULEB(AppendULEB(w.chunk, uint64(index)), uint64(in.Index2))
		case OpBlock, OpLoop, OpIf:
			w.chunk = AppendSLEB(w.chunk, int64(index))
		default:
			w.chunk = AppendULEB(w.chunk, uint64(index))
		}
	}
	if in.err != nil {
		return nil, in.err
	}
	if !changed {
		return in.code, nil
	}
	w.chunk = append(w.chunk, in.code[copied:]...)
	return w.chunk[start:len(w.chunk):len(w.chunk)], nil
}
