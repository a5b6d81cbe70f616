package meter

import "kedge/wasm"

// addHelpers adds the tables and the functions that instrumented code calls.
func (p *plan) addHelpers() {
	m := p.m
	if p.track {
		pages := uint32(1) << (32 - p.bits)
		bitmap := wasm.TableType{Elem: wasm.FuncRef, Min: pages, Max: pages, HasMax: true}
		p.readTable = uint32(len(m.Tables))
		if p.reads {
			m.Tables = append(m.Tables, bitmap)
		}
		p.writeTable = uint32(len(m.Tables))
		m.Tables = append(m.Tables, bitmap)
	}
	p.addReset()
	if p.track {
		if p.reads {
			p.readMark = p.addMark(p.readTable, p.hostRead, false)
			p.touchRead = p.addTouch(p.readMark)
		}
		p.writeMark = p.addMark(p.writeTable, p.hostWrite, p.reads)
		p.touchWrite = p.addTouch(p.writeMark)
	}
	if p.hasMemory {
		p.addInitializers()
		p.addGrow()
		p.bulkCopy = p.addBulk(true, true)
		p.bulkWrite = p.addBulk(true, false)
	}
	p.bulkCharge = p.addBulk(false, false)
}

// outIfBelowZero calls the host if the counter is used up.
func (p *plan) outIfBelowZero(b *wasm.Body) *wasm.Body {
	return b.GlobalGet(p.counter).I64Const(0).Op(wasm.OpI64LtS).If(wasm.BlockEmpty).Call(p.hostOut).End()
}

// pagesInMemory pushes the number of tracked pages of the memory. 2^20 at most, so nothing wraps.
func (p *plan) pagesInMemory(b *wasm.Body) *wasm.Body {
	b.Index(wasm.OpMemorySize, 0)
	if p.bits < 16 {
		b.I32Const(16 - p.bits).Op(wasm.OpI32Shl)
	}
	return b
}

// addReset adds a function that clears the bitmaps, brings dropped segments back and
// empties the stack. Marks lie inside the memory, which never shrinks.
func (p *plan) addReset() {
	b := new(wasm.Body)
	b.I32Const(StackSize).GlobalSet(p.depth)
	p.forgetDrops(b)
	for t := p.readTable; p.track && t <= p.writeTable; t++ {
		b.I32Const(0).Op(wasm.OpRefNull).Raw([]byte{byte(wasm.FuncRef)})
		p.pagesInMemory(b).Index(wasm.OpTableFill, t)
	}
	p.reset = p.m.AddFunction(wasm.FuncType{}, nil, b.End().Bytes())
}

// addMark adds mark(page): if the page exists and is not marked, it is now. The function
// reference that serves as mark is that of reset, which is exported and may so be referred to.
func (p *plan) addMark(table, host uint32, readToo bool) uint32 {
	const page = 0
	b := new(wasm.Body)
	b.LocalGet(page)
	p.pagesInMemory(b).Op(wasm.OpI32GeU).If(wasm.BlockEmpty).Op(wasm.OpReturn).End()
	b.LocalGet(page).Index(wasm.OpTableGet, table).Op(wasm.OpRefIsNull).If(wasm.BlockEmpty)
	b.LocalGet(page).Call(host)
	b.LocalGet(page).Index(wasm.OpRefFunc, p.reset).Index(wasm.OpTableSet, table)
	if readToo {
		b.LocalGet(page).Index(wasm.OpRefFunc, p.reset).Index(wasm.OpTableSet, p.readTable)
	}
	p.outIfBelowZero(b).End().End()
	return p.m.AddFunction(wasm.FuncType{Params: i32}, nil, b.Bytes())
}

