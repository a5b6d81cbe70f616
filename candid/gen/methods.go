package gen

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"kedge/candid/did"
	"kedge/candid/wire"
)

// methods writes the functions for every method and the list of methods.
func (g *generator) methods() {
	if g.file.Init != nil {
		g.message("InitArgs", "the arguments of the constructor", g.file.Init, "Init")
	}
	methods := g.file.Methods()
	if len(methods) == 0 {
		return
	}
	if g.list {
		g.methodList(methods)
	}
	for _, m := range methods {
		f := m.Type.(did.Func)
		name := exported(m.Name)
		g.message(name+"Args", "the arguments of "+m.Name, f.Args, name)
		g.message(name+"Result", "the results of "+m.Name, f.Results, name)
	}
}

// methodList writes the list of methods.
func (g *generator) methodList(methods []did.Method) {
	g.declare("Methods", "the list of methods")
	fmt.Fprintf(&g.funcs, "// Methods are the methods of the service.\nvar Methods = []wire.Method{\n")
	for _, m := range methods {
		fmt.Fprintf(&g.funcs, "{Name: %q", m.Name)
		if mode := m.Type.(did.Func).Mode; mode != 0 {
			fmt.Fprintf(&g.funcs, ", Mode: %s", modeText(mode))
		}
		g.funcs.WriteString("},\n")
	}
	g.funcs.WriteString("}\n\n")
}

func modeText(m wire.Mode) string {
	var parts []string
	for _, p := range []struct {
		mode wire.Mode
		text string
	}{{wire.Query, "wire.Query"}, {wire.Oneway, "wire.Oneway"}, {wire.CompositeQuery, "wire.CompositeQuery"}} {
		if m&p.mode != 0 {
			parts = append(parts, p.text)
		}
	}
	return strings.Join(parts, " | ")
}

// message writes Encode, Append and Decode for a list of arguments or results.
func (g *generator) message(name, what string, args []did.Arg, method string) {
	names := params(args, strings.HasPrefix(what, "the results"))
	var list, results, call strings.Builder
	for i, a := range args {
		place := method + exported(names[i])
		if len(args) == 1 && a.Name == "" {
			place = name
		}
		t := g.goType(a.Type, place)
		fmt.Fprintf(&list, ", %s %s", names[i], t)
		fmt.Fprintf(&results, "%s %s, ", names[i], t)
		fmt.Fprintf(&call, ", %s", names[i])
	}
	sig := g.signature(args)
	side := "Args"
	if strings.HasPrefix(what, "the results") {
		side = "Result"
	}
	wants := func(verb string) bool { return slices.Contains(g.wanted, verb+side) }
	for _, verb := range []string{"Encode", "Append", "Decode"} {
		if wants(verb) {
			g.declare(verb+name, "the codec of "+what)
		}
	}

	g.codecs, g.funcs = g.funcs, g.codecs // what encode and decode write goes to funcs
	encodes := func() {
		if short, tag, ok := g.success(args, side); ok {
			g.printf("if %s.Tag == %s {\nb = append(b, %s.Header...)\n} else {\nb = append(b, %s.Header...)\n}\n", names[0], tag, short, sig)
		} else {
			g.printf("b = append(b, %s.Header...)\n", sig)
		}
		for i, a := range args {
			g.encode(a.Type, names[i], g.argPlace(name, method, names[i], args))
		}
		g.printf("return b\n}\n\n")
	}
	parameters := strings.TrimPrefix(list.String(), ", ")
	switch {
	case wants("Encode") && wants("Append"):
		g.printf("// Encode%s encodes %s.\nfunc Encode%[1]s(%[3]s) []byte { return Append%[1]s(nil%[4]s) }\n\n",
			name, what, parameters, call.String())
	case wants("Encode"):
		g.printf("// Encode%s encodes %s.\nfunc Encode%[1]s(%[3]s) []byte {\nvar b []byte\n", name, what, parameters)
		encodes()
	}
	if wants("Append") {
		g.printf("// Append%s encodes %s at the end of b.\nfunc Append%[1]s(b []byte%[3]s) []byte {\n", name, what, list.String())
		encodes()
	}
	if wants("Decode") {
		g.decodeMessage(name, what, method, names, args, sig, results.String())
	}
	g.codecs, g.funcs = g.funcs, g.codecs
}

// success returns the signature of a result that is known to be Ok, and Ok's tag. A variant of that case alone is a
// subtype of the declared one and its value has the same bytes, so that every client reads it as that; its types are
// the payload's alone, without those of all errors, and each byte of an answer is charged.
func (g *generator) success(args []did.Arg, side string) (sig, tag string, ok bool) {
	if side != "Result" || len(args) != 1 {
		return "", "", false
	}
	name, ok := args[0].Type.(did.Name)
	if !ok {
		return "", "", false
	}
	v, ok := g.file.Lookup(name.Name).Type.(did.Variant)
	if !ok || len(v.Fields) != 2 || v.Fields[0].Name != "Ok" || v.Fields[1].Name != "Err" {
		return "", "", false
	}
	return g.signature([]did.Arg{{Type: did.Variant{Fields: v.Fields[:1]}}}), exported(name.Name) + "TagOk", true
}

