package wire

import (
	"encoding/binary"
	"unsafe"
)

// Decoder reads one message. Its methods follow the values in order; each takes
// the type that the message gives the value. After the first failure all others
// do nothing of use, so generated code looks at Failed only where it loops.
type Decoder struct {
	data []byte
	pos  int
	wire Table   // the types of the message
	args []Field // its arguments, of which only the types matter
	arg  int     // how many have been taken
	want Table   // the types of the receiver

	depth        int
	steps        int
	skipped      int
	elementsLeft int
	fieldsLeft   int
	slab         []Field

	failure failure
}

// Signature is the list of a method's arguments or results: types of a table,
// and the header of a message that carries exactly them.
type Signature struct {
	Header string
	Args   []Field
}

// NewDecoder begins to decode a message whose receiver knows the types want and
// expects sig. It is small enough to be inlined, so that the decoder is on the
// stack of the function that calls it: an object on the heap costs a canister
// the pages of the allocator.
func NewDecoder(data []byte, want Table, sig *Signature) *Decoder {
	d := new(Decoder)
	d.begin(data, want, sig)
	return d
}

func (d *Decoder) begin(data []byte, want Table, sig *Signature) {
	d.data = data
	d.want = want
	d.steps = freeSteps + stepsPerByte*len(data)
	d.elementsLeft = MaxElements
	if beginsWith(data, sig.Header) {
		d.pos, d.wire, d.args = len(sig.Header), want, sig.Args
		return
	}
	d.readHeader()
}

// beginsWith reports whether data begins with a header, which is not empty. Go's
// own comparison looks at single bytes in WebAssembly and costs seven times as
// much.
func beginsWith(data []byte, header string) bool {
	n := len(header)
	if n == 0 || n > len(data) {
		return false
	}
	h := unsafe.Slice(unsafe.StringData(header), n)
	for len(h) >= 8 {
		if binary.LittleEndian.Uint64(data) != binary.LittleEndian.Uint64(h) {
			return false
		}
		data, h = data[8:], h[8:]
	}
	for i, b := range h {
		if data[i] != b {
			return false
		}
	}
	return true
}

// Arg takes the next argument, which must be there, and returns its type.
func (d *Decoder) Arg() (w Ref, ok bool) {
	if w, ok = d.OptArg(); !ok && !d.Failed() {
		d.malformed("missing argument")
	}
	return w, ok
}

// OptArg takes the next argument, which may be missing as its type is opt, null
// or reserved.
func (d *Decoder) OptArg() (w Ref, ok bool) {
	if d.Failed() {
		return 0, false
	}
	d.arg++ // a missing argument counts, so that a later one is told by its own number
	if d.arg > len(d.args) {
		return 0, false
	}
	return d.args[d.arg-1].Type, true
}

// Finish skips arguments that the receiver does not know, checks that nothing
// is left, and returns what was wrong with the message as an *Error, or nil.
func (d *Decoder) Finish() error {
	for d.arg < len(d.args) && !d.Failed() {
		d.arg++
		d.Skip(d.args[d.arg-1].Type)
	}
	if d.pos < len(d.data) && !d.Failed() {
		d.arg = 0
		d.malformed("bytes are left over after the last argument")
	}
	if !d.Failed() {
		return nil
	}
	e := &Error{Arg: d.arg, Path: d.failurePath(), Offset: d.failure.offset, Text: d.failureText(), Kind: d.failure.kind, Case: d.failure.tag}
	if e.Kind == MissingField {
		e.Field = d.failure.want
	}
	return e
}

// enter pays for one value that may hold others.
func (d *Decoder) enter() {
	d.depth++
	d.steps--
	if d.depth > MaxDepth {
		d.malformed("values are nested too deeply")
	} else if d.steps < 0 {
		d.malformed("the message takes too much work for its size")
	}
}

// entry returns the entry of w if it is of the given constructor.
func (d *Decoder) entry(w Ref, op Op) *Entry {
	if w >= 0 && d.wire[w].Op == op {
		return &d.wire[w]
	}
	d.mismatch(primitiveNames[-op], w)
	return nil
}

// Fields walks through the fields of a record on the wire.
type Fields struct {
	// Type is the type of the field found last.
	Type Ref
	rest []Field
	last string
}

// Record begins a record.
func (d *Decoder) Record(w Ref) Fields {
	d.enter()
	if e := d.entry(w, Record); e != nil && !d.Failed() {
		return Fields{rest: e.Fields}
	}
	return Fields{}
}

