package gen

import (
	"fmt"
	"strings"

	"kedge/candid/did"
	"kedge/candid/wire"
)

var primitiveCodecs = map[wire.Ref]string{
	wire.Bool: "Bool", wire.Nat8: "Nat8", wire.Nat16: "Nat16", wire.Nat32: "Nat32", wire.Nat64: "Nat64",
	wire.Int8: "Int8", wire.Int16: "Int16", wire.Int32: "Int32", wire.Int64: "Int64",
	wire.Float32: "Float32", wire.Float64: "Float64", wire.Text: "Text", wire.Principal: "Principal",
}

func (g *generator) printf(format string, args ...any) { fmt.Fprintf(&g.codecs, format, args...) }

// codec writes the functions that append and decode a type.
func (g *generator) codec(n namedType, t did.Type) {
	g.printf("func append%s(b []byte, v *%[1]s) []byte {\n", n.goName)
	switch t := t.(type) {
	case did.Record:
		for _, f := range t.Fields {
			g.encode(f.Type, g.place(f, n), n.goName+fieldName(f))
		}
	case did.Variant:
		g.encodeVariant(n, t)
	default:
		g.encode(t, "*v", n.goName+"Item")
	}
	if v, ok := t.(did.Variant); !ok || len(v.Fields) > 0 {
		g.printf("\treturn b\n")
	}
	g.printf("}\n\n")

	g.printf("func decode%s(d *wire.Decoder, w wire.Ref, v *%[1]s) {\n", n.goName)
	switch t := t.(type) {
	case did.Record:
		g.decodeRecord(n, t)
	case did.Variant:
		g.decodeVariant(n, t)
	default:
		g.decode(t, "w", "*v", n.goName+"Item")
	}
	g.printf("}\n\n")
}

// place is the Go expression for a field of v.
func (g *generator) place(f did.Field, n namedType) string {
	if g.indirect(f, n) {
		return "*v." + fieldName(f)
	}
	return "v." + fieldName(f)
}

// allocate makes room for a field that is a pointer.
func (g *generator) allocate(f did.Field, n namedType) {
	if g.indirect(f, n) {
		g.printf("\tv.%s = new(%s)\n", fieldName(f), g.goType(f.Type, n.goName+fieldName(f)))
	}
}

// address is the Go expression for a pointer to an expression.
func address(expr string) string {
	if p, ok := strings.CutPrefix(expr, "*"); ok {
		return p
	}
	return "&" + expr
}

// operand is the expression in a form to which an index or the like can be
// applied.
func operand(expr string) string {
	if strings.HasPrefix(expr, "*") {
		return "(" + expr + ")"
	}
	return expr
}

// hasCodec returns the Go name of a type whose codec is a function.
func (g *generator) hasCodec(t did.Type, place string) (string, bool) {
	switch t := t.(type) {
	case did.Record, did.Variant:
		return g.goType(t, place), true
	case did.Name:
		switch body := g.file.Lookup(t.Name).Type.(type) {
		case did.Record, did.Variant:
			return exported(t.Name), true
		case did.Name:
			return g.hasCodec(body, place)
		}
		if g.selfAlias(t.Name) {
			return exported(t.Name), true
		}
	}
	return "", false
}

