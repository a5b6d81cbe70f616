package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Caps on what Decode accepts, so that a hostile module cannot make it allocate much more than its
// own size. They are those of the parser that the Internet Computer uses, or wider.
const (
	maxModuleSize   = 100 << 20
	maxTypes        = 1_000_000
	maxParams       = 1_000
	maxImports      = 1_000_000
	maxFunctions    = 1_000_000
	maxTables       = 100
	maxMemories     = 1
	maxGlobals      = 1_000_000
	maxExports      = 1_000_000
	maxSegments     = 100_000
	maxElements     = 10_000_000
	maxLocals       = 50_000
	maxBody         = 7_654_321
	maxPages32      = 65_536
	maxPages64      = 1 << 48
	maxExprLength   = 64 << 10
	headerSize      = 8
	magicAndVersion = "\x00asm\x01\x00\x00\x00"
)

type sectionID byte

const (
	secCustom sectionID = iota
	secType
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
	secTag
)

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export",
	"start", "element", "code", "data", "data count", "tag"}

// order is the place of each section in the file; 0 is a section that we do not read.
var order = [...]int{secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6,
	secExport: 7, secStart: 8, secElement: 9, secDataCount: 10, secCode: 11, secData: 12}

// Decode reads a module. The result refers to data, which must not change afterwards. Decode
// checks the structure of the binary, the caps above, and that every index outside of bodies exists;
// that bodies are well formed shows when they are walked, and that they are well typed is for
// [Validate]. Errors are *[DecodeError].
func Decode(data []byte) (*Module, error) {
	switch {
	case len(data) > maxModuleSize:
		return nil, &DecodeError{Err: fmt.Errorf("the module has %d bytes, at most %d are allowed", len(data), maxModuleSize)}
	case len(data) >= 2 && data[0] == 0x1f && data[1] == 0x8b:
		return nil, &DecodeError{Err: errors.New("this is a gzip file; decompress it first")}
	case len(data) < headerSize || string(data[:4]) != magicAndVersion[:4]:
		return nil, &DecodeError{Err: errors.New(`not a WebAssembly module: it does not begin with "\x00asm"`)}
	case string(data[:headerSize]) != magicAndVersion:
		return nil, &DecodeError{Offset: 4, Err: fmt.Errorf("unknown WebAssembly version %x, want 01000000", data[4:8]),
			Production: fmt.Sprintf("unknown binary version: %#10x (at offset 0x4)", binary.LittleEndian.Uint32(data[4:8]))}
	}
	d := decoder{m: new(Module)}
	c := cursor{data: data, pos: headerSize}
	last := 0
	for c.pos < len(data) {
		at := c.pos
		id := sectionID(c.byte())
		content := c.bytes(c.u32())
		if c.err != nil {
			return nil, &DecodeError{Offset: c.pos, Err: errEnd, Production: fmt.Sprintf("unexpected end-of-file (at offset 0x%x)", len(data))}
		}
		if int(id) >= len(sectionNames) {
			return nil, &DecodeError{Offset: at, Err: fmt.Errorf("unknown section id %d", id),
				Production: fmt.Sprintf("malformed section id: %d (at offset 0x%x)", id, c.pos-len(content))}
		}
		section := sectionNames[id]
		if id != secCustom {
			if id == secTag {
				return nil, &DecodeError{Offset: at, Section: section, Err: errors.New("exceptions are not supported"),
					Production: fmt.Sprintf("exceptions proposal not enabled (at offset 0x%x)", c.pos-len(content))}
			}
			if order[id] <= last {
				return nil, &DecodeError{Offset: at, Section: section, Err: errors.New("section is repeated or out of order"),
					Production: fmt.Sprintf("section out of order (at offset 0x%x)", c.pos-len(content))}
			}
			last = order[id]
		}
		s := cursor{data: content, base: c.pos - len(content)}
		d.section(id, &s)
		if s.err == nil && s.pos != len(content) {
			s.fail(errTrailing)
		}
		if s.err != nil {
			var e *DecodeError
			if errors.As(s.err, &e) {
				e.Section = section
			}
			return nil, s.err
		}
	}
	return d.m, d.finish(len(data))
}

type decoder struct {
	m         *Module
	dataCount uint32
	code      bool
	exported  map[string]bool
	imported  [KindGlobal + 1]int // imports of each kind
	tables    []TableType         // of all tables
	constants []GlobalType        // of the imported globals
	globals   int                 // defined ones read so far
	memory64  bool
}

