package storage

import "fmt"

// Finding is one thing that fsck found wrong.
type Finding struct {
	What   string
	Detail string
}

func (f Finding) String() string { return f.What + ": " + f.Detail }

// Check is a run over a whole memory, part by part. Its position is a plain number that the caller may
// keep between messages; anchors may be read and written meanwhile.
type Check struct {
	Position uint64 // slots checked
	Findings []Finding

	wanted uint64 // entries that the index must have, as far as the slots are checked
	found  uint64 // entries that it has, as far as it is read
	next   entry  // where reading it goes on
	begun  bool
	edits  uint64 // of the index, when the run began
}

// maxFindings bounds what one run reports; a run that reaches it ends.
const maxFindings = 1000

// Check continues a run while more says that there is budget left, and reports whether it is done. It
// reads every slot, record, overflow block and history, looks every device up in the index, and reads
// every node of the index.
func (s *Store) Check(c *Check, more func() bool) (done bool, err error) {
	if !c.begun {
		c.begun, c.edits = true, s.edits
	}
	if c.Position == 0 && s.mirrored {
		c.Findings = append(c.Findings, Finding{"superblock", "the first copy is damaged; the second is in use and the next write repairs the first"})
		s.mirrored = false
	}
	if c.Position == 0 {
		for _, read := range [...]func() ([]byte, error){s.Config, s.State} {
			if _, err := read(); err != nil && !c.add(err) {
				return false, err
			}
		}
		if err := s.checkExtents(c); err != nil {
			return false, err
		}
		if s.sb.index != indexWhole {
			c.Findings = append(c.Findings, Finding{"index", "it was put aside because it is damaged; rebuild it"})
		}
	}
	for c.Position < uint64(s.sb.count) {
		if !more() {
			return false, nil
		}
		if err := s.checkSlot(c, uint32(c.Position)); err != nil {
			return false, err
		}
		c.Position++
		if len(c.Findings) >= maxFindings {
			return true, nil
		}
	}
	for r := overflow; r < regionCount; r++ {
		if err := s.checkFreeList(c, r); err != nil {
			return false, err
		}
	}
	return s.checkIndex(c, more)
}

// checkExtents finds extents that are in two places, and those that are nowhere.
func (s *Store) checkExtents(c *Check) error {
	used, free, total, err := s.Extents()
	if err != nil {
		if c.add(err) {
			return nil
		}
		return err
	}
	places := make([]uint8, maxExtents)
	for _, e := range append(used, free...) {
		if e >= maxExtents { // an empty entry; whoever reads it is told
			continue
		}
		if places[e]++; places[e] == 2 {
			c.Findings = append(c.Findings, Finding{fmt.Sprintf("extent %d", e), "it is in two places"})
		}
	}
	if s.sb.host != native { // others have extents, too
		return nil
	}
	for e, n := range places[:min(total, maxExtents)] {
		if n == 0 {
			c.Findings = append(c.Findings, Finding{fmt.Sprintf("extent %d", e), "it is in no region and not free"})
		}
	}
	return nil
}

// checkIndex reads the whole index. How many entries it should have is only known when nobody edited it
// since the run began; otherwise the count is let be.
func (s *Store) checkIndex(c *Check, more func() bool) (done bool, err error) {
	if s.sb.index != indexWhole {
		return true, nil
	}
	const batch = 500
	for {
		if !more() {
			return false, nil
		}
		n := 0
		err := s.scan(c.next, func(e entry) bool {
			if n == batch {
				c.next = e
				return false
			}
			n++
			return true
		})
		if err != nil {
			if c.add(err) {
				return true, nil
			}
			return false, err
		}
		c.found += uint64(n)
		if n < batch || c.next == (entry{}) {
			break
		}
	}
	if c.found != c.wanted && c.edits == s.edits {
		c.Findings = append(c.Findings, Finding{"index", fmt.Sprintf("it has %d entries, the anchors have %d", c.found, c.wanted)})
	}
	return true, nil
}

// add records damage and returns true; any other error it leaves alone.
func (c *Check) add(err error) bool {
	var bad *CorruptedError
	if !asCorrupted(err, &bad) {
		return false
	}
	c.Findings = append(c.Findings, Finding{bad.What, bad.Detail})
	return true
}

func (s *Store) checkSlot(c *Check, slot uint32) error {
	if _, err := s.readSlot(slot); err != nil {
		if c.add(err) {
			return nil
		}
		return err
	}
	head, payload := s.last.head, s.last.payload
	for ring, newest := range head.newest {
		if newest == 0 {
			continue
		}
		if _, err := s.readRing(nil, newest-1, slot, ring, 0); err != nil && !c.add(err) {
			return err
		}
	}
	if head.version != record2 || !s.indexes(slot) {
		return nil
	}
	keys, err := recordKeys(nil, payload, slot)
	if err != nil {
		return err
	}
	for _, key := range keys {
		found := false
		err := s.scan(key, func(e entry) bool { found = e == key; return false })
		switch {
		case err != nil && !c.add(err):
			return err
		case err == nil && !found:
			c.Findings = append(c.Findings, Finding{s.anchorName(slot), "a device is missing from the index"})
		default:
			c.wanted++
		}
	}
	return nil
}

// checkFreeList walks the free units of a region. It is bounded by their number.
func (s *Store) checkFreeList(c *Check, r region) error {
	st := s.sb.regions[r]
	next, seen := st.free, uint32(0)
	for ; next != 0 && seen <= st.freed; seen++ {
		at, err := s.address(r, next-1)
		if err != nil {
			if c.add(err) {
				return nil
			}
			return err
		}
		if err := s.mem.ReadAt(s.word[:], at); err != nil {
			return fmt.Errorf("read free list of %s: %w", r, err)
		}
		if le.Uint32(s.word[4:]) != freeMark {
			c.Findings = append(c.Findings, Finding{fmt.Sprintf("free list of %s", r), fmt.Sprintf("unit %d is not free", next-1)})
			return nil
		}
		next = le.Uint32(s.word[:])
	}
	if seen != st.freed || next != 0 {
		c.Findings = append(c.Findings, Finding{fmt.Sprintf("free list of %s", r), fmt.Sprintf("it does not have the %d units that it should", st.freed)})
	}
	return nil
}
