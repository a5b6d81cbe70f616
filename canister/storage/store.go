package storage

import (
	"fmt"
	"sync/atomic"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/record"
	"kedge/canister/storage/ring"
	"kedge/canister/storage/stable"
	"kedge/canister/storage/tree"
)

// Store is an open memory. It keeps no anchor in RAM: what it holds is scratch space and the superblock,
// so it may be thrown away and opened again at any time between messages.
type Store struct {
	sb       superblock
	dirty    bool   // the superblock differs from memory, in more than the clock
	clock    uint64 // last step of the service clock that is in memory
	mirrored bool   // the superblock came from its second copy

	// The units are part of the store, so that they are on its pages.
	alloc alloc.Allocator
	tree  tree.Tree
	rings ring.Rings

	block   [superblockSize]byte
	unit    [blockSize]byte
	scratch []byte // the head of a slot and a record, see slotImage
	last    rawRecord
	buffers struct { // what slices of the store begin with, so that they are on its pages
		scratch [SlotSize + blockSize]byte
		keys    [2][2 * (identity.MaxDevices + 1)]tree.Entry
		chain   [1]uint32
		passed  [identity.MaxDevices + 1]record.Stored // devices and copies that a write leaves as they are
		hits    [1]uint64                              // of a look-up: most keys have one entry
		matches [1]Match
	}
	lent    loaded // the anchor of the last Borrow
	lending bool   // a Borrow has not taken it yet

	fresh  uint32 // slot + 1 that Allocate gave out and nobody has written yet
	legacy Legacy
	keys   [2][]tree.Entry
}

// The regions of the memory.
const (
	slots alloc.Region = iota
	overflow
	history
	index
)

// kinds are what the regions are made of. Chunks of history are taken so many at a time, so that an event that
// needs a new chunk seldom writes the superblock.
var kinds = [alloc.Regions]alloc.Kind{
	slots:    {Name: "slots", UnitSize: SlotSize},
	overflow: {Name: "overflow", UnitSize: blockSize},
	history:  {Name: "history", UnitSize: ring.ChunkSize, Batch: 32},
	index:    {Name: "index", UnitSize: tree.NodeSize},
}

// Config is what a new memory starts with.
type Config struct {
	Lo, Hi uint64 // anchor range [Lo, Hi)
	Layout int    // 0 for the newest; earlier ones are for migrations and tests
}

// MaxAnchors is the most anchors that one memory holds.
const MaxAnchors = alloc.RegionExtents * alloc.ExtentSize / SlotSize

// Create makes an empty memory into a store.
func Create(mem Memory, cfg Config) (*Store, error) {
	if n := mem.Size(); n != 0 {
		return nil, fmt.Errorf("create storage: stable memory already has %d pages", n)
	}
	s := newStore(mem)
	s.sb.layout = NewestLayout
	if cfg.Layout != 0 {
		s.sb.layout = uint8(cfg.Layout)
	}
	if s.sb.layout < Layout1 || s.sb.layout > NewestLayout {
		return nil, &UnsupportedError{What: "the memory layout", Version: cfg.Layout}
	}
	if err := s.setRange(cfg.Lo, cfg.Hi); err != nil {
		return nil, err
	}
	if err := stable.GrowTo(mem, alloc.FirstPage); err != nil {
		return nil, err
	}
	return s, s.flush()
}

// Open opens a memory that Create made. Its cost does not depend on what the memory holds.
func Open(mem Memory) (*Store, error) {
	if mem.Size() < alloc.FirstPage {
		return nil, fmt.Errorf("%w: it has %d pages", ErrNotKedge, mem.Size())
	}
	s := newStore(mem)
	if err := s.open(); err != nil {
		return nil, err
	}
	if s.HasLegacy() {
		return nil, stable.Corrupted("superblock", "placement %d, not 0", s.sb.placement)
	}
	return s, nil
}

