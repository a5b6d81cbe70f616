package meter

import (
	"errors"
	"fmt"
	"slices"

	"kedge/wasm"
)

// Instrument returns a copy of the module that counts; m does not change, but both share memory.
// The module should have passed [wasm.Check] and must be valid WebAssembly: then the result is
// valid, and behaves as m does apart from the calls of [Layout]. Memories and tables that m imports
// become its own.
func Instrument(m *wasm.Module, opts Options) (*wasm.Module, Layout, error) {
	if t, ok := m.Memory(); ok && t.Is64 {
		return nil, Layout{}, fmt.Errorf("meter: %w", wasm.ErrWasm64)
	}
	out := *m
	out.Types = slices.Clone(m.Types)
	out.Exports = slices.Clone(m.Exports)
	out.Globals = slices.Clone(m.Globals)
	out.Tables = slices.Clone(m.Tables)
	out.Memories = slices.Clone(m.Memories)
	adoptImports(&out)
	_, hasMemory := out.Memory()
	p := &plan{m: &out, opts: opts, bits: opts.Page.bits(), hasMemory: hasMemory}
	p.track = hasMemory && !opts.Untracked
	p.reads = p.track && !opts.IgnoreRead

	layout := Layout{Counter: CounterExport, Page: opts.Page, Reads: p.reads, Writes: p.track}
	if err := p.addImports(); err != nil {
		return nil, Layout{}, fmt.Errorf("meter: %w", err)
	}
	originals := len(out.Functions)
	out.Functions = slices.Clone(out.Functions)
	if err := p.exportGlobals(&layout); err != nil {
		return nil, Layout{}, err
	}
	p.counter = out.AddGlobal(wasm.GlobalType{Type: wasm.I64, Mutable: true}, wasm.ConstI64(0))
	p.export(layout.Counter, wasm.KindGlobal, p.counter)
	p.depth = out.AddGlobal(wasm.GlobalType{Type: wasm.I32, Mutable: true}, wasm.ConstI32(StackSize))
	p.planSegments()
	if hasMemory {
		layout.Memory = p.exportMemory()
	}
	if out.Start != nil {
		layout.Start = StartExport
		p.export(StartExport, wasm.KindFunction, *out.Start)
		out.Start = nil
	}
	p.addHelpers()
	layout.Reset = p.fresh("meter_reset")
	p.export(layout.Reset, wasm.KindFunction, p.reset)

	rw := newRewriter(p)
	for i := range originals {
		if err := rw.function(&out.Functions[i]); err != nil {
			return nil, Layout{}, fmt.Errorf("meter: function %d of the code section: %w", i, err)
		}
	}
	return &out, layout, nil
}

// plan knows the indices of everything that is added.
type plan struct {
	m            *wasm.Module
	opts         Options
	bits         int32 // log2 of the page size
	hasMemory    bool
	track, reads bool

	counter, depth        uint32 // globals
	readTable, writeTable uint32

	dropped      map[uint32]uint32 // flags (globals) of passive data segments that code may drop
	emptySegment uint32            // a data segment, if there is memory.init
	initializers map[uint32]uint32 // functions by data segment

	// Functions of the host, and those that addHelpers adds.
	hostOut, hostRead, hostWrite, hostGrow uint32
	hostOverflow                           uint32
	reset, grow                            uint32
	readMark, writeMark                    uint32
	touchRead, touchWrite                  uint32
	bulkCopy, bulkWrite, bulkCharge        uint32
}

// adoptImports turns imported memories and tables into defined ones; indices stay the same since
// imports come first.
func adoptImports(m *wasm.Module) {
	var tables []wasm.TableType
	var memories []wasm.MemoryType
	m.Imports = slices.DeleteFunc(slices.Clone(m.Imports), func(im wasm.Import) bool {
		switch im.Kind {
		case wasm.KindTable:
			tables = append(tables, im.Table)
		case wasm.KindMemory:
			memories = append(memories, im.Memory)
		default:
			return false
		}
		return true
	})
	m.Tables = append(tables, m.Tables...)
	m.Memories = append(memories, m.Memories...)
}

