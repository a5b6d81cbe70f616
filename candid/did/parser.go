package did

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"kedge/candid/wire"
)

var primitives = map[string]Type{
	"null": Primitive(wire.Null), "bool": Primitive(wire.Bool), "text": Primitive(wire.Text),
	"nat": Primitive(wire.Nat), "nat8": Primitive(wire.Nat8), "nat16": Primitive(wire.Nat16),
	"nat32": Primitive(wire.Nat32), "nat64": Primitive(wire.Nat64),
	"int": Primitive(wire.Int), "int8": Primitive(wire.Int8), "int16": Primitive(wire.Int16),
	"int32": Primitive(wire.Int32), "int64": Primitive(wire.Int64),
	"float32": Primitive(wire.Float32), "float64": Primitive(wire.Float64),
	"reserved": Primitive(wire.Reserved), "empty": Primitive(wire.Empty),
	"principal": Primitive(wire.Principal), "blob": Vec{Primitive(wire.Nat8)},
}

// Parse reads an interface description. Errors begin with line and column.
func Parse(src string) (*File, error) {
	p := &Parser{lex: NewLexer(src)}
	p.Advance()
	f := &File{}
	for p.Err == nil && p.Tok.Kind != EOF {
		switch {
		case p.at("type"):
			f.Types = append(f.Types, p.definition())
		case p.at("service"):
			p.actor(f)
		default:
			p.Failf("expected a type definition or the service, got %v", p.Tok)
		}
		if p.Tok.Kind != EOF {
			p.Expect(";")
		}
	}
	if p.Err != nil {
		return nil, p.Err
	}
	return f, f.check(p.names)
}

// Parser reads types from tokens. It stops at the first error, in Err.
type Parser struct {
	Tok   Token // the token to be read next
	Err   error
	lex   *Lexer
	names []Name // every use of a name
	depth int
}

// NewParser returns a parser at the start of src.
func NewParser(src string) *Parser {
	p := &Parser{lex: NewLexer(src)}
	p.Advance()
	return p
}

// Advance returns the next token and moves on.
func (p *Parser) Advance() Token {
	t := p.Tok
	if p.Err == nil {
		p.Tok, p.Err = p.lex.Next()
	}
	if p.Err != nil {
		p.Tok = Token{Line: p.Tok.Line, Column: p.Tok.Column}
	}
	return t
}

// Failf records an error at the next token, if it is the first.
func (p *Parser) Failf(format string, args ...any) {
	if p.Err == nil {
		p.Err = p.Tok.Errorf(format, args...)
	}
	p.Tok = Token{Line: p.Tok.Line, Column: p.Tok.Column}
}

func (p *Parser) at(word string) bool {
	return p.Tok.Text == word && (p.Tok.Kind == Word || p.Tok.Kind == Symbol)
}

// Accept moves over a word or symbol if it is next.
func (p *Parser) Accept(word string) bool {
	if p.at(word) {
		p.Advance()
		return true
	}
	return false
}

// Expect moves over a word or symbol that must be next.
func (p *Parser) Expect(word string) {
	if !p.Accept(word) {
		p.Failf("expected %q, got %v", word, p.Tok)
	}
}

func (p *Parser) definition() Definition {
	d := Definition{Doc: p.Tok.Doc}
	p.Advance()
	d.at = p.Tok
	if p.Tok.Kind != Word || primitives[p.Tok.Text] != nil {
		p.Failf("expected the name of a type, got %v", p.Tok)
	}
	d.Name = p.Advance().Text
	p.Expect("=")
	d.Type = p.Type()
	return d
}

// actor reads "service [name] : [(args) ->] type".
func (p *Parser) actor(f *File) {
	if f.Service != nil {
		p.Failf("a second service")
	}
	p.Advance()
	if p.Tok.Kind == Word {
		p.Advance()
	}
	p.Expect(":")
	if p.at("(") {
		f.Init = p.tuple()
		p.Expect("->")
	}
	if p.at("{") {
		f.Service = p.service()
	} else {
		f.Service = p.Type()
	}
}