// open reads the superblock at home.
func (s *Store) open() (err error) {
	if s.sb, s.mirrored, err = readSuperblock(s.alloc.Memory, s.alloc.Home); err != nil {
		return err
	}
	s.alloc.State, s.tree.State = s.sb.alloc, s.sb.tree
	s.dirty = s.mirrored // the next write repairs it
	s.clock = s.sb.stepped
	return nil
}

// The first store of a program is a variable, so that in a canister, which opens one, it lies together with the other
// variables: the network charges for every page that a message touches.
var (
	resident Store
	taken    atomic.Bool
)

func newStore(mem Memory) *Store {
	s := &resident
	if taken.Swap(true) {
		s = new(Store)
	}
	s.alloc.Init(mem, &kinds)
	s.tree.Init(&s.alloc, index)
	s.rings.Init(&s.alloc, history, s.anchorName)
	s.scratch, s.last.chain = s.buffers.scratch[:0], s.buffers.chain[:0]
	for i := range s.keys {
		s.keys[i] = s.buffers.keys[i][:0]
	}
	return s
}

// Range is the range [lo, hi) of anchor numbers.
func (s *Store) Range() (lo, hi uint64) { return s.sb.lo, s.sb.hi }

// SetRange changes the end of the range of anchor numbers; its beginning is fixed once there are anchors.
func (s *Store) SetRange(lo, hi uint64) error {
	if err := s.setRange(lo, hi); err != nil {
		return err
	}
	return s.flush()
}

func (s *Store) setRange(lo, hi uint64) error {
	switch {
	case hi < lo:
		return fmt.Errorf("improper Identity Anchor range [%d, %d)", lo, hi)
	case s.sb.count > 0 && lo != s.sb.lo:
		return fmt.Errorf("specified range [%d, %d) does not start from the same number (%d) as the existing range thus would make existing anchors invalid", lo, hi, s.sb.lo)
	case hi-lo > MaxAnchors:
		return fmt.Errorf("specified range [%d, %d) is too large for this canister (max %d entries)", lo, hi, MaxAnchors)
	case hi-lo < uint64(s.sb.count):
		return fmt.Errorf("specified range [%d, %d) does not accommodate all %d anchors", lo, hi, s.sb.count)
	}
	s.sb.lo, s.sb.hi, s.dirty = lo, hi, true
	return nil
}

// Count is the number of anchors given out: Lo … Lo+Count-1.
func (s *Store) Count() int { return int(s.sb.count) }

// Layout is the layout of the memory. A memory in layout n is read and written, in record version n; package
// migrations takes it to the newest.
func (s *Store) Layout() int { return int(s.sb.layout) }

// Allocate gives out the next anchor number. The caller writes that anchor in the same message. The
// error wraps [ErrFull] when there is no number, or no memory, left.
func (s *Store) Allocate() (uint64, error) {
	number := s.sb.lo + uint64(s.sb.count)
	if number >= s.sb.hi {
		return 0, fmt.Errorf("%w: all %d anchors of the range [%d, %d) are given out", ErrFull, s.sb.count, s.sb.lo, s.sb.hi)
	}
	if uint64(s.sb.count) == uint64(s.alloc.Regions[slots].Extents)*kinds[slots].Units() {
		if err := s.alloc.Extend(slots); err != nil {
			return 0, err
		}
	}
	if s.HasLegacy() {
		if s.legacy == nil {
			return 0, errNoLegacy
		}
		if err := s.legacy.Register(number); err != nil {
			return 0, err
		}
	}
	s.sb.count++
	s.fresh = s.sb.count
	s.dirty = true
	return number, nil
}

func (s *Store) slotOf(number uint64) (uint32, error) {
	switch {
	case number < s.sb.lo || number >= s.sb.hi:
		return 0, &OutOfRangeError{Anchor: number, Lo: s.sb.lo, Hi: s.sb.hi}
	case number-s.sb.lo >= uint64(s.sb.count):
		return 0, &NotFoundError{Anchor: number}
	}
	return uint32(number - s.sb.lo), nil
}

