package did

import (
	"strconv"
	"strings"

	"kedge/candid/wire"
)

// Compiler turns the types of a file into a Table. Equal types become one
// entry.
type Compiler struct {
	Table wire.Table

	file  *File
	named map[string]wire.Ref
	equal map[string]wire.Ref // by the text of the entry
}

// NewCompiler returns a compiler for the types of f.
func NewCompiler(f *File) *Compiler {
	return &Compiler{file: f, named: map[string]wire.Ref{}, equal: map[string]wire.Ref{}}
}

// Signature returns the types and the header of a message with the given
// arguments.
func (c *Compiler) Signature(args []Arg) wire.Signature {
	fields := c.args(args)
	return wire.Signature{Header: string(wire.AppendHeader(nil, c.Table, fields)), Args: fields}
}

func (c *Compiler) args(args []Arg) []wire.Field {
	fields := make([]wire.Field, len(args))
	for i, a := range args {
		fields[i] = wire.Field{ID: uint32(i), Type: c.Ref(a.Type)}
	}
	return fields
}

// Ref returns the place of a type in the table.
func (c *Compiler) Ref(t Type) wire.Ref {
	switch t := t.(type) {
	case Primitive:
		return wire.Ref(t)
	case Name:
		if r, ok := c.named[t.Name]; ok {
			return r
		}
		body := c.file.Lookup(t.Name).Type
		if !c.file.recursive(t.Name) {
			r := c.Ref(body)
			c.named[t.Name] = r
			return r
		}
		if n, ok := body.(Name); ok {
			return c.Ref(n)
		}
		// A recursive type has its place before its parts are known.
		r := c.reserve()
		c.named[t.Name] = r
		e := c.entry(body)
		c.Table[r] = e
		return r
	default:
		e := c.entry(t)
		key := entryKey(&e)
		if r, ok := c.equal[key]; ok {
			return r
		}
		r := c.reserve()
		c.Table[r] = e
		c.equal[key] = r
		return r
	}
}

func (c *Compiler) reserve() wire.Ref {
	c.Table = append(c.Table, wire.Entry{})
	return wire.Ref(len(c.Table) - 1)
}

func (c *Compiler) entry(t Type) wire.Entry {
	switch t := t.(type) {
	case Opt:
		return wire.Entry{Op: wire.Opt, Elem: c.Ref(t.Elem)}
	case Vec:
		return wire.Entry{Op: wire.Vec, Elem: c.Ref(t.Elem)}
	case Record:
		return wire.Entry{Op: wire.Record, Fields: c.fields(t.Fields)}
	case Variant:
		return wire.Entry{Op: wire.Variant, Fields: c.fields(t.Fields)}
	case Func:
		args := c.args(t.Args)
		return wire.Entry{Op: wire.Func, Mode: t.Mode, Elem: wire.Ref(len(args)),
			Fields: append(args, c.args(t.Results)...)}
	case Service:
		e := wire.Entry{Op: wire.Service}
		for _, m := range t.Methods {
			e.Fields = append(e.Fields, wire.Field{Name: m.Name, Type: c.Ref(m.Type)})
		}
		return e
	}
	panic("did: not a constructed type")
}

func (c *Compiler) fields(fields []Field) []wire.Field {
	out := make([]wire.Field, len(fields))
	for i, f := range fields {
		out[i] = wire.Field{ID: f.ID, Type: c.Ref(f.Type)}
	}
	return out
}

// entryKey is equal for equal entries.
func entryKey(e *wire.Entry) string {
	var b strings.Builder
	num := func(n int64) {
		b.WriteString(strconv.FormatInt(n, 10))
		b.WriteByte(' ')
	}
	num(int64(e.Op))
	num(int64(e.Mode))
	num(int64(e.Elem))
	for _, f := range e.Fields {
		num(int64(f.ID))
		num(int64(f.Type))
		b.WriteString(strconv.Quote(f.Name))
	}
	return b.String()
}

// recursive reports whether the definition of name reaches itself.
func (f *File) recursive(name string) bool {
	seen := map[string]bool{}
	var reaches func(t Type) bool
	reaches = func(t Type) bool {
		if n, ok := t.(Name); ok {
			if n.Name == name {
				return true
			}
			if seen[n.Name] {
				return false
			}
			seen[n.Name] = true
			return reaches(f.Lookup(n.Name).Type)
		}
		for _, part := range Parts(t) {
			if reaches(part) {
				return true
			}
		}
		return false
	}
	return reaches(f.Lookup(name).Type)
}

// Parts returns the types that a type is directly made of.
func Parts(t Type) []Type {
	var parts []Type
	switch t := t.(type) {
	case Opt:
		parts = []Type{t.Elem}
	case Vec:
		parts = []Type{t.Elem}
	case Record:
		for _, f := range t.Fields {
			parts = append(parts, f.Type)
		}
	case Variant:
		for _, f := range t.Fields {
			parts = append(parts, f.Type)
		}
	case Func:
		for _, a := range append(append([]Arg(nil), t.Args...), t.Results...) {
			parts = append(parts, a.Type)
		}
	case Service:
		for _, m := range t.Methods {
			parts = append(parts, m.Type)
		}
	}
	return parts
}