// Field moves to the field with the given id, which must be there, and reports
// whether it is. Fields are asked for in ascending order; those in between are
// skipped.
func (f *Fields) Field(d *Decoder, id uint32, name string) bool {
	if f.OptField(d, id, name) {
		return true
	}
	if d.failure.kind == none {
		d.fail(MissingField, name, 0)
		f.last = ""
	}
	return false
}

// OptField is like Field for a field that may be missing.
func (f *Fields) OptField(d *Decoder, id uint32, name string) bool {
	if d.failure.kind != none {
		return false
	}
	f.last = name
	for len(f.rest) > 0 && f.rest[0].ID <= id {
		field := f.rest[0]
		f.rest = f.rest[1:]
		if field.ID == id {
			f.Type = field.Type
			return true
		}
		d.Skip(field.Type)
		if d.failure.kind != none {
			f.last = ""
			return false
		}
	}
	return false
}

// End skips the fields that are left.
func (f *Fields) End(d *Decoder) {
	if d.failure.kind != none {
		if f.last != "" {
			d.in(step{name: f.last})
		}
		return
	}
	for _, field := range f.rest {
		d.Skip(field.Type)
	}
	d.depth--
}

// Variant begins a variant and returns the id of its case and the type of what
// it holds. If ok, EndVariant or BadCase must follow.
func (d *Decoder) Variant(w Ref) (id uint32, payload Ref, ok bool) {
	d.enter()
	e := d.entry(w, Variant)
	if e == nil || d.Failed() {
		return 0, 0, false
	}
	i := d.uleb()
	if i >= uint64(len(e.Fields)) {
		d.malformed("a variant has no case of this number")
	}
	if d.Failed() {
		return 0, 0, false
	}
	return e.Fields[i].ID, e.Fields[i].Type, true
}

// EndVariant ends a variant; name is that of its case.
func (d *Decoder) EndVariant(name string) {
	if d.failure.kind != none {
		d.in(step{name: name})
		return
	}
	d.depth--
}

// BadCase ends a variant whose case the receiver does not know.
func (d *Decoder) BadCase(id uint32) {
	if d.failure.kind == none {
		d.fail(UnknownCase, "", 0)
		d.failure.tag = id
	}
}

// Vec begins a vec and returns the type and the number of its elements.
func (d *Decoder) Vec(w Ref) (elem Ref, n int) {
	d.enter()
	e := d.entry(w, Vec)
	if e == nil || d.Failed() {
		return Empty, 0
	}
	count := d.uleb()
	if d.Failed() {
		return Empty, 0
	}
	// Each element costs a step even if it has no byte, which also bounds
	// what is allocated before it is read.
	if count > uint64(d.steps) || count > uint64(d.elementsLeft) {
		d.malformed("a vec has more elements than a message of this size may have")
		return Empty, 0
	}
	d.steps -= int(count)
	d.elementsLeft -= int(count)
	return e.Elem, int(count)
}

// EndVec ends a vec.
func (d *Decoder) EndVec() { d.depth-- }

// Prealloc is the capacity with which to begin a vec of n elements: a sender
// who only claims to have many gets little memory for it.
func Prealloc(n int) int { return min(n, 64) }

// Mark is a place to which the decoder can go back.
type Mark struct{ pos, depth int }

// Opt begins an opt. If there is something to decode, it returns its type;
// EndOpt must follow.
func (d *Decoder) Opt(w Ref) (inner Ref, m Mark, ok bool) {
	if w == Null || w == Reserved || d.Failed() {
		return 0, m, false
	}
	if w >= 0 && d.wire[w].Op == Opt {
		switch d.byte() {
		case 0:
			return 0, m, false
		case 1:
		default:
			d.malformed("an opt begins with neither 0 nor 1")
			return 0, m, false
		}
		w = d.wire[w].Elem
	}
	m = Mark{d.pos, d.depth}
	d.enter()
	return w, m, !d.Failed()
}

// EndOpt ends an opt and reports whether its content, of type inner, fitted. If
// not it is skipped, and the opt is null.
func (d *Decoder) EndOpt(m Mark, inner Ref) bool {
	switch d.failure.kind {
	case none:
		d.depth = m.depth
		return true
	case Malformed:
		return false
	}
	d.failure = failure{}
	d.pos, d.depth = m.pos, m.depth
	d.Skip(inner)
	return false
}
