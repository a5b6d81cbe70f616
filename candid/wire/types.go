package wire

import "kedge/ic/principal"

// Ref names a type: an index into a Table, or, if negative, the opcode of a
// primitive type.
type Ref int32

// The primitive types, by their opcodes.
const (
	Null      Ref = -1
	Bool      Ref = -2
	Nat       Ref = -3
	Int       Ref = -4
	Nat8      Ref = -5
	Nat16     Ref = -6
	Nat32     Ref = -7
	Nat64     Ref = -8
	Int8      Ref = -9
	Int16     Ref = -10
	Int32     Ref = -11
	Int64     Ref = -12
	Float32   Ref = -13
	Float64   Ref = -14
	Text      Ref = -15
	Reserved  Ref = -16
	Empty     Ref = -17
	Principal Ref = -24
)

// Op is the opcode of an Entry.
type Op int8

// The constructors of types, by their opcodes. Future stands for every opcode
// below -24, which the specification keeps for types yet to come.
const (
	Opt     Op = -18
	Vec     Op = -19
	Record  Op = -20
	Variant Op = -21
	Func    Op = -22
	Service Op = -23
	Future  Op = -25
)

// Mode is the set of a function type's annotations.
type Mode uint8

// The annotations of functions.
const (
	Query Mode = 1 << iota
	Oneway
	CompositeQuery
)

// Entry is one constructed type of a Table.
type Entry struct {
	Op   Op
	Mode Mode // of a Func
	// Elem is what an Opt or a Vec holds. For a Func it is not a type but
	// the number of its arguments.
	Elem Ref
	// Fields are those of a Record or a Variant by ascending id, the methods
	// of a Service by ascending name, or the arguments of a Func followed by
	// its results, each list with the ids 0, 1, 2, …
	Fields []Field
}

// Field is a field of a record, a case of a variant, a method of a service, or
// an argument of a function.
type Field struct {
	ID   uint32
	Type Ref
	Name string // of a method; nothing else has its name on the wire
}

// Table is a set of types that refer to each other by index.
type Table []Entry

// FuncRef is the value of a func type: a method of a canister.
type FuncRef struct {
	Service principal.Principal
	Method  string
}

// Method describes a method of a generated interface.
type Method struct {
	Name string
	Mode Mode // 0 is an update call
}

// Hash is the id of the field or case with the given name: the sum of its
// bytes times powers of 223, modulo 2^32.
func Hash(name string) uint32 {
	var h uint32
	for i := 0; i < len(name); i++ {
		h = h*223 + uint32(name[i])
	}
	return h
}

var primitiveNames = [...]string{"", "null", "bool", "nat", "int", "nat8", "nat16", "nat32", "nat64",
	"int8", "int16", "int32", "int64", "float32", "float64", "text", "reserved", "empty",
	"opt", "vec", "record", "variant", "func", "service", "principal", "a type of a later specification"}

// kindName is the type constructor of r, as errors print it.
func (t Table) kindName(r Ref) string {
	if r >= 0 {
		e := &t[r]
		if e.Op == Vec && e.Elem == Nat8 {
			return "blob"
		}
		r = Ref(e.Op)
	}
	return primitiveNames[-r]
}

// PrimitiveName is the name of a primitive type; r must be one.
func (r Ref) PrimitiveName() string { return primitiveNames[-r] }
