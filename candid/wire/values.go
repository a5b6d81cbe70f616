package wire

import (
	"unsafe"

	"kedge/ic/principal"
)

// Null decodes null.
func (d *Decoder) Null(w Ref) {
	if w != Null {
		d.mismatch("null", w)
	}
}

// Reserved decodes reserved, which is anything.
func (d *Decoder) Reserved(w Ref) { d.Skip(w) }

// Empty decodes a value of type empty, of which there is none.
func (d *Decoder) Empty(w Ref) { d.mismatch("empty, which has no value", w) }

// Bool decodes a bool.
func (d *Decoder) Bool(w Ref) bool {
	if w != Bool {
		d.mismatch("bool", w)
		return false
	}
	return d.bool()
}

func (d *Decoder) bool() bool {
	b := d.byte()
	if b > 1 {
		d.malformed("a bool is neither 0 nor 1")
	}
	return b == 1
}

// Text decodes a text.
func (d *Decoder) Text(w Ref) string {
	if w != Text {
		d.mismatch("text", w)
		return ""
	}
	return d.text()
}

// Blob decodes a vec nat8. The result is never nil.
func (d *Decoder) Blob(w Ref) []byte {
	if w < 0 || d.wire[w].Op != Vec {
		d.mismatch("blob", w)
		return nil
	}
	switch elem := d.wire[w].Elem; {
	case elem == Nat8:
		return d.take(d.uleb())
	case d.uleb() > 0: // an empty vec fits whatever it is a vec of
		d.mismatch("nat8", elem)
	}
	return []byte{}
}

// Principal decodes a principal, or the principal of a service.
func (d *Decoder) Principal(w Ref) principal.Principal {
	if w != Principal && (w < 0 || d.wire[w].Op != Service) {
		d.mismatch("principal", w)
		return principal.Principal{}
	}
	return d.principal()
}

func (d *Decoder) principal() principal.Principal {
	if d.byte() != 1 {
		d.malformed("a reference does not begin with 1")
		return principal.Principal{}
	}
	p, err := principal.FromBytes(d.take(d.uleb()))
	if err != nil {
		d.malformed(err.Error())
	}
	return p
}

// Func decodes a reference to a function of the type want, which is one of the
// receiver's.
func (d *Decoder) Func(w, want Ref) FuncRef {
	if d.entry(w, Func) == nil {
		return FuncRef{}
	}
	if !d.subtype(w, want) {
		d.fail(BadReference, "func", w)
		return FuncRef{}
	}
	return d.funcRef()
}

func (d *Decoder) funcRef() FuncRef {
	if d.byte() != 1 {
		d.malformed("a reference does not begin with 1")
		return FuncRef{}
	}
	return FuncRef{Service: d.principal(), Method: d.text()}
}

// Service decodes a reference to a service of the type want, which is one of
// the receiver's.
func (d *Decoder) Service(w, want Ref) principal.Principal {
	if d.entry(w, Service) == nil {
		return principal.Principal{}
	}
	if !d.subtype(w, want) {
		d.fail(BadReference, "service", w)
		return principal.Principal{}
	}
	return d.principal()
}

// borrow is the text with the bytes b, without a copy.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