// encode writes statements that append the value of expr.
func (g *generator) encode(t did.Type, expr, place string) {
	if name, ok := g.hasCodec(t, place); ok {
		g.printf("b = append%s(b, %s)\n", name, address(expr))
		return
	}
	if n, ok := t.(did.Name); ok {
		g.encode(g.file.Lookup(n.Name).Type, expr, exported(n.Name)+"Item")
		return
	}
	switch t := t.(type) {
	case did.Primitive:
		g.encodePrimitive(wire.Ref(t), expr)
	case did.Opt:
		inner := "*" + operand(expr)
		if g.isSlice(t.Elem) {
			inner = expr
		}
		g.printf("if %s == nil {\nb = append(b, 0)\n} else {\nb = append(b, 1)\n", expr)
		g.encode(t.Elem, inner, place)
		g.printf("}\n")
	case did.Vec:
		if isBlob(t) {
			g.printf("b = wire.AppendBlob(b, %s)\n", expr)
			return
		}
		i := g.variable("i")
		g.printf("b = wire.AppendULEB(b, uint64(len(%s)))\n", expr)
		switch t.Elem {
		case did.Primitive(wire.Null), did.Primitive(wire.Reserved): // take no byte
		case did.Primitive(wire.Empty):
			g.printf("if len(%s) > 0 {\n", expr)
			g.encode(t.Elem, expr, place)
			g.printf("}\n")
		default:
			g.printf("for %s := range %s {\n", i, expr)
			g.encode(t.Elem, operand(expr)+"["+i+"]", place)
			g.printf("}\n")
		}
		g.depth--
	case did.Func:
		g.printf("b = wire.AppendFunc(b, %s)\n", expr)
	case did.Service:
		g.printf("b = wire.AppendPrincipal(b, %s)\n", expr)
	}
}

func (g *generator) encodePrimitive(r wire.Ref, expr string) {
	switch r {
	case wire.Null, wire.Reserved:
	case wire.Empty:
		g.printf("panic(\"candid: there is no value of type empty\")\n")
	case wire.Nat, wire.Int:
		g.printf("b = bignum.Append%s(b, %s)\n", map[wire.Ref]string{wire.Nat: "Nat", wire.Int: "Int"}[r], expr)
	case wire.Nat8:
		g.printf("b = append(b, %s)\n", expr)
	case wire.Int8:
		g.printf("b = append(b, byte(%s))\n", expr)
	default:
		g.printf("b = wire.Append%s(b, %s)\n", primitiveCodecs[r], expr)
	}
}

// variable returns a new name; its scope must be closed by g.depth--.
func (g *generator) variable(prefix string) string {
	g.depth++
	return fmt.Sprint(prefix, g.depth)
}

func (g *generator) encodeVariant(n namedType, v did.Variant) {
	if len(v.Fields) == 0 {
		g.printf("panic(\"candid: there is no value of type %s\")\n", n.goName)
		return
	}
	tag := "v.Tag"
	if isEnum(v) {
		tag = "*v"
	}
	g.printf("if %s > %d {\npanic(\"candid: no such case of %s\")\n}\nb = append(b, byte(%[1]s))\n", tag, len(v.Fields)-1, n.goName)
	if isEnum(v) {
		return
	}
	g.printf("switch v.Tag {\n")
	for _, f := range v.Fields {
		if f.Type != did.Primitive(wire.Null) {
			g.printf("case %sTag%s:\n", n.goName, fieldName(f))
			g.encode(f.Type, g.place(f, n), n.goName+fieldName(f))
		}
	}
	g.printf("}\n")
}

// decode writes statements that decode a value of the wire type w into target.
func (g *generator) decode(t did.Type, w, target, place string) {
	if name, ok := g.hasCodec(t, place); ok {
		g.printf("decode%s(d, %s, %s)\n", name, w, address(target))
		return
	}
	if n, ok := t.(did.Name); ok {
		g.decode(g.file.Lookup(n.Name).Type, w, target, exported(n.Name)+"Item")
		return
	}
	switch t := t.(type) {
	case did.Primitive:
		g.decodePrimitive(wire.Ref(t), w, target)
	case did.Opt:
		g.decodeOpt(t, w, target, place)
	case did.Vec:
		if isBlob(t) {
			g.printf("%s = d.Blob(%s)\n", target, w)
			return
		}
		e := g.variable("e")
		k := fmt.Sprint(g.depth)
		g.printf("%s, n%s := d.Vec(%s)\n", e, k, w)
		elem := g.goType(t.Elem, place)
		g.printf("%s = make([]%s, 0, wire.Prealloc(n%s))\nfor i%[3]s := range n%[3]s {\n", target, elem, k)
		g.printf("%s = append(%[1]s, *new(%s))\n", target, elem)
		g.decode(t.Elem, e, operand(target)+"[i"+k+"]", place)
		g.printf("if d.Failed() {\nd.At(i%s)\nbreak\n}\n}\nd.EndVec()\n", k)
		g.depth--
	case did.Func:
		g.printf("%s = d.Func(%s, %d)\n", target, w, g.compiler.Ref(t))
	case did.Service:
		g.printf("%s = d.Service(%s, %d)\n", target, w, g.compiler.Ref(t))
	}
}

