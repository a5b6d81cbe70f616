package wasm

import "fmt"

// Opcode names an instruction: its byte, or its prefix byte times 256 plus the number that follows
// (0xfc.. saturating conversions and bulk operations, 0xfd.. SIMD).
type Opcode uint16

// The opcodes that have meaning to this package and its users. All others have a name only; see
// [Opcode.String].
const (
	OpUnreachable        Opcode = 0x00
	OpNop                Opcode = 0x01
	OpBlock              Opcode = 0x02
	OpLoop               Opcode = 0x03
	OpIf                 Opcode = 0x04
	OpElse               Opcode = 0x05
	OpEnd                Opcode = 0x0b
	OpBr                 Opcode = 0x0c
	OpBrIf               Opcode = 0x0d
	OpBrTable            Opcode = 0x0e
	OpReturn             Opcode = 0x0f
	OpCall               Opcode = 0x10
	OpCallIndirect       Opcode = 0x11
	OpReturnCall         Opcode = 0x12
	OpReturnCallIndirect Opcode = 0x13
	OpDrop               Opcode = 0x1a
	OpSelect             Opcode = 0x1b
	OpSelectT            Opcode = 0x1c
	OpLocalGet           Opcode = 0x20
	OpLocalSet           Opcode = 0x21
	OpLocalTee           Opcode = 0x22
	OpGlobalGet          Opcode = 0x23
	OpGlobalSet          Opcode = 0x24
	OpTableGet           Opcode = 0x25
	OpTableSet           Opcode = 0x26
	OpI32Load            Opcode = 0x28
	OpI64Load            Opcode = 0x29
	OpF32Load            Opcode = 0x2a
	OpF64Load            Opcode = 0x2b
	OpI32Load8S          Opcode = 0x2c
	OpI32Load8U          Opcode = 0x2d
	OpI32Load16S         Opcode = 0x2e
	OpI32Load16U         Opcode = 0x2f
	OpI64Load8S          Opcode = 0x30
	OpI64Load8U          Opcode = 0x31
	OpI64Load16S         Opcode = 0x32
	OpI64Load16U         Opcode = 0x33
	OpI64Load32S         Opcode = 0x34
	OpI64Load32U         Opcode = 0x35
	OpI32Store           Opcode = 0x36
	OpI64Store           Opcode = 0x37
	OpF32Store           Opcode = 0x38
	OpF64Store           Opcode = 0x39
	OpI32Store8          Opcode = 0x3a
	OpI32Store16         Opcode = 0x3b
	OpI64Store8          Opcode = 0x3c
	OpI64Store16         Opcode = 0x3d
	OpI64Store32         Opcode = 0x3e
	OpMemorySize         Opcode = 0x3f
	OpMemoryGrow         Opcode = 0x40
	OpI32Const           Opcode = 0x41
	OpI64Const           Opcode = 0x42
	OpF32Const           Opcode = 0x43
	OpF64Const           Opcode = 0x44
	OpI32Eqz             Opcode = 0x45
	OpI32Eq              Opcode = 0x46
	OpI32Ne              Opcode = 0x47
	OpI32LtS             Opcode = 0x48
	OpI32LtU             Opcode = 0x49
	OpI32GtS             Opcode = 0x4a
	OpI32GtU             Opcode = 0x4b
	OpI32LeS             Opcode = 0x4c
	OpI32LeU             Opcode = 0x4d
	OpI32GeS             Opcode = 0x4e
	OpI32GeU             Opcode = 0x4f
	OpI64Eqz             Opcode = 0x50
	OpI64Eq              Opcode = 0x51
	OpI64Ne              Opcode = 0x52
	OpI64LtS             Opcode = 0x53
	OpI64LtU             Opcode = 0x54
	OpI64GtS             Opcode = 0x55
	OpI64GtU             Opcode = 0x56
	OpI64LeS             Opcode = 0x57
	OpI64LeU             Opcode = 0x58
	OpI64GeS             Opcode = 0x59
	OpI64GeU             Opcode = 0x5a
	OpI32Clz             Opcode = 0x67
	OpI32Ctz             Opcode = 0x68
	OpI32Popcnt          Opcode = 0x69
	OpI32Add             Opcode = 0x6a
	OpI32Sub             Opcode = 0x6b
	OpI32Mul             Opcode = 0x6c
	OpI32DivS            Opcode = 0x6d
	OpI32DivU            Opcode = 0x6e
	OpI32RemS            Opcode = 0x6f
	OpI32RemU            Opcode = 0x70
	OpI32And             Opcode = 0x71
	OpI32Or              Opcode = 0x72
	OpI32Xor             Opcode = 0x73
	OpI32Shl             Opcode = 0x74
	OpI32ShrS            Opcode = 0x75
	OpI32ShrU            Opcode = 0x76
	OpI32Rotl            Opcode = 0x77
	OpI32Rotr            Opcode = 0x78
	OpI64Clz             Opcode = 0x79
	OpI64Ctz             Opcode = 0x7a
	OpI64Popcnt          Opcode = 0x7b
	OpI64Add             Opcode = 0x7c
	OpI64Sub             Opcode = 0x7d
	OpI64Mul             Opcode = 0x7e
	OpI64DivS            Opcode = 0x7f
	OpI64DivU            Opcode = 0x80
	OpI64RemS            Opcode = 0x81
	OpI64RemU            Opcode = 0x82
	OpI64And             Opcode = 0x83
	OpI64Or              Opcode = 0x84
	OpI64Xor             Opcode = 0x85
	OpI64Shl             Opcode = 0x86
	OpI64ShrS            Opcode = 0x87
	OpI64ShrU            Opcode = 0x88
	OpI64Rotl            Opcode = 0x89
	OpI64Rotr            Opcode = 0x8a
	OpI32WrapI64         Opcode = 0xa7
	OpI64ExtendI32S      Opcode = 0xac
	OpI64ExtendI32U      Opcode = 0xad
	OpI32Extend8S        Opcode = 0xc0
	OpI64Extend32S       Opcode = 0xc4
	OpRefNull            Opcode = 0xd0
	OpRefIsNull          Opcode = 0xd1
	OpRefFunc            Opcode = 0xd2
	OpMemoryInit         Opcode = 0xfc08
	OpDataDrop           Opcode = 0xfc09
	OpMemoryCopy         Opcode = 0xfc0a
	OpMemoryFill         Opcode = 0xfc0b
	OpTableInit          Opcode = 0xfc0c
	OpElemDrop           Opcode = 0xfc0d
	OpTableCopy          Opcode = 0xfc0e
	OpTableGrow          Opcode = 0xfc0f
	OpTableSize          Opcode = 0xfc10
	OpTableFill          Opcode = 0xfc11
	OpV128Load           Opcode = 0xfd00
	OpV128Store          Opcode = 0xfd0b
	OpV128Const          Opcode = 0xfd0c
	OpI8x16Shuffle       Opcode = 0xfd0d
	OpV128Load8Lane      Opcode = 0xfd54
	OpV128Load64Lane     Opcode = 0xfd57
	OpV128Store8Lane     Opcode = 0xfd58
	OpV128Store64Lane    Opcode = 0xfd5b
	OpV128Load32Zero     Opcode = 0xfd5c
	OpV128Load64Zero     Opcode = 0xfd5d
)

