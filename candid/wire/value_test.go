package wire_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"kedge/candid/did"
	"kedge/candid/wire"
	"kedge/candid/wire/bignum"
	"kedge/ic/principal"
)

// The tests decode by walking through a type, with the same calls that
// generated code makes. Values are nil (null, reserved), bool, *big.Int,
// float64, string, and these.
type (
	optV     struct{ v any } // nil itself is null
	vecV     []any
	recordV  []fieldV
	variantV fieldV
	fieldV   struct {
		id uint32
		v  any
	}
	serviceV struct{ p principal.Principal }
)

// decodeAll decodes a message as the given arguments.
func decodeAll(data []byte, table wire.Table, args []wire.Field) ([]any, error) {
	d := wire.NewDecoder(data, table, &wire.Signature{Args: args})
	values := make([]any, len(args))
	for i, a := range args {
		var w wire.Ref
		var ok bool
		if table.Nullable(a.Type) {
			w, ok = d.OptArg()
		} else {
			w, ok = d.Arg()
		}
		if ok {
			values[i] = decodeValue(d, table, a.Type, w)
		}
	}
	return values, d.Finish()
}

func decodeValue(d *wire.Decoder, t wire.Table, want, w wire.Ref) any {
	if want < 0 {
		return decodePrimitive(d, want, w)
	}
	switch e := t[want]; e.Op {
	case wire.Opt:
		if inner, m, ok := d.Opt(w); ok {
			v := decodeValue(d, t, e.Elem, inner)
			if d.EndOpt(m, inner) {
				return optV{v}
			}
		}
		return nil
	case wire.Vec:
		if e.Elem == wire.Nat8 {
			return string(d.Blob(w))
		}
		elem, n := d.Vec(w)
		v := make(vecV, 0, wire.Prealloc(n))
		for i := range n {
			v = append(v, decodeValue(d, t, e.Elem, elem))
			if d.Failed() {
				d.At(i)
				break
			}
		}
		d.EndVec()
		return v
	case wire.Record:
		f := d.Record(w)
		v := recordV{}
		for _, field := range e.Fields {
			find := f.Field
			if t.Nullable(field.Type) {
				find = f.OptField
			}
			var x any
			if find(d, field.ID, strconv.Itoa(int(field.ID))) {
				x = decodeValue(d, t, field.Type, f.Type)
			}
			v = append(v, fieldV{field.ID, x})
		}
		f.End(d)
		return v
	case wire.Variant:
		id, payload, ok := d.Variant(w)
		if !ok {
			return nil
		}
		for _, field := range e.Fields {
			if field.ID == id {
				v := variantV{id, decodeValue(d, t, field.Type, payload)}
				d.EndVariant(strconv.Itoa(int(id)))
				return v
			}
		}
		d.BadCase(id)
		return nil
	case wire.Func:
		return d.Func(w, want)
	case wire.Service:
		return serviceV{d.Service(w, want)}
	}
	panic("no such type")
}

func decodePrimitive(d *wire.Decoder, want, w wire.Ref) any {
	switch want {
	case wire.Null:
		d.Null(w)
	case wire.Reserved:
		d.Reserved(w)
	case wire.Empty:
		d.Empty(w)
	case wire.Bool:
		return d.Bool(w)
	case wire.Nat:
		return bignum.Nat(d, w)
	case wire.Int:
		return bignum.Int(d, w)
	case wire.Nat8:
		return new(big.Int).SetUint64(uint64(d.Nat8(w)))
	case wire.Nat16:
		return new(big.Int).SetUint64(uint64(d.Nat16(w)))
	case wire.Nat32:
		return new(big.Int).SetUint64(uint64(d.Nat32(w)))
	case wire.Nat64:
		return new(big.Int).SetUint64(d.Nat64(w))
	case wire.Int8:
		return big.NewInt(int64(d.Int8(w)))
	case wire.Int16:
		return big.NewInt(int64(d.Int16(w)))
	case wire.Int32:
		return big.NewInt(int64(d.Int32(w)))
	case wire.Int64:
		return big.NewInt(d.Int64(w))
	case wire.Float32:
		return float64(d.Float32(w))
	case wire.Float64:
		return d.Float64(w)
	case wire.Text:
		return d.Text(w)
	case wire.Principal:
		return d.Principal(w)
	}
	return nil
}

// encodeAll encodes values of the given arguments.
func encodeAll(table wire.Table, args []wire.Field, values []any) []byte {
	b := wire.AppendHeader(nil, table, args)
	for i, a := range args {
		b = appendValue(b, table, a.Type, values[i])
	}
	return b
}

