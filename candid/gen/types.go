package gen

import (
	"fmt"
	"slices"
	"strconv"

	"kedge/candid/did"
	"kedge/candid/wire"
)

var primitiveTypes = map[wire.Ref]string{
	wire.Null: "struct{}", wire.Bool: "bool", wire.Nat: "*big.Int", wire.Int: "*big.Int",
	wire.Nat8: "uint8", wire.Nat16: "uint16", wire.Nat32: "uint32", wire.Nat64: "uint64",
	wire.Int8: "int8", wire.Int16: "int16", wire.Int32: "int32", wire.Int64: "int64",
	wire.Float32: "float32", wire.Float64: "float64", wire.Text: "string",
	wire.Reserved: "struct{}", wire.Empty: "struct{}", wire.Principal: "principal.Principal",
}

// goType is the Go type for t. An anonymous record or variant gets the name
// place.
func (g *generator) goType(t did.Type, place string) string {
	switch t := t.(type) {
	case did.Primitive:
		switch wire.Ref(t) {
		case wire.Nat, wire.Int:
		case wire.Principal:
		}
		return primitiveTypes[wire.Ref(t)]
	case did.Name:
		return exported(t.Name)
	case did.Vec:
		if isBlob(t) {
			return "[]byte"
		}
		return "[]" + g.goType(t.Elem, place)
	case did.Opt:
		if g.isSlice(t.Elem) {
			return g.goType(t.Elem, place)
		}
		return "*" + g.goType(t.Elem, place)
	case did.Func:
		return "wire.FuncRef"
	case did.Service:
		return "principal.Principal"
	default:
		for _, n := range g.named {
			if n.goName == place {
				if n.candid != "" {
					g.failf("type %q has the name that an anonymous type would get; name that one", n.candid)
				}
				return place
			}
		}
		g.named = append(g.named, namedType{goName: place, typ: t})
		return place
	}
}

// isSlice reports whether t is a vec, whose Go type has nil to spare for null.
func (g *generator) isSlice(t did.Type) bool {
	_, ok := g.file.Resolve(t).(did.Vec)
	return ok
}

func isBlob(t did.Type) bool {
	v, ok := t.(did.Vec)
	return ok && v.Elem == did.Primitive(wire.Nat8)
}

// isEnum reports whether no case of a variant holds anything.
func isEnum(v did.Variant) bool {
	for _, f := range v.Fields {
		if f.Type != did.Primitive(wire.Null) {
			return false
		}
	}
	return true
}

// definition writes a type and its codec.
func (g *generator) definition(n namedType) {
	what := "type " + strconv.Quote(n.candid)
	if n.candid == "" {
		what = "an anonymous type"
	}
	g.declare(n.goName, what)
	comment(&g.types, "", n.doc)
	switch t := n.typ.(type) {
	case did.Record:
		g.record(n, t)
	case did.Variant:
		if len(t.Fields) > 127 {
			g.failf("variant %q has more than 127 cases", n.goName)
		} else if isEnum(t) {
			g.enum(n, t)
		} else {
			g.union(n, t)
		}
	default:
		if g.selfAlias(n.candid) {
			fmt.Fprintf(&g.types, "type %s %s\n\n", n.goName, g.goType(t, n.goName+"Item"))
			g.codec(n, t)
		} else {
			fmt.Fprintf(&g.types, "type %s = %s\n\n", n.goName, g.goType(t, n.goName+"Item"))
		}
	}
}

// selfAlias reports whether a definition reaches itself through opt, vec and
// other such definitions alone, so that an alias in Go would be circular.
func (g *generator) selfAlias(name string) bool {
	t := g.file.Lookup(name).Type
	for range 2 * len(g.file.Types) * wire.MaxDepth {
		switch u := t.(type) {
		case did.Opt:
			t = u.Elem
		case did.Vec:
			t = u.Elem
		case did.Name:
			if u.Name == name {
				return true
			}
			t = g.file.Lookup(u.Name).Type
		default:
			return false
		}
	}
	return false
}

