package wasm

import (
	"encoding/binary"
	"fmt"
)

// MemArg is the immediate of a load or store.
type MemArg struct {
	Align  uint32 // exponent of two; a hint only
	Offset uint64 // added to the address without wrapping around
}

// Instructions walks a body or constant expression. Call Next until it returns false, then look
// at Err. The exported fields describe the current instruction:
//
//	for in := wasm.Walk(body); in.Next(); { … in.Op, in.Index … }
//
// It checks that opcodes and immediates are well formed, not that the code is well typed or that
// indices exist.
type Instructions struct {
	Op       Opcode
	Pos, End int    // code[Pos:End] is the current instruction
	Index    uint32 // the index that the instruction names: label, function, type (call_indirect), local, global, table, data or element segment; lane of a SIMD instruction; number of types of a select
	Index2   uint32 // table of call_indirect and table.init, source table of table.copy, memory of memory.init
	Const    int64  // value of i32.const and i64.const; block type of block, loop and if (negative: see [BlockEmpty]; else a type index); reference type of ref.null
	Mem      MemArg // of loads and stores

	code   []byte
	base   int
	imm    immediate
	labels []byte // raw targets of br_table, the default last
	err    error
}

// BlockEmpty is the block type of a block without parameters and results. The other negative
// block types are single results: the byte of the [ValType] minus 0x80.
const BlockEmpty = -0x40

// Walk returns a walker over the code.
func Walk(code []byte) *Instructions { return &Instructions{code: code} }

// Walk returns a walker over the body whose errors give offsets in the decoded file.
func (f *Function) Walk() *Instructions { return &Instructions{code: f.Body, base: f.Offset} }

// Err returns what was wrong with the code, nil when Next reached its end.
func (in *Instructions) Err() error { return in.err }

// Raw returns the bytes of the current instruction. They are part of the code: do not write.
func (in *Instructions) Raw() []byte { return in.code[in.Pos:in.End:in.End] }

// Next moves to the next instruction.
func (in *Instructions) Next() bool {
	if in.End >= len(in.code) || in.err != nil {
		return false
	}
	in.Pos = in.End
	in.End++
	in.Op = Opcode(in.code[in.Pos])
	entry := &plain[in.Op]
	if in.Op >= 0xfb {
		if entry = in.prefixed(); entry == nil {
			return false
		}
	}
	in.imm = entry.imm
	switch entry.imm {
	case immNone:
	case immIndex:
		in.Index = in.u32()
	case immMemArg, immMemArgLane:
		in.Mem.Align = in.u32()
		in.Mem.Offset = in.u64()
		if in.Mem.Align >= 64 {
			return in.fail("%v with alignment 2^%d: multi-memory is not supported", in.Op, in.Mem.Align)
		}
		if entry.imm == immMemArgLane {
			in.Index = uint32(in.byte())
		}
	case immI32:
		in.Const = in.signed(32)
	case immI64:
		in.Const = in.signed(64)
	case immBlock:
		in.Const = in.signed(33)
		if in.Const < 0 && in.Const != BlockEmpty && !ValType(in.Const+0x80).valid() {
			return in.fail("%v with unknown block type %d", in.Op, in.Const)
		}
	case immIndex2:
		in.Index = in.u32()
		in.Index2 = in.u32()
	case immIndexMemory:
		in.Index = in.u32()
		in.memory()
	case immMemory:
		in.memory()
	case immMemory2:
		in.memory()
		in.memory()
	case immLane:
		in.Index = uint32(in.byte())
	case imm4:
		in.skip(4)
	case imm8:
		in.skip(8)
	case imm16:
		in.skip(16)
	case immRefType:
		in.Const = int64(in.byte())
		if in.err == nil && !ValType(in.Const).isRef() {
			return in.fail("ref.null of heap type 0x%02x: only func and extern are supported", in.Const)
		}
	case immTypes:
		in.Index = in.u32()
		for n := in.Index; n > 0 && in.err == nil; n-- {
			if t := ValType(in.byte()); in.err == nil && !t.valid() {
				return in.fail("select of unknown type 0x%02x", byte(t))
			}
		}
	case immBrTable:
		in.brTable()
	default:
		feature, text := unknown(in.Op)
		in.failFor(feature, "%s", text)
	}
	return in.err == nil
}

func (in *Instructions) brTable() {
	n := in.u32()
	if int64(n) > int64(len(in.code)-in.End) {
		in.fail("br_table of %d labels in %d bytes", n, len(in.code)-in.End)
		return
	}
	start := in.End
	for range n {
		in.u32()
	}
	in.Index = in.u32() // the default
	in.labels = in.code[start:in.End]
}

// Labels calls yield with each target of a br_table, the default last.
func (in *Instructions) Labels(yield func(label uint32) bool) {
	for rest := in.labels; len(rest) > 0; {
		v, n := uleb(rest, 32)
		if !yield(uint32(v)) {
			return
		}
		rest = rest[n:]
	}
}

