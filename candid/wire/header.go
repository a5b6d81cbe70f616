package wire

import "unicode/utf8"

const magic = "DIDL"

// readHeader reads a message up to its first value.
func (d *Decoder) readHeader() {
	if len(d.data) < len(magic) || string(d.data[:len(magic)]) != magic {
		d.malformed(`the message does not begin with "DIDL"`)
		return
	}
	d.pos = len(magic)
	n := d.count(MaxTypes, "more types than a message may define")
	d.wire = make(Table, n)
	d.fieldsLeft = MaxFields
	for i := range d.wire {
		if d.Failed() {
			return
		}
		d.readEntry(&d.wire[i])
	}
	if d.Failed() { // a reference to no type must not be followed
		return
	}
	for i := range d.wire {
		if e := &d.wire[i]; e.Op == Service {
			for _, m := range e.Fields {
				if m.Type < 0 || d.wire[m.Type].Op != Func {
					d.malformed("the method of a service type is not a function")
					return
				}
			}
		}
	}
	n = d.count(d.fieldsLeft, "more arguments than a message may have")
	d.args = make([]Field, n)
	for i := range d.args {
		d.args[i].Type = d.readRef()
	}
}

// count reads the number of things that follow, each of at least one byte.
func (d *Decoder) count(limit int, tooMany string) int {
	n := d.uleb()
	if n > uint64(limit) {
		d.malformed(tooMany)
		return 0
	}
	if n > uint64(len(d.data)-d.pos) {
		d.malformed(endOfMessage)
		return 0
	}
	if d.Failed() {
		return 0
	}
	return int(n)
}

func (d *Decoder) readRef() Ref {
	r := d.sleb()
	switch {
	case r >= 0 && r < int64(len(d.wire)):
	case r < 0 && (r >= int64(Empty) || r == int64(Principal)):
	case !d.Failed():
		d.malformed("no such type")
	}
	return Ref(r)
}

func (d *Decoder) readEntry(e *Entry) {
	op := d.sleb()
	switch {
	case op == int64(Opt) || op == int64(Vec):
		e.Op = Op(op)
		e.Elem = d.readRef()
	case op == int64(Record) || op == int64(Variant):
		e.Op = Op(op)
		e.Fields = d.newFields()
		last := int64(-1)
		for i := range e.Fields {
			id := d.uleb()
			if id > 1<<32-1 || int64(id) <= last {
				d.malformed("the fields of a type are not in ascending order of their 32-bit ids")
				return
			}
			last = int64(id)
			e.Fields[i] = Field{ID: uint32(id), Type: d.readRef()}
		}
	case op == int64(Func):
		e.Op = Func
		args := d.readTypes(nil)
		e.Elem = Ref(len(args))
		e.Fields = d.readTypes(args)
		for range d.count(3, "too many annotations on a function") {
			switch m := d.byte(); m {
			case 1, 2, 3:
				e.Mode |= 1 << (m - 1)
			default:
				d.malformed("unknown annotation of a function")
			}
		}
	case op == int64(Service):
		e.Op = Service
		e.Fields = d.newFields()
		for i := range e.Fields {
			e.Fields[i].Name = d.text()
			e.Fields[i].Type = d.readRef()
			if i > 0 && e.Fields[i].Name <= e.Fields[i-1].Name {
				d.malformed("the methods of a service type are not in ascending order")
				return
			}
		}
	case op <= int64(Future):
		e.Op = Future
		d.take(d.uleb())
	default:
		d.malformed("not a type constructor")
	}
}

func (d *Decoder) newFields() []Field {
	n := d.count(d.fieldsLeft, "more fields than a message may define")
	d.fieldsLeft -= n
	if n > cap(d.slab)-len(d.slab) {
		d.slab = make([]Field, 0, max(n, 32))
	}
	lo := len(d.slab)
	d.slab = d.slab[:lo+n]
	return d.slab[lo : lo+n : lo+n]
}

// readTypes appends a list of types, with the ids 0, 1, 2, …, to fields.
func (d *Decoder) readTypes(fields []Field) []Field {
	n := d.count(d.fieldsLeft, "more fields than a message may define")
	d.fieldsLeft -= n
	for i := range n {
		fields = append(fields, Field{ID: uint32(i), Type: d.readRef()})
	}
	return fields
}

// uleb reads an unsigned LEB128 number of at most 64 bits; longer forms of the
// same number are accepted, as the specification has it.
func (d *Decoder) uleb() uint64 {
	var n uint64
	var shift uint
	for i, b := range d.data[d.pos:] { // which ends here, nearly always
		n |= uint64(b&0x7f) << (shift & 63)
		if b < 0x80 {
			d.pos += i + 1
			return n
		}
		if shift += 7; shift > 56 {
			break
		}
	}
	return d.longULEB()
}

// longULEB reads what uleb leaves: numbers of ten bytes and more, and what ends
// too early.
func (d *Decoder) longULEB() uint64 {
	var n uint64
	for shift := uint(0); ; shift += 7 {
		b := d.byte()
		if low := uint64(b & 0x7f); shift > 63 && low != 0 || shift == 63 && low > 1 {
			d.malformed("a number is beyond 64 bits")
			return 0
		} else if shift < 64 {
			n |= low << shift
		}
		if b < 0x80 {
			return n
		}
		if shift > 20*7 {
			d.malformed("a number is padded to more than twenty bytes")
			return 0
		}
	}
}

// sleb reads a signed LEB128 number that must fit a type's opcode or index.
func (d *Decoder) sleb() int64 {
	if rest := d.data[d.pos:]; len(rest) > 0 && rest[0] < 0x80 { // nearly always
		d.pos++
		return int64(int8(rest[0]<<1) >> 1)
	}
	return d.longSLEB()
}

func (d *Decoder) longSLEB() int64 {
	var n int64
	for shift := uint(0); shift < 35; shift += 7 {
		b := d.byte()
		n |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 {
				n |= -1 << (shift + 7)
			}
			return n
		}
	}
	d.malformed("a type is not a number of 32 bits")
	return 0
}

const endOfMessage = "the message ends too early"

func (d *Decoder) byte() byte {
	if d.pos >= len(d.data) {
		d.malformed(endOfMessage)
		return 0
	}
	b := d.data[d.pos]
	d.pos++
	return b
}

// take reads n bytes.
func (d *Decoder) take(n uint64) []byte {
	if n > uint64(len(d.data)-d.pos) {
		d.malformed(endOfMessage)
		return nil
	}
	lo, hi := d.pos, d.pos+int(n)
	d.pos = hi
	return d.data[lo:hi:hi]
}

// text reads a length and that many bytes of UTF-8.
func (d *Decoder) text() string {
	b := d.take(d.uleb())
	if !utf8.Valid(b) {
		d.malformed("a text is not UTF-8")
		return ""
	}
	return borrow(b)
}
