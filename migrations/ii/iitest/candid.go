package iitest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// typ is a Candid type. Recursive types point back to themselves.
type typ struct {
	op     int // an opcode of the specification, without its sign
	elem   *typ
	fields []member
}

type member struct {
	id uint32
	t  *typ
}

// The opcodes: the specification's -1, -5, -8, -15, -18, -19, -20 and -21.
const (
	null                      = 1
	nat8                      = 5
	nat64                     = 8
	text                      = 15
	opt, vec, record, variant = 18, 19, 20, 21
)

// id is the hash of a field's name.
func id(name string) (h uint32) {
	for i := range len(name) {
		h = h*223 + uint32(name[i])
	}
	return h
}

func prim(op int) *typ  { return &typ{op: op} }
func optOf(t *typ) *typ { return &typ{op: opt, elem: t} }
func vecOf(t *typ) *typ { return &typ{op: vec, elem: t} }
func blobType() *typ    { return vecOf(prim(nat8)) }
func cases(names ...string) *typ {
	t := &typ{op: variant}
	for _, n := range names {
		t.fields = append(t.fields, member{id(n), prim(null)})
	}
	return t.sorted()
}

func (t *typ) sorted() *typ {
	slices.SortFunc(t.fields, func(a, b member) int { return int(int64(a.id) - int64(b.id)) })
	return t
}

func (t *typ) field(id uint32) *typ {
	for _, f := range t.fields {
		if f.id == id {
			return f.t
		}
	}
	return nil
}

// subtype is the specification's relation wire <: want, as the decoder of the old builds asked it of a whole
// message before it read any value.
func subtype(wire, want *typ, seen map[[2]*typ]bool) bool {
	if seen[[2]*typ{wire, want}] {
		return true
	}
	seen[[2]*typ{wire, want}] = true
	switch {
	case want.op == opt:
		return true // what does not fit is read as null
	case wire.op != want.op:
		return false
	case wire.op == vec:
		return subtype(wire.elem, want.elem, seen)
	case wire.op == record:
		for _, f := range want.fields {
			if w := wire.field(f.id); w == nil {
				if f.t.op != opt {
					return false
				}
			} else if !subtype(w, f.t, seen) {
				return false
			}
		}
		return true
	case wire.op == variant:
		for _, f := range wire.fields {
			if w := want.field(f.id); w == nil || !subtype(f.t, w, seen) {
				return false
			}
		}
	}
	return true
}

// Values: []byte (vec nat8), string, uint64, []any (vec), fields (record), chosen (variant), nil (null, and an
// absent optional value; a present one is the value itself).
type fields map[uint32]any

type chosen struct {
	id    uint32
	value any
}

type input struct{ b []byte }

var errShort = errors.New("the message is cut short")

func (in *input) leb() uint64 {
	n, size := binary.Uvarint(in.b)
	if size <= 0 {
		panic(errShort)
	}
	in.b = in.b[size:]
	return n
}

func (in *input) take(n uint64) []byte {
	if n > uint64(len(in.b)) {
		panic(errShort)
	}
	b := in.b[:n]
	in.b = in.b[n:]
	return b
}

// decode reads a message of one argument as a value of type want.
func decode(message []byte, want *typ) (v any, err error) {
	defer func() {
		if e, ok := recover().(error); ok {
			v, err = nil, e
		}
	}()
	in := &input{message}
	if string(in.take(4)) != "DIDL" {
		return nil, errors.New("the message does not begin with DIDL")
	}
	table := make([]*typ, in.leb())
	for i := range table {
		table[i] = new(typ)
	}
	ref := func() *typ { // a signed number of one or two bytes
		n := int64(in.leb())
		if n < 64 {
			return table[n]
		}
		if n < 128 {
			return prim(int(128 - n))
		}
		return table[n]
	}
	for _, t := range table {
		switch op := 128 - int(in.leb()); op {
		case opt, vec:
			*t = typ{op: op, elem: ref()}
		case record, variant:
			t.op = op
			for range in.leb() {
				f := member{id: uint32(in.leb())}
				f.t = ref()
				t.fields = append(t.fields, f)
			}
			if !slices.IsSortedFunc(t.fields, func(a, b member) int { return int(int64(a.id) - int64(b.id)) }) {
				return nil, errors.New("the fields of a type are not in order")
			}
		default:
			return nil, fmt.Errorf("type with opcode -%d", op)
		}
	}
	if n := in.leb(); n != 1 {
		return nil, fmt.Errorf("%d arguments", n)
	}
	wire := ref()
	if !subtype(wire, want, map[[2]*typ]bool{}) {
		return nil, errors.New("the type of the message is no subtype of the one expected")
	}
	v = in.value(wire, want)
	if len(in.b) > 0 {
		return nil, fmt.Errorf("%d bytes behind the value", len(in.b))
	}
	return v, nil
}

