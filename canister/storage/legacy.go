package storage

import (
	"fmt"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

// A memory may hold the store of another module beside this one: a legacy store, whose bytes stay valid, so that
// the canister can go back to that module. Then home is not pages 0 and 1, the legacy store says which extents
// are free to take, every write of an anchor goes to both, and an anchor is compared with its legacy record
// before it is used. What the migration from it has to remember is kept in the superblock.

// Legacy is a legacy store. A package of migrations implements it.
type Legacy interface {
	// Resolve returns an anchor as it is now, given our own copy of it (nil when there is none) and the
	// tag that says which legacy record goes with the copy. When nothing has changed it returns own itself.
	// Events of the result say what was restored or dropped.
	Resolve(number uint64, own *identity.Anchor, tag uint64) (*identity.Anchor, error)
	// Prepare encodes an anchor for the legacy store and makes the tag of that record. It fails when the
	// legacy store has no room for it.
	Prepare(a *identity.Anchor) (record []byte, tag uint64, err error)
	// Commit writes an encoded anchor, and Register makes room for one more anchor.
	Commit(number uint64, record []byte) error
	Register(number uint64) error
}

// LegacyError says that the legacy store, which must be kept valid, has no room for a change.
type LegacyError struct {
	Anchor uint64
	Reason string
}

func (e *LegacyError) Error() string {
	return fmt.Sprintf("anchor %d would not fit the old layout, which is kept valid until the migration is finalised: %s", e.Anchor, e.Reason)
}

// LegacySize is how much the superblock keeps for the migration from a legacy store, in bytes.
const LegacySize = 256

// Place is where home is beside a legacy store.
type Place struct {
	Home       uint64       // offset of home, in bytes; two pages that belong to an extent of ours
	Placement  uint8        // stored; not 0
	Source     alloc.Source // of extents, nil for those behind NextExtent
	NextExtent uint32
}

// CreateBeside makes a store beside a legacy one, in the newest layout, for anchors in [lo, hi). It fails for an improper
// range; after any other error the memory is to be restored.
func CreateBeside(mem Memory, place Place, lo, hi uint64) (*Store, error) {
	s := newStore(mem)
	s.sb.layout, s.sb.placement = NewestLayout, place.Placement
	s.alloc.Home, s.alloc.Source, s.alloc.NextExtent = place.Home, place.Source, place.NextExtent
	if err := s.setRange(lo, hi); err != nil {
		return nil, err
	}
	return s, s.flush()
}

// OpenBeside opens a store that CreateBeside made. The legacy store is to be attached before anchors are used.
func OpenBeside(mem Memory, place Place) (*Store, error) {
	s := newStore(mem)
	s.alloc.Home, s.alloc.Source = place.Home, place.Source
	if err := s.open(); err != nil {
		return nil, err
	}
	if s.sb.placement != place.Placement {
		return nil, stable.Corrupted("superblock", "placement %d, not %d", s.sb.placement, place.Placement)
	}
	return s, nil
}

// HasLegacy tells whether the store is beside a legacy one.
func (s *Store) HasLegacy() bool { return s.sb.placement != 0 }

// Home is the offset of home in bytes.
func (s *Store) Home() uint64 { return s.alloc.Home }

// LegacyState is what the migration from a legacy store keeps.
func (s *Store) LegacyState() *[LegacySize]byte { return &s.sb.legacy }

// SetLegacyState stores it.
func (s *Store) SetLegacyState(b *[LegacySize]byte) error {
	s.sb.legacy, s.dirty = *b, true
	return s.flush()
}

// SetLegacy attaches the legacy store. A store beside one refuses everything about anchors without it.
func (s *Store) SetLegacy(l Legacy) { s.legacy = l }

// Legacy is what SetLegacy attached.
func (s *Store) Legacy() Legacy { return s.legacy }

// errNoLegacy guards against a canister that forgets to attach the legacy store.
var errNoLegacy = fmt.Errorf("the memory is beside a legacy store, which is not attached")

// resolve turns what a slot has into what its anchor is, beside a legacy store.
func (s *Store) resolve(slot uint32, own *identity.Anchor, tag uint64) (*identity.Anchor, error) {
	if s.legacy == nil {
		return nil, errNoLegacy
	}
	a, err := s.legacy.Resolve(s.sb.lo+uint64(slot), own, tag)
	if err != nil {
		return nil, stable.Corrupted(s.anchorName(slot), "its old record: %v", err)
	}
	return a, nil
}

// WriteOwn stores an anchor here alone, with the tag of its legacy record, which stays as it is. It fails as Write does.
func (s *Store) WriteOwn(a *identity.Anchor, tag uint64) error {
	return s.write(a, &tag, nil)
}

// ReadOwn returns our own copy of an anchor, without a look at the legacy record; nil if there is none yet. Errors:
// [NotFoundError], [OutOfRangeError], [CorruptedError].
func (s *Store) ReadOwn(number uint64) (a *identity.Anchor, tag uint64, err error) {
	slot, err := s.slotOf(number)
	if err != nil {
		return nil, 0, err
	}
	return s.readOwn(slot)
}

// SetCount gives out as many anchors as the legacy store has, and lets the range end at hi if it ends before. It fails,
// with a text that names both, for fewer anchors than ours and for more than the range has room for.
func (s *Store) SetCount(count uint32, hi uint64) error {
	if count < s.sb.count {
		return fmt.Errorf("the old memory has %d anchors, fewer than the %d of ours", count, s.sb.count)
	}
	if hi > s.sb.hi {
		if err := s.setRange(s.sb.lo, hi); err != nil {
			return err
		}
	}
	if s.sb.lo+uint64(count) > s.sb.hi {
		return fmt.Errorf("%d anchors do not fit the range [%d, %d)", count, s.sb.lo, s.sb.hi)
	}
	for uint64(s.alloc.Regions[slots].Extents)*kinds[slots].Units() < uint64(count) {
		if err := s.alloc.Extend(slots); err != nil {
			return err
		}
	}
	s.sb.count, s.dirty = count, true
	return s.flush()
}

// TakeOver gives the legacy store up: home moves to pages 0 and 1, over what it had there, and the extents
// that were its own, and home's, become free. There are total extents in all. There is no way back.
func (s *Store) TakeOver(total uint32, free []uint32) error {
	free = append(free, uint32((s.alloc.Home/PageSize-alloc.FirstPage)/alloc.ExtentPages))
	var page [PageSize]byte
	for off := uint64(0); off < alloc.FirstPage*PageSize; off += PageSize {
		if err := s.alloc.Memory.ReadAt(page[:], s.alloc.Home+off); err != nil {
			return fmt.Errorf("move home: %w", err)
		}
		if err := s.alloc.Memory.WriteAt(page[:], off); err != nil {
			return fmt.Errorf("move home: %w", err)
		}
	}
	s.sb.placement, s.sb.legacy, s.legacy = 0, [LegacySize]byte{}, nil
	s.alloc.Home, s.alloc.Source, s.alloc.NextExtent = 0, nil, total
	for from := 0; from < len(free); {
		to := from + 1
		for to < len(free) && free[to] == free[to-1]+1 {
			to++
		}
		if err := s.alloc.FreeExtents(free[from], uint32(to-from)); err != nil {
			return err
		}
		from = to
	}
	return s.flush()
}

// Extents lists the extents of all regions, those that are free, and how many there are in all; extents of a
// legacy store are not listed.
func (s *Store) Extents() (used, free []uint32, total uint32, err error) {
	used, free, err = s.alloc.Extents()
	return used, free, s.alloc.NextExtent, err
}
