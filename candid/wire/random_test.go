package wire_test

import (
	"math/big"
	"slices"

	"pgregory.net/rapid"

	"kedge/candid/wire"
	"kedge/ic/principal"
)

// randomType draws a type of the given depth and puts what it needs into the
// table. With wild, everything that exists; without, what agent-go can tell
// apart and accepts: no opt of an opt, no null but as a case, no reserved, no
// reference, no empty record.
func randomType(t *rapid.T, table *wire.Table, depth int, wild bool) wire.Ref {
	primitives := []wire.Ref{wire.Bool, wire.Nat, wire.Int, wire.Nat8, wire.Nat16, wire.Nat32, wire.Nat64,
		wire.Int8, wire.Int16, wire.Int32, wire.Int64, wire.Float32, wire.Float64, wire.Text, wire.Principal}
	ops := []wire.Op{wire.Opt, wire.Vec, wire.Record, wire.Variant}
	if wild {
		primitives = append(primitives, wire.Null, wire.Reserved)
		ops = append(ops, wire.Func, wire.Service)
	}
	if depth == 0 || rapid.Bool().Draw(t, "primitive") && rapid.Bool().Draw(t, "really") {
		return rapid.SampledFrom(primitives).Draw(t, "type")
	}
	inner := func() wire.Ref { return randomType(t, table, depth-1, wild) }
	var e wire.Entry
	switch e.Op = rapid.SampledFrom(ops).Draw(t, "constructor"); e.Op {
	case wire.Opt:
		e.Elem = inner()
		for !wild && (table.Nullable(e.Elem)) {
			e.Elem = inner()
		}
	case wire.Vec:
		e.Elem = inner()
	case wire.Record, wire.Variant:
		least := 1
		if wild && e.Op == wire.Record {
			least = 0
		}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(fieldNames), least, 4, rapid.ID).Draw(t, "fields") {
			f := wire.Field{ID: wire.Hash(name), Type: wire.Null}
			if e.Op == wire.Record || rapid.Bool().Draw(t, "content") {
				f.Type = inner()
			}
			e.Fields = append(e.Fields, f)
		}
		slices.SortFunc(e.Fields, func(a, b wire.Field) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
	case wire.Func:
		e.Fields = []wire.Field{{ID: 0, Type: inner()}, {ID: 0, Type: inner()}}
		e.Elem = 1
		e.Mode = wire.Mode(rapid.IntRange(0, 4).Draw(t, "mode"))
	case wire.Service:
		*table = append(*table, wire.Entry{Op: wire.Func})
		e.Fields = []wire.Field{{Name: "m", Type: wire.Ref(len(*table) - 1)}}
	}
	*table = append(*table, e)
	return wire.Ref(len(*table) - 1)
}

var fieldNames = []string{"a", "b", "pubkey", "alias", "key_type", "Ok", "Err", "tail"}

func fieldNamed(id uint32) string {
	for _, n := range fieldNames {
		if wire.Hash(n) == id {
			return n
		}
	}
	panic("unknown field")
}

// randomValue draws a value of a type.
func randomValue(t *rapid.T, table wire.Table, r wire.Ref) any {
	if r < 0 {
		return randomPrimitive(t, r)
	}
	switch e := table[r]; e.Op {
	case wire.Opt:
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return optV{randomValue(t, table, e.Elem)}
	case wire.Vec:
		if e.Elem == wire.Nat8 {
			return string(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "blob"))
		}
		v := vecV{}
		for range rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "length") {
			v = append(v, randomValue(t, table, e.Elem))
		}
		return v
	case wire.Record:
		v := recordV{}
		for _, f := range e.Fields {
			v = append(v, fieldV{f.ID, randomValue(t, table, f.Type)})
		}
		return v
	case wire.Variant:
		f := rapid.SampledFrom(e.Fields).Draw(t, "case")
		return variantV{f.ID, randomValue(t, table, f.Type)}
	case wire.Func:
		return wire.FuncRef{Service: randomPrincipal(t), Method: rapid.String().Draw(t, "method")}
	default:
		return serviceV{randomPrincipal(t)}
	}
}

func randomPrincipal(t *rapid.T) principal.Principal {
	p, err := principal.FromBytes(rapid.SliceOfN(rapid.Byte(), 1, 29).Draw(t, "principal"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func randomPrimitive(t *rapid.T, r wire.Ref) any {
	switch r {
	case wire.Null, wire.Reserved:
		return nil
	case wire.Bool:
		return rapid.Bool().Draw(t, "bool")
	case wire.Text:
		return rapid.String().Draw(t, "text")
	case wire.Principal:
		return randomPrincipal(t)
	case wire.Float32:
		return float64(rapid.Float32().Draw(t, "float32"))
	case wire.Float64:
		return rapid.Float64().Draw(t, "float64")
	case wire.Nat, wire.Int:
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "digits"))
		if r == wire.Int && rapid.Bool().Draw(t, "negative") {
			n.Neg(n)
		}
		return n
	}
	if r <= wire.Nat8 && r >= wire.Nat64 {
		return new(big.Int).SetUint64(rapid.Uint64().Draw(t, "nat") >> (64 - 8<<(wire.Nat8-r)))
	}
	return big.NewInt(rapid.Int64().Draw(t, "int") >> (64 - 8<<(wire.Int8-r)))
}
