package exec

import (
	"encoding/binary"
	"fmt"
)

// Sizes of the units in which memories are counted.
const (
	WasmPage = 64 << 10 // a page of Wasm memory: the unit of growth and of page charges since 2026-07
	OSPage   = 4 << 10  // the unit in which stable memory is stored, and of the older page charges

	// MaxStablePages is the greatest stable memory, 500 GiB, in pages of 64 KiB.
	MaxStablePages = 500 << 30 / WasmPage
)

// Stable is a stable memory: up to 500 GiB of which only the pages that were ever written take space.
//
// It is a tree of fixed shape, three levels of 512 entries above pages of 4 KiB:
//
//	offset bits  38..30   29..21   20..12   11..0
//	             top      middle   leaf     byte in page
//
// Nodes carry the token of the memory that may change them in place. A snapshot gives both sides new
// tokens, so whoever writes first copies the nodes on the way, and a snapshot of any size costs nothing.
// The zero Stable is not ready for use; see NewStable.
type Stable struct {
	top   *stableTop
	owner *stableOwner
	pages uint64 // size in pages of 64 KiB
}

const stableFanOut = 512

type (
	stableOwner struct{ _ byte } // compared by address, so it must not be of size zero
	stablePage  struct {
		owner *stableOwner
		data  [OSPage]byte
	}
	stableLeaf struct {
		owner *stableOwner
		pages [stableFanOut]*stablePage
	}
	stableMiddle struct {
		owner  *stableOwner
		leaves [stableFanOut]*stableLeaf
	}
	stableTop struct {
		owner   *stableOwner
		middles [stableFanOut]*stableMiddle
	}
)

// NewStable returns an empty stable memory.
func NewStable() *Stable {
	owner := new(stableOwner)
	return &Stable{top: &stableTop{owner: owner}, owner: owner}
}

// Snapshot returns an independent copy. It takes constant time; later writes to either side copy the
// pages they touch.
func (s *Stable) Snapshot() *Stable {
	s.owner = new(stableOwner)
	return &Stable{top: s.top, owner: new(stableOwner), pages: s.pages}
}

// Pages returns the size in pages of 64 KiB.
func (s *Stable) Pages() uint64 { return s.pages }

// Size returns the size in bytes.
func (s *Stable) Size() uint64 { return s.pages * WasmPage }

// Grow adds pages of zeros and returns the size before; ok is false, and nothing changes, if the memory
// would exceed MaxStablePages.
func (s *Stable) Grow(delta uint64) (before uint64, ok bool) {
	if delta > MaxStablePages || s.pages+delta > MaxStablePages {
		return 0, false
	}
	before = s.pages
	s.pages += delta
	return before, true
}

// contains reports whether size bytes from offset lie inside the memory.
func (s *Stable) contains(offset, size uint64) bool {
	return size <= s.Size() && offset <= s.Size()-size
}

// ReadAt fills dst with the bytes from offset; ok is false if they do not lie inside the memory.
func (s *Stable) ReadAt(dst []byte, offset uint64) (ok bool) {
	if !s.contains(offset, uint64(len(dst))) {
		return false
	}
	for len(dst) > 0 {
		in := int(offset % OSPage)
		n := min(OSPage-in, len(dst))
		if page := s.page(offset / OSPage); page != nil {
			copy(dst[:n], page.data[in:])
		} else {
			clear(dst[:n])
		}
		dst, offset = dst[n:], offset+uint64(n)
	}
	return true
}

// WriteAt stores src from offset on; ok is false, and nothing changes, if it does not fit.
func (s *Stable) WriteAt(src []byte, offset uint64) (ok bool) {
	if !s.contains(offset, uint64(len(src))) {
		return false
	}
	for len(src) > 0 {
		in := int(offset % OSPage)
		n := copy(s.writable(offset / OSPage).data[in:], src)
		src, offset = src[n:], offset+uint64(n)
	}
	return true
}

// EachPage calls yield for every page of 4 KiB that was ever written and is inside the memory, in
// order of index.
func (s *Stable) EachPage(yield func(index uint64, data *[OSPage]byte)) {
	for i, middle := range s.top.middles {
		if middle == nil {
			continue
		}
		for j, leaf := range middle.leaves {
			if leaf == nil {
				continue
			}
			for k, page := range leaf.pages {
				if page != nil {
					yield(uint64(i)<<18|uint64(j)<<9|uint64(k), &page.data)
				}
			}
		}
	}
}

// Bytes returns the whole content; meant for small memories.
func (s *Stable) Bytes() []byte {
	out := make([]byte, s.Size())
	s.ReadAt(out, 0)
	return out
}

// page returns the page with the index, nil if it was never written.
func (s *Stable) page(index uint64) *stablePage {
	middle := s.top.middles[index>>18]
	if middle == nil {
		return nil
	}
	leaf := middle.leaves[index>>9%stableFanOut]
	if leaf == nil {
		return nil
	}
	return leaf.pages[index%stableFanOut]
}

// writable returns the page with the index for writing, copying what is shared on the way to it.
func (s *Stable) writable(index uint64) *stablePage {
	if s.top.owner != s.owner {
		top := *s.top
		top.owner = s.owner
		s.top = &top
	}
	middle := own(&s.top.middles[index>>18], s.owner, func(m *stableMiddle) **stableOwner { return &m.owner })
	leaf := own(&middle.leaves[index>>9%stableFanOut], s.owner, func(l *stableLeaf) **stableOwner { return &l.owner })
	return own(&leaf.pages[index%stableFanOut], s.owner, func(p *stablePage) **stableOwner { return &p.owner })
}

// own makes *slot a node that belongs to owner: itself, a copy, or a new one.
func own[T any](slot **T, owner *stableOwner, ownerOf func(*T) **stableOwner) *T {
	switch node := *slot; {
	case node == nil:
		*slot = new(T)
	case *ownerOf(node) == owner:
		return node
	default:
		copied := *node
		*slot = &copied
	}
	*ownerOf(*slot) = owner
	return *slot
}

// MarshalBinary returns the memory as its size in pages (u64, little-endian) and, for each page of 4 KiB
// that was written, its index (u64) and content.
func (s *Stable) MarshalBinary() ([]byte, error) {
	out := binary.LittleEndian.AppendUint64(nil, s.pages)
	s.EachPage(func(index uint64, data *[OSPage]byte) {
		out = append(binary.LittleEndian.AppendUint64(out, index), data[:]...)
	})
	return out, nil
}

// UnmarshalBinary is the inverse of MarshalBinary.
func (s *Stable) UnmarshalBinary(data []byte) error {
	const entry = 8 + OSPage
	if len(data) < 8 || (len(data)-8)%entry != 0 {
		return fmt.Errorf("a stable memory of %d bytes cannot be", len(data))
	}
	*s = *NewStable()
	if _, ok := s.Grow(binary.LittleEndian.Uint64(data)); !ok {
		return fmt.Errorf("a stable memory of %d pages is too large", binary.LittleEndian.Uint64(data))
	}
	for data = data[8:]; len(data) > 0; data = data[entry:] {
		index := binary.LittleEndian.Uint64(data)
		if index >= MaxStablePages*(WasmPage/OSPage) || !s.WriteAt(data[8:entry], index*OSPage) {
			return fmt.Errorf("page %d is not in a stable memory of %d pages", index, s.pages)
		}
	}
	return nil
}
