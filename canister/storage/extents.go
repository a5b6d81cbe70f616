package storage

import (
	"errors"
	"fmt"
)

// Stable memory from page 2 on is divided into extents of 128 pages; extent e starts at page 2 + 128·e.
// That is also how Internet Identity's memory manager places its buckets, so its buckets become extents
// where they are. Each of the four regions is a growing list of extents. The extent table, page 1 of home,
// has room for 8,192 extents (64 GiB) of each:
//
//	off          len
//	0          16384  slots:    u16 × 8192, the extent + 1 that holds the i-th part of the region, 0 for none
//	16384      16384  overflow: likewise
//	32768      16384  history:  likewise
//	49152      16384  index:    likewise
//
// So unit u of a region is found by arithmetic and one table entry, which is kept in RAM once read.
//
// A host says who owns pages 0 and 1, and so how extents are obtained:
//
//	native   Kedge does. Home is pages 0 and 1.
//	raised   An Internet Identity layout 1 to 6 does. Home is the first two pages of the extent just above
//	         the highest byte that the old layout can reach, and all other extents are above home.
//	managed  Internet Identity's memory manager does (layouts 7 to 9). Each of our extents is a bucket of
//	         its memory 100, taken through its table; the first of them holds home.
type region uint8

const (
	slots region = iota
	overflow
	history
	index
	regionCount
)

func (r region) String() string {
	if r < regionCount {
		return [...]string{"slots", "overflow", "history", "index"}[r]
	}
	return fmt.Sprintf("region %d", uint8(r))
}

type host uint8

const (
	native host = iota
	raised
	managed
)

const (
	// ExtentPages is the size of an extent in pages.
	ExtentPages   = 128
	extentSize    = ExtentPages * PageSize
	firstPage     = 2
	regionExtents = 8192
	tableOffset   = PageSize // of home
	maxExtents    = 1<<16 - 2
)

var unitSize = [regionCount]uint64{slots: SlotSize, overflow: blockSize, history: chunkSize, index: nodeSize}

func unitsPerExtent(r region) uint64 { return extentSize / unitSize[r] }

func extentOffset(e uint32) uint64 { return (firstPage + ExtentPages*uint64(e)) * PageSize }

// address is the offset in stable memory of a unit of a region.
func (s *Store) address(r region, unit uint32) (uint64, error) {
	per := unitsPerExtent(r)
	ordinal := uint32(uint64(unit) / per)
	if ordinal >= s.sb.regions[r].extents {
		return 0, corrupted(fmt.Sprintf("reference to %s unit %d", r, unit), "the region has %d extents", s.sb.regions[r].extents)
	}
	k := &s.extents[r][ordinal%knownExtents]
	if k.extent == 0 || k.ordinal != uint16(ordinal) {
		if err := s.readTable(r, ordinal); err != nil {
			return 0, err
		}
	}
	return extentOffset(uint32(k.extent)-1) + uint64(unit)%per*unitSize[r], nil
}

// knownExtents is how many entries of the extent table are remembered of each region: all of them up to a
// million anchors, those met last beyond. Their number is fixed, so that a call costs the same whichever
// extents it touches.
const knownExtents = 128

// knownExtent is a remembered entry: the extent + 1 that is part ordinal of a region; 0 for none.
type knownExtent struct{ ordinal, extent uint16 }

func (s *Store) tableEntry(r region, ordinal uint32) uint64 {
	return s.home + tableOffset + 2*(uint64(r)*regionExtents+uint64(ordinal))
}

func (s *Store) readTable(r region, ordinal uint32) error {
	b := s.word[:2]
	if err := s.mem.ReadAt(b, s.tableEntry(r, ordinal)); err != nil {
		return fmt.Errorf("read extent table: %w", err)
	}
	e := le.Uint16(b)
	if e == 0 || (extentOffset(uint32(e)-1)+extentSize)/PageSize > s.mem.Size() {
		return corrupted(fmt.Sprintf("extent table entry %d of %s", ordinal, r), "it names extent %d, which is not there", int(e)-1)
	}
	s.remember(r, ordinal, e)
	return nil
}

func (s *Store) remember(r region, ordinal uint32, e uint16) {
	s.extents[r][ordinal%knownExtents] = knownExtent{uint16(ordinal), e}
}

// extend gives a region one more extent.
func (s *Store) extend(r region) error {
	ordinal := s.sb.regions[r].extents
	if ordinal == regionExtents {
		return fmt.Errorf("%w: region %s has all its %d extents", ErrFull, r, regionExtents)
	}
	e, err := s.takeExtent()
	if err != nil {
		return err
	}
	le.PutUint16(s.word[:], uint16(e+1))
	if err := s.mem.WriteAt(s.word[:2], s.tableEntry(r, ordinal)); err != nil {
		return fmt.Errorf("write extent table: %w", err)
	}
	s.remember(r, ordinal, uint16(e+1))
	s.sb.regions[r].extents++
	s.dirty = true
	return nil
}