// immediate is what follows an opcode in the code.
type immediate byte

const (
	immInvalid     immediate = iota // not an instruction that this package knows
	immNone                         //
	immBlock                        // block type: s33
	immIndex                        // one index: u32
	immIndex2                       // two: u32, u32
	immBrTable                      // vector of u32, u32
	immMemory                       // memory index: u32
	immMemory2                      // two memory indices
	immIndexMemory                  // data index, memory index
	immMemArg                       // alignment: u32, offset: u64
	immMemArgLane                   // the same, and a lane: u8
	immLane                         // u8
	immI32                          // s32
	immI64                          // s64
	imm4                            // four bytes
	imm8                            // eight
	imm16                           // sixteen
	immTypes                        // vector of value types
	immRefType                      // reference type: u8
)

// info is what the tables know of each opcode.
type info struct {
	name string
	imm  immediate
	size uint8 // bytes of memory that a load or store touches
}

// infoOf returns the entry of an opcode; its imm is immInvalid if there is no such instruction.
func infoOf(op Opcode) *info {
	switch {
	case op < 0x100:
		return &plain[op]
	case op>>8 == 0xfc && int(op&0xff) < len(misc):
		return &misc[op&0xff]
	case op>>8 == 0xfd:
		return &simd[op&0xff]
	}
	return &info{}
}

// String returns the name of the instruction in the text format.
func (op Opcode) String() string {
	if name := infoOf(op).name; name != "" {
		return name
	}
	return fmt.Sprintf("opcode 0x%02x", uint16(op))
}

// Valid reports whether the opcode is an instruction that this package knows.
func (op Opcode) Valid() bool { return infoOf(op).imm != immInvalid }

// AccessSize returns how many bytes of memory a load or store touches, 0 for other instructions.
func (op Opcode) AccessSize() int { return int(infoOf(op).size) }

// IsStore reports whether the instruction is a store, of a lane or a whole value.
func (op Opcode) IsStore() bool {
	return op >= OpI32Store && op <= OpI64Store32 || op == OpV128Store || op >= OpV128Store8Lane && op <= OpV128Store64Lane
}

// constant reports whether the instruction may stand in a constant expression.
func (op Opcode) constant() bool {
	switch op {
	case OpI32Const, OpI64Const, OpF32Const, OpF64Const, OpV128Const, OpGlobalGet, OpRefNull, OpRefFunc:
		return true
	}
	return false
}

// Opcodes returns every known opcode in order, for tables made over all of them.
func Opcodes() []Opcode {
	var all []Opcode
	for _, page := range []struct{ first, n Opcode }{{0, 0x100}, {0xfc00, Opcode(len(misc))}, {0xfd00, 0x100}} {
		for op := page.first; op < page.first+page.n; op++ {
			if op.Valid() {
				all = append(all, op)
			}
		}
	}
	return all
}

// OpcodeTable is the length of a table of all opcodes: 256 entries each for those of one byte, 0xfc and 0xfd.
const OpcodeTable = 3 * 256

// Index is the place of an opcode in a table of [OpcodeTable] entries.
func (op Opcode) Index() int {
	switch op >> 8 {
	case 0xfc:
		return 256 + int(op&0xff)
	case 0xfd:
		return 512 + int(op&0xff)
	}
	return int(op & 0xff)
}