var i32 = []wasm.ValType{wasm.I32}

func types(n int) []wasm.ValType { return slices.Repeat(i32, n) }

func (p *plan) addImports() error {
	var imports []wasm.Import
	var targets []*uint32
	add := func(to *uint32, name string, t wasm.FuncType) {
		imports = append(imports, p.m.FunctionImport(ImportModule, name, t))
		targets = append(targets, to)
	}
	add(&p.hostOut, OutOfInstructions, wasm.FuncType{})
	add(&p.hostOverflow, StackOverflow, wasm.FuncType{})
	if p.reads {
		add(&p.hostRead, MarkRead, wasm.FuncType{Params: i32})
	}
	if p.track {
		add(&p.hostWrite, MarkWrite, wasm.FuncType{Params: i32})
	}
	if p.hasMemory {
		add(&p.hostGrow, Grow, wasm.FuncType{Params: types(2), Results: i32})
	}
	first, err := p.m.AddImports(imports...)
	for i, to := range targets {
		*to = first + uint32(i)
	}
	return err
}

func (p *plan) export(name string, kind wasm.ExternKind, index uint32) {
	p.m.Exports = append(p.m.Exports, wasm.Export{Name: name, Kind: kind, Index: index})
}

// fresh returns the name, made longer until no export has it.
func (p *plan) fresh(name string) string {
	for {
		if _, taken := p.m.Export(name); !taken {
			return name
		}
		name += "_"
	}
}

func (p *plan) exportMemory() string {
	for _, e := range p.m.Exports {
		if e.Kind == wasm.KindMemory {
			return e.Name
		}
	}
	name := p.fresh("memory")
	p.export(name, wasm.KindMemory, 0)
	return name
}

func (p *plan) exportGlobals(layout *Layout) error {
	exported := map[uint32]string{}
	for _, e := range p.m.Exports {
		if e.Kind == wasm.KindGlobal {
			exported[e.Index] = e.Name
		}
	}
	base := p.m.Imported(wasm.KindGlobal)
	if base > 0 {
		return errors.New("meter: Importing globals is not allowed")
	}
	for i, g := range p.m.Globals {
		if !g.Mutable {
			continue
		}
		entry := Global{Index: uint32(i), Type: g.Type}
		name := fmt.Sprintf("__persistent_mutable_global_%d", i) // the name that production gives it
		switch g.Type {
		case wasm.FuncRef, wasm.ExternRef:
			return fmt.Errorf("meter: global %d is a mutable %v; a reference cannot be kept between messages", i, g.Type)
		case wasm.V128:
			pair := []wasm.ValType{wasm.I64, wasm.I64}
			get := new(wasm.Body).GlobalGet(entry.Index).Op(opI64x2Extract).Raw([]byte{0}).
				GlobalGet(entry.Index).Op(opI64x2Extract).Raw([]byte{1}).End()
			set := new(wasm.Body).LocalGet(0).Op(opI64x2Splat).LocalGet(1).Op(opI64x2Replace).Raw([]byte{1}).
				GlobalSet(entry.Index).End()
			entry.Get, entry.Set = p.fresh(name+"_get"), p.fresh(name+"_set")
			p.export(entry.Get, wasm.KindFunction, p.m.AddFunction(wasm.FuncType{Results: pair}, nil, get.Bytes()))
			p.export(entry.Set, wasm.KindFunction, p.m.AddFunction(wasm.FuncType{Params: pair}, nil, set.Bytes()))
		default:
			var ok bool
			if entry.Export, ok = exported[entry.Index]; !ok {
				entry.Export = p.fresh(name)
				p.export(entry.Export, wasm.KindGlobal, entry.Index)
			}
		}
		layout.Globals = append(layout.Globals, entry)
	}
	return nil
}

const (
	opI64x2Splat   wasm.Opcode = 0xfd12
	opI64x2Extract wasm.Opcode = 0xfd1d
	opI64x2Replace wasm.Opcode = 0xfd1e
)
