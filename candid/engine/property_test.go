package engine_test

import (
	"fmt"
	"math/big"
	"testing"

	agentcandid "github.com/aviate-labs/agent-go/candid"
	"github.com/aviate-labs/agent-go/candid/idl"
	agentprincipal "github.com/aviate-labs/agent-go/principal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/candid/engine"
	"kedge/ic/principal"
)

func drawMessage(t *rapid.T, wild bool) (engine.Table, []engine.Field, []any) {
	var table engine.Table
	var args []engine.Field
	var values []any
	for i := range rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "arguments") {
		args = append(args, engine.Field{ID: uint32(i), Type: randomType(t, &table, 4, wild)})
		values = append(values, randomValue(t, table, args[i].Type))
	}
	return table, args, values
}

// What is encoded decodes to itself, both when the header is recognised and
// when it is read; and nothing shorter or longer decodes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, args, values := drawMessage(t, true)
		b := encodeAll(table, args, values)
		got, err := decodeAll(b, table, args)
		require.NoError(t, err)
		require.Equal(t, showAll(values), showAll(got))

		sig := &engine.Signature{Header: string(engine.AppendHeader(nil, table, args)), Args: args}
		d := engine.NewDecoder(b, table, sig)
		for i, a := range args {
			w, ok := d.OptArg()
			require.True(t, ok)
			require.Equal(t, show(values[i]), show(decodeValue(d, table, a.Type, w)))
		}
		require.NoError(t, d.Finish())

		_, err = decodeAll(append(b, 0), table, args)
		require.Error(t, err)
		if len(b) > 0 {
			_, err = decodeAll(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")], table, args)
			require.Error(t, err)
		}
	})
}

// Any message decodes as no arguments at all, and each value as reserved, and as
// an opt of whatever type: what does not fit is null.
func TestSkipping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, args, values := drawMessage(t, true)
		b := encodeAll(table, args, values)
		_, err := decodeAll(b, nil, nil)
		require.NoError(t, err)

		var other engine.Table
		var opts []engine.Field
		for i := range args {
			inner := randomType(t, &other, 3, true)
			other = append(other, engine.Entry{Op: engine.Opt, Elem: inner})
			opts = append(opts, engine.Field{ID: uint32(i), Type: engine.Ref(len(other) - 1)})
		}
		_, err = decodeAll(b, other, opts)
		require.NoError(t, err)
	})
}

// If the type of a message is a subtype of another, it decodes as that.
func TestSubtypesDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table engine.Table
		r := randomType(t, &table, 3, true)
		super := append(engine.Table(nil), table...)
		s := widen(t, &super, r)
		require.True(t, engine.Subtype(table, r, super, s), "%v %d %d", super, r, s)
		args := []engine.Field{{Type: r}}
		_, err := decodeAll(encodeAll(table, args, []any{randomValue(t, table, r)}), super, []engine.Field{{Type: s}})
		require.NoError(t, err)
	})
}

// widen draws a supertype.
func widen(t *rapid.T, table *engine.Table, r engine.Ref) engine.Ref {
	if rapid.IntRange(0, 9).Draw(t, "reserved") == 0 {
		return engine.Reserved
	}
	if r == engine.Nat && rapid.Bool().Draw(t, "int") {
		return engine.Int
	}
	if r < 0 {
		return r
	}
	e := (*table)[r]
	fields := append([]engine.Field(nil), e.Fields...)
	switch e.Op {
	case engine.Service:
		return engine.Principal
	case engine.Opt, engine.Vec:
		e.Elem = widen(t, table, e.Elem)
	case engine.Record, engine.Variant:
		e.Fields = nil
		for _, f := range fields {
			if e.Op == engine.Variant || rapid.Bool().Draw(t, "keep") {
				f.Type = widen(t, table, f.Type)
				e.Fields = append(e.Fields, f)
			}
		}
		if rapid.Bool().Draw(t, "new field") { // higher than any that is drawn
			*table = append(*table, engine.Entry{Op: engine.Opt, Elem: engine.Nat})
			e.Fields = append(e.Fields, engine.Field{ID: 1<<32 - 1, Type: engine.Ref(len(*table) - 1)})
		}
	}
	*table = append(*table, e)
	return engine.Ref(len(*table) - 1)
}

// agent-go decodes what is encoded here, and the other way round.
func TestAgainstAgentGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, args, values := drawMessage(t, false)
		var types []idl.Type
		var theirs []any
		for i, a := range args {
			types = append(types, agentType(table, a.Type))
			theirs = append(theirs, toAgent(table, a.Type, values[i]))
		}
		_, decoded, err := agentcandid.Decode(encodeAll(table, args, values))
		require.NoError(t, err)
		for i, a := range args {
			require.Equal(t, show(values[i]), show(fromAgent(table, a.Type, decoded[i])))
		}

		b, err := agentcandid.Encode(types, theirs)
		require.NoError(t, err)
		got, err := decodeAll(b, table, args)
		require.NoError(t, err)
		require.Equal(t, showAll(values), showAll(got))
	})
}

