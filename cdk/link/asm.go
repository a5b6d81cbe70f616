package link

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kedge/wasm"
)

// This file reads the text in which the linker's own functions are written: a small, flat subset
// of the WebAssembly text format.
//
//	(global $name (mut i32) 0)
//	(memory $name 2048)          our own: reserves bytes; $name is the address, $name.size the size
//	(data $name "text")          reserves and fills; ditto
//	(func $name (param $a i32) (param $b i64) (result i32)
//	  (local $c i32)
//	  local.get $a               one mnemonic after another, never folded into parentheses
//	  …
//	)
//
// Names of functions that are not in the text (ic0.time, _initialize) are resolved by the caller.
// Nothing enters a module before something asks for it.

// program is a parsed text.
type program struct {
	functions map[string]*textFunc
	globals   map[string]textGlobal
	areas     map[string]textArea
	size      uint32 // of all areas together
}

type textFunc struct {
	name   string
	typ    wasm.FuncType
	locals []wasm.Locals
	slots  map[string]uint32 // parameters and locals by name
	body   []token
}

type textGlobal struct {
	typ  wasm.ValType
	init int64
}

type textArea struct {
	offset, size uint32
	data         string // empty for a reserved area
}

type token struct {
	text string
	line int
}

// parseProgram reads a text. The text is part of this package, so what is wrong with it shows in
// the first test.
func parseProgram(name, text string) (*program, error) {
	p := &program{functions: map[string]*textFunc{}, globals: map[string]textGlobal{}, areas: map[string]textArea{}}
	s := scanner{name: name, tokens: tokenize(text)}
	for len(s.tokens) > 0 && s.err == nil {
		s.expect("(")
		switch kind := s.next(); kind.text {
		case "global":
			p.global(&s)
		case "memory":
			id := s.next()
			p.area(id.text, uint32(s.integer()), "")
			s.expect(")")
		case "data":
			id := s.next()
			data, err := strconv.Unquote(s.next().text)
			s.check(err)
			p.area(id.text, uint32(len(data)), data)
			s.expect(")")
		case "func":
			p.function(&s)
		default:
			s.fail(kind, "unknown declaration")
		}
	}
	return p, s.err
}

func (p *program) global(s *scanner) {
	id := s.next()
	for _, want := range []string{"(", "mut"} {
		s.expect(want)
	}
	typ := s.valType()
	s.expect(")")
	p.globals[id.text] = textGlobal{typ, s.integer()}
	s.expect(")")
}

// area reserves bytes, aligned to 8.
func (p *program) area(name string, size uint32, data string) {
	p.areas[name] = textArea{p.size, size, data}
	p.size = (p.size + size + 7) &^ 7
}

func (p *program) function(s *scanner) {
	f := &textFunc{name: s.next().text, slots: map[string]uint32{}}
	for s.err == nil && s.peek() == "(" {
		s.next()
		switch what := s.next(); what.text {
		case "param":
			f.slots[s.next().text] = uint32(len(f.slots))
			f.typ.Params = append(f.typ.Params, s.valType())
		case "result":
			f.typ.Results = append(f.typ.Results, s.valType())
		case "local":
			f.slots[s.next().text] = uint32(len(f.slots))
			f.locals = append(f.locals, wasm.Locals{Count: 1, Type: s.valType()})
		default:
			s.fail(what, "want param, result or local")
		}
		s.expect(")")
	}
	for depth := 0; s.err == nil && (depth > 0 || s.peek() != ")"); {
		t := s.next()
		switch t.text {
		case "(": // of a block's result type
			depth++
		case ")":
			depth--
		}
		f.body = append(f.body, t)
	}
	s.expect(")")
	p.functions[f.name] = f
}

// externals returns the functions that the roots call, directly or not, and the text does not
// define, in order.
func (p *program) externals(roots []string) []string {
	var found []string
	seen := map[string]bool{}
	for len(roots) > 0 {
		name := roots[0]
		roots = roots[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		f, ok := p.functions[name]
		if !ok {
			found = append(found, name)
			continue
		}
		for i, t := range f.body {
			if t.text == "call" {
				roots = append(roots, f.body[i+1].text)
			}
		}
	}
	slices.Sort(found)
	return found
}

// tokenize splits at white space and parentheses; strings are one token, comments none.
func tokenize(text string) []token {
	var tokens []token
	for i, line := range strings.Split(text, "\n") {
		for line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, ";;"); line = strings.TrimSpace(line) {
			n := strings.IndexAny(line, " \t()")
			switch {
			case line[0] == '"':
				n = 1 + strings.IndexByte(line[1:], '"') + 1
			case n == 0:
				n = 1
			case n < 0:
				n = len(line)
			}
			tokens = append(tokens, token{line[:n], i + 1})
			line = line[n:]
		}
	}
	return tokens
}

// scanner hands out tokens. Its first error sticks.
type scanner struct {
	name   string
	tokens []token
	last   token
	err    error
}

func (s *scanner) fail(at token, why string) {
	if s.err == nil {
		s.err = fmt.Errorf("%s:%d: %q: %s", s.name, at.line, at.text, why)
	}
}

func (s *scanner) check(err error) {
	if err != nil {
		s.fail(s.last, err.Error())
	}
}

func (s *scanner) peek() string {
	if len(s.tokens) == 0 {
		return ""
	}
	return s.tokens[0].text
}

func (s *scanner) next() token {
	if len(s.tokens) == 0 {
		s.fail(s.last, "unexpected end after this")
		return token{}
	}
	s.last, s.tokens = s.tokens[0], s.tokens[1:]
	return s.last
}

func (s *scanner) expect(text string) {
	if t := s.next(); t.text != text {
		s.fail(t, "want "+text)
	}
}

func (s *scanner) integer() int64 {
	t := s.next()
	v, err := parseInt(t.text)
	s.check(err)
	return v
}

func (s *scanner) valType() wasm.ValType {
	t := s.next()
	for _, v := range []wasm.ValType{wasm.I32, wasm.I64} {
		if t.text == v.String() {
			return v
		}
	}
	s.fail(t, "want i32 or i64")
	return 0
}

// parseInt accepts the range of both the signed and the unsigned integers of 64 bits.
func parseInt(text string) (int64, error) {
	if v, err := strconv.ParseInt(text, 0, 64); err == nil {
		return v, nil
	}
	v, err := strconv.ParseUint(text, 0, 64)
	return int64(v), err
}