// value reads a value of type wire; want is nil for one that nobody reads.
func (in *input) value(wire, want *typ) any {
	if want != nil && want.op == opt {
		if wire.op != opt {
			panic(fmt.Errorf("an optional value is of opcode -%d", wire.op))
		}
		if in.take(1)[0] == 0 {
			return nil
		}
		if !subtype(wire.elem, want.elem, map[[2]*typ]bool{}) {
			in.value(wire.elem, nil)
			return nil
		}
		return in.value(wire.elem, want.elem)
	}
	elem := func() *typ {
		if want == nil {
			return nil
		}
		return want.elem
	}
	switch wire.op {
	case null:
		return nil
	case nat8:
		return in.take(1)[0]
	case nat64:
		return binary.LittleEndian.Uint64(in.take(8))
	case text:
		b := in.take(in.leb())
		if !utf8.Valid(b) {
			panic(errors.New("text is not UTF-8"))
		}
		return string(b)
	case opt:
		if in.take(1)[0] == 0 {
			return nil
		}
		return in.value(wire.elem, elem())
	case vec:
		n := in.leb()
		if wire.elem.op == nat8 {
			return append([]byte{}, in.take(n)...)
		}
		out := []any{}
		for range n {
			out = append(out, in.value(wire.elem, elem()))
		}
		return out
	case record:
		out := fields{}
		for _, f := range wire.fields {
			var w *typ
			if want != nil {
				w = want.field(f.id)
			}
			if v := in.value(f.t, w); w != nil {
				out[f.id] = v
			}
		}
		return out
	case variant:
		n := in.leb()
		if n >= uint64(len(wire.fields)) {
			panic(fmt.Errorf("case %d of %d", n, len(wire.fields)))
		}
		f := wire.fields[n]
		var w *typ
		if want != nil {
			w = want.field(f.id)
		}
		return chosen{f.id, in.value(f.t, w)}
	}
	panic(fmt.Errorf("value of opcode -%d", wire.op))
}

// encode writes a message of one argument.
func encode(t *typ, v any) []byte {
	var table []*typ
	var collect func(*typ)
	collect = func(t *typ) {
		if t.op < opt || slices.Contains(table, t) {
			return
		}
		table = append(table, t)
		if t.elem != nil {
			collect(t.elem)
		}
		for _, f := range t.fields {
			collect(f.t)
		}
	}
	collect(t)
	ref := func(b []byte, t *typ) []byte {
		if t.op < opt {
			return append(b, byte(128-t.op))
		}
		n := slices.Index(table, t)
		if n >= 64 {
			panic("a table of more than 64 entries")
		}
		return append(b, byte(n))
	}
	b := append([]byte("DIDL"), byte(len(table)))
	for _, t := range table {
		b = append(b, byte(128-t.op))
		if t.elem != nil {
			b = ref(b, t.elem)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(t.fields)))
		for _, f := range t.fields {
			b = ref(binary.AppendUvarint(b, uint64(f.id)), f.t)
		}
	}
	return put(ref(append(b, 1), t), t, v)
}

func put(b []byte, t *typ, v any) []byte {
	switch t.op {
	case nat64:
		return binary.LittleEndian.AppendUint64(b, v.(uint64))
	case text:
		return append(binary.AppendUvarint(b, uint64(len(v.(string)))), v.(string)...)
	case opt:
		if v == nil {
			return append(b, 0)
		}
		return put(append(b, 1), t.elem, v)
	case vec:
		if blob, ok := v.([]byte); ok {
			return append(binary.AppendUvarint(b, uint64(len(blob))), blob...)
		}
		list := v.([]any)
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, e := range list {
			b = put(b, t.elem, e)
		}
		return b
	case record:
		for _, f := range t.fields {
			b = put(b, f.t, v.(fields)[f.id])
		}
		return b
	case variant:
		c := v.(chosen)
		for i, f := range t.fields {
			if f.id == c.id {
				return put(append(b, byte(i)), f.t, c.value)
			}
		}
		panic(fmt.Errorf("the old build has no case with id %d", c.id))
	}
	return b // null
}