func agentType(table engine.Table, r engine.Ref) idl.Type {
	if r < 0 {
		return map[engine.Ref]idl.Type{
			engine.Null: new(idl.NullType), engine.Bool: new(idl.BoolType), engine.Text: new(idl.TextType),
			engine.Nat: new(idl.NatType), engine.Int: new(idl.IntType), engine.Principal: new(idl.PrincipalType),
			engine.Nat8: idl.Nat8Type(), engine.Nat16: idl.Nat16Type(), engine.Nat32: idl.Nat32Type(), engine.Nat64: idl.Nat64Type(),
			engine.Int8: idl.Int8Type(), engine.Int16: idl.Int16Type(), engine.Int32: idl.Int32Type(), engine.Int64: idl.Int64Type(),
			engine.Float32: idl.Float32Type(), engine.Float64: idl.Float64Type(),
		}[r]
	}
	e := table[r]
	fields := map[string]idl.Type{}
	for _, f := range e.Fields {
		fields[fieldNamed(f.ID)] = agentType(table, f.Type)
	}
	switch e.Op {
	case engine.Opt:
		return idl.NewOptionalType(agentType(table, e.Elem))
	case engine.Vec:
		return idl.NewVectorType(agentType(table, e.Elem))
	case engine.Record:
		return idl.NewRecordType(fields)
	default:
		return idl.NewVariantType(fields)
	}
}

func toAgent(table engine.Table, r engine.Ref, v any) any {
	if r < 0 {
		n, _ := v.(*big.Int)
		switch r {
		case engine.Nat:
			return idl.NewBigNat(n)
		case engine.Int:
			return idl.NewBigInt(n)
		case engine.Nat8:
			return uint8(n.Uint64())
		case engine.Nat16:
			return uint16(n.Uint64())
		case engine.Nat32:
			return uint32(n.Uint64())
		case engine.Nat64:
			return n.Uint64()
		case engine.Int8:
			return int8(n.Int64())
		case engine.Int16:
			return int16(n.Int64())
		case engine.Int32:
			return int32(n.Int64())
		case engine.Int64:
			return n.Int64()
		case engine.Float32:
			return float32(v.(float64))
		case engine.Principal:
			return agentprincipal.Principal{Raw: v.(principal.Principal).Bytes()}
		}
		return v
	}
	switch e := table[r]; e.Op {
	case engine.Opt:
		if v == nil {
			return nil
		}
		return toAgent(table, e.Elem, v.(optV).v)
	case engine.Vec:
		if e.Elem == engine.Nat8 {
			return []byte(v.(string))
		}
		out := []any{}
		for _, x := range v.(vecV) {
			out = append(out, toAgent(table, e.Elem, x))
		}
		return out
	case engine.Record:
		out := map[string]any{}
		for i, f := range e.Fields {
			out[fieldNamed(f.ID)] = toAgent(table, f.Type, v.(recordV)[i].v)
		}
		return out
	default:
		c := v.(variantV)
		for _, f := range e.Fields {
			if f.ID == c.id {
				return idl.Variant{Name: fieldNamed(c.id), Value: toAgent(table, f.Type, c.v), Type: agentType(table, f.Type)}
			}
		}
		panic("no such case")
	}
}

// fromAgent turns what agent-go decoded into a value; its fields have the names
// that are on the wire, which are numbers.
func fromAgent(table engine.Table, r engine.Ref, v any) any {
	if r < 0 {
		switch v := v.(type) {
		case nil, bool, string, float64:
			return v
		case float32:
			return float64(v)
		case agentprincipal.Principal:
			p, err := principal.FromBytes(v.Raw)
			if err != nil {
				panic(err)
			}
			return p
		default:
			n, ok := new(big.Int).SetString(fmt.Sprint(v), 10)
			if !ok {
				panic(fmt.Sprintf("%T", v))
			}
			return n
		}
	}
	switch e := table[r]; e.Op {
	case engine.Opt:
		if v == nil {
			return nil
		}
		return optV{fromAgent(table, e.Elem, v)}
	case engine.Vec:
		if e.Elem == engine.Nat8 {
			b := []byte{}
			for _, x := range v.([]any) {
				b = append(b, x.(uint8))
			}
			return string(b)
		}
		out := vecV{}
		for _, x := range v.([]any) {
			out = append(out, fromAgent(table, e.Elem, x))
		}
		return out
	case engine.Record:
		out := recordV{}
		for _, f := range e.Fields {
			out = append(out, fieldV{f.ID, fromAgent(table, f.Type, v.(map[string]any)[fmt.Sprint(f.ID)])})
		}
		return out
	default:
		c := v.(*idl.Variant)
		for _, f := range e.Fields {
			if fmt.Sprint(f.ID) == c.Name {
				return variantV{f.ID, fromAgent(table, f.Type, c.Value)}
			}
		}
		panic("no such case " + c.Name)
	}
}
