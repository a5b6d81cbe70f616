package storage

import (
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

// RAM is a memory of pages kept in maps of the host. A page that was never written takes no space, so a
// memory of many GiB with little in it is cheap. The zero value is an empty memory.
type RAM struct {
	pages []*[PageSize]byte
	limit uint64
}

// NewRAM returns an empty memory that grows to at most limit pages; 0 stands for [MaxPages].
func NewRAM(limit uint64) *RAM { return &RAM{limit: limit} }

// RAMOf returns a memory that holds a copy of image, rounded up to whole pages.
func RAMOf(image []byte) *RAM {
	m := new(RAM)
	pages := (len(image) + PageSize - 1) / PageSize
	m.pages = make([]*[PageSize]byte, pages)
	for i := range m.pages {
		part := image[i*PageSize:]
		for _, b := range part[:min(PageSize, len(part))] {
			if b != 0 {
				m.pages[i] = new([PageSize]byte)
				copy(m.pages[i][:], part)
				break
			}
		}
	}
	return m
}

// Clone returns an independent copy: the snapshot that the network takes before a message.
func (m *RAM) Clone() *RAM {
	c := &RAM{pages: make([]*[PageSize]byte, len(m.pages)), limit: m.limit}
	for i, p := range m.pages {
		if p != nil {
			q := *p
			c.pages[i] = &q
		}
	}
	return c
}

// Equal says whether two memories have the same size and bytes.
func (m *RAM) Equal(o *RAM) bool {
	if len(m.pages) != len(o.pages) {
		return false
	}
	var zero [PageSize]byte
	for i, p := range m.pages {
		q := o.pages[i]
		if p == nil {
			p = &zero
		}
		if q == nil {
			q = &zero
		}
		if p != q && *p != *q {
			return false
		}
	}
	return true
}

// Bytes returns a copy of the whole memory. It is meant for small ones: golden images and tests.
func (m *RAM) Bytes() []byte {
	out := make([]byte, len(m.pages)*PageSize)
	for i, p := range m.pages {
		if p != nil {
			copy(out[i*PageSize:], p[:])
		}
	}
	return out
}

// Size is the present size in pages.
func (m *RAM) Size() uint64 { return uint64(len(m.pages)) }

// Grow adds pages of zero bytes.
func (m *RAM) Grow(pages uint64) error {
	limit := m.limit
	if limit == 0 {
		limit = MaxPages
	}
	if have := m.Size(); pages > limit || have > limit-pages {
		return fmt.Errorf("stable memory of %d pages cannot grow by %d: the limit is %d", have, pages, limit)
	}
	m.pages = append(m.pages, make([]*[PageSize]byte, pages)...)
	return nil
}

func (m *RAM) check(verb string, n int, off uint64) error {
	if size := m.Size() * PageSize; off > size || uint64(n) > size-off {
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
		page, at := m.pages[off/PageSize], off%PageSize
		n := min(uint64(len(p)), PageSize-at)
		if page == nil {
			clear(p[:n])
		} else {
			copy(p[:n], page[at:])
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
		i, at := off/PageSize, off%PageSize
		if m.pages[i] == nil {
			m.pages[i] = new([PageSize]byte)
		}
		n := copy(m.pages[i][at:], p)
		p, off = p[n:], off+uint64(n)
	}
	return nil
}

// Pager is stable memory as package cdk offers it.
type Pager interface {
	io.ReaderAt
	io.WriterAt
	Pages() uint64
	Grow(pages uint64) error
}

// From makes the canister's stable memory a [Memory].
func From(p Pager) Memory { return paged{p} }

type paged struct{ p Pager }

func (m paged) Size() uint64            { return m.p.Pages() }
func (m paged) Grow(pages uint64) error { return m.p.Grow(pages) }

func (m paged) ReadAt(p []byte, off uint64) error {
	if _, err := m.p.ReadAt(p, int64(off)); err != nil {
		return fmt.Errorf("read %d bytes at %d: %w", len(p), off, err)
	}
	return nil
}

func (m paged) WriteAt(p []byte, off uint64) error {
	if _, err := m.p.WriteAt(p, int64(off)); err != nil {
		return fmt.Errorf("write %d bytes at %d: %w", len(p), off, err)
	}
	return nil
}
