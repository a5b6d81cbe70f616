package record

import (
	"fmt"
	"unsafe"

	"kedge/canister/identity"
)

// maxMetadataDepth is how deep metadata maps may nest. Internet Identity's clients use one level.
const maxMetadataDepth = 32

// reader takes a record apart. After the first read beyond the end it stays failed and yields zeros, so
// that a decoder checks once, at its end.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.failed, r.b = true, nil
		return nil
	}
	part := r.b[:n:n]
	r.b = r.b[n:]
	return part
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return le.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

// text is b as a string without copying it: a record is never written to once it is read.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Metadata is stored as
//
//	u16 number of entries, then for each
//	  u16 length of the key, key
//	  u8  kind: 0 text, 1 bytes, 2 map
//	  text, bytes: u16 length, value;  map: metadata again
func appendMetadata(b []byte, m identity.Metadata, depth int) ([]byte, error) {
	if depth == maxMetadataDepth {
		return nil, fmt.Errorf("metadata nests deeper than %d maps", maxMetadataDepth)
	}
	if len(m) > 0xffff {
		return nil, fmt.Errorf("metadata has %d entries, at most 65535 can be stored", len(m))
	}
	b = le.AppendUint16(b, uint16(len(m)))
	for i := range m {
		e := &m[i]
		if max(len(e.Key), len(e.Text), len(e.Bytes)) > 0xffff {
			return nil, fmt.Errorf("metadata entry %.32q is longer than 65535 bytes", e.Key)
		}
		b = le.AppendUint16(b, uint16(len(e.Key)))
		b = append(b, e.Key...)
		b = append(b, byte(e.Kind))
		switch e.Kind {
		case identity.MetadataText:
			b = le.AppendUint16(b, uint16(len(e.Text)))
			b = append(b, e.Text...)
		case identity.MetadataBytes:
			b = le.AppendUint16(b, uint16(len(e.Bytes)))
			b = append(b, e.Bytes...)
		case identity.MetadataMap:
			var err error
			if b, err = appendMetadata(b, e.Map, depth+1); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("metadata entry %.32q has the unknown kind %d", e.Key, e.Kind)
		}
	}
	return b, nil
}

func (r *reader) metadata(depth int) identity.Metadata {
	n := int(r.u16())
	if depth == maxMetadataDepth || n > len(r.b)/3 { // an entry takes at least 5 bytes, an empty map's 3
		r.failed = true
		return nil
	}
	m := make(identity.Metadata, n)
	for i := range m {
		e := &m[i]
		e.Key = text(r.take(int(r.u16())))
		e.Kind = identity.MetadataKind(r.u8())
		switch e.Kind {
		case identity.MetadataText:
			e.Text = text(r.take(int(r.u16())))
		case identity.MetadataBytes:
			e.Bytes = r.take(int(r.u16()))
		case identity.MetadataMap:
			e.Map = r.metadata(depth + 1)
		default:
			r.failed = true
		}
	}
	return m
}