// addTouch adds touch(address, last): marks the pages of address and address+last, which is at
// most the page behind it. Additions wrap around: what lies beyond 4 GiB has no page.
func (p *plan) addTouch(mark uint32) uint32 {
	const address, last, page = 0, 1, 2
	b := new(wasm.Body)
	b.LocalGet(address).I32Const(p.bits).Op(wasm.OpI32ShrU).LocalTee(page).Call(mark)
	b.LocalGet(address).LocalGet(last).Op(wasm.OpI32Add).I32Const(p.bits).Op(wasm.OpI32ShrU).LocalTee(last)
	b.LocalGet(page).Op(wasm.OpI32Ne).If(wasm.BlockEmpty).LocalGet(last).Call(mark).End().End()
	return p.m.AddFunction(wasm.FuncType{Params: types(2)}, []wasm.Locals{{Count: 1, Type: wasm.I32}}, b.Bytes())
}

// addGrow adds grow(delta): memory.grow, if the host agrees.
func (p *plan) addGrow() {
	b := new(wasm.Body)
	b.Index(wasm.OpMemorySize, 0).LocalGet(0).Call(p.hostGrow).If(wasm.BlockResult(wasm.I32))
	b.LocalGet(0).Index(wasm.OpMemoryGrow, 0).Else().I32Const(-1).End().End()
	p.grow = p.m.AddFunction(wasm.FuncType{Params: i32, Results: i32}, nil, b.Bytes())
}

// addBulk adds a function that is called before a bulk instruction with its three operands
// (destination, source or value, length) and returns them. It charges length, and marks the
// range written if the destination is memory, and the range read if the source is. Nothing is
// marked if a range does not lie within the memory: then the instruction traps before it touches
// anything. (Only memory.init can trap for another reason, the end of its segment; the message
// that fails has then marked pages that it did not touch.)
func (p *plan) addBulk(dstMemory, srcMemory bool) uint32 {
	const dst, src, n = 0, 1, 2
	b := new(wasm.Body)
	b.GlobalGet(p.counter).LocalGet(n).Op(wasm.OpI64ExtendI32U).Op(wasm.OpI64Sub).GlobalSet(p.counter)
	p.outIfBelowZero(b)
	if p.track && dstMemory {
		b.Block(wasm.BlockEmpty)
		b.LocalGet(n).Op(wasm.OpI32Eqz).BrIf(0)
		outside(b, dst, n).BrIf(0)
		if srcMemory {
			outside(b, src, n).BrIf(0)
		}
		p.markRange(b, dst, n, p.writeMark)
		if srcMemory && p.reads {
			p.markRange(b, src, n, p.readMark)
		}
		b.End()
	}
	b.LocalGet(dst).LocalGet(src).LocalGet(n).End()
	return p.m.AddFunction(wasm.FuncType{Params: types(3), Results: types(3)}, []wasm.Locals{{Count: 2, Type: wasm.I32}}, b.Bytes())
}

// outside pushes whether [start, start+n) ends behind the memory.
func outside(b *wasm.Body, start, n uint32) *wasm.Body {
	b.LocalGet(start).Op(wasm.OpI64ExtendI32U).LocalGet(n).Op(wasm.OpI64ExtendI32U).Op(wasm.OpI64Add)
	b.Index(wasm.OpMemorySize, 0).Op(wasm.OpI64ExtendI32U).I64Const(16).Op(wasm.OpI64Shl)
	return b.Op(wasm.OpI64GtU)
}

// markRange marks the pages of [start, start+n), which is not empty and lies within the memory.
func (p *plan) markRange(b *wasm.Body, start, n, mark uint32) {
	const page, last = 3, 4
	b.LocalGet(start).I32Const(p.bits).Op(wasm.OpI32ShrU).LocalSet(page)
	b.LocalGet(start).LocalGet(n).Op(wasm.OpI32Add).I32Const(1).Op(wasm.OpI32Sub).I32Const(p.bits).Op(wasm.OpI32ShrU).LocalSet(last)
	b.Loop(wasm.BlockEmpty).LocalGet(page).Call(mark)
	b.LocalGet(page).I32Const(1).Op(wasm.OpI32Add).LocalTee(page).LocalGet(last).Op(wasm.OpI32LeU).BrIf(0).End()
}
