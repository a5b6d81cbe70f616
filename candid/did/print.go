package did

import (
	"strconv"
	"strings"

	"kedge/candid/wire"
)

// columns is how long a line is at most where a type can be broken.
const columns = 80

// TypeText renders a type as the Candid library for Rust prints it in its errors (dfinity/candid, pretty printer):
// names resolved but for those of recursive types, fields by ascending id, and on lines of their own, indented by two,
// where 80 columns do not hold them.
func (f *File) TypeText(t Type) string { return printer{f}.text(t, 0, 0) }

type printer struct{ *File }

// text renders a type that begins at a column of a line that is indented.
func (p printer) text(t Type, indent, column int) string {
	t = p.resolve(t)
	if flat := p.flat(t); column+len(flat) <= columns {
		return flat
	}
	switch t := t.(type) {
	case Opt:
		return "opt " + p.text(t.Elem, indent, column+len("opt "))
	case Vec:
		return "vec " + p.text(t.Elem, indent, column+len("vec "))
	case Record:
		return "record " + p.lines(t.Fields, indent)
	case Variant:
		return "variant " + p.lines(t.Fields, indent)
	}
	return p.flat(t)
}

// resolve follows names, but for those whose types hold themselves.
func (p printer) resolve(t Type) Type {
	for {
		n, ok := t.(Name)
		if !ok || p.recursive(n.Name) {
			return t
		}
		t = p.Lookup(n.Name).Type
	}
}

func (p printer) lines(fields []Field, indent int) string {
	const step = 2
	var b strings.Builder
	b.WriteString("{\n")
	for _, f := range fields {
		line := strings.Repeat(" ", indent+step) + label(f)
		if !isNull(p.Resolve(f.Type)) {
			line += " : "
			line += p.text(f.Type, indent+step, len(line)+len(";"))
		}
		b.WriteString(line + ";\n")
	}
	b.WriteString(strings.Repeat(" ", indent) + "}")
	return b.String()
}

// flat renders a type on one line.
func (p printer) flat(t Type) string {
	switch t := p.resolve(t).(type) {
	case Primitive:
		return wire.Ref(t).PrimitiveName()
	case Name:
		return t.Name
	case Opt:
		return "opt " + p.flat(t.Elem)
	case Vec:
		if elem, ok := p.Resolve(t.Elem).(Primitive); ok && wire.Ref(elem) == wire.Nat8 {
			return "blob"
		}
		return "vec " + p.flat(t.Elem)
	case Record:
		return "record " + p.braces(t.Fields)
	case Variant:
		return "variant " + p.braces(t.Fields)
	case Func:
		return "func " + p.function(t)
	case Service:
		return "service " + p.methods(t)
	}
	panic("did: a type of no kind")
}

func (p printer) braces(fields []Field) string {
	var parts []string
	for _, f := range fields {
		part := label(f)
		if !isNull(p.Resolve(f.Type)) {
			part += " : " + p.flat(f.Type)
		}
		parts = append(parts, part)
	}
	return inBraces(parts)
}

func (p printer) methods(s Service) string {
	var parts []string
	for _, m := range s.Methods {
		text := m.Name + " : "
		if f, ok := p.Resolve(m.Type).(Func); ok {
			text += p.function(f)
		}
		parts = append(parts, text)
	}
	return inBraces(parts)
}

func inBraces(parts []string) string {
	if len(parts) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(parts, "; ") + " }"
}

// function renders the arguments, the results and the annotations of a function.
func (p printer) function(f Func) string {
	list := func(args []Arg) string {
		var parts []string
		for _, a := range args {
			parts = append(parts, p.flat(a.Type))
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	text := list(f.Args) + " -> " + list(f.Results)
	for _, mode := range []struct {
		mode wire.Mode
		name string
	}{{wire.Query, "query"}, {wire.Oneway, "oneway"}, {wire.CompositeQuery, "composite_query"}} {
		if f.Mode&mode.mode != 0 {
			text += " " + mode.name
		}
	}
	return text
}

func label(f Field) string {
	if f.Name == "" {
		return strconv.FormatUint(uint64(f.ID), 10)
	}
	return f.Name
}

func isNull(t Type) bool {
	primitive, ok := t.(Primitive)
	return ok && wire.Ref(primitive) == wire.Null
}