// holds reports whether a value of type t contains one of n, in Go, without a
// pointer or slice in between.
func (g *generator) holds(t did.Type, n namedType, seen map[string]bool) bool {
	switch t := t.(type) {
	case did.Name:
		if t.Name == n.candid {
			return true
		}
		if seen[t.Name] {
			return false
		}
		seen[t.Name] = true
		return g.holds(g.file.Lookup(t.Name).Type, n, seen)
	case did.Record:
		for _, f := range t.Fields {
			if g.holds(f.Type, n, seen) {
				return true
			}
		}
	case did.Variant:
		for _, f := range t.Fields {
			if g.holds(f.Type, n, seen) {
				return true
			}
		}
	}
	return false
}

// indirect reports whether a field of n must be a pointer.
func (g *generator) indirect(f did.Field, n namedType) bool {
	return n.candid != "" && g.holds(f.Type, n, map[string]bool{})
}

func (g *generator) fieldType(f did.Field, n namedType) string {
	t := g.goType(f.Type, n.goName+fieldName(f))
	if g.indirect(f, n) {
		return "*" + t
	}
	return t
}

func (g *generator) record(n namedType, r did.Record) {
	g.distinct(n, r.Fields)
	fmt.Fprintf(&g.types, "type %s struct {\n", n.goName)
	for _, f := range did.Written(r.Fields) {
		comment(&g.types, "\t", f.Doc)
		fmt.Fprintf(&g.types, "\t%s %s\n", fieldName(f), g.fieldType(f, n))
	}
	g.types.WriteString("}\n\n")
	g.codec(n, r)
}

// distinct makes sure that the fields of a struct have different names.
func (g *generator) distinct(n namedType, fields []did.Field) {
	seen := map[string]bool{}
	for _, f := range fields {
		name := fieldName(f)
		if seen[name] {
			g.failf("type %q would have two Go fields %q; rename one of its fields", n.goName, name)
		}
		seen[name] = true
	}
}

func (g *generator) enum(n namedType, v did.Variant) {
	fmt.Fprintf(&g.types, "type %s uint8\n\n", n.goName)
	g.cases(n.goName, n.goName, v)
	g.codec(n, v)
}

func (g *generator) union(n namedType, v did.Variant) {
	g.distinct(n, append(slices.Clone(v.Fields), did.Field{Name: "tag"}))
	fmt.Fprintf(&g.types, "type %s struct {\n\tTag %[1]sTag\n", n.goName)
	for _, f := range did.Written(v.Fields) {
		if f.Type == did.Primitive(wire.Null) {
			continue
		}
		comment(&g.types, "\t", f.Doc)
		fmt.Fprintf(&g.types, "\t%s %s\n", fieldName(f), g.fieldType(f, n))
	}
	fmt.Fprintf(&g.types, "}\n\n// %sTag says which case a %[1]s is.\ntype %[1]sTag uint8\n\n", n.goName)
	g.declare(n.goName+"Tag", "the tag of "+n.goName)
	g.cases(n.goName+"Tag", n.goName+"Tag", v)
	g.codec(n, v)
}

// cases writes the constants of a variant, whose values are the cases' places
// on the wire, and their names.
func (g *generator) cases(goType, prefix string, v did.Variant) {
	if len(v.Fields) == 0 {
		return
	}
	fmt.Fprintf(&g.types, "// The cases of %s.\nconst (\n", goType)
	value := map[uint32]int{}
	for i, f := range v.Fields {
		value[f.ID] = i
	}
	for _, f := range did.Written(v.Fields) {
		comment(&g.types, "\t", f.Doc)
		g.declare(prefix+fieldName(f), "a case of "+goType)
		fmt.Fprintf(&g.types, "\t%s%s %s = %d\n", prefix, fieldName(f), goType, value[f.ID])
	}
	fmt.Fprintf(&g.types, ")\n\n// String is the name of the case.\nfunc (c %s) String() string {\n\tswitch c {\n", goType)
	for _, f := range did.Written(v.Fields) {
		fmt.Fprintf(&g.types, "\tcase %s%s:\n\t\treturn %q\n", prefix, fieldName(f), label(f))
	}
	g.types.WriteString("\t}\n\treturn \"unknown\"\n}\n\n")
}
