// Package minicbor reads and writes the small part of CBOR (RFC 8949) that hash trees, COSE keys and
// WebAuthn use: unsigned and negative integers, byte and text strings, arrays, maps and tags, all of
// definite length. It allocates nothing of its own and uses no reflection, because canisters import it.
package minicbor

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Major is the major type of a CBOR item (RFC 8949, section 3.1).
type Major uint8

// The major types. Floats and simple values (7) are not supported.
const (
	Uint     Major = 0
	Negative Major = 1
	Bytes    Major = 2
	Text     Major = 3
	Array    Major = 4
	Map      Major = 5
	Tag      Major = 6
)

func (m Major) String() string {
	names := [...]string{"unsigned integer", "negative integer", "byte string", "text string", "array", "map", "tag", "simple value"}
	return names[m&7]
}

// SelfDescribed is the tag that marks data as CBOR and means nothing else (RFC 8949, section 3.4.6).
const SelfDescribed = 55799

// Reader reads items from the front of a byte slice. What it returns aliases the slice.
type Reader struct {
	data []byte
	pos  int
}

// NewReader returns a reader of data.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Offset is the number of bytes read so far.
func (r *Reader) Offset() int { return r.pos }

// Rest returns what has not been read.
func (r *Reader) Rest() []byte { return r.data[r.pos:] }

// Done fails if bytes are left over.
func (r *Reader) Done() error {
	if n := len(r.data) - r.pos; n > 0 {
		return fmt.Errorf("cbor: %d bytes left over at offset %d", n, r.pos)
	}
	return nil
}

// Peek returns the major type of the next item.
func (r *Reader) Peek() (Major, error) {
	if r.pos >= len(r.data) {
		return 0, fmt.Errorf("cbor: data ends at offset %d", r.pos)
	}
	return Major(r.data[r.pos] >> 5), nil
}

// Head reads the head of an item: its major type and its argument, which is a value, a length or a
// number of elements.
func (r *Reader) Head() (Major, uint64, error) {
	major, err := r.Peek()
	if err != nil {
		return 0, 0, err
	}
	start, info := r.pos, r.data[r.pos]&0x1f
	if major == 7 {
		return 0, 0, fmt.Errorf("cbor: simple value or float at offset %d is not supported", start)
	}
	if info < 24 {
		r.pos++
		return major, uint64(info), nil
	}
	if info > 27 {
		return 0, 0, fmt.Errorf("cbor: indefinite or reserved length at offset %d is not supported", start)
	}
	width := 1 << (info - 24)
	if len(r.data)-start-1 < width {
		return 0, 0, fmt.Errorf("cbor: data ends inside the head at offset %d", start)
	}
	var arg uint64
	for _, b := range r.data[start+1 : start+1+width] {
		arg = arg<<8 | uint64(b)
	}
	r.pos += 1 + width
	return major, arg, nil
}

func (r *Reader) expect(want Major) (uint64, error) {
	start := r.pos
	major, arg, err := r.Head()
	if err != nil {
		return 0, err
	}
	if major != want {
		return 0, fmt.Errorf("cbor: expected %s at offset %d, got %s", want, start, major)
	}
	return arg, nil
}

// Array reads the head of an array and returns its number of elements.
func (r *Reader) Array() (uint64, error) { return r.expect(Array) }

// Map reads the head of a map and returns its number of pairs.
func (r *Reader) Map() (uint64, error) { return r.expect(Map) }

// Fields reads a map with text keys. Each key must have a reader of its value in readers, and occur at most once;
// its reader is taken out of readers, so that those that are left are of fields that are missing.
func (r *Reader) Fields(readers map[string]func() error) error {
	n, err := r.Map()
	if err != nil {
		return err
	}
	for range n {
		key, err := r.Text()
		if err != nil {
			return err
		}
		read, ok := readers[key]
		if !ok {
			return fmt.Errorf("unknown or repeated field %q", key)
		}
		delete(readers, key)
		if err := read(); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// AllFields is Fields for a map in which none may be missing.
func (r *Reader) AllFields(readers map[string]func() error) error {
	if err := r.Fields(readers); err != nil {
		return err
	}
	if len(readers) > 0 {
		return fmt.Errorf("field %q is missing", slices.Min(slices.Collect(maps.Keys(readers))))
	}
	return nil
}

// Uint reads an unsigned integer.
func (r *Reader) Uint() (uint64, error) { return r.expect(Uint) }

// Int reads an integer of either sign.
func (r *Reader) Int() (int64, error) {
	start := r.pos
	major, arg, err := r.Head()
	if err != nil {
		return 0, err
	}
	if major > Negative {
		return 0, fmt.Errorf("cbor: expected integer at offset %d, got %s", start, major)
	}
	if arg > 1<<63-1 {
		return 0, fmt.Errorf("cbor: integer at offset %d does not fit in 64 bits", start)
	}
	if major == Negative {
		return -1 - int64(arg), nil
	}
	return int64(arg), nil
}

// Bytes reads a byte string.
func (r *Reader) Bytes() ([]byte, error) { return r.str(Bytes) }

// Text reads a text string; it must be UTF-8.
func (r *Reader) Text() (string, error) {
	start := r.pos
	raw, err := r.str(Text)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(raw) {
		return "", fmt.Errorf("cbor: text at offset %d is not UTF-8", start)
	}
	return string(raw), nil
}

func (r *Reader) str(want Major) ([]byte, error) {
	start := r.pos
	n, err := r.expect(want)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(r.data)-r.pos) {
		return nil, fmt.Errorf("cbor: %s at offset %d is longer than the data", want, start)
	}
	out := r.data[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return out, nil
}

// SkipTag reads the given tag if it is next.
func (r *Reader) SkipTag(tag uint64) error {
	major, err := r.Peek()
	if err != nil || major != Tag {
		return err
	}
	start := r.pos
	_, got, err := r.Head()
	if err != nil {
		return err
	}
	if got != tag {
		return fmt.Errorf("cbor: unexpected tag %d at offset %d", got, start)
	}
	return nil
}

// Skip reads one item of any kind and any content, floats and simple values too, at most depth levels
// deep. Lengths must still be definite.
func (r *Reader) Skip(depth int) error {
	start := r.pos
	if depth == 0 {
		return fmt.Errorf("cbor: nested too deep at offset %d", start)
	}
	major, err := r.Peek()
	if err != nil {
		return err
	}
	if major == 7 {
		return r.skipSimple()
	}
	_, arg, err := r.Head()
	if err != nil {
		return err
	}
	switch major {
	case Bytes, Text:
		r.pos = start
		_, err = r.str(major)
		return err
	case Tag:
		return r.Skip(depth - 1)
	case Array, Map:
		for range arg {
			if err := r.Skip(depth - 1); err != nil {
				return err
			}
			if major == Array {
				continue
			}
			if err := r.Skip(depth - 1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reader) skipSimple() error {
	info := r.data[r.pos] & 0x1f
	size := 1
	switch {
	case info >= 28:
		return fmt.Errorf("cbor: break or reserved value at offset %d", r.pos)
	case info >= 24:
		size += 1 << (info - 24)
	}
	if len(r.data)-r.pos < size {
		return fmt.Errorf("cbor: data ends inside the value at offset %d", r.pos)
	}
	if info == 24 && r.data[r.pos+1] < 32 { // RFC 8949, section 3.3
		return fmt.Errorf("cbor: simple value at offset %d is not in its shortest form", r.pos)
	}
	r.pos += size
	return nil
}
