package meter

import (
	"maps"
	"slices"

	"kedge/wasm"
)

// Production makes a new instance for every message, so that no message finds a segment that another one
// dropped. Here instances live on. Dropping a data segment therefore sets a flag, which the reset before
// each message clears; memory.init of a segment with its flag set uses an empty segment in its place, as
// WebAssembly says it of dropped segments, and so does that of an active segment, which is dropped when the
// module is instantiated. No element segment can be used after instantiation (table.init is not allowed),
// so that dropping one does nothing.

// planSegments prepares what data.drop and memory.init need.
func (p *plan) planSegments() {
	used := map[uint32]bool{}
	for i := range p.m.Functions {
		for in := p.m.Functions[i].Walk(); in.Next(); {
			switch in.Op {
			case wasm.OpDataDrop:
				if int64(in.Index) < int64(len(p.m.Data)) && p.m.Data[in.Index].Mode == wasm.Passive && p.dropped[in.Index] == 0 {
					if p.dropped == nil {
						p.dropped = make(map[uint32]uint32)
					}
					p.dropped[in.Index] = p.m.AddGlobal(wasm.GlobalType{Type: wasm.I32, Mutable: true}, wasm.ConstI32(0))
				}
			case wasm.OpMemoryInit:
				used[in.Index] = true
			}
		}
	}
	if len(used) == 0 {
		return
	}
	p.emptySegment = uint32(len(p.m.Data))
	p.m.Data = append(slices.Clip(p.m.Data), wasm.Data{Mode: wasm.Passive})
	p.initializers = make(map[uint32]uint32)
	for _, segment := range slices.Sorted(maps.Keys(used)) {
		p.initializers[segment] = 0 // until addInitializers
	}
}

// addInitializers adds the functions that take the place of memory.init.
func (p *plan) addInitializers() {
	for _, segment := range slices.Sorted(maps.Keys(p.initializers)) {
		p.initializers[segment] = p.addInitializer(segment)
	}
}

// forgetDrops clears the flags of dropped segments.
func (p *plan) forgetDrops(b *wasm.Body) {
	for _, flag := range p.dropped {
		b.I32Const(0).GlobalSet(flag)
	}
}

// addInitializer adds the function for a segment.
func (p *plan) addInitializer(segment uint32) uint32 {
	const dst, src, n = 0, 1, 2
	b := new(wasm.Body)
	from := func(segment uint32) {
		b.LocalGet(dst).LocalGet(src).LocalGet(n).Index2(wasm.OpMemoryInit, segment, 0)
	}
	flag, mayBeDropped := p.dropped[segment]
	switch {
	case int64(segment) < int64(len(p.m.Data)) && p.m.Data[segment].Mode == wasm.Active:
		from(p.emptySegment)
	case mayBeDropped:
		b.GlobalGet(flag).If(wasm.BlockEmpty)
		from(p.emptySegment)
		b.Else()
		from(segment)
		b.End()
	default:
		from(segment)
	}
	return p.m.AddFunction(wasm.FuncType{Params: types(3)}, nil, b.End().Bytes())
}
