package stable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// PageSize is the size of a page of stable memory in bytes.
const PageSize = 64 << 10

// Memory is stable memory: the system's in a canister, RAM in tests and host tools. Offsets and
// lengths are in bytes, sizes in pages of 64 KiB.
type Memory interface {
	// Size is the present size in pages.
	Size() uint64
	// Grow adds pages of zero bytes, or fails and adds none.
	Grow(pages uint64) error
	// ReadAt fills p from offset off, or fails when that is not all inside the memory.
	ReadAt(p []byte, off uint64) error
	// WriteAt writes p at offset off, or fails when that is not all inside the memory.
	WriteAt(p []byte, off uint64) error
}

// ErrOutOfBounds is wrapped by an access outside a memory.
var ErrOutOfBounds = errors.New("outside stable memory")

// MaxPages is the most stable memory that a canister of the Internet Computer can have, in pages (500 GiB).
const MaxPages = 500 << 30 / PageSize

// RAM is a memory that keeps only what was written, in blocks of 4 KiB: one of many GiB with little in it
// is cheap. The zero value is an empty memory.
type RAM struct {
	blocks map[uint64]*[ramBlock]byte
	pages  uint64
	limit  uint64
}

const ramBlock = 4 << 10

// NewRAM returns an empty memory that grows to at most limit pages; 0 stands for [MaxPages].
func NewRAM(limit uint64) *RAM { return &RAM{limit: limit} }

// RAMOf returns a memory that holds a copy of image, rounded up to whole pages.
func RAMOf(image []byte) *RAM {
	m, _ := ReadRAM(bytes.NewReader(image)) // a reader of bytes does not fail
	return m
}

// ReadRAM returns a memory with everything that r yields, rounded up to whole pages.
func ReadRAM(r io.Reader) (*RAM, error) {
	m := new(RAM)
	b := make([]byte, PageSize)
	for ; ; m.pages++ {
		n, err := io.ReadFull(r, b)
		for off := 0; off < n; off += ramBlock {
			if part := b[off:min(off+ramBlock, n)]; len(bytes.TrimLeft(part, "\x00")) > 0 {
				copy(m.block(m.pages*PageSize/ramBlock + uint64(off/ramBlock))[:], part)
			}
		}
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			m.pages++
			return m, nil
		case errors.Is(err, io.EOF):
			return m, nil
		case err != nil:
			return nil, fmt.Errorf("read memory image: %w", err)
		}
	}
}

// block returns a block to write to.
func (m *RAM) block(i uint64) *[ramBlock]byte {
	b := m.blocks[i]
	if b == nil {
		if m.blocks == nil {
			m.blocks = map[uint64]*[ramBlock]byte{}
		}
		b = new([ramBlock]byte)
		m.blocks[i] = b
	}
	return b
}

// Clone returns an independent copy: the snapshot that the network takes before a message.
func (m *RAM) Clone() *RAM {
	c := &RAM{blocks: make(map[uint64]*[ramBlock]byte, len(m.blocks)), pages: m.pages, limit: m.limit}
	for i, b := range m.blocks {
		copied := *b
		c.blocks[i] = &copied
	}
	return c
}

// Equal says whether two memories have the same size and bytes.
func (m *RAM) Equal(o *RAM) bool {
	var zero [ramBlock]byte
	within := func(m, o *RAM) bool {
		for i, b := range m.blocks {
			c := o.blocks[i]
			if c == nil {
				c = &zero
			}
			if *b != *c {
				return false
			}
		}
		return true
	}
	return m.pages == o.pages && within(m, o) && within(o, m)
}

// Bytes returns a copy of the whole memory. It is meant for small ones: golden images and tests.
func (m *RAM) Bytes() []byte {
	out := make([]byte, m.pages*PageSize)
	for i, b := range m.blocks {
		copy(out[i*ramBlock:], b[:])
	}
	return out
}

// Size is the present size in pages.
func (m *RAM) Size() uint64 { return m.pages }

// Grow adds pages of zero bytes.
func (m *RAM) Grow(pages uint64) error {
	limit := m.limit
	if limit == 0 {
		limit = MaxPages
	}
	if pages > limit || m.pages > limit-pages {
		return fmt.Errorf("stable memory of %d pages cannot grow by %d: the limit is %d", m.pages, pages, limit)
	}
	m.pages += pages
	return nil
}

func (m *RAM) check(verb string, n int, off uint64) error {
	if size := m.pages * PageSize; off > size || uint64(n) > size-off {
		return fmt.Errorf("%s %d bytes at %d of %d: %w", verb, n, off, size, ErrOutOfBounds)
	}
	return nil
}

// ReadAt fills p from offset off.
func (m *RAM) ReadAt(p []byte, off uint64) error {
	if err := m.check("read", len(p), off); err != nil {
		return err
	}
	for len(p) > 0 {
		at := off % ramBlock
		n := min(uint64(len(p)), ramBlock-at)
		if b := m.blocks[off/ramBlock]; b != nil {
			copy(p[:n], b[at:])
		} else {
			clear(p[:n])
		}
		p, off = p[n:], off+n
	}
	return nil
}

// WriteAt writes p at offset off.
func (m *RAM) WriteAt(p []byte, off uint64) error {
	if err := m.check("write", len(p), off); err != nil {
		return err
	}
	for len(p) > 0 {
		n := copy(m.block(off / ramBlock)[off%ramBlock:], p)
		p, off = p[n:], off+uint64(n)
	}
	return nil
}

// GrowTo makes a memory at least so many pages long; the error wraps [ErrFull].
func GrowTo(mem Memory, pages uint64) error {
	if have := mem.Size(); have < pages {
		if err := mem.Grow(pages - have); err != nil {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return nil
}
