package storage

import (
	"fmt"

	"kedge/canister/identity"
)

// Trial is the state of the trial of an Internet Identity memory, in the superblock's 256 bytes:
//
//	off  len
//	  0    1  layout of the old memory, 0 when there is no trial
//	  1    1  bit 0: the old module knows protection
//	  2    2  zero
//	  4    4  settled: slots below have been compared with their old records
//	  8    4  anchors without any device key
//	 12    4  anchors whose old record cannot be read
//	 16    4  anchors in which something was restored or dropped on coming back
//	 20   48  slots of the first twelve of those, u32 each
//	 68    2  newest generation of the old records met, 0 for none
//	 70    1  number of returns from the old module or another, modulo 128
//	 71  185  zero
type Trial struct {
	Layout          uint8
	KnowsProtection bool
	Settled         uint32
	WithoutKey      uint32
	Unreadable      uint32
	Amended         uint32
	FirstAmended    [12]uint32 // slots, the first min(Amended, 12) of them
	Generation      uint16
	Returns         uint8
}

// trialSize is the room that the superblock keeps for the trial.
const trialSize = 256

func (t *Trial) encode(b []byte) {
	b[0] = t.Layout
	b[1] = bit(t.KnowsProtection, 1)
	le.PutUint32(b[4:], t.Settled)
	le.PutUint32(b[8:], t.WithoutKey)
	le.PutUint32(b[12:], t.Unreadable)
	le.PutUint32(b[16:], t.Amended)
	for i, slot := range t.FirstAmended {
		le.PutUint32(b[20+4*i:], slot)
	}
	le.PutUint16(b[68:], t.Generation)
	b[70] = t.Returns
}

func (t *Trial) decode(b []byte) {
	*t = Trial{
		Layout: b[0], KnowsProtection: b[1]&1 != 0, Settled: le.Uint32(b[4:]), WithoutKey: le.Uint32(b[8:]),
		Unreadable: le.Uint32(b[12:]), Amended: le.Uint32(b[16:]), Generation: le.Uint16(b[68:]), Returns: b[70],
	}
	for i := range t.FirstAmended {
		t.FirstAmended[i] = le.Uint32(b[20+4*i:])
	}
}

// Elder is the store of an old module that keeps its bytes during a trial. Package migrations/ii
// implements it.
type Elder interface {
	// Resolve returns an anchor as it is now, given our own copy of it (nil when there is none) and the
	// tag that says which old record goes with the copy. When the old record is still that one it
	// returns own itself. Events of the result say what was restored or dropped.
	Resolve(number uint64, own *identity.Anchor, tag uint64) (*identity.Anchor, error)
	// Prepare encodes an anchor for the old module and makes the tag of that record. It fails when the
	// old layout has no room for it.
	Prepare(a *identity.Anchor) (record []byte, tag uint64, err error)
	// Commit writes an encoded anchor, and Register makes room for one more anchor.
	Commit(number uint64, record []byte) error
	Register(number uint64) error
}

// ElderError says that the old layout, which must be kept valid during a trial, has no room for a change.
type ElderError struct {
	Anchor uint64
	Reason string
}

func (e *ElderError) Error() string {
	return fmt.Sprintf("anchor %d would not fit the old layout, which is kept valid until the migration is finalised: %s", e.Anchor, e.Reason)
}

// Trial is the state of the trial; its Layout is 0 when there is none.
func (s *Store) Trial() Trial { return s.sb.trial }

// SetTrial stores the state of the trial.
func (s *Store) SetTrial(t Trial) error {
	s.sb.trial, s.dirty = t, true
	return s.flush()
}

// SetElder attaches the old store. A store on trial refuses everything about anchors without it.
func (s *Store) SetElder(e Elder) { s.elder = e }

// Elder is what SetElder attached.
func (s *Store) Elder() Elder { return s.elder }

// errNoElder guards against a canister that forgets to attach the old store.
var errNoElder = fmt.Errorf("the memory is on trial and its old store is not attached")

// resolve turns what a slot has into what its anchor is, during a trial.
func (s *Store) resolve(slot uint32, own *identity.Anchor, tag uint64) (*identity.Anchor, error) {
	if s.elder == nil {
		return nil, errNoElder
	}
	if own != nil && slot < s.sb.trial.Settled {
		return own, nil
	}
	a, err := s.elder.Resolve(s.sb.lo+uint64(slot), own, tag)
	if err != nil {
		return nil, corrupted(s.anchorName(slot), "its old record: %v", err)
	}
	return a, nil
}

// Adopt stores an anchor that was imported, with the tag of its old record, which stays as it is.
func (s *Store) Adopt(a *identity.Anchor, tag uint64) error {
	return s.write(a, &tag, nil)
}