// Read returns an anchor. Its byte fields and strings share one buffer, which nobody may write to;
// replacing a field is fine. Errors: [NotFoundError], [OutOfRangeError], [CorruptedError].
func (s *Store) Read(number uint64) (*identity.Anchor, error) {
	slot, err := s.slotOf(number)
	if err != nil {
		return nil, err
	}
	return s.readSlot(slot)
}

func (s *Store) readSlot(slot uint32) (*identity.Anchor, error) {
	a, tag, err := s.readOwn(slot)
	if err != nil {
		return nil, err
	}
	if s.HasLegacy() {
		return s.resolve(slot, a, tag)
	}
	if a == nil {
		return nil, stable.Corrupted(s.anchorName(slot), "its slot was never written")
	}
	return a, nil
}

// loaded is an anchor with room for its devices, one that is added, and its record. They are one object
// because the network charges for every page that is touched, and Go puts objects of different sizes on
// different pages.
type loaded struct {
	anchor  identity.Anchor
	devices [identity.MaxDevices + 1]identity.Device
	events  [2]identity.Event // of a borrowed anchor
	record  [SlotSize + 2048]byte

	contacts identity.Contacts
	list     [identity.MaxContacts]identity.Contact
	stored   record.StoredContacts // of a borrowed anchor, until it is asked for its contacts
}

// Borrow is Read for the one anchor that a message is about. It belongs to the store, and the next Borrow
// makes it another one: nothing of it may be kept beyond the message. An anchor of its own would cost the
// pages of the allocator, five to read and three to write, where methods touch a dozen in all.
func (s *Store) Borrow(number uint64) (*identity.Anchor, error) {
	s.lending = true
	a, err := s.Read(number)
	s.lending = false
	return a, err
}

// buffer returns a buffer for an anchor: the store's own in a Borrow, for the first that it reads, and in a
// batch. Its devices may be an earlier anchor's.
func (s *Store) buffer() *loaded {
	if !s.lending && !s.tree.Batching() {
		return new(loaded)
	}
	s.lending = false
	l := &s.lent
	l.anchor = identity.Anchor{Events: l.events[:0]}
	return l
}

// readOwn returns what the slot itself has, nil if it was never written.
func (s *Store) readOwn(slot uint32) (*identity.Anchor, uint64, error) {
	lazily := s.lending && !s.HasLegacy()
	l := s.buffer()
	raw, err := s.readRawInto(l.record[:], slot)
	if err != nil || raw.head.version == 0 {
		return nil, 0, err
	}
	if l == &s.lent { // cleared no sooner: an import reads as many empty slots as it fills
		clear(l.devices[:])
	}
	a := &l.anchor
	a.Number, a.Devices = s.sb.lo+uint64(slot), l.devices[:0]
	l.contacts = identity.Contacts{List: l.list[:0]}
	a.Contacts = &l.contacts // room for those in the record, nil afterwards if there are none
	var tag uint64
	if lazily {
		tag, err = record.DecodeLazily(raw.payload, raw.head.version, a, &l.stored)
	} else {
		tag, err = record.Decode(raw.payload, raw.head.version, a)
	}
	if err != nil {
		return nil, 0, stable.Corrupted(s.anchorName(slot), "%v", err)
	}
	return a, tag, nil
}

// writeVersion is the version in which records are written now: that of the layout, or of the one before on the
// way back to it.
func (s *Store) writeVersion() byte {
	if s.sb.migration.Phase == Down {
		return s.sb.layout - 1
	}
	return s.sb.layout
}

// Write stores an anchor, adds its events to its history and keeps the index. It fails before anything
// is written with [NotFoundError], [OutOfRangeError], [CorruptedError], or with [LossError] on a
// memory in an earlier layout that cannot hold what the anchor has. Any other error calls for a trap.
func (s *Store) Write(a *identity.Anchor) error {
	if !s.HasLegacy() {
		return s.write(a, nil, nil)
	}
	if s.legacy == nil {
		return errNoLegacy
	}
	if _, err := s.slotOf(a.Number); err != nil {
		return err
	}
	old, tag, err := s.legacy.Prepare(a)
	if err != nil {
		return &LegacyError{Anchor: a.Number, Reason: err.Error()}
	}
	return s.write(a, &tag, old)
}