// Float32Bits returns the bits of the value of f32.const.
func (in *Instructions) Float32Bits() uint32 { return binary.LittleEndian.Uint32(in.code[in.End-4:]) }

// Float64Bits returns the bits of the value of f64.const.
func (in *Instructions) Float64Bits() uint64 { return binary.LittleEndian.Uint64(in.code[in.End-8:]) }

// BlockType returns the signature of a block, loop or if, of which types is Module.Types.
func (in *Instructions) BlockType(types []FuncType) (FuncType, error) {
	switch {
	case in.Const == BlockEmpty:
		return FuncType{}, nil
	case in.Const < 0:
		return FuncType{Results: []ValType{ValType(in.Const + 0x80)}}, nil
	case in.Const < int64(len(types)):
		return types[in.Const], nil
	}
	return FuncType{}, fmt.Errorf("%v of type %d, the module has %d types", in.Op, in.Const, len(types))
}

func (in *Instructions) prefixed() *info {
	switch prefix := in.code[in.Pos]; prefix {
	case 0xfc, 0xfd:
		n := in.u32()
		if in.err != nil {
			return nil
		}
		in.Op = Opcode(prefix)<<8 | Opcode(min(n, 0xff))
		if n < 0x100 {
			if entry := infoOf(in.Op); entry.imm != immInvalid {
				return entry
			}
		} else if prefix == 0xfd {
			in.failFor("relaxed SIMD", "relaxed SIMD is not supported (0xfd %d)", n)
			return nil
		}
		const wideFrom, wideTo = 19, 22
		if prefix == 0xfc && n >= wideFrom && n <= wideTo {
			in.failFor("wide arithmetic", "wide arithmetic is not supported (0xfc %d)", n)
			return nil
		}
		in.fail("unknown instruction 0x%02x %d", prefix, n)
	default:
		feature, text := unknown(in.Op)
		in.failFor(feature, "%s", text)
	}
	return nil
}

// unknown names the extension of WebAssembly that a refused opcode belongs to, as production's parser does and
// in a sentence.
func unknown(op Opcode) (feature, text string) {
	extension := ""
	switch {
	case op >= 0x06 && op <= 0x0a, op == 0x18, op == 0x19, op == 0x1f:
		feature, extension = "exceptions", "exceptions are not supported"
	case op == 0x14 || op == 0x15 || op >= 0xd3 && op <= 0xd6:
		feature, extension = "function references", "typed function references and garbage collection are not supported"
	case op == 0xfb:
		feature, extension = "gc", "garbage collection is not supported"
	case op == 0xfe:
		feature, extension = "threads", "threads are not supported"
	default:
		return "", fmt.Sprintf("unknown instruction 0x%02x", uint16(op))
	}
	return feature, fmt.Sprintf("instruction 0x%02x: %s", uint16(op), extension)
}

// failFor fails for an extension of WebAssembly that is not supported.
func (in *Instructions) failFor(feature, format string, args ...any) {
	if in.err == nil {
		e := &DecodeError{Offset: in.base + in.Pos, Section: "code", Err: fmt.Errorf(format, args...)}
		if feature != "" {
			e.Production = fmt.Sprintf("%s support is not enabled (at offset 0x%x)", feature, e.Offset)
		}
		in.err = e
	}
}

func (in *Instructions) fail(format string, args ...any) bool {
	in.failWith(fmt.Errorf(format, args...))
	return false
}

func (in *Instructions) failWith(err error) {
	if in.err == nil {
		in.err = &DecodeError{Offset: in.base + in.Pos, Section: "code", Err: err}
	}
}

func (in *Instructions) byte() byte {
	if in.End >= len(in.code) {
		in.failWith(errEnd)
		return 0
	}
	in.End++
	return in.code[in.End-1]
}

func (in *Instructions) skip(n int) {
	if n > len(in.code)-in.End {
		in.failWith(errEnd)
		return
	}
	in.End += n
}

func (in *Instructions) u32() uint32 {
	v, n := uleb(in.code[in.End:], 32)
	if n <= 0 {
		in.failWith(lebError(n))
		return 0
	}
	in.End += n
	return uint32(v)
}

func (in *Instructions) u64() uint64 {
	v, n := uleb(in.code[in.End:], 64)
	if n <= 0 {
		in.failWith(lebError(n))
		return 0
	}
	in.End += n
	return v
}

func (in *Instructions) signed(bits uint) int64 {
	v, n := sleb(in.code[in.End:], bits)
	if n <= 0 {
		in.failWith(lebError(n))
		return 0
	}
	in.End += n
	return v
}

func (in *Instructions) memory() {
	if n := in.u32(); n != 0 {
		in.fail("%v of memory %d: multi-memory is not supported", in.Op, n)
	}
	in.Index2 = 0
}