// Own returns our own copy of an anchor, without a look at the old record; nil if there is none yet.
func (s *Store) Own(number uint64) (a *identity.Anchor, tag uint64, err error) {
	slot, err := s.slotOf(number)
	if err != nil {
		return nil, 0, err
	}
	return s.readOwn(slot)
}

// Host begins a trial: it puts home beside an old memory, for count anchors from lo on.
func Host(mem Memory, layout uint8, lo, hi uint64, count uint32, salt [32]byte) (*Store, error) {
	s := newStore(mem)
	s.sb.layout = Layout2
	var e uint32
	if at, ok := RaisedHome(layout); ok {
		e = at
		s.sb.host = raised
		s.sb.nextExtent = e + 1
		if reach := extentOffset(e) / PageSize; mem.Size() > reach {
			return nil, fmt.Errorf("the memory has %d pages, more than layout %d can reach (%d): it is not what it seems", mem.Size(), layout, reach)
		}
		if err := growTo(mem, (extentOffset(e)+extentSize)/PageSize); err != nil {
			return nil, err
		}
	} else {
		var err error
		s.sb.host = managed
		if e, err = takeBucket(mem); err != nil {
			return nil, err
		}
	}
	s.home = extentOffset(e)
	if err := s.setRange(lo, hi); err != nil {
		return nil, err
	}
	s.sb.salt = salt
	s.sb.trial.Layout = layout
	if err := s.growCount(count); err != nil {
		return nil, err
	}
	return s, s.flush()
}

// Recount begins the comparison with the old records anew, for a memory that may have been used by the old
// module: from now on every anchor is compared before it is used.
func (s *Store) Recount(count uint32, hi uint64) error {
	if count < s.sb.count {
		return fmt.Errorf("the old memory has %d anchors, fewer than the %d of ours", count, s.sb.count)
	}
	if hi > s.sb.hi || uint64(count) > s.sb.hi-s.sb.lo {
		if err := s.setRange(s.sb.lo, hi); err != nil {
			return err
		}
	}
	if err := s.growCount(count); err != nil {
		return err
	}
	t := &s.sb.trial
	t.Settled, t.WithoutKey, t.Unreadable = 0, 0, 0
	s.dirty = true
	return s.flush()
}

func (s *Store) growCount(count uint32) error {
	if s.sb.lo+uint64(count) > s.sb.hi {
		return fmt.Errorf("%d anchors do not fit the range [%d, %d)", count, s.sb.lo, s.sb.hi)
	}
	for uint64(s.sb.regions[slots].extents)*unitsPerExtent(slots) < uint64(count) {
		if err := s.extend(slots); err != nil {
			return err
		}
	}
	s.sb.count, s.dirty = count, true
	return nil
}

// Retire ends a trial: home moves to pages 0 and 1, over the old header, and every extent that was the
// old module's, and home's own, is free. There is no way back.
func (s *Store) Retire() error {
	if s.sb.trial.Layout == 0 {
		return fmt.Errorf("the memory is not on trial")
	}
	if s.sb.trial.Settled < s.sb.count {
		return fmt.Errorf("%d of %d anchors are not imported yet", s.sb.count-s.sb.trial.Settled, s.sb.count)
	}
	freed, total, err := s.oldExtents()
	if err != nil {
		return err
	}
	freed = append(freed, uint32((s.home/PageSize-firstPage)/ExtentPages))
	var page [PageSize]byte
	for off := uint64(0); off < firstPage*PageSize; off += PageSize {
		if err := s.mem.ReadAt(page[:], s.home+off); err != nil {
			return fmt.Errorf("move home: %w", err)
		}
		if err := s.mem.WriteAt(page[:], off); err != nil {
			return fmt.Errorf("move home: %w", err)
		}
	}
	s.home, s.sb.host, s.sb.nextExtent = 0, native, total
	s.sb.trial = Trial{}
	s.elder = nil
	for from := 0; from < len(freed); {
		to := from + 1
		for to < len(freed) && freed[to] == freed[to-1]+1 {
			to++
		}
		if err := s.freeExtents(freed[from], uint32(to-from)); err != nil {
			return err
		}
		from = to
	}
	s.dirty = true
	return s.flush()
}

// oldExtents lists the extents of the old module, and counts all.
func (s *Store) oldExtents() (old []uint32, total uint32, err error) {
	if s.sb.host == raised {
		e := uint32((s.home/PageSize - firstPage) / ExtentPages)
		for i := range e {
			old = append(old, i)
		}
		return old, s.sb.nextExtent, nil
	}
	n, err := managerHeader(s.mem)
	if err != nil {
		return nil, 0, err
	}
	owners := make([]byte, n)
	if err := s.mem.ReadAt(owners, managerOffset+managerOwners); err != nil {
		return nil, 0, fmt.Errorf("read %w: %w", errManager, err)
	}
	for e, owner := range owners {
		if owner != ManagedID {
			old = append(old, uint32(e))
		}
	}
	return old, uint32(n), nil
}
