package production_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"strconv"
)

// A Candid decoder that shares nothing with the network's own. It decodes to the values of package
// encoding/json, with fields and cases under the hashes of their names.

type candidType struct {
	op     int64
	elem   int64 // of opt and vec
	fields []candidField
}

type candidField struct {
	id  uint64
	typ int64
}

type candidReader struct {
	*bytes.Reader
	types []candidType
}

const (
	candidNull, candidBool, candidNat, candidInt, candidText       = -1, -2, -3, -4, -15
	candidReserved, candidOpt, candidVec, candidRecord             = -16, -18, -19, -20
	candidVariant, candidPrincipal, candidNat8, candidNat64Opcode  = -21, -24, -5, -8
	candidInt8Opcode, candidInt64Opcode, candidDepthLimit, maxItem = -9, -12, 50, 1 << 20
)

// decodeCandid decodes the first argument of a message.
func decodeCandid(message []byte) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decode %x: %v", message, p)
		}
	}()
	rest, ok := bytes.CutPrefix(message, []byte("DIDL"))
	if !ok {
		return nil, fmt.Errorf("%x does not begin with DIDL", message)
	}
	r := &candidReader{Reader: bytes.NewReader(rest)}
	for range r.uleb() {
		t := candidType{op: r.sleb()}
		switch t.op {
		case candidOpt, candidVec:
			t.elem = r.sleb()
		case candidRecord, candidVariant:
			for range r.uleb() {
				t.fields = append(t.fields, candidField{r.uleb(), r.sleb()})
			}
		default:
			panic(fmt.Sprintf("type constructor %d", t.op))
		}
		r.types = append(r.types, t)
	}
	arguments := make([]int64, r.uleb())
	for i := range arguments {
		arguments[i] = r.sleb()
	}
	if len(arguments) == 0 {
		return nil, nil
	}
	return r.value(arguments[0], 0), nil
}

func (r *candidReader) uleb() uint64 {
	v, err := binary.ReadUvarint(r)
	if err != nil {
		panic(err)
	}
	return v
}

func (r *candidReader) sleb() int64 {
	var v int64
	for shift := 0; ; shift += 7 {
		b := r.take(1)[0]
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
}

func (r *candidReader) take(n uint64) []byte {
	if n > maxItem {
		panic(fmt.Sprintf("%d bytes", n))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		panic(err)
	}
	return b
}

// bigNat reads a number of any size.
func (r *candidReader) bigNat() number {
	v, shift := new(big.Int), uint(0)
	for {
		b := r.take(1)[0]
		v.Or(v, new(big.Int).Lsh(big.NewInt(int64(b&0x7f)), shift))
		if shift += 7; b < 0x80 {
			return number(v.String())
		}
	}
}

func (r *candidReader) value(t int64, depth int) any {
	if depth > candidDepthLimit {
		panic("too deep")
	}
	if t >= 0 {
		return r.compound(r.types[t], depth)
	}
	switch t {
	case candidNull, candidReserved:
		return nil
	case candidBool:
		return r.take(1)[0] != 0
	case candidNat:
		return r.bigNat()
	case candidInt:
		return number(strconv.FormatInt(r.sleb(), 10))
	case candidText:
		return string(r.take(r.uleb()))
	case candidPrincipal:
		r.take(1)
		return "p:" + hex.EncodeToString(r.take(r.uleb()))
	}
	if t <= candidNat8 && t >= candidNat64Opcode {
		var word [8]byte
		copy(word[:], r.take(1<<(candidNat8-t)))
		return number(strconv.FormatUint(binary.LittleEndian.Uint64(word[:]), 10))
	}
	panic(fmt.Sprintf("type %d", t))
}

func (r *candidReader) compound(t candidType, depth int) any {
	switch t.op {
	case candidOpt:
		if r.take(1)[0] == 0 {
			return nil
		}
		return r.value(t.elem, depth+1)
	case candidVec:
		n := r.uleb()
		if t.elem == candidNat8 {
			return "x:" + hex.EncodeToString(r.take(n))
		}
		list := []any{}
		for range n {
			list = append(list, r.value(t.elem, depth+1))
		}
		return list
	case candidRecord:
		fields := map[uint64]any{}
		for _, f := range t.fields {
			fields[f.id] = r.value(f.typ, depth+1)
		}
		return fields
	}
	f := t.fields[r.uleb()]
	return map[uint64]any{f.id: r.value(f.typ, depth+1)}
}

// number is a number as JSON has it.
type number string

// fieldID is the hash of a name, or the number that stands for one.
func fieldID(name string) uint64 {
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return n
	}
	var h uint32
	for _, b := range []byte(name) {
		h = h*223 + uint32(b)
	}
	return uint64(h)
}
