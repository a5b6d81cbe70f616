package cdktest

import (
	"maps"

	"kedge/cdk"
)

// stable is the stable memory: pages that are copied when written, so that a snapshot is cheap.
type stable struct {
	pages  map[uint64]*[cdk.PageSize]byte // a page that is not here is zero
	shared map[uint64]bool                // pages that a snapshot also has
	size   uint64                         // in pages
	limit  uint64                         // in pages; 0 is 500 GiB
	writes int                            // until a fault; 0 is never
}

const defaultLimit = 500 << 30 / cdk.PageSize

func (s *stable) snapshot() (undo func()) {
	pages, size := maps.Clone(s.pages), s.size
	s.share()
	return func() {
		s.pages, s.size = pages, size
		s.share()
	}
}

// share marks all pages as not to be written in place.
func (s *stable) share() {
	s.shared = make(map[uint64]bool, len(s.pages))
	for i := range s.pages {
		s.shared[i] = true
	}
}

// each calls f for the parts of the pages that the range covers: where it begins in the page, and
// how many bytes of the range it is behind and covers.
func each(offset uint64, n int, f func(page, at uint64, done, size int)) {
	for done := 0; done < n; {
		page, at := (offset+uint64(done))/cdk.PageSize, (offset+uint64(done))%cdk.PageSize
		size := min(n-done, int(cdk.PageSize-at))
		f(page, at, done, size)
		done += size
	}
}

func (s *stable) read(dst []byte, offset uint64) {
	each(offset, len(dst), func(page, at uint64, done, size int) {
		if p := s.pages[page]; p != nil {
			copy(dst[done:done+size], p[at:])
		} else {
			clear(dst[done : done+size])
		}
	})
}

func (s *stable) write(offset uint64, src []byte) {
	each(offset, len(src), func(page, at uint64, done, size int) {
		p := s.pages[page]
		if p == nil || s.shared[page] {
			fresh := new([cdk.PageSize]byte)
			if p != nil {
				*fresh = *p
			}
			if s.pages == nil {
				s.pages, s.shared = map[uint64]*[cdk.PageSize]byte{}, map[uint64]bool{}
			}
			p, s.pages[page] = fresh, fresh
			delete(s.shared, page)
		}
		copy(p[at:], src[done:done+size])
	})
}

// FailWrite makes the n-th write to stable memory from now on trap; 0 makes all succeed.
func (n *Network) FailWrite(nth int) { n.stable.writes = nth }

// LimitStable lets stable memory grow to so many pages of 64 KiB; 0 is the network's 500 GiB.
func (n *Network) LimitStable(pages uint64) { n.stable.limit = pages }

// StableImage returns a copy of the whole stable memory.
func (n *Network) StableImage() []byte {
	image := make([]byte, n.stable.size*cdk.PageSize)
	n.stable.read(image, 0)
	return image
}

// SetStableImage replaces the stable memory; a last page that is not full is filled with zeros.
func (n *Network) SetStableImage(image []byte) {
	n.stable.pages, n.stable.shared = nil, nil
	n.stable.size = (uint64(len(image)) + cdk.PageSize - 1) / cdk.PageSize
	n.stable.write(0, image)
}
