package wire_test

import (
	"fmt"
	"math/big"
	"testing"

	agentcandid "github.com/aviate-labs/agent-go/candid"
	"github.com/aviate-labs/agent-go/candid/idl"
	agentprincipal "github.com/aviate-labs/agent-go/principal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/candid/wire"
	"kedge/ic/principal"
)

func drawMessage(t *rapid.T, wild bool) (wire.Table, []wire.Field, []any) {
	var table wire.Table
	var args []wire.Field
	var values []any
	for i := range rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "arguments") {
		args = append(args, wire.Field{ID: uint32(i), Type: randomType(t, &table, 4, wild)})
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

		sig := &wire.Signature{Header: string(wire.AppendHeader(nil, table, args)), Args: args}
		d := wire.NewDecoder(b, table, sig)
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

		var other wire.Table
		var opts []wire.Field
		for i := range args {
			inner := randomType(t, &other, 3, true)
			other = append(other, wire.Entry{Op: wire.Opt, Elem: inner})
			opts = append(opts, wire.Field{ID: uint32(i), Type: wire.Ref(len(other) - 1)})
		}
		_, err = decodeAll(b, other, opts)
		require.NoError(t, err)
	})
}

// If the type of a message is a subtype of another, it decodes as that.
func TestSubtypesDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table wire.Table
		r := randomType(t, &table, 3, true)
		super := append(wire.Table(nil), table...)
		s := widen(t, &super, r)
		require.True(t, wire.Subtype(table, r, super, s), "%v %d %d", super, r, s)
		args := []wire.Field{{Type: r}}
		_, err := decodeAll(encodeAll(table, args, []any{randomValue(t, table, r)}), super, []wire.Field{{Type: s}})
		require.NoError(t, err)
	})
}

// widen draws a supertype.
func widen(t *rapid.T, table *wire.Table, r wire.Ref) wire.Ref {
	if rapid.IntRange(0, 9).Draw(t, "reserved") == 0 {
		return wire.Reserved
	}
	if r == wire.Nat && rapid.Bool().Draw(t, "int") {
		return wire.Int
	}
	if r < 0 {
		return r
	}
	e := (*table)[r]
	fields := append([]wire.Field(nil), e.Fields...)
	switch e.Op {
	case wire.Service:
		return wire.Principal
	case wire.Opt, wire.Vec:
		e.Elem = widen(t, table, e.Elem)
	case wire.Record, wire.Variant:
		e.Fields = nil
		for _, f := range fields {
			if e.Op == wire.Variant || rapid.Bool().Draw(t, "keep") {
				f.Type = widen(t, table, f.Type)
				e.Fields = append(e.Fields, f)
			}
		}
		if rapid.Bool().Draw(t, "new field") { // higher than any that is drawn
			*table = append(*table, wire.Entry{Op: wire.Opt, Elem: wire.Nat})
			e.Fields = append(e.Fields, wire.Field{ID: 1<<32 - 1, Type: wire.Ref(len(*table) - 1)})
		}
	}
	*table = append(*table, e)
	return wire.Ref(len(*table) - 1)
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

func agentType(table wire.Table, r wire.Ref) idl.Type {
	if r < 0 {
		return map[wire.Ref]idl.Type{
			wire.Null: new(idl.NullType), wire.Bool: new(idl.BoolType), wire.Text: new(idl.TextType),
			wire.Nat: new(idl.NatType), wire.Int: new(idl.IntType), wire.Principal: new(idl.PrincipalType),
			wire.Nat8: idl.Nat8Type(), wire.Nat16: idl.Nat16Type(), wire.Nat32: idl.Nat32Type(), wire.Nat64: idl.Nat64Type(),
			wire.Int8: idl.Int8Type(), wire.Int16: idl.Int16Type(), wire.Int32: idl.Int32Type(), wire.Int64: idl.Int64Type(),
			wire.Float32: idl.Float32Type(), wire.Float64: idl.Float64Type(),
		}[r]
	}
	e := table[r]
	fields := map[string]idl.Type{}
	for _, f := range e.Fields {
		fields[fieldNamed(f.ID)] = agentType(table, f.Type)
	}
	switch e.Op {
	case wire.Opt:
		return idl.NewOptionalType(agentType(table, e.Elem))
	case wire.Vec:
		return idl.NewVectorType(agentType(table, e.Elem))
	case wire.Record:
		return idl.NewRecordType(fields)
	default:
		return idl.NewVariantType(fields)
	}
}

func toAgent(table wire.Table, r wire.Ref, v any) any {
	if r < 0 {
		n, _ := v.(*big.Int)
		switch r {
		case wire.Nat:
			return idl.NewBigNat(n)
		case wire.Int:
			return idl.NewBigInt(n)
		case wire.Nat8:
			return uint8(n.Uint64())
		case wire.Nat16:
			return uint16(n.Uint64())
		case wire.Nat32:
			return uint32(n.Uint64())
		case wire.Nat64:
			return n.Uint64()
		case wire.Int8:
			return int8(n.Int64())
		case wire.Int16:
			return int16(n.Int64())
		case wire.Int32:
			return int32(n.Int64())
		case wire.Int64:
			return n.Int64()
		case wire.Float32:
			return float32(v.(float64))
		case wire.Principal:
			return agentprincipal.Principal{Raw: v.(principal.Principal).Bytes()}
		}
		return v
	}
	switch e := table[r]; e.Op {
	case wire.Opt:
		if v == nil {
			return nil
		}
		return toAgent(table, e.Elem, v.(optV).v)
	case wire.Vec:
		if e.Elem == wire.Nat8 {
			return []byte(v.(string))
		}
		out := []any{}
		for _, x := range v.(vecV) {
			out = append(out, toAgent(table, e.Elem, x))
		}
		return out
	case wire.Record:
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
func fromAgent(table wire.Table, r wire.Ref, v any) any {
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
	case wire.Opt:
		if v == nil {
			return nil
		}
		return optV{fromAgent(table, e.Elem, v)}
	case wire.Vec:
		if e.Elem == wire.Nat8 {
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
	case wire.Record:
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
