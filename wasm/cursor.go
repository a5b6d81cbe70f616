package wasm

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// DecodeError says where in the binary a module is malformed.
type DecodeError struct {
	Offset  int    // from the start of the module, in bytes
	Section string // "code", "import", …; empty in the header
	Err     error
	// Production is what the parser of the production replica says, with the offset that it gives; empty if
	// that is not known.
	Production string
}

// Error renders the place and the reason.
func (e *DecodeError) Error() string {
	if e.Section == "" {
		return fmt.Sprintf("wasm: offset 0x%x: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("wasm: %s section, offset 0x%x: %v", e.Section, e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *DecodeError) Unwrap() error { return e.Err }

// InProduction returns what the parser of the production replica says, as far as that is known, else this
// package's own reason in the same form.
func (e *DecodeError) InProduction() string {
	if e.Production != "" {
		return e.Production
	}
	switch {
	case errors.Is(e.Err, errEnd):
		return fmt.Sprintf("unexpected end-of-file (at offset 0x%x)", e.Offset)
	case errors.Is(e.Err, errTrailing):
		return fmt.Sprintf("section size mismatch: unexpected data at the end of the section (at offset 0x%x)", e.Offset)
	case errors.Is(e.Err, errNotUTF8):
		return fmt.Sprintf("malformed UTF-8 encoding (at offset 0x%x)", e.Offset-1)
	}
	return fmt.Sprintf("%v (at offset 0x%x)", e.Err, e.Offset)
}

var (
	errEnd      = errors.New("unexpected end")
	errLEB      = errors.New("integer is too long or out of range")
	errNotUTF8  = errors.New("name is not UTF-8")
	errTrailing = errors.New("trailing bytes")

	errTypedReference = errors.New("typed function references are not supported")
)

// cursor reads the primitives of the binary format. The first error sticks; after it every read
// returns zero, so that callers check err once per item.
type cursor struct {
	data []byte
	pos  int
	base int // offset of data[0] in the module, for errors
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = &DecodeError{Offset: c.base + c.pos, Err: err}
	}
	c.pos = len(c.data)
}

// failAs is failf with what production says, and the place that it names in these data.
func (c *cursor) failAs(at int, production, format string, args ...any) {
	if c.err == nil {
		c.err = &DecodeError{Offset: c.base + c.pos, Err: fmt.Errorf(format, args...),
			Production: fmt.Sprintf("%s (at offset 0x%x)", production, c.base+at)}
	}
	c.pos = len(c.data)
}

func (c *cursor) failf(format string, args ...any) { c.fail(fmt.Errorf(format, args...)) }

func (c *cursor) byte() byte {
	if c.pos >= len(c.data) {
		c.fail(errEnd)
		return 0
	}
	b := c.data[c.pos]
	c.pos++
	return b
}

func (c *cursor) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(c.data)-c.pos) {
		c.fail(errEnd)
		return nil
	}
	b := c.data[c.pos : c.pos+int(n) : c.pos+int(n)]
	c.pos += int(n)
	return b
}

func (c *cursor) u32() uint32 {
	v, n := uleb(c.data[c.pos:], 32)
	if n <= 0 {
		c.fail(lebError(n))
		return 0
	}
	c.pos += n
	return uint32(v)
}

func (c *cursor) u64() uint64 {
	v, n := uleb(c.data[c.pos:], 64)
	if n <= 0 {
		c.fail(lebError(n))
		return 0
	}
	c.pos += n
	return v
}

// count reads the length of a vector whose elements take at least one byte each and refuses one
// that the rest of the input cannot hold, before anything is allocated for it.
func (c *cursor) count(max uint32, what string) int {
	n := c.u32()
	if c.err != nil {
		return 0
	}
	if n > max {
		c.failf("%d %s, at most %d are allowed", n, what, max)
		return 0
	}
	if int64(n) > int64(len(c.data)-c.pos) {
		c.failf("%d %s in %d bytes", n, what, len(c.data)-c.pos)
		return 0
	}
	return int(n)
}

func (c *cursor) name() string {
	b := c.bytes(c.u32())
	if !utf8.Valid(b) {
		c.fail(errNotUTF8)
		return ""
	}
	return string(b)
}

func (c *cursor) valType() ValType {
	t := ValType(c.byte())
	if c.err == nil && !t.valid() {
		c.pos--
		if t == 0x63 || t == 0x64 {
			c.fail(errTypedReference)
			return 0
		}
		c.failf("unknown value type 0x%02x", byte(t))
	}
	return t
}

func lebError(n int) error {
	if n == 0 {
		return errEnd
	}
	return errLEB
}

// uleb decodes an unsigned LEB128 integer of at most bits bits. It returns the number of bytes
// read, 0 when data ends too early and -1 when the number does not fit.
func uleb(data []byte, bits uint) (uint64, int) {
	if len(data) > 0 && data[0] < 0x80 { // by far the most common case
		return uint64(data[0]), 1
	}
	var v uint64
	for i, shift := 0, uint(0); ; i, shift = i+1, shift+7 {
		if i == len(data) {
			return 0, 0
		}
		b := data[i]
		if rest := bits - shift; rest < 7 && b>>rest != 0 { // covers a continuation bit, too
			return 0, -1
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, i + 1
		}
	}
}

// sleb decodes a signed LEB128 integer of at most bits bits; results as uleb.
func sleb(data []byte, bits uint) (int64, int) {
	var v int64
	for i, shift := 0, uint(0); ; i, shift = i+1, shift+7 {
		if i == len(data) {
			return 0, 0
		}
		b := data[i]
		if rest := bits - shift; rest < 7 {
			// The unused bits of the last byte must repeat the sign.
			if high := int8(b<<1) >> rest; b >= 0x80 || high != 0 && high != -1 {
				return 0, -1
			}
		}
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift += 7; shift < 64 && b&0x40 != 0 {
				v |= -1 << shift
			}
			return v, i + 1
		}
	}
}

// AppendULEB appends v as unsigned LEB128.
func AppendULEB(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// AppendSLEB appends v as signed LEB128.
func AppendSLEB(dst []byte, v int64) []byte {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(dst, b)
		}
		dst = append(dst, b|0x80)
	}
}
