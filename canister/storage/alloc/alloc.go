package alloc

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"kedge/canister/storage/stable"
)

const (
	// ExtentPages is the size of an extent in pages.
	ExtentPages = 128
	// ExtentSize is the size of an extent in bytes.
	ExtentSize = ExtentPages * stable.PageSize
	// FirstPage is the page at which extent 0 begins.
	FirstPage = 2
	// RegionExtents is how many extents a region has room for.
	RegionExtents = 8192
	// Regions is how many regions the extent table has room for.
	Regions = 4
	// MaxExtents is how many extents there can be.
	MaxExtents = 1<<16 - 2

	tableOffset = stable.PageSize // of home
)

var le = binary.LittleEndian

// Offset is where an extent begins in stable memory, in bytes.
func Offset(extent uint32) uint64 { return (FirstPage + ExtentPages*uint64(extent)) * stable.PageSize }

// Region is one of the regions, by its place in the extent table.
type Region uint8

// Kind is what a region is made of.
type Kind struct {
	Name     string
	UnitSize uint64 // in bytes; a power of two from 8 up to the size of an extent
	// Batch is how many units are taken from the end of the region at once, for a region whose units are
	// taken one by one and never freed: so the superblock is written seldom. An extent has a whole number of
	// batches. 0 stands for 1. What is left of a batch when the memory is opened anew is never used.
	Batch uint32
}

// Units is how many units an extent of the region has.
func (k *Kind) Units() uint64 { return ExtentSize / k.UnitSize }

func (k *Kind) check() {
	if *k == (Kind{}) {
		return // the region is not used
	}
	size := k.UnitSize
	if size < 8 || size > ExtentSize || size&(size-1) != 0 { // a free unit has a link of 8 bytes
		panic(fmt.Sprintf("units of %s have %d bytes: not a power of two from 8 to %d", k.Name, size, ExtentSize))
	}
	if batch := uint64(max(k.Batch, 1)); k.Units()%batch != 0 {
		panic(fmt.Sprintf("%s takes %d units at once, of which an extent has %d", k.Name, batch, k.Units()))
	}
}

// State is what the caller keeps in its superblock.
type State struct {
	NextExtent uint32 // the first that was never used, where extents are taken in order
	FreeExtent uint32 // first extent + 1 of the first run of free extents, 0 for none
	Regions    [Regions]RegionState
}

// RegionState is the state of one region.
type RegionState struct {
	Extents uint32
	Units   uint32 // ever used
	Free    uint32 // first free unit + 1
	Freed   uint32 // number of free units
}

// Check finds what cannot be.
func (s *State) Check(kinds *[Regions]Kind) error {
	for i, r := range s.Regions {
		if r.Extents > RegionExtents || uint64(r.Units) > uint64(r.Extents)*kinds[i].Units() || r.Freed > r.Units {
			return fmt.Errorf("region %s has %d extents, %d units, %d of them free", kinds[i].Name, r.Extents, r.Units, r.Freed)
		}
	}
	return nil
}

// Source gives out new extents where another table than ours says who owns which.
type Source interface {
	// Take returns an extent that nobody uses, which is then the allocator's. It fails with an error that
	// wraps [stable.ErrFull] when there is none.
	Take() (extent uint32, err error)
}

// Allocator gives out extents and units. Dirty is set whenever State has changed; the caller writes State and
// clears it.
type Allocator struct {
	State
	Dirty  bool
	Memory stable.Memory
	Home   uint64 // offset of home
	Source Source // nil for the extents behind the last one

	kinds *[Regions]Kind
	known [Regions][knownExtents]knownExtent
	word  [8]byte
	spare [Regions]uint32 // units at the end of a region that are still to be used of its last batch
}

// Init makes an allocator ready, with the regions that its caller has; the zero Kind is none. It panics if one of them
// has a unit size or a batch that a [Kind] cannot have: units would overlap.
func (a *Allocator) Init(mem stable.Memory, kinds *[Regions]Kind) {
	for i := range kinds {
		kinds[i].check()
	}
	a.Memory, a.kinds = mem, kinds
}

// Name is the name of a region.
func (a *Allocator) Name(r Region) string {
	if int(r) < Regions && a.kinds[r].Name != "" {
		return a.kinds[r].Name
	}
	return fmt.Sprintf("region %d", uint8(r))
}

// Spare is how many units of a region's last batch are still to be used.
func (a *Allocator) Spare(r Region) uint32 { return a.spare[r] }

// Reset forgets all units of a region; its extents stay.
func (a *Allocator) Reset(r Region) {
	s := &a.Regions[r]
	s.Units, s.Free, s.Freed, a.spare[r] = 0, 0, 0, 0
	a.Dirty = true
}

// Address is the offset in stable memory of a unit of a region, in bytes. It fails with a [stable.CorruptedError] for
// a unit behind the region's last extent, and where the extent table names an extent that is not there.
func (a *Allocator) Address(r Region, unit uint32) (uint64, error) {
	// Sizes are powers of two, see Kind.check, and a division costs as much as ten shifts.
	size := bits.TrailingZeros64(a.kinds[r].UnitSize) & 31
	per := (bits.TrailingZeros64(ExtentSize) - size) & 31 // the binary logarithm of how many units an extent has
	ordinal := unit >> per
	if ordinal >= a.Regions[r].Extents {
		return 0, a.errNoUnit(r, unit)
	}
	known := &a.known[r][ordinal%knownExtents]
	if known.extent == 0 || known.ordinal != uint16(ordinal) {
		if err := a.readTable(r, ordinal); err != nil {
			return 0, err
		}
	}
	return Offset(uint32(known.extent)-1) + uint64(unit-ordinal<<per)<<size, nil
}

