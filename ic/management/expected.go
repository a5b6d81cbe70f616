package management

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"kedge/candid/did"
	"kedge/candid/wire"
)

var (
	//go:embed management.did
	here string
	//go:embed elsewhere.did
	elsewhere string
)

var interfaces = sync.OnceValue(func() (files []*did.File) {
	for _, text := range []string{here, elsewhere} {
		file, err := did.Parse(text)
		if err != nil {
			panic(err) // both are texts of this package
		}
		files = append(files, file)
	}
	return files
})

// ArgumentText renders the type of a method's argument as the Candid library for Rust does in its errors
// (dfinity/candid, pretty printer): fields by ascending id, on lines of their own where 80 columns do not hold
// them. It reports false for a method that the interface does not have, or that takes no argument.
func ArgumentText(method string) (string, bool) {
	for _, file := range interfaces() {
		for _, m := range file.Methods() {
			if f, ok := m.Type.(did.Func); ok && m.Name == method && len(f.Args) > 0 {
				return printer{file}.text(f.Args[0].Type, 0, 0), true
			}
		}
	}
	return "", false
}

const columns = 80

type printer struct{ *did.File }

// text renders a type that begins at a column of a line that is indented.
func (p printer) text(t did.Type, indent, column int) string {
	t = p.Resolve(t)
	if flat := p.flat(t); column+len(flat) <= columns {
		return flat
	}
	switch t := t.(type) {
	case did.Opt:
		return "opt " + p.text(t.Elem, indent, column+len("opt "))
	case did.Vec:
		return "vec " + p.text(t.Elem, indent, column+len("vec "))
	case did.Record:
		return "record " + p.lines(t.Fields, indent)
	case did.Variant:
		return "variant " + p.lines(t.Fields, indent)
	}
	return p.flat(t)
}

func (p printer) lines(fields []did.Field, indent int) string {
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
func (p printer) flat(t did.Type) string {
	switch t := p.Resolve(t).(type) {
	case did.Primitive:
		return wire.Ref(t).PrimitiveName()
	case did.Opt:
		return "opt " + p.flat(t.Elem)
	case did.Vec:
		if elem, ok := p.Resolve(t.Elem).(did.Primitive); ok && wire.Ref(elem) == wire.Nat8 {
			return "blob"
		}
		return "vec " + p.flat(t.Elem)
	case did.Record:
		return "record " + p.braces(t.Fields)
	case did.Variant:
		return "variant " + p.braces(t.Fields)
	}
	return "func"
}

func (p printer) braces(fields []did.Field) string {
	if len(fields) == 0 {
		return "{}"
	}
	var parts []string
	for _, f := range fields {
		part := label(f)
		if !isNull(p.Resolve(f.Type)) {
			part += " : " + p.flat(f.Type)
		}
		parts = append(parts, part)
	}
	return "{ " + strings.Join(parts, "; ") + " }"
}

func label(f did.Field) string {
	if f.Name == "" {
		return fmt.Sprint(f.ID)
	}
	return f.Name
}

func isNull(t did.Type) bool {
	primitive, ok := t.(did.Primitive)
	return ok && wire.Ref(primitive) == wire.Null
}