func appendValue(b []byte, t wire.Table, r wire.Ref, v any) []byte {
	if r < 0 {
		return appendPrimitive(b, r, v)
	}
	switch e := t[r]; e.Op {
	case wire.Opt:
		if v == nil {
			return append(b, 0)
		}
		return appendValue(append(b, 1), t, e.Elem, v.(optV).v)
	case wire.Vec:
		if e.Elem == wire.Nat8 {
			return wire.AppendBlob(b, []byte(v.(string)))
		}
		b = wire.AppendULEB(b, uint64(len(v.(vecV))))
		for _, x := range v.(vecV) {
			b = appendValue(b, t, e.Elem, x)
		}
	case wire.Record:
		for i, f := range e.Fields {
			b = appendValue(b, t, f.Type, v.(recordV)[i].v)
		}
	case wire.Variant:
		i := slices.IndexFunc(e.Fields, func(f wire.Field) bool { return f.ID == v.(variantV).id })
		b = wire.AppendULEB(b, uint64(i))
		b = appendValue(b, t, e.Fields[i].Type, v.(variantV).v)
	case wire.Func:
		b = wire.AppendFunc(b, v.(wire.FuncRef))
	case wire.Service:
		b = wire.AppendPrincipal(b, v.(serviceV).p)
	}
	return b
}

func appendPrimitive(b []byte, r wire.Ref, v any) []byte {
	switch r {
	case wire.Null, wire.Reserved:
		return b
	case wire.Bool:
		return wire.AppendBool(b, v.(bool))
	case wire.Nat:
		return bignum.AppendNat(b, v.(*big.Int))
	case wire.Int:
		return bignum.AppendInt(b, v.(*big.Int))
	case wire.Nat8:
		return append(b, byte(v.(*big.Int).Uint64()))
	case wire.Nat16:
		return wire.AppendNat16(b, uint16(v.(*big.Int).Uint64()))
	case wire.Nat32:
		return wire.AppendNat32(b, uint32(v.(*big.Int).Uint64()))
	case wire.Nat64:
		return wire.AppendNat64(b, v.(*big.Int).Uint64())
	case wire.Int8:
		return append(b, byte(v.(*big.Int).Int64()))
	case wire.Int16:
		return wire.AppendInt16(b, int16(v.(*big.Int).Int64()))
	case wire.Int32:
		return wire.AppendInt32(b, int32(v.(*big.Int).Int64()))
	case wire.Int64:
		return wire.AppendInt64(b, v.(*big.Int).Int64())
	case wire.Float32:
		return wire.AppendFloat32(b, float32(v.(float64)))
	case wire.Float64:
		return wire.AppendFloat64(b, v.(float64))
	case wire.Text:
		return wire.AppendText(b, v.(string))
	case wire.Principal:
		return wire.AppendPrincipal(b, v.(principal.Principal))
	}
	panic("no value")
}

// parseValues reads values in Candid's text form as values of the given
// arguments. It stands in for nothing that is under test: it gives the official
// tests' right-hand sides.
func parseValues(src string, table wire.Table, args []wire.Field) (values []any, err error) {
	p := &textParser{Parser: did.NewParser(src), table: table}
	p.Expect("(")
	for i, a := range args {
		if p.Tok.Text == ")" && p.Tok.Kind == did.Symbol && table.Nullable(a.Type) {
			values = append(values, nil)
			continue
		}
		if i > 0 {
			p.Expect(",")
		}
		values = append(values, p.value(a.Type))
	}
	p.Expect(")")
	if p.Tok.Kind != did.EOF {
		p.Failf("expected the end, got %v", p.Tok)
	}
	return values, p.Err
}

type textParser struct {
	*did.Parser
	table wire.Table
}

func (p *textParser) value(r wire.Ref) any {
	if r < 0 {
		return p.primitive(r)
	}
	switch e := p.table[r]; e.Op {
	case wire.Opt:
		if p.Accept("null") {
			return nil
		}
		p.Expect("opt")
		return optV{p.value(e.Elem)}
	case wire.Vec:
		if p.Accept("blob") {
			return p.Advance().Text
		}
		p.Expect("vec")
		p.Expect("{")
		v := vecV{}
		for p.Err == nil && !p.Accept("}") {
			v = append(v, p.value(e.Elem))
			p.separator()
		}
		return v
	case wire.Record:
		return p.record(e.Fields)
	case wire.Variant:
		p.Expect("variant")
		p.Expect("{")
		id := p.label()
		v := variantV{id: id}
		i := slices.IndexFunc(e.Fields, func(f wire.Field) bool { return f.ID == id })
		if i < 0 {
			p.Failf("no such case")
			return nil
		}
		if p.Accept("=") {
			v.v = p.value(e.Fields[i].Type)
		}
		p.Expect("}")
		return v
	case wire.Func:
		p.Expect("func")
		s := p.principal()
		p.Expect(".")
		return wire.FuncRef{Service: s, Method: p.Advance().Text}
	default:
		p.Expect("service")
		return serviceV{p.principal()}
	}
}

