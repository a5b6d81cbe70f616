package wasm

// Encode writes the module in the binary format, with every length in its shortest form. Decoding
// the result gives the same module.
func (m *Module) Encode() []byte {
	size := headerSize
	for i := range m.Functions {
		size += len(m.Functions[i].Body) + 16
	}
	for i := range m.Data {
		size += len(m.Data[i].Bytes) + 16
	}
	for i := range m.Customs {
		size += len(m.Customs[i].Bytes) + 64
	}
	e := encoder{out: make([]byte, 0, size+size/8+4096)}
	e.out = append(e.out, magicAndVersion...)

	encodeVector(&e, secType, m.Types, func(b []byte, t *FuncType) []byte {
		b = append(b, 0x60)
		b = appendTypes(b, t.Params)
		return appendTypes(b, t.Results)
	})
	encodeVector(&e, secImport, m.Imports, appendImport)
	encodeVector(&e, secFunction, m.Functions, func(b []byte, f *Function) []byte {
		return AppendULEB(b, uint64(f.Type))
	})
	encodeVector(&e, secTable, m.Tables, appendTable)
	encodeVector(&e, secMemory, m.Memories, appendMemory)
	encodeVector(&e, secGlobal, m.Globals, func(b []byte, g *Global) []byte {
		return append(appendGlobalType(b, g.GlobalType), g.Init...)
	})
	encodeVector(&e, secExport, m.Exports, func(b []byte, x *Export) []byte {
		return AppendULEB(append(appendName(b, x.Name), byte(x.Kind)), uint64(x.Index))
	})
	if m.Start != nil {
		e.section(secStart, AppendULEB(nil, uint64(*m.Start)))
	}
	encodeVector(&e, secElement, m.Elements, appendElement)
	if m.DataCount {
		e.section(secDataCount, AppendULEB(nil, uint64(len(m.Data))))
	}
	var scratch []byte
	encodeVector(&e, secCode, m.Functions, func(b []byte, f *Function) []byte {
		scratch = AppendULEB(scratch[:0], uint64(len(f.Locals)))
		for _, l := range f.Locals {
			scratch = append(AppendULEB(scratch, uint64(l.Count)), byte(l.Type))
		}
		b = AppendULEB(b, uint64(len(scratch)+len(f.Body)))
		return append(append(b, scratch...), f.Body...)
	})
	encodeVector(&e, secData, m.Data, appendData)
	for _, c := range m.Customs {
		e.section(secCustom, append(appendName(nil, c.Name), c.Bytes...))
	}
	return e.out
}

type encoder struct {
	out     []byte
	content []byte // of the section under construction, reused
}

func (e *encoder) section(id sectionID, content []byte) {
	e.out = append(e.out, byte(id))
	e.out = AppendULEB(e.out, uint64(len(content)))
	e.out = append(e.out, content...)
}

func encodeVector[T any](e *encoder, id sectionID, items []T, item func([]byte, *T) []byte) {
	if len(items) == 0 {
		return
	}
	b := AppendULEB(e.content[:0], uint64(len(items)))
	for i := range items {
		b = item(b, &items[i])
	}
	e.content = b
	e.section(id, b)
}

func appendName(b []byte, name string) []byte {
	return append(AppendULEB(b, uint64(len(name))), name...)
}

func appendTypes(b []byte, types []ValType) []byte {
	b = AppendULEB(b, uint64(len(types)))
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}

func appendImport(b []byte, im *Import) []byte {
	b = appendName(appendName(b, im.Module), im.Name)
	b = append(b, byte(im.Kind))
	switch im.Kind {
	case KindFunction:
		return AppendULEB(b, uint64(im.Type))
	case KindTable:
		return appendTable(b, &im.Table)
	case KindMemory:
		return appendMemory(b, &im.Memory)
	default:
		return appendGlobalType(b, im.Global)
	}
}

func appendTable(b []byte, t *TableType) []byte {
	b = append(b, byte(t.Elem))
	if !t.HasMax {
		return AppendULEB(append(b, 0), uint64(t.Min))
	}
	return AppendULEB(AppendULEB(append(b, 1), uint64(t.Min)), uint64(t.Max))
}

func appendMemory(b []byte, t *MemoryType) []byte {
	var flags byte
	if t.HasMax {
		flags |= 1
	}
	if t.Is64 {
		flags |= 4
	}
	b = AppendULEB(append(b, flags), t.Min)
	if t.HasMax {
		b = AppendULEB(b, t.Max)
	}
	return b
}

func appendGlobalType(b []byte, t GlobalType) []byte {
	if t.Mutable {
		return append(b, byte(t.Type), 1)
	}
	return append(b, byte(t.Type), 0)
}

func appendElement(b []byte, e *Element) []byte {
	var flags uint64
	switch e.Mode {
	case Passive:
		flags = 1
	case Declared:
		flags = 3
	default:
		if e.Table != 0 || e.Type != FuncRef {
			flags = 2
		}
	}
	if e.Exprs != nil {
		flags |= 4
	}
	b = AppendULEB(b, flags)
	if e.Mode == Active {
		if flags&2 != 0 {
			b = AppendULEB(b, uint64(e.Table))
		}
		b = append(b, e.Offset...)
	}
	if flags&3 != 0 {
		if flags&4 != 0 {
			b = append(b, byte(e.Type))
		} else {
			b = append(b, 0)
		}
	}
	if e.Exprs != nil {
		b = AppendULEB(b, uint64(len(e.Exprs)))
		for _, x := range e.Exprs {
			b = append(b, x...)
		}
		return b
	}
	b = AppendULEB(b, uint64(len(e.Funcs)))
	for _, f := range e.Funcs {
		b = AppendULEB(b, uint64(f))
	}
	return b
}

func appendData(b []byte, d *Data) []byte {
	switch {
	case d.Mode == Passive:
		b = append(b, 1)
	case d.Memory != 0:
		b = append(AppendULEB(append(b, 2), uint64(d.Memory)), d.Offset...)
	default:
		b = append(append(b, 0), d.Offset...)
	}
	return append(AppendULEB(b, uint64(len(d.Bytes))), d.Bytes...)
}
