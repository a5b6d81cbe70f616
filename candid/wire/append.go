package wire

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"kedge/ic/principal"
)

// AppendULEB appends n as unsigned LEB128.
func AppendULEB(b []byte, n uint64) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

// AppendSLEB appends n as signed LEB128.
func AppendSLEB(b []byte, n int64) []byte {
	for n < -0x40 || n >= 0x40 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n)&0x7f)
}

// AppendBool appends a bool; it is also the first byte of an opt.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendText appends a text. Bytes that are not UTF-8 become U+FFFD, so that a
// reply can always be decoded.
func AppendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	b = AppendULEB(b, uint64(len(s)))
	return append(b, s...)
}

// AppendBlob appends a vec nat8.
func AppendBlob(b []byte, v []byte) []byte {
	b = AppendULEB(b, uint64(len(v)))
	return append(b, v...)
}

// AppendNat16 appends a nat16.
func AppendNat16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }

// AppendNat32 appends a nat32.
func AppendNat32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }

// AppendNat64 appends a nat64.
func AppendNat64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// AppendInt16 appends an int16.
func AppendInt16(b []byte, v int16) []byte { return AppendNat16(b, uint16(v)) }

// AppendInt32 appends an int32.
func AppendInt32(b []byte, v int32) []byte { return AppendNat32(b, uint32(v)) }

// AppendInt64 appends an int64.
func AppendInt64(b []byte, v int64) []byte { return AppendNat64(b, uint64(v)) }

// AppendFloat32 appends a float32.
func AppendFloat32(b []byte, v float32) []byte { return AppendNat32(b, math.Float32bits(v)) }

// AppendFloat64 appends a float64.
func AppendFloat64(b []byte, v float64) []byte { return AppendNat64(b, math.Float64bits(v)) }

// AppendPrincipal appends a principal, or a reference to a service.
func AppendPrincipal(b []byte, p principal.Principal) []byte {
	return p.AppendTo(append(b, 1, byte(p.Len())))
}

// AppendFunc appends a reference to a function.
func AppendFunc(b []byte, f FuncRef) []byte {
	return AppendText(AppendPrincipal(append(b, 1), f.Service), f.Method)
}

// AppendHeader appends the header of a message with the given arguments. Its
// type table has the types that the arguments need and no others, in the order
// in which they are met.
func AppendHeader(b []byte, t Table, args []Field) []byte {
	local := make([]Ref, len(t)) // the number of each type in the message, plus one
	var order []Ref
	var visit func(r Ref)
	visit = func(r Ref) {
		if r < 0 || local[r] != 0 {
			return
		}
		order = append(order, r)
		local[r] = Ref(len(order))
		if e := &t[r]; e.Op == Opt || e.Op == Vec {
			visit(e.Elem)
		}
		for _, f := range t[r].Fields {
			visit(f.Type)
		}
	}
	for _, a := range args {
		visit(a.Type)
	}
	ref := func(b []byte, r Ref) []byte {
		if r >= 0 {
			r = local[r] - 1
		}
		return AppendSLEB(b, int64(r))
	}
	refs := func(b []byte, fields []Field) []byte {
		b = AppendULEB(b, uint64(len(fields)))
		for _, f := range fields {
			b = ref(b, f.Type)
		}
		return b
	}
	b = append(b, magic...)
	b = AppendULEB(b, uint64(len(order)))
	for _, r := range order {
		e := &t[r]
		b = AppendSLEB(b, int64(e.Op))
		switch e.Op {
		case Opt, Vec:
			b = ref(b, e.Elem)
		case Record, Variant:
			b = AppendULEB(b, uint64(len(e.Fields)))
			for _, f := range e.Fields {
				b = ref(AppendULEB(b, uint64(f.ID)), f.Type)
			}
		case Func:
			b = refs(b, e.Fields[:e.Elem])
			b = refs(b, e.Fields[e.Elem:])
			b = appendMode(b, e.Mode)
		case Service:
			b = AppendULEB(b, uint64(len(e.Fields)))
			for _, f := range e.Fields {
				b = ref(AppendText(b, f.Name), f.Type)
			}
		}
	}
	return refs(b, args)
}

func appendMode(b []byte, m Mode) []byte {
	at := len(b)
	b = append(b, 0)
	for i := range byte(3) {
		if m&(1<<i) != 0 {
			b = append(b, i+1)
			b[at]++
		}
	}
	return b
}
