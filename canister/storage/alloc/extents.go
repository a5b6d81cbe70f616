package alloc

import (
	"fmt"

	"kedge/canister/storage/stable"
)

// Extend gives a region one more extent. The error wraps [stable.ErrFull] when none is left, or the region has no room
// for more, and is a [stable.CorruptedError] if the list of free extents is.
func (a *Allocator) Extend(r Region) error {
	ordinal := a.Regions[r].Extents
	if ordinal == RegionExtents {
		return fmt.Errorf("%w: region %s has all its %d extents", stable.ErrFull, a.Name(r), RegionExtents)
	}
	e, err := a.takeExtent()
	if err != nil {
		return err
	}
	le.PutUint16(a.word[:], uint16(e+1))
	if err := a.Memory.WriteAt(a.word[:2], a.tableEntry(r, ordinal)); err != nil {
		return fmt.Errorf("write extent table: %w", err)
	}
	a.remember(r, ordinal, uint16(e+1))
	a.Regions[r].Extents++
	a.Dirty = true
	return nil
}

// takeExtent returns an extent that nobody uses: a freed one, or new memory.
func (a *Allocator) takeExtent() (uint32, error) {
	if free := a.FreeExtent; free != 0 {
		return a.takeFree(free - 1)
	}
	if a.Source != nil {
		return a.Source.Take()
	}
	e := a.NextExtent
	if e >= MaxExtents {
		return 0, fmt.Errorf("%w: all %d extents are used", stable.ErrFull, MaxExtents)
	}
	if err := stable.GrowTo(a.Memory, (Offset(e)+ExtentSize)/stable.PageSize); err != nil {
		return 0, err
	}
	a.NextExtent++
	a.Dirty = true
	return e, nil
}

// takeFree takes an extent of the run that begins at first: the last one, until the first is left.
func (a *Allocator) takeFree(first uint32) (uint32, error) {
	at := Offset(first)
	if err := a.Memory.ReadAt(a.word[:], at); err != nil {
		return 0, fmt.Errorf("read free extent: %w", err)
	}
	next, n := le.Uint32(a.word[:]), le.Uint32(a.word[4:])
	if n == 0 || (at+uint64(n)*ExtentSize)/stable.PageSize > a.Memory.Size() {
		return 0, stable.Corrupted(fmt.Sprintf("free extent %d", first), "a run of %d extents", n)
	}
	if n > 1 {
		le.PutUint32(a.word[4:], n-1)
		if err := a.Memory.WriteAt(a.word[:], at); err != nil {
			return 0, fmt.Errorf("write free extent: %w", err)
		}
		return first + n - 1, nil
	}
	a.FreeExtent = next
	a.Dirty = true
	return first, nil
}

// FreeExtents hands a run of n extents that are in no region to the free list.
func (a *Allocator) FreeExtents(first, n uint32) error {
	le.PutUint32(a.word[:], a.FreeExtent)
	le.PutUint32(a.word[4:], n)
	if err := a.Memory.WriteAt(a.word[:], Offset(first)); err != nil {
		return fmt.Errorf("free extent %d: %w", first, err)
	}
	a.FreeExtent = first + 1
	a.Dirty = true
	return nil
}

// Extents lists the extents of all regions, and those that are free. It reads the whole table.
func (a *Allocator) Extents() (used, free []uint32, err error) {
	for r := range Region(Regions) {
		b := make([]byte, 2*a.Regions[r].Extents)
		if err := a.Memory.ReadAt(b, a.tableEntry(r, 0)); err != nil {
			return nil, nil, fmt.Errorf("read extent table: %w", err)
		}
		for i := 0; i < len(b); i += 2 {
			used = append(used, uint32(le.Uint16(b[i:]))-1)
		}
	}
	for next := a.FreeExtent; next != 0; {
		if err := a.Memory.ReadAt(a.word[:], Offset(next-1)); err != nil {
			return nil, nil, fmt.Errorf("read free extent: %w", err)
		}
		n := le.Uint32(a.word[4:])
		if n == 0 || uint64(len(free))+uint64(n) > MaxExtents {
			return nil, nil, stable.Corrupted(fmt.Sprintf("free extent %d", next-1), "a run of %d extents", n)
		}
		for i := range n {
			free = append(free, next-1+i)
		}
		next = le.Uint32(a.word[:])
	}
	return used, free, nil
}