// takeExtent returns an extent that nobody uses: a freed one, or new memory.
func (s *Store) takeExtent() (uint32, error) {
	if free := s.sb.freeExtent; free != 0 {
		at := extentOffset(free - 1)
		if err := s.mem.ReadAt(s.word[:], at); err != nil {
			return 0, fmt.Errorf("read free extent: %w", err)
		}
		next, n := le.Uint32(s.word[:]), le.Uint32(s.word[4:])
		if n == 0 || (extentOffset(free-1)+uint64(n)*extentSize)/PageSize > s.mem.Size() {
			return 0, corrupted(fmt.Sprintf("free extent %d", free-1), "a run of %d extents", n)
		}
		if n > 1 { // the last of the run goes first
			le.PutUint32(s.word[4:], n-1)
			if err := s.mem.WriteAt(s.word[:], at); err != nil {
				return 0, fmt.Errorf("write free extent: %w", err)
			}
			return free - 1 + n - 1, nil
		}
		s.sb.freeExtent = next
		s.dirty = true
		return free - 1, nil
	}
	if s.sb.host == managed {
		return takeBucket(s.mem)
	}
	e := s.sb.nextExtent
	if e >= maxExtents {
		return 0, fmt.Errorf("%w: all %d extents are used", ErrFull, maxExtents)
	}
	if err := growTo(s.mem, (extentOffset(e)+extentSize)/PageSize); err != nil {
		return 0, err
	}
	s.sb.nextExtent++
	s.dirty = true
	return e, nil
}

// freeExtents hands a run of n extents that are in no region to the free list. The first of them begins
// with the first extent + 1 of the next run (u32, 0 for none) and n (u32).
func (s *Store) freeExtents(first, n uint32) error {
	le.PutUint32(s.word[:], s.sb.freeExtent)
	le.PutUint32(s.word[4:], n)
	if err := s.mem.WriteAt(s.word[:], extentOffset(first)); err != nil {
		return fmt.Errorf("free extent %d: %w", first, err)
	}
	s.sb.freeExtent = first + 1
	s.dirty = true
	return nil
}

// Extents lists the extents of all regions, those that are free, and how many there are in all; extents that
// are an old module's during a trial are not listed. It reads the whole table.
func (s *Store) Extents() (used, free []uint32, total uint32, err error) {
	for r := slots; r < regionCount; r++ {
		b := make([]byte, 2*s.sb.regions[r].extents)
		if err := s.mem.ReadAt(b, s.tableEntry(r, 0)); err != nil {
			return nil, nil, 0, fmt.Errorf("read extent table: %w", err)
		}
		for i := 0; i < len(b); i += 2 {
			used = append(used, uint32(le.Uint16(b[i:]))-1)
		}
	}
	for next := s.sb.freeExtent; next != 0; {
		if err := s.mem.ReadAt(s.word[:], extentOffset(next-1)); err != nil {
			return nil, nil, 0, fmt.Errorf("read free extent: %w", err)
		}
		n := le.Uint32(s.word[4:])
		if n == 0 || n > maxExtents || len(free)+int(n) > maxExtents {
			return nil, nil, 0, corrupted(fmt.Sprintf("free extent %d", next-1), "a run of %d extents", n)
		}
		for i := range n {
			free = append(free, next-1+i)
		}
		next = le.Uint32(s.word[:])
	}
	return used, free, s.sb.nextExtent, nil
}

func growTo(mem Memory, pages uint64) error {
	if have := mem.Size(); have < pages {
		if err := mem.Grow(pages - have); err != nil {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return nil
}

// take returns a unit of a region that nobody uses: a freed one, or the next. Its bytes are whatever
// they were. The caller flushes the superblock.
func (s *Store) take(r region) (uint32, error) {
	st := &s.sb.regions[r]
	if st.free != 0 {
		unit := st.free - 1
		at, err := s.address(r, unit)
		if err != nil {
			return 0, err
		}
		if err := s.mem.ReadAt(s.word[:], at); err != nil {
			return 0, fmt.Errorf("read free list of %s: %w", r, err)
		}
		next, mark := le.Uint32(s.word[:]), le.Uint32(s.word[4:])
		if mark != freeMark || next > st.units {
			return 0, corrupted(fmt.Sprintf("free list of %s", r), "unit %d is not free", unit)
		}
		st.free = next
		st.freed--
		s.dirty = true
		return unit, nil
	}
	if r == history && s.spare > 0 {
		s.spare--
		return st.units - s.spare - 1, nil
	}
	if uint64(st.units) == uint64(st.extents)*unitsPerExtent(r) {
		if err := s.extend(r); err != nil {
			return 0, err
		}
	}
	s.dirty = true
	st.units++
	if r == history { // an extent holds a whole number of batches
		s.spare = historyBatch - 1
		st.units += s.spare
		return st.units - historyBatch, nil
	}
	return st.units - 1, nil
}

// Chunks of history are taken so many at a time, so that an event that needs a new chunk seldom writes the
// superblock. What is left of a batch when the memory is opened anew is never used: at most 16 KiB.
const historyBatch = 32

// A free unit of overflow or index begins with the next free unit + 1 (u32) and this mark, "FREE".
const freeMark = 0x45455246

func (s *Store) release(r region, unit uint32) error {
	at, err := s.address(r, unit)
	if err != nil {
		return err
	}
	st := &s.sb.regions[r]
	le.PutUint32(s.word[:], st.free)
	le.PutUint32(s.word[4:], freeMark)
	if err := s.mem.WriteAt(s.word[:], at); err != nil {
		return fmt.Errorf("release unit %d of %s: %w", unit, r, err)
	}
	st.free = unit + 1
	st.freed++
	s.dirty = true
	return nil
}

var errManager = errors.New("memory manager of Internet Identity")