// decodeMessage writes Decode for a list of arguments or results.
func (g *generator) decodeMessage(name, what, method string, names []string, args []did.Arg, sig, results string) {
	g.printf("// Decode%s decodes %s.\nfunc Decode%[1]s(data []byte) (%[3]serr error) {\n", name, what, results)
	g.printf("d := wire.NewDecoder(data, types, &%s)\n", sig)
	for i, a := range args {
		arg := "Arg"
		if g.nullable(a.Type) {
			arg = "OptArg"
		}
		g.printf("if w, ok := d.%s(); ok {\n", arg)
		g.decode(a.Type, "w", names[i], g.argPlace(name, method, names[i], args))
		g.printf("}\n")
	}
	g.printf("err = d.Finish()\nreturn\n}\n\n")
}

func (g *generator) argPlace(name, method, param string, args []did.Arg) string {
	if len(args) == 1 && args[0].Name == "" {
		return name
	}
	return method + exported(param)
}

// signature returns the variable that holds the types and header of args.
func (g *generator) signature(args []did.Arg) string {
	s := g.compiler.Signature(args)
	if name, ok := g.signatures[s.Header]; ok {
		return name
	}
	name := fmt.Sprintf("signature%d", len(g.sigs))
	g.signatures[s.Header] = name
	g.sigs = append(g.sigs, s)
	return name
}

// table writes the type table and the signatures.
func (g *generator) table() {
	b := &g.tables
	names := map[wire.Ref]string{}
	for _, d := range g.file.Types {
		if r := g.compiler.Ref(did.Name{Name: d.Name}); r >= 0 && names[r] == "" {
			names[r] = d.Name
		}
	}
	b.WriteString("// types are all types of the interface.\nvar types = wire.Table{\n")
	for i, e := range g.compiler.Table {
		fmt.Fprintf(b, "%d: {Op: wire.%s", i, opText(e.Op))
		if e.Mode != 0 {
			fmt.Fprintf(b, ", Mode: %s", modeText(e.Mode))
		}
		if e.Elem != 0 {
			fmt.Fprintf(b, ", Elem: %s", refText(e.Elem, e.Op))
		}
		if len(e.Fields) > 0 {
			b.WriteString(", Fields: ")
			fieldsText(b, e.Fields)
		}
		b.WriteString("},")
		if n := names[wire.Ref(i)]; n != "" {
			fmt.Fprintf(b, " // %s", n)
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n\n// headers are those of all messages. They are one text, so that they lie together, wherever Go puts texts of its\n" +
		"// length: the network charges for every page of memory that a message touches.\nconst headers = \"\"")
	for _, s := range g.sigs {
		fmt.Fprintf(b, " +\n%+q", s.Header)
	}
	b.WriteString("\n\n// Arguments and results of the methods, with their headers.\nvar (\n")
	from := 0
	for i, s := range g.sigs {
		fmt.Fprintf(b, "signature%d = wire.Signature{Header: headers[%d:%d]", i, from, from+len(s.Header))
		from += len(s.Header)
		if len(s.Args) > 0 {
			b.WriteString(", Args: ")
			fieldsText(b, s.Args)
		}
		b.WriteString("}\n")
	}
	b.WriteString(")\n")
}

func fieldsText(b *bytes.Buffer, fields []wire.Field) {
	b.WriteString("[]wire.Field{")
	for i, f := range fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("{")
		if f.ID != 0 {
			fmt.Fprintf(b, "ID: %d, ", f.ID)
		}
		fmt.Fprintf(b, "Type: %s", refText(f.Type, 0))
		if f.Name != "" {
			fmt.Fprintf(b, ", Name: %q", f.Name)
		}
		b.WriteString("}")
	}
	b.WriteString("}")
}

var refNames = map[wire.Ref]string{
	wire.Null: "Null", wire.Reserved: "Reserved", wire.Empty: "Empty", wire.Nat: "Nat", wire.Int: "Int",
}

func refText(r wire.Ref, op wire.Op) string {
	if name, ok := refNames[r]; ok && op != wire.Func {
		return "wire." + name
	}
	if name, ok := primitiveCodecs[r]; ok && op != wire.Func {
		return "wire." + name
	}
	return fmt.Sprint(int32(r))
}

func opText(op wire.Op) string {
	return map[wire.Op]string{wire.Opt: "Opt", wire.Vec: "Vec", wire.Record: "Record",
		wire.Variant: "Variant", wire.Func: "Func", wire.Service: "Service"}[op]
}