// finish checks what concerns several sections.
func (d *decoder) finish(size int) error {
	m := d.m
	if !d.code && len(m.Functions) > 0 {
		return &DecodeError{Offset: size, Section: "code", Err: fmt.Errorf("missing, but %d functions are declared", len(m.Functions)),
			Production: fmt.Sprintf("function and code section have inconsistent lengths (at offset 0x%x)", size)}
	}
	if m.DataCount && int(d.dataCount) != len(m.Data) {
		return &DecodeError{Offset: size, Section: "data count", Err: fmt.Errorf("says %d segments, the data section has %d", d.dataCount, len(m.Data)),
			Production: fmt.Sprintf("data count and data section have inconsistent lengths (at offset 0x%x)", size)}
	}
	if n := d.count(KindMemory); n > maxMemories {
		return &DecodeError{Offset: size, Section: "memory", Err: fmt.Errorf("%d memories; multi-memory is not supported", n)}
	}
	return nil
}

func (d *decoder) section(id sectionID, c *cursor) {
	m := d.m
	switch id {
	case secCustom:
		name := c.name()
		m.Customs = append(m.Customs, Custom{Name: name, Bytes: c.bytes(uint32(len(c.data) - c.pos))})
	case secType:
		m.Types = vector(c, maxTypes, "types", decodeType)
	case secImport:
		m.Imports = vector(c, maxImports, "imports", d.decodeImport)
	case secFunction:
		m.Functions = vector(c, maxFunctions, "functions", func(c *cursor) Function {
			at := c.pos
			f := Function{Type: c.u32()}
			d.needType(c, at, f.Type)
			return f
		})
	case secTable:
		m.Tables = vector(c, maxTables, "tables", decodeTable)
		d.tables = append(d.tables, m.Tables...)
	case secMemory:
		if n, _ := uleb(c.data[c.pos:], 32); n > maxMemories {
			c.failAs(0, "multiple memories", "%d memories (multi-memory is not supported), at most %d are allowed", n, maxMemories)
		}
		m.Memories = vector(c, maxMemories, "memories (multi-memory is not supported)", decodeMemory)
		d.memory64 = d.memory64 || len(m.Memories) > 0 && m.Memories[0].Is64
	case secGlobal:
		m.Globals = vector(c, maxGlobals, "globals", func(c *cursor) Global {
			t := decodeGlobalType(c)
			g := Global{t, d.decodeTypedExpr(c, t.Type)}
			d.globals++
			return g
		})
	case secExport:
		m.Exports = vector(c, maxExports, "exports", func(c *cursor) Export {
			at := c.pos
			e := Export{Name: c.name(), Kind: decodeKind(c), Index: c.u32()}
			d.needExport(c, at, e)
			return e
		})
	case secStart:
		at := c.pos
		f := c.u32()
		m.Start = &f
		m.startPos = c.base + at
		d.needFunction(c, at, f)
	case secElement:
		m.Elements = vector(c, maxSegments, "element segments", d.decodeElement)
	case secDataCount:
		m.DataCount = true
		d.dataCount = c.u32()
	case secCode:
		d.decodeCode(c)
	case secData:
		m.Data = vector(c, maxSegments, "data segments", d.decodeData)
	}
}

func vector[T any](c *cursor, max uint32, what string, item func(*cursor) T) []T {
	n := c.count(max, what)
	if n == 0 {
		return nil
	}
	// An element in memory is larger than in the file: grow as they come rather than trust n.
	items := make([]T, 0, min(n, 1<<15))
	for range n {
		v := item(c)
		if c.err != nil {
			return nil
		}
		items = append(items, v)
	}
	return items
}

func decodeType(c *cursor) FuncType {
	start := c.base + c.pos
	defer func() {
		var e *DecodeError
		if errors.As(c.err, &e) && e.Err == errTypedReference {
			e.Production = fmt.Sprintf("function references required for index reference types (at offset 0x%x)", start)
		}
	}()
	switch form := c.byte(); {
	case c.err != nil || form == 0x60:
	case form >= 0x4d && form <= 0x5f:
		c.pos--
		production := "gc types not supported without the gc feature"
		if form == 0x5f {
			production = "struct indexed types not supported without the gc feature"
		} else if form == 0x5e {
			production = "array indexed types not supported without the gc feature"
		}
		c.failAs(c.pos, production, "type form 0x%02x: garbage collection types are not supported", form)
	default:
		c.pos--
		c.failf("unknown type form 0x%02x", form)
	}
	values := func(what, production string) []ValType {
		at := c.pos
		if n, _ := uleb(c.data[at:], 32); c.err == nil && n > maxParams {
			c.failAs(at, production+" size is out of bounds", "%d %s, at most %d are allowed", n, what, maxParams)
		}
		return vector(c, maxParams, what, (*cursor).valType)
	}
	return FuncType{Params: values("parameters", "function params"), Results: values("results", "function returns")}
}

