package ii

import (
	"fmt"

	"kedge/canister/storage"
	"kedge/canister/storage/stable"
)

// virtual is a virtual memory: its buckets, one after the other. In layouts without a memory manager the
// entries are one piece that begins at base.
type virtual struct {
	mem     storage.Memory
	id      byte
	base    uint64
	bucket  uint64   // bytes of a bucket, 0 for one piece
	buckets []uint16 // in order
}

// virtual opens a virtual memory.
func (m *manager) virtual(id byte) (virtual, error) {
	buckets, err := m.bucketsOf(id)
	return virtual{mem: m.mem, id: id, bucket: m.bucketBytes(), buckets: buckets}, err
}

// spans calls do for each contiguous piece of n bytes at an offset.
func (v *virtual) spans(off uint64, n int, do func(raw uint64, from, to int) error) error {
	if v.bucket == 0 {
		return do(v.base+off, 0, n)
	}
	for from := 0; from < n; {
		b, at := (off+uint64(from))/v.bucket, (off+uint64(from))%v.bucket
		if b >= uint64(len(v.buckets)) {
			return fmt.Errorf("offset %d of virtual memory %d: %w", off, v.id, stable.ErrOutOfBounds)
		}
		to := int(min(uint64(n), uint64(from)+v.bucket-at))
		if err := do(lateEntries+uint64(v.buckets[b])*v.bucket+at, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (v *virtual) readAt(p []byte, off uint64) error {
	return v.spans(off, len(p), func(raw uint64, from, to int) error { return v.mem.ReadAt(p[from:to], raw) })
}

func (v *virtual) writeAt(p []byte, off uint64) error {
	return v.spans(off, len(p), func(raw uint64, from, to int) error { return v.mem.WriteAt(p[from:to], raw) })
}