func (g *generator) decodeOpt(t did.Opt, w, target, place string) {
	inner := g.variable("t")
	k := fmt.Sprint(g.depth)
	g.printf("if %s, m%s, ok := d.Opt(%s); ok {\n", inner, k, w)
	if g.isSlice(t.Elem) {
		g.decode(t.Elem, inner, target, place)
		g.printf("if !d.EndOpt(m%s, %s) {\n%s = nil\n}\n}\n", k, inner, target)
	} else {
		if typ := g.goType(t.Elem, place); typ == "string" {
			g.printf("x%s := wire.NewText()\n", k)
		} else {
			g.printf("x%s := new(%s)\n", k, typ)
		}
		g.decode(t.Elem, inner, "*x"+k, place)
		g.printf("if d.EndOpt(m%s, %s) {\n%s = x%[1]s\n}\n}\n", k, inner, target)
	}
	g.depth--
}

func (g *generator) decodePrimitive(r wire.Ref, w, target string) {
	switch r {
	case wire.Null:
		g.printf("d.Null(%s)\n", w)
	case wire.Reserved:
		g.printf("d.Reserved(%s)\n", w)
	case wire.Empty:
		g.printf("d.Empty(%s)\n", w)
	case wire.Nat, wire.Int:
		g.printf("%s = bignum.%s(d, %s)\n", target, map[wire.Ref]string{wire.Nat: "Nat", wire.Int: "Int"}[r], w)
	default:
		g.printf("%s = d.%s(%s)\n", target, primitiveCodecs[r], w)
	}
}

func (g *generator) nullable(t did.Type) bool {
	switch t := g.file.Resolve(t).(type) {
	case did.Opt:
		return true
	case did.Primitive:
		return t == did.Primitive(wire.Null) || t == did.Primitive(wire.Reserved)
	}
	return false
}

func (g *generator) decodeRecord(n namedType, r did.Record) {
	g.printf("f := d.Record(w)\n")
	for _, f := range r.Fields {
		find := "Field"
		if g.nullable(f.Type) {
			find = "OptField"
		}
		g.printf("if f.%s(d, %d, %q) {\n", find, f.ID, label(f))
		g.allocate(f, n)
		g.decode(f.Type, "f.Type", g.place(f, n), n.goName+fieldName(f))
		g.printf("}\n")
	}
	g.printf("f.End(d)\n")
}

func (g *generator) decodeVariant(n namedType, v did.Variant) {
	if len(v.Fields) == 0 {
		g.printf("if id, _, ok := d.Variant(w); ok {\nd.BadCase(id)\n}\n")
		return
	}
	g.printf("id, t, ok := d.Variant(w)\nif !ok {\nreturn\n}\nswitch id {\n")
	for _, f := range v.Fields {
		g.printf("case %d:\n", f.ID)
		if isEnum(v) {
			g.printf("*v = %s%s\n", n.goName, fieldName(f))
		} else {
			g.printf("v.Tag = %sTag%s\n", n.goName, fieldName(f))
		}
		g.allocate(f, n)
		g.decode(f.Type, "t", g.place(f, n), n.goName+fieldName(f))
		g.printf("d.EndVariant(%q)\n", label(f))
	}
	g.printf("default:\nd.BadCase(id)\n}\n")
}