// write stores an anchor and, beside a legacy store, the tag of its legacy record and that record itself.
func (s *Store) write(a *identity.Anchor, tag *uint64, legacy []byte) error {
	version := s.writeVersion()
	slot, err := s.slotOf(a.Number)
	if err != nil {
		return err
	}
	old := &s.last
	switch {
	case s.fresh == slot+1: // nothing is there yet but what an old extent may have held
		*old = rawRecord{valid: true, slot: slot, chain: old.chain[:0]}
	case !old.valid || old.slot != slot:
		if old, err = s.readRaw(slot); err != nil {
			return err
		}
	}
	if version < record.Newest {
		if lost := LossOf(a, int(version)) &^ s.accepted(); lost != 0 {
			return &LossError{Anchor: a.Number, Layout: int(version), Loss: lost}
		}
	}
	image, err := record.Append(s.slotImage(version), a, version, tag)
	if err != nil {
		return err
	}
	s.scratch = image
	return s.store(old, a.Number, version, a.Events, legacy)
}

// slotImage is where a record is made: behind room for the head of its slot, so that the slot is written from
// there, and what continues it too.
func (s *Store) slotImage(version byte) []byte { return s.scratch[:headSize(version)] }

// store writes the record in s.scratch over an old one, with events, the legacy record and the index.
func (s *Store) store(old *rawRecord, number uint64, version byte, events []identity.Event, legacy []byte) error {
	slot := old.slot
	indexed := s.indexes(slot)
	if err := s.changedKeys(old, s.scratch[headSize(version):], version, slot, indexed && old.head.version >= record.Version2, indexed && version >= record.Version2); err != nil {
		return stable.Corrupted(s.anchorName(slot), "%v", err)
	}
	s.fresh = 0
	if legacy != nil {
		if err := s.legacy.Commit(number, legacy); err != nil {
			return err
		}
	}
	head := old.head
	head.version = version
	if version >= record.Version2 {
		if err := s.addEvents(slot, &head, events); err != nil {
			return err
		}
	}
	if err := s.writeRaw(old, &head, s.scratch); err != nil {
		return err
	}
	if err := s.reindex(s.keys[0], s.keys[1]); err != nil {
		return err
	}
	return s.flush()
}

// Salt is the salt of the delegation seeds; set is false while there is none.
func (s *Store) Salt() (salt [32]byte, set bool) {
	b := &s.sb.salt // comparing with an array of zeros would touch the page where that is
	return *b, le.Uint64(b[:])|le.Uint64(b[8:])|le.Uint64(b[16:])|le.Uint64(b[24:]) != 0
}

// SetSalt stores the salt once and for all.
func (s *Store) SetSalt(salt [32]byte) error {
	if s.sb.salt != [32]byte{} {
		return fmt.Errorf("the salt is already set")
	}
	if salt == [32]byte{} {
		return fmt.Errorf("the salt cannot be all zero")
	}
	s.sb.salt, s.dirty = salt, true
	return s.flush()
}

// ServiceTime is the service clock in ns and the time, in ns since the epoch, of its last step.
func (s *Store) ServiceTime() (service, stepped uint64) { return s.sb.service, s.sb.stepped }

// clockGrain is how far, in ns, the service clock in memory may lag behind. Nothing is lost by that: the
// pair in memory stays true, and the next step counts from it. Without the lag every call would write the
// superblock's page, which costs more than all the rest of a small call.
const clockGrain = 60e9

// SetServiceTime sets the service clock. It reaches memory with the next write of the superblock, at the
// latest when it has gone on for a minute since the last.
func (s *Store) SetServiceTime(service, stepped uint64) error {
	s.sb.service, s.sb.stepped = service, stepped
	if stepped-s.clock < clockGrain {
		return nil
	}
	s.dirty = true
	return s.flush()
}

// Memory is the memory beneath.
func (s *Store) Memory() Memory { return s.alloc.Memory }
