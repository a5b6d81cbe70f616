package exec

import (
	"bytes"
	"math/bits"
)

// pageSet is a set of pages that grows with its greatest member.
type pageSet struct {
	words []uint64
	count uint64
}

// add puts a page into the set and reports whether it was new.
func (p *pageSet) add(page uint64) bool {
	word, bit := int(page>>6), uint64(1)<<(page&63)
	if word >= len(p.words) {
		p.words = append(p.words, make([]uint64, word+1-len(p.words))...)
	}
	if p.words[word]&bit != 0 {
		return false
	}
	p.words[word] |= bit
	p.count++
	return true
}

// each calls yield for every page of the set in order.
func (p *pageSet) each(yield func(page uint64)) {
	for i, word := range p.words {
		for ; word != 0; word &= word - 1 {
			yield(uint64(i)<<6 | uint64(bits.TrailingZeros64(word)))
		}
	}
}

// savedPage is a page of the heap as it was before the step wrote to it.
type savedPage struct {
	page uint64
	data []byte
}

// maxSpare is the most buffers for saved pages that an idle instance keeps.
const maxSpare = 64

// takeBuffer returns an empty buffer with room for a page.
func (i *Instance) takeBuffer() []byte {
	if last := len(i.spare) - 1; last >= 0 {
		buffer := i.spare[last]
		i.spare = i.spare[:last]
		return buffer
	}
	return make([]byte, 0, i.pageSize())
}

// dropSaved gives the buffers of a step back.
func (i *Instance) dropSaved(s *Step) {
	for _, saved := range s.pages.saved {
		if len(i.spare) < maxSpare {
			i.spare = append(i.spare, saved.data[:0])
		}
	}
	s.pages.saved = nil
}

// touched is the pages that a step touched, and what is needed to undo its writes to the heap.
type touched struct {
	heapRead, heapWritten     pageSet // in the unit of the meter; read holds every page accessed
	stableRead, stableWritten pageSet
	stableRead4K              pageSet // counted, not charged
	stableWritten4K           pageSet
	saved                     []savedPage
	charged                   uint64 // instructions
}

// touchHeap notes the access of a page of the heap and saves the page before its first write.
func (t *touched) touchHeap(s *Step, page uint64, write bool) {
	if t.heapRead.add(page) {
		s.chargePage(pageAccess2026)
	}
	if !write || !t.heapWritten.add(page) {
		return
	}
	s.chargeWrite()
	unit := s.instance.pageSize()
	if at := page * unit; at < s.heapBefore*WasmPage { // what the step itself grew needs no undoing
		data := append(s.instance.takeBuffer(), s.view(uint32(at), uint32(unit))...)
		t.saved = append(t.saved, savedPage{page, data})
	}
}

// touchStable notes the access of a range of stable memory, which is not empty.
func (t *touched) touchStable(s *Step, offset, size uint64, write bool) {
	for page := offset / WasmPage; page <= (offset+size-1)/WasmPage; page++ {
		if t.stableRead.add(page) {
			s.chargePage(pageAccess2026)
		}
		if write && t.stableWritten.add(page) {
			s.chargeWrite()
		}
	}
	if limit := s.maxStablePages(); t.stableRead.count > limit || t.stableWritten.count > limit {
		what := "accessed"
		if t.stableWritten.count > limit {
			what = "modified"
		}
		panic(tooManyPages(what, limit))
	}
	for page := offset / OSPage; page <= (offset+size-1)/OSPage; page++ {
		t.stableRead4K.add(page)
	}
	if !write {
		return
	}
	for page := offset / OSPage; page <= (offset+size-1)/OSPage; page++ {
		if t.stableWritten4K.add(page) && s.instance.engine.options.Pages == Pages2025 {
			t.charged += pageWrite2025
			s.charge(pageWrite2025)
		}
	}
}

// chargePage charges for a page under the model of 2026.
func (s *Step) chargePage(cost uint64) {
	if s.instance.engine.options.Pages == Pages2026 {
		s.pages.charged += cost
		s.charge(cost)
	}
}

// chargeWrite charges for the first write to a page under the model of 2026.
func (s *Step) chargeWrite() {
	if !s.in.Kind.in(forgetful) {
		s.chargePage(pageWrite2026)
	}
}

// chargeHeap2025 charges for the pages of the heap that were written, under the model of 2025: at the end of
// the message, whether it trapped or not, so that a page whose bytes end unchanged costs nothing.
func (s *Step) chargeHeap2025() {
	if s.instance.engine.options.Pages == Pages2025 && !s.in.Kind.in(forgetful) {
		cost := s.changedPages() * pageWrite2025
		s.pages.charged += cost
		s.setLeft(s.left() - int64(cost))
	}
}

// changedPages counts the pages of the heap whose bytes are not those from before the step.
func (s *Step) changedPages() (changed uint64) {
	unit := s.instance.pageSize()
	for _, saved := range s.pages.saved {
		if !bytes.Equal(saved.data, s.view(uint32(saved.page*unit), uint32(unit))) {
			changed++
		}
	}
	zeros := make([]byte, unit)
	s.pages.heapWritten.each(func(page uint64) {
		if at := page * unit; at >= s.heapBefore*WasmPage && !bytes.Equal(zeros, s.view(uint32(at), uint32(unit))) {
			changed++
		}
	})
	return changed
}

// heapPages counts the pages of 64 KiB that a set of pages of the heap, in the unit of the meter, lies in.
func (s *Step) heapPages(set *pageSet) uint64 {
	perPage := WasmPage / s.instance.pageSize()
	if perPage == 1 {
		return set.count
	}
	var wide pageSet
	set.each(func(page uint64) { wide.add(page / perPage) })
	return wide.count
}

// maxStablePages is the most pages of stable memory that the step may touch.
func (s *Step) maxStablePages() uint64 {
	switch {
	case s.in.Kind.in(nonReplicated):
		return maxStablePagesQuery
	case s.in.Kind.in(Init | PreUpgrade):
		return maxStablePagesUpgrade
	}
	return maxStablePages
}
