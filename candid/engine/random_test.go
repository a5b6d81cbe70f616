package engine_test

import (
	"math/big"
	"slices"

	"pgregory.net/rapid"

	"kedge/candid/engine"
	"kedge/ic/principal"
)

// randomType draws a type of the given depth and puts what it needs into the
// table. With wild, everything that exists; without, what agent-go can tell
// apart and accepts: no opt of an opt, no null but as a case, no reserved, no
// reference, no empty record.
func randomType(t *rapid.T, table *engine.Table, depth int, wild bool) engine.Ref {
	primitives := []engine.Ref{engine.Bool, engine.Nat, engine.Int, engine.Nat8, engine.Nat16, engine.Nat32, engine.Nat64,
		engine.Int8, engine.Int16, engine.Int32, engine.Int64, engine.Float32, engine.Float64, engine.Text, engine.Principal}
	ops := []engine.Op{engine.Opt, engine.Vec, engine.Record, engine.Variant}
	if wild {
		primitives = append(primitives, engine.Null, engine.Reserved)
		ops = append(ops, engine.Func, engine.Service)
	}
	if depth == 0 || rapid.Bool().Draw(t, "primitive") && rapid.Bool().Draw(t, "really") {
		return rapid.SampledFrom(primitives).Draw(t, "type")
	}
	inner := func() engine.Ref { return randomType(t, table, depth-1, wild) }
	var e engine.Entry
	switch e.Op = rapid.SampledFrom(ops).Draw(t, "constructor"); e.Op {
	case engine.Opt:
		e.Elem = inner()
		for !wild && (table.Nullable(e.Elem)) {
			e.Elem = inner()
		}
	case engine.Vec:
		e.Elem = inner()
	case engine.Record, engine.Variant:
		least := 1
		if wild && e.Op == engine.Record {
			least = 0
		}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(fieldNames), least, 4, rapid.ID).Draw(t, "fields") {
			f := engine.Field{ID: engine.Hash(name), Type: engine.Null}
			if e.Op == engine.Record || rapid.Bool().Draw(t, "content") {
				f.Type = inner()
			}
			e.Fields = append(e.Fields, f)
		}
		slices.SortFunc(e.Fields, func(a, b engine.Field) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
	case engine.Func:
		e.Fields = []engine.Field{{ID: 0, Type: inner()}, {ID: 0, Type: inner()}}
		e.Elem = 1
		e.Mode = engine.Mode(rapid.IntRange(0, 4).Draw(t, "mode"))
	case engine.Service:
		*table = append(*table, engine.Entry{Op: engine.Func})
		e.Fields = []engine.Field{{Name: "m", Type: engine.Ref(len(*table) - 1)}}
	}
	*table = append(*table, e)
	return engine.Ref(len(*table) - 1)
}

var fieldNames = []string{"a", "b", "pubkey", "alias", "key_type", "Ok", "Err", "tail"}

func fieldNamed(id uint32) string {
	for _, n := range fieldNames {
		if engine.Hash(n) == id {
			return n
		}
	}
	panic("unknown field")
}

// randomValue draws a value of a type.
func randomValue(t *rapid.T, table engine.Table, r engine.Ref) any {
	if r < 0 {
		return randomPrimitive(t, r)
	}
	switch e := table[r]; e.Op {
	case engine.Opt:
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return optV{randomValue(t, table, e.Elem)}
	case engine.Vec:
		if e.Elem == engine.Nat8 {
			return string(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "blob"))
		}
		v := vecV{}
		for range rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "length") {
			v = append(v, randomValue(t, table, e.Elem))
		}
		return v
	case engine.Record:
		v := recordV{}
		for _, f := range e.Fields {
			v = append(v, fieldV{f.ID, randomValue(t, table, f.Type)})
		}
		return v
	case engine.Variant:
		f := rapid.SampledFrom(e.Fields).Draw(t, "case")
		return variantV{f.ID, randomValue(t, table, f.Type)}
	case engine.Func:
		return engine.FuncRef{Service: randomPrincipal(t), Method: rapid.String().Draw(t, "method")}
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

func randomPrimitive(t *rapid.T, r engine.Ref) any {
	switch r {
	case engine.Null, engine.Reserved:
		return nil
	case engine.Bool:
		return rapid.Bool().Draw(t, "bool")
	case engine.Text:
		return rapid.String().Draw(t, "text")
	case engine.Principal:
		return randomPrincipal(t)
	case engine.Float32:
		return float64(rapid.Float32().Draw(t, "float32"))
	case engine.Float64:
		return rapid.Float64().Draw(t, "float64")
	case engine.Nat, engine.Int:
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "digits"))
		if r == engine.Int && rapid.Bool().Draw(t, "negative") {
			n.Neg(n)
		}
		return n
	}
	if r <= engine.Nat8 && r >= engine.Nat64 {
		return new(big.Int).SetUint64(rapid.Uint64().Draw(t, "nat") >> (64 - 8<<(engine.Nat8-r)))
	}
	return big.NewInt(rapid.Int64().Draw(t, "int") >> (64 - 8<<(engine.Int8-r)))
}