func (a *Allocator) errNoUnit(r Region, unit uint32) error {
	return stable.Corrupted(fmt.Sprintf("reference to %s unit %d", a.Name(r), unit), "the region has %d extents", a.Regions[r].Extents)
}

// knownExtents is how many entries of the extent table are remembered of each region: all of them up to a
// million slots of 1 KiB, those met last beyond. Their number is fixed, so that a call costs the same
// whichever extents it touches.
const knownExtents = 128

// knownExtent is a remembered entry: the extent + 1 that is part ordinal of a region; 0 for none.
type knownExtent struct{ ordinal, extent uint16 }

func (a *Allocator) tableEntry(r Region, ordinal uint32) uint64 {
	return a.Home + tableOffset + 2*(uint64(r)*RegionExtents+uint64(ordinal))
}

func (a *Allocator) readTable(r Region, ordinal uint32) error {
	b := a.word[:2]
	if err := a.Memory.ReadAt(b, a.tableEntry(r, ordinal)); err != nil {
		return fmt.Errorf("read extent table: %w", err)
	}
	e := le.Uint16(b)
	// The extent of an empty entry, 2^32 - 1, is behind the end as well.
	if (Offset(uint32(e)-1)+ExtentSize)/stable.PageSize > a.Memory.Size() {
		return stable.Corrupted(fmt.Sprintf("extent table entry %d of %s", ordinal, a.Name(r)), "it names extent %d, which is not there", int(e)-1)
	}
	a.remember(r, ordinal, e)
	return nil
}

func (a *Allocator) remember(r Region, ordinal uint32, e uint16) {
	a.known[r][ordinal%knownExtents] = knownExtent{uint16(ordinal), e}
}

// Take returns a unit of a region that nobody uses: a freed one, or the next. Its bytes are whatever they were.
// The error wraps [stable.ErrFull] when no extent is left, and is a [stable.CorruptedError] if the list of free units is.
func (a *Allocator) Take(r Region) (uint32, error) {
	s := &a.Regions[r]
	if s.Free != 0 {
		unit := s.Free - 1
		at, err := a.Address(r, unit)
		if err != nil {
			return 0, err
		}
		if err := a.Memory.ReadAt(a.word[:], at); err != nil {
			return 0, fmt.Errorf("read free list of %s: %w", a.Name(r), err)
		}
		next, mark := le.Uint32(a.word[:]), le.Uint32(a.word[4:])
		if mark != freeMark || next > s.Units {
			return 0, stable.Corrupted(fmt.Sprintf("free list of %s", a.Name(r)), "unit %d is not free", unit)
		}
		s.Free = next
		s.Freed--
		a.Dirty = true
		return unit, nil
	}
	if a.spare[r] > 0 {
		a.spare[r]--
		return s.Units - a.spare[r] - 1, nil
	}
	if uint64(s.Units) == uint64(s.Extents)*a.kinds[r].Units() {
		if err := a.Extend(r); err != nil {
			return 0, err
		}
	}
	a.Dirty = true
	batch := max(a.kinds[r].Batch, 1)
	a.spare[r] = batch - 1
	s.Units += batch
	return s.Units - batch, nil
}

// freeMark is "FREE".
const freeMark = 0x45455246

// Release frees a unit, which must be in use. The error is a [stable.CorruptedError] if there is no such unit.
func (a *Allocator) Release(r Region, unit uint32) error {
	at, err := a.Address(r, unit)
	if err != nil {
		return err
	}
	s := &a.Regions[r]
	le.PutUint32(a.word[:], s.Free)
	le.PutUint32(a.word[4:], freeMark)
	if err := a.Memory.WriteAt(a.word[:], at); err != nil {
		return fmt.Errorf("release unit %d of %s: %w", unit, a.Name(r), err)
	}
	s.Free = unit + 1
	s.Freed++
	a.Dirty = true
	return nil
}

// CheckFree walks the free units of a region. It is bounded by their number. A [stable.CorruptedError] says
// what is wrong with them.
func (a *Allocator) CheckFree(r Region) error {
	s := a.Regions[r]
	list := fmt.Sprintf("free list of %s", a.Name(r))
	short := stable.Corrupted(list, "it does not have the %d units that it should", s.Freed)
	next := s.Free
	for range s.Freed {
		if next == 0 {
			return short
		}
		at, err := a.Address(r, next-1)
		if err != nil {
			return err
		}
		if err := a.Memory.ReadAt(a.word[:], at); err != nil {
			return fmt.Errorf("read %s: %w", list, err)
		}
		if le.Uint32(a.word[4:]) != freeMark {
			return stable.Corrupted(list, "unit %d is not free", next-1)
		}
		next = le.Uint32(a.word[:])
	}
	if next != 0 {
		return short
	}
	return nil
}
