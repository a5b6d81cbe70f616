package ii

import (
	"errors"
	"fmt"
)

// cborReader reads what the old module stores of an anchor in virtual memory 16: CBOR (RFC 8949), in which every
// record is a map with small numbers as keys. After an error it stays failed and yields zeros.
type cborReader struct {
	b   []byte
	err error
}

var errCBOR = errors.New("the CBOR is cut short or not what it should be")

// The major types of CBOR.
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborOther
)

const (
	cborIndefinite = 31
	cborBreak      = 0xff
	cborNull       = 22
	cborTrue       = 21
	cborDepth      = 16
)

func (r *cborReader) fail() { r.err, r.b = errCBOR, nil }

// head reads the head of an item.
func (r *cborReader) head() (major byte, info byte, n uint64) {
	if len(r.b) == 0 {
		r.fail()
		return cborOther, cborNull, 0
	}
	major, info = r.b[0]>>5, r.b[0]&31
	r.b = r.b[1:]
	switch {
	case info < 24:
		return major, info, uint64(info)
	case info <= 27:
		size := 1 << (info - 24)
		if len(r.b) < size {
			r.fail()
			return cborOther, cborNull, 0
		}
		for _, c := range r.b[:size] {
			n = n<<8 | uint64(c)
		}
		r.b = r.b[size:]
		return major, info, n
	case info == cborIndefinite && (major == cborArray || major == cborMap):
		return major, info, 0
	}
	r.fail()
	return cborOther, cborNull, 0
}

// items calls each for every element of an array, or every key and value of a map.
func (r *cborReader) items(info byte, n uint64, each func()) {
	if info == cborIndefinite {
		for r.err == nil {
			if len(r.b) > 0 && r.b[0] == cborBreak {
				r.b = r.b[1:]
				return
			}
			each()
		}
		return
	}
	for ; n > 0 && r.err == nil; n-- {
		each()
	}
}

// fields reads a map with numbers as keys, and shows each key to read, which reads its value, or leaves it
// and returns false.
func (r *cborReader) fields(read func(key uint64) bool) {
	major, info, n := r.head()
	if major != cborMap {
		r.fail()
		return
	}
	r.items(info, n, func() {
		key, _, k := r.head()
		if key != cborUint {
			r.fail()
			return
		}
		if !read(k) {
			r.skip(0)
		}
	})
}

// list reads an array, or null for none.
func (r *cborReader) list(element func()) {
	major, info, n := r.head()
	switch {
	case major == cborOther && n == cborNull:
	case major == cborArray:
		r.items(info, n, element)
	default:
		r.fail()
	}
}

// bytes reads a byte string, or an array of numbers below 256, or null for none.
func (r *cborReader) bytes() []byte {
	major, info, n := r.head()
	switch {
	case major == cborOther && n == cborNull:
		return nil
	case major == cborBytes && n <= uint64(len(r.b)):
		b := r.b[:n:n]
		r.b = r.b[n:]
		return b
	case major == cborArray:
		b := []byte{}
		r.items(info, n, func() {
			if kind, _, v := r.head(); kind != cborUint || v > 0xff {
				r.fail()
			} else {
				b = append(b, byte(v))
			}
		})
		return b
	}
	r.fail()
	return nil
}

// boolean reads true, false or null.
func (r *cborReader) boolean() bool {
	major, _, n := r.head()
	if major != cborOther || n < 20 || n > cborNull {
		r.fail()
	}
	return n == cborTrue
}

// empty tells whether the next item is null or an empty array or text, and passes over it.
func (r *cborReader) empty() bool {
	if len(r.b) == 0 {
		r.fail()
		return true
	}
	first := r.b[0]
	r.skip(0)
	return first == cborOther<<5|cborNull || first == cborArray<<5 || first == cborText<<5
}

func (r *cborReader) skip(depth int) {
	major, info, n := r.head()
	if depth == cborDepth {
		r.fail()
		return
	}
	switch major {
	case cborBytes, cborText:
		if n > uint64(len(r.b)) {
			r.fail()
			return
		}
		r.b = r.b[n:]
	case cborArray:
		r.items(info, n, func() { r.skip(depth + 1) })
	case cborMap:
		r.items(info, n, func() { r.skip(depth + 1); r.skip(depth + 1) })
	case cborTag:
		r.skip(depth + 1)
	}
}

// mapped is what virtual memory 16 has of an anchor, as far as it concerns an import.
type mapped struct {
	keys  [][]byte // public keys of all devices
	locks map[string]bool
	named bool // it has a name or OpenID credentials
}

// The fields of StorableAnchor, and of the passkeys and recovery keys in it (dfinity/internet-identity,
// src/internet_identity/src/storage/storable).
const (
	anchorName       = 0
	anchorOpenID     = 1
	anchorPasskeys   = 3
	anchorRecovery   = 4
	devicePubkey     = 0
	recoveryIsLocked = 3
)

// decodeMapped reads an anchor of virtual memory 16.
func decodeMapped(b []byte) (m mapped, err error) {
	r := cborReader{b: b}
	m.locks = map[string]bool{}
	r.fields(func(key uint64) bool {
		switch key {
		case anchorName, anchorOpenID:
			m.named = !r.empty() || m.named
		case anchorPasskeys, anchorRecovery:
			r.list(func() {
				var pubkey []byte
				locked := false
				r.fields(func(field uint64) bool {
					switch {
					case field == devicePubkey:
						pubkey = r.bytes()
					case field == recoveryIsLocked && key == anchorRecovery:
						locked = r.boolean()
					default:
						return false
					}
					return true
				})
				m.keys = append(m.keys, pubkey)
				if key == anchorRecovery {
					m.locks[string(pubkey)] = locked
				}
			})
		default:
			return false
		}
		return true
	})
	if r.err != nil || len(r.b) > 0 {
		return mapped{}, fmt.Errorf("virtual memory 16: %w", errCBOR)
	}
	return m, nil
}