func decodeKind(c *cursor) ExternKind {
	k := ExternKind(c.byte())
	if c.err == nil && k > KindGlobal {
		c.pos--
		if k == 4 {
			c.failf("exception tags are not supported")
		} else {
			c.failf("unknown kind 0x%02x", byte(k))
		}
	}
	return k
}

func (d *decoder) decodeImport(c *cursor) Import {
	at := c.pos
	im := Import{Module: c.name(), Name: c.name(), Kind: decodeKind(c)}
	switch im.Kind {
	case KindFunction:
		im.Type = c.u32()
		d.needType(c, at, im.Type)
	case KindTable:
		im.Table = decodeTable(c)
		d.tables = append(d.tables, im.Table)
	case KindMemory:
		im.Memory = decodeMemory(c)
		d.memory64 = im.Memory.Is64
	case KindGlobal:
		im.Global = decodeGlobalType(c)
		d.constants = append(d.constants, im.Global)
	}
	if c.err == nil {
		d.imported[im.Kind]++
	}
	return im
}

func decodeTable(c *cursor) TableType {
	at := c.pos
	t := TableType{Elem: c.valType()}
	if c.err == nil && !t.Elem.isRef() {
		c.failf("table of %v; only references can be elements", t.Elem)
	}
	flags := c.byte()
	if c.err == nil && flags > 1 {
		c.failf("table flags 0x%02x: shared and 64-bit tables are not supported", flags)
	}
	t.Min = c.u32()
	if t.HasMax = flags&1 != 0; t.HasMax {
		t.Max = c.u32()
	}
	if c.err == nil && t.HasMax && t.Min > t.Max {
		c.failAs(at, "size minimum must not be greater than maximum", "table minimum %d exceeds its maximum %d", t.Min, t.Max)
	}
	return t
}

func decodeMemory(c *cursor) MemoryType {
	at := c.pos
	flags := c.byte()
	switch {
	case c.err != nil:
	case flags&2 != 0:
		c.failAs(at, "threads must be enabled for shared memories", "shared memory: threads are not supported")
	case flags > 5:
		c.failf("unknown memory flags 0x%02x", flags)
	}
	t := MemoryType{HasMax: flags&1 != 0, Is64: flags&4 != 0}
	limit := uint64(maxPages32)
	if t.Is64 {
		limit = maxPages64
	}
	size := func() uint64 { return uint64(c.u32()) }
	if t.Is64 {
		size = c.u64
	}
	t.Min = size()
	if t.HasMax {
		t.Max = size()
	}
	switch {
	case c.err != nil:
	case t.Min > limit || t.Max > limit:
		c.failAs(at, "memory size must be at most 65536 pages (4GiB)", "memory of %d pages, at most %d are possible", max(t.Min, t.Max), limit)
	case t.HasMax && t.Min > t.Max:
		c.failAs(at, "size minimum must not be greater than maximum", "memory minimum %d exceeds its maximum %d", t.Min, t.Max)
	}
	return t
}

func decodeGlobalType(c *cursor) GlobalType {
	t := GlobalType{Type: c.valType()}
	mut := c.byte()
	if c.err == nil && mut > 1 {
		c.pos--
		c.failf("unknown mutability 0x%02x", mut)
	}
	t.Mutable = mut == 1
	return t
}

// decodeExpr reads a constant expression up to its end.
func decodeExpr(c *cursor) []byte {
	start := c.pos
	if c.err != nil {
		return nil
	}
	// Constant expressions are short; the cap keeps a walk over garbage short as well.
	in := Instructions{code: c.data[start:min(len(c.data), start+maxExprLength)], base: c.base + start}
	for in.Next() {
		if in.Op == OpEnd {
			c.pos = start + in.End
			return c.data[start:c.pos:c.pos]
		}
		if !in.Op.constant() {
			c.pos = start + in.Pos
			c.failAs(c.pos, fmt.Sprintf("constant expression required: non-constant operator: %v", in.Op),
				"%v is not allowed in a constant expression", in.Op)
			return nil
		}
	}
	if in.err == nil {
		in.err = errEnd
	}
	c.fail(fmt.Errorf("constant expression: %w", in.err))
	return nil
}