// Type reads a type.
func (p *Parser) Type() Type {
	if p.depth++; p.depth > wire.MaxDepth {
		p.Failf("types are nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.Tok.Kind != Word {
		p.Failf("expected a type, got %v", p.Tok)
		return nil
	}
	t := p.Advance()
	switch t.Text {
	case "opt":
		return Opt{p.Type()}
	case "vec":
		return Vec{p.Type()}
	case "record":
		return Record{p.fields(true)}
	case "variant":
		return Variant{p.fields(false)}
	case "func":
		return p.function()
	case "service":
		return p.service()
	}
	if prim, ok := primitives[t.Text]; ok {
		return prim
	}
	n := Name{Name: t.Text, at: t}
	p.names = append(p.names, n)
	return n
}

// fields reads the fields of a record or the cases of a variant. A field of a
// record may be a type alone, and a case of a variant a label alone.
func (p *Parser) fields(record bool) []Field {
	p.Expect("{")
	var fields []Field
	next := uint64(0)
	for p.Err == nil && !p.at("}") {
		f := Field{Place: len(fields), Doc: p.Tok.Doc}
		label := p.Tok
		id, named := next, false
		switch {
		case label.Kind == Number:
			n, err := strconv.ParseUint(strings.ReplaceAll(label.Text, "_", ""), 0, 32)
			if err != nil {
				p.Failf("a field's number must be below 4294967296, got %v", label)
			}
			id, named = n, true
			p.Advance()
		case label.Kind == Quoted, label.Kind == Word && (!record || p.peekColon()):
			f.Name = label.Text
			id, named = uint64(wire.Hash(label.Text)), true
			p.Advance()
		}
		switch {
		case named && (record || p.at(":")):
			p.Expect(":")
			f.Type = p.Type()
		case named:
			f.Type = Primitive(wire.Null)
		case record:
			f.Type = p.Type()
		default:
			p.Failf("expected a case, got %v", p.Tok)
		}
		if id > 1<<32-1 {
			p.Failf("a field's number must be below 4294967296")
		}
		f.ID, next = uint32(id), id+1
		fields = append(fields, f)
		if !p.at("}") {
			p.Expect(";")
		}
	}
	p.Expect("}")
	sort.SliceStable(fields, func(i, j int) bool { return fields[i].ID < fields[j].ID })
	for i := 1; i < len(fields); i++ {
		if fields[i].ID == fields[i-1].ID {
			p.Failf("two fields with the number %d (%q and %q)", fields[i].ID, fields[i-1].Name, fields[i].Name)
		}
	}
	return fields
}

// Peek returns the symbol after the next token, or nothing.
func (p *Parser) Peek() string {
	ahead := *p.lex
	if t, err := ahead.Next(); err == nil && t.Kind == Symbol {
		return t.Text
	}
	return ""
}

func (p *Parser) peekColon() bool { return p.Peek() == ":" }

func (p *Parser) function() Func {
	f := Func{Args: p.tuple()}
	p.Expect("->")
	f.Results = p.tuple()
	for {
		switch {
		case p.Accept("query"):
			f.Mode |= wire.Query
		case p.Accept("oneway"):
			f.Mode |= wire.Oneway
		case p.Accept("composite_query"):
			f.Mode |= wire.CompositeQuery
		default:
			return f
		}
	}
}

// tuple reads arguments or results, with or without names. A single type may
// stand without parentheses.
func (p *Parser) tuple() []Arg {
	if !p.at("(") {
		return []Arg{{Type: p.Type()}}
	}
	p.Advance()
	var args []Arg
	for p.Err == nil && !p.at(")") {
		var a Arg
		if (p.Tok.Kind == Word || p.Tok.Kind == Quoted) && p.peekColon() {
			a.Name = p.Advance().Text
			p.Advance()
		}
		a.Type = p.Type()
		args = append(args, a)
		if !p.at(")") {
			p.Expect(",")
		}
	}
	p.Expect(")")
	return args
}

// Tuple reads types in parentheses.
func (p *Parser) Tuple() []Arg {
	if !p.at("(") {
		p.Failf("expected %q, got %v", "(", p.Tok)
	}
	return p.tuple()
}

func (p *Parser) service() Service {
	p.Expect("{")
	var s Service
	for p.Err == nil && !p.at("}") {
		m := Method{Doc: p.Tok.Doc, Name: p.Tok.Text}
		if p.Tok.Kind != Word && p.Tok.Kind != Quoted {
			p.Failf("expected the name of a method, got %v", p.Tok)
		}
		p.Advance()
		p.Expect(":")
		if p.at("func") {
			p.Advance()
		}
		if p.at("(") || p.Peek() == "->" {
			m.Type = p.function()
		} else {
			m.Type = p.Type()
		}
		s.Methods = append(s.Methods, m)
		if !p.at("}") {
			p.Expect(";")
		}
	}
	p.Expect("}")
	slices.SortFunc(s.Methods, func(a, b Method) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(s.Methods); i++ {
		if s.Methods[i].Name == s.Methods[i-1].Name {
			p.Failf("two methods with the name %q", s.Methods[i].Name)
		}
	}
	return s
}

// check makes sure that every name is defined once, that no definition is only
// names in a circle, and that methods are functions.
func (f *File) check(names []Name) error {
	seen := map[string]*Definition{}
	for i := range f.Types {
		d := &f.Types[i]
		if seen[d.Name] != nil {
			return d.at.Errorf("type %q is defined twice", d.Name)
		}
		seen[d.Name] = d
	}
	for _, n := range names {
		if seen[n.Name] == nil {
			return n.at.Errorf("unknown type %q", n.Name)
		}
	}
	for _, d := range f.Types {
		t := d.Type
		for range f.Types {
			if n, ok := t.(Name); ok {
				t = seen[n.Name].Type
			}
		}
		if _, ok := t.(Name); ok {
			return d.at.Errorf("type %q is defined by itself", d.Name)
		}
	}
	if f.Service == nil {
		return nil
	}
	s, ok := f.Resolve(f.Service).(Service)
	if !ok {
		return fmt.Errorf("the service is not of a service type")
	}
	for _, m := range s.Methods {
		if _, ok := f.Resolve(m.Type).(Func); !ok {
			return fmt.Errorf("the method %q is not a function", m.Name)
		}
	}
	return nil
}
