package wasm

import (
	"encoding/binary"
	"math"
)

// Body assembles code. Its methods append one instruction each and return the body, so that they
// chain:
//
//	body := new(wasm.Body).LocalGet(0).I32Const(5).Call(f).End().Bytes()
//
// Body checks nothing: a wrong sequence shows when the module is validated.
type Body struct{ code []byte }

// Bytes returns the code. A function body or constant expression needs its closing End.
func (b *Body) Bytes() []byte { return b.code }

// Len returns the length of the code in bytes.
func (b *Body) Len() int { return len(b.code) }

// Reset empties the body and keeps its memory.
func (b *Body) Reset() *Body { b.code = b.code[:0]; return b }

// Raw appends code that is already encoded.
func (b *Body) Raw(code []byte) *Body { b.code = append(b.code, code...); return b }

// Op appends an instruction without immediates, or the opcode of one whose immediates follow by Raw.
func (b *Body) Op(op Opcode) *Body {
	if op < 0x100 {
		b.code = append(b.code, byte(op))
	} else {
		b.code = AppendULEB(append(b.code, byte(op>>8)), uint64(op&0xff))
	}
	return b
}

// Ops appends several instructions without immediates.
func (b *Body) Ops(ops ...Opcode) *Body {
	for _, op := range ops {
		b.Op(op)
	}
	return b
}

// Index appends an instruction and its one index.
func (b *Body) Index(op Opcode, index uint32) *Body {
	b.Op(op)
	b.code = AppendULEB(b.code, uint64(index))
	return b
}

// Index2 appends an instruction and its two indices in the order of the binary format.
func (b *Body) Index2(op Opcode, first, second uint32) *Body {
	b.Index(op, first)
	b.code = AppendULEB(b.code, uint64(second))
	return b
}

// Mem appends a load or store with its alignment (an exponent of two) and offset.
func (b *Body) Mem(op Opcode, align uint32, offset uint64) *Body {
	b.Index(op, align)
	b.code = AppendULEB(b.code, offset)
	return b
}

// Load appends a load or store with its natural alignment.
func (b *Body) Load(op Opcode, offset uint64) *Body {
	align := uint32(0)
	for 1<<align < op.AccessSize() {
		align++
	}
	return b.Mem(op, align, offset)
}

// Store is [Body.Load] for stores, to be read as what it is.
func (b *Body) Store(op Opcode, offset uint64) *Body { return b.Load(op, offset) }

// LocalGet appends local.get.
func (b *Body) LocalGet(i uint32) *Body { return b.Index(OpLocalGet, i) }

// LocalSet appends local.set.
func (b *Body) LocalSet(i uint32) *Body { return b.Index(OpLocalSet, i) }

// LocalTee appends local.tee.
func (b *Body) LocalTee(i uint32) *Body { return b.Index(OpLocalTee, i) }

// GlobalGet appends global.get.
func (b *Body) GlobalGet(i uint32) *Body { return b.Index(OpGlobalGet, i) }

// GlobalSet appends global.set.
func (b *Body) GlobalSet(i uint32) *Body { return b.Index(OpGlobalSet, i) }

// I32Const appends i32.const.
func (b *Body) I32Const(v int32) *Body {
	b.code = AppendSLEB(append(b.code, byte(OpI32Const)), int64(v))
	return b
}

// I64Const appends i64.const.
func (b *Body) I64Const(v int64) *Body {
	b.code = AppendSLEB(append(b.code, byte(OpI64Const)), v)
	return b
}

// F32Const appends f32.const.
func (b *Body) F32Const(v float32) *Body {
	b.code = binary.LittleEndian.AppendUint32(append(b.code, byte(OpF32Const)), math.Float32bits(v))
	return b
}

// F64Const appends f64.const.
func (b *Body) F64Const(v float64) *Body {
	b.code = binary.LittleEndian.AppendUint64(append(b.code, byte(OpF64Const)), math.Float64bits(v))
	return b
}

// Call appends call.
func (b *Body) Call(f uint32) *Body { return b.Index(OpCall, f) }

// CallIndirect appends call_indirect through a table.
func (b *Body) CallIndirect(typ, table uint32) *Body { return b.Index2(OpCallIndirect, typ, table) }

// BlockType is the type of a block: [BlockEmpty], a type index, or that of a single result, see [BlockResult].
type BlockType int64

// BlockResult returns the type of a block without parameters and with one result.
func BlockResult(t ValType) BlockType { return BlockType(t) - 0x80 }

func (b *Body) block(op Opcode, t BlockType) *Body {
	b.code = AppendSLEB(append(b.code, byte(op)), int64(t))
	return b
}

// Block opens a block.
func (b *Body) Block(t BlockType) *Body { return b.block(OpBlock, t) }

// Loop opens a loop.
func (b *Body) Loop(t BlockType) *Body { return b.block(OpLoop, t) }

// If opens an if.
func (b *Body) If(t BlockType) *Body { return b.block(OpIf, t) }

// Else begins the other branch of an if.
func (b *Body) Else() *Body { return b.Op(OpElse) }

// End closes a block, loop, if, body or constant expression.
func (b *Body) End() *Body { return b.Op(OpEnd) }

// Br appends br.
func (b *Body) Br(label uint32) *Body { return b.Index(OpBr, label) }

// BrIf appends br_if.
func (b *Body) BrIf(label uint32) *Body { return b.Index(OpBrIf, label) }

// BrTable appends br_table; the last label is the default.
func (b *Body) BrTable(labels ...uint32) *Body {
	b.Index(OpBrTable, uint32(len(labels)-1))
	for _, l := range labels {
		b.code = AppendULEB(b.code, uint64(l))
	}
	return b
}

// ConstI32 returns the constant expression of an i32.
func ConstI32(v int32) []byte { return new(Body).I32Const(v).End().Bytes() }

// ConstI64 returns the constant expression of an i64.
func ConstI64(v int64) []byte { return new(Body).I64Const(v).End().Bytes() }
