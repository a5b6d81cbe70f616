package link

import (
	"fmt"
	"strings"

	"kedge/wasm"
)

// assembler puts functions of a program into a module, each when it is first asked for.
type assembler struct {
	*program
	name   string // of the text, for errors
	m      *wasm.Module
	base   uint32                                    // address of the program's areas
	extern func(name string) (index uint32, ok bool) // functions that are not in the text

	added  map[string]uint32 // functions and globals in the module, by name
	placed map[string]bool   // data areas in the module
}

func newAssembler(name string, p *program, m *wasm.Module, base uint32, extern func(string) (uint32, bool)) *assembler {
	return &assembler{program: p, name: name, m: m, base: base, extern: extern, added: map[string]uint32{}, placed: map[string]bool{}}
}

// function returns the index of a function, which it adds with all that it uses if need be.
func (a *assembler) function(name string) (uint32, error) {
	if index, ok := a.added[name]; ok {
		return index, nil
	}
	f := a.functions[name]
	if f == nil {
		if index, ok := a.extern(strings.TrimPrefix(name, "$")); ok {
			return index, nil
		}
		return 0, fmt.Errorf("%s: unknown function %s", a.name, name)
	}
	code, err := a.body(f)
	if err != nil {
		return 0, err
	}
	a.added[name] = a.m.AddFunction(f.typ, f.locals, code)
	return a.added[name], nil
}

func (a *assembler) global(name string) (uint32, error) {
	if index, ok := a.added[name]; ok {
		return index, nil
	}
	g, ok := a.globals[name]
	if !ok {
		return 0, fmt.Errorf("unknown global")
	}
	init := wasm.ConstI32(int32(g.init))
	if g.typ == wasm.I64 {
		init = wasm.ConstI64(g.init)
	}
	a.added[name] = a.m.AddGlobal(wasm.GlobalType{Type: g.typ, Mutable: true}, init)
	return a.added[name], nil
}

// constant evaluates an integer, $area or $area.size.
func (a *assembler) constant(text string) (int64, error) {
	if !strings.HasPrefix(text, "$") {
		return parseInt(text)
	}
	name, size := strings.CutSuffix(text, ".size")
	area, ok := a.areas[name]
	switch {
	case !ok:
		return 0, fmt.Errorf("unknown memory area")
	case size:
		return int64(area.size), nil
	}
	if area.data != "" && !a.placed[name] {
		a.placed[name] = true
		a.m.Data = append(a.m.Data, wasm.Data{Offset: wasm.ConstI32(int32(a.base + area.offset)), Bytes: []byte(area.data)})
	}
	return int64(a.base + area.offset), nil
}

// mnemonics are the instructions by name.
var mnemonics = func() map[string]wasm.Opcode {
	names := map[string]wasm.Opcode{}
	for _, op := range wasm.Opcodes() {
		names[op.String()] = op
	}
	return names
}()

// body encodes the instructions of a function.
func (a *assembler) body(f *textFunc) ([]byte, error) {
	s := &scanner{name: a.name, tokens: f.body}
	b := new(wasm.Body)
	var labels []string // of the open blocks
	for len(s.tokens) > 0 && s.err == nil {
		t := s.next()
		op, ok := mnemonics[t.text]
		switch {
		case !ok:
			s.fail(t, "unknown instruction")
		case op == wasm.OpBlock || op == wasm.OpLoop || op == wasm.OpIf:
			labels = append(labels, a.block(s, b, op))
		case op == wasm.OpEnd:
			if len(labels) == 0 {
				s.fail(t, "no open block")
				break
			}
			labels = labels[:len(labels)-1]
			b.End()
		default:
			a.instruction(s, b, f, op, labels)
		}
	}
	if s.err == nil && len(labels) > 0 {
		s.err = fmt.Errorf("%s: function %s has an open block", a.name, f.name)
	}
	return b.End().Bytes(), s.err
}

// block encodes the beginning of a block and returns its label.
func (a *assembler) block(s *scanner, b *wasm.Body, op wasm.Opcode) (label string) {
	if strings.HasPrefix(s.peek(), "$") {
		label = s.next().text
	}
	typ := wasm.BlockType(wasm.BlockEmpty)
	if s.peek() == "(" {
		s.expect("(")
		s.expect("result")
		typ = wasm.BlockResult(s.valType())
		s.expect(")")
	}
	switch op {
	case wasm.OpBlock:
		b.Block(typ)
	case wasm.OpLoop:
		b.Loop(typ)
	case wasm.OpIf:
		b.If(typ)
	}
	return label
}

// instruction encodes an instruction that is not part of the structure of blocks.
func (a *assembler) instruction(s *scanner, b *wasm.Body, f *textFunc, op wasm.Opcode, labels []string) {
	switch {
	case op == wasm.OpLocalGet || op == wasm.OpLocalSet || op == wasm.OpLocalTee:
		slot, ok := f.slots[s.next().text]
		if !ok {
			s.fail(s.last, "unknown local")
		}
		b.Index(op, slot)
	case op == wasm.OpGlobalGet || op == wasm.OpGlobalSet:
		index, err := a.global(s.next().text)
		s.check(err)
		b.Index(op, index)
	case op == wasm.OpCall:
		index, err := a.function(s.next().text)
		s.check(err)
		b.Call(index)
	case op == wasm.OpBr || op == wasm.OpBrIf:
		target := s.next()
		for depth := range labels {
			if labels[len(labels)-1-depth] == target.text {
				b.Index(op, uint32(depth))
				return
			}
		}
		s.fail(target, "unknown label")
	case op == wasm.OpI32Const || op == wasm.OpI64Const:
		v, err := a.constant(s.next().text)
		s.check(err)
		if op == wasm.OpI32Const {
			b.I32Const(int32(v))
		} else {
			b.I64Const(v)
		}
	case op.AccessSize() > 0:
		var offset int64
		if text, ok := strings.CutPrefix(s.peek(), "offset="); ok {
			s.next()
			var err error
			offset, err = a.constant(text)
			s.check(err)
		}
		b.Load(op, uint64(offset))
	case op == wasm.OpMemorySize:
		b.Index(op, 0)
	case op == wasm.OpMemoryFill:
		b.Index(op, 0)
	case op == wasm.OpMemoryCopy:
		b.Index2(op, 0, 0)
	default:
		b.Op(op)
	}
}