func (p *textParser) separator() {
	if p.Tok.Text != "}" {
		p.Expect(";")
	}
}

func (p *textParser) label() uint32 {
	t := p.Advance()
	if t.Kind == did.Number {
		n, err := strconv.ParseUint(t.Text, 0, 32)
		if err != nil {
			p.Failf("%v", err)
		}
		return uint32(n)
	}
	return wire.Hash(t.Text)
}

func (p *textParser) principal() principal.Principal {
	pr, err := principal.Parse(p.Advance().Text)
	if err != nil {
		p.Failf("%v", err)
	}
	return pr
}

// record reads fields with labels, or without: then they are numbered.
func (p *textParser) record(fields []wire.Field) any {
	p.Expect("record")
	p.Expect("{")
	given := map[uint32]any{}
	for next := uint32(0); p.Err == nil && !p.Accept("}"); next++ {
		id := next
		if p.Peek() == "=" {
			id = p.label()
			p.Expect("=")
		}
		i := slices.IndexFunc(fields, func(f wire.Field) bool { return f.ID == id })
		if i < 0 {
			p.Advance() // an unknown field; the tests have only such of one token
		} else {
			given[id] = p.value(fields[i].Type)
		}
		p.separator()
	}
	v := recordV{}
	for _, f := range fields {
		x, ok := given[f.ID]
		if !ok && !p.table.Nullable(f.Type) {
			p.Failf("missing field")
		}
		v = append(v, fieldV{f.ID, x})
	}
	return v
}

func (p *textParser) primitive(r wire.Ref) any {
	t := p.Advance()
	switch r {
	case wire.Null:
		if t.Text != "null" {
			p.Failf("expected null")
		}
	case wire.Reserved:
	case wire.Bool:
		if t.Text != "true" && t.Text != "false" {
			p.Failf("expected a bool")
		}
		return t.Text == "true"
	case wire.Text:
		if t.Kind != did.Quoted {
			p.Failf("expected a text")
		}
		return t.Text
	case wire.Principal:
		if t.Text != "principal" {
			p.Failf("expected a principal")
		}
		return p.principal()
	case wire.Float32, wire.Float64:
		f, err := strconv.ParseFloat(t.Text, 64)
		if err != nil {
			p.Failf("%v", err)
		}
		return f
	case wire.Empty:
		p.Failf("there is no value of type empty")
	default:
		n, ok := new(big.Int).SetString(strings.ReplaceAll(t.Text, "_", ""), 0)
		if !ok || !inRange(n, r) {
			p.Failf("%q is no %d", t.Text, r)
		}
		return n
	}
	return nil
}

func inRange(n *big.Int, r wire.Ref) bool {
	switch {
	case r == wire.Int:
		return true
	case r == wire.Nat:
		return n.Sign() >= 0
	case r <= wire.Nat8 && r >= wire.Nat64:
		return n.Sign() >= 0 && n.BitLen() <= 8<<(wire.Nat8-r)
	}
	bits := 8<<(wire.Int8-r) - 1
	if n.Sign() < 0 {
		n = new(big.Int).Not(n)
	}
	return n.BitLen() <= bits
}

// show is the same for equal values.
func show(v any) string {
	switch v := v.(type) {
	case float64:
		return fmt.Sprint("float ", math.Float64bits(v))
	case string:
		return strconv.Quote(v)
	case optV:
		return "opt " + show(v.v)
	case serviceV:
		return "service " + v.p.Text()
	case vecV:
		parts := []string{}
		for _, x := range v {
			parts = append(parts, show(x))
		}
		return "vec{" + strings.Join(parts, "; ") + "}"
	case recordV:
		parts := []string{}
		for _, f := range v {
			parts = append(parts, fmt.Sprint(f.id, "=", show(f.v)))
		}
		return "record{" + strings.Join(parts, "; ") + "}"
	case variantV:
		return fmt.Sprint("variant{", v.id, "=", show(v.v), "}")
	default:
		return fmt.Sprint(v)
	}
}

func showAll(values []any) string { return show(vecV(values)) }
