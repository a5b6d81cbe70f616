package storage

import (
	"errors"
	"fmt"

	"kedge/canister/storage/alloc"
	"kedge/canister/storage/record"
	"kedge/canister/storage/tree"
)

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

	wanted uint64     // entries that the index must have, as far as the slots are checked
	found  uint64     // entries that it has, as far as it is read
	next   tree.Entry // where reading it goes on
	begun  bool
	freed  bool   // the free lists are checked
	edits  uint64 // of the index, when the run began
}

// maxFindings bounds what one run reports; a run that reaches it ends.
const maxFindings = 1000

// Check continues a run while more says that there is budget left, and reports whether it is done. It
// reads every slot, record, overflow block and history, looks every device up in the index, and reads
// every node of the index.
func (s *Store) Check(c *Check, more func() bool) (done bool, err error) {
	if !c.begun {
		c.begun, c.edits = true, s.tree.Edits
	}
	if s.mirrored {
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
	if !c.freed {
		for r := overflow; r <= index; r++ {
			if err := s.alloc.CheckFree(r); err != nil && !c.add(err) {
				return false, err
			}
		}
		c.freed = true
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
	places := make([]uint8, alloc.MaxExtents)
	for _, e := range append(used, free...) {
		if e >= alloc.MaxExtents { // an empty entry; whoever reads it is told
			continue
		}
		if places[e]++; places[e] == 2 {
			c.Findings = append(c.Findings, Finding{fmt.Sprintf("extent %d", e), "it is in two places"})
		}
	}
	if s.HasLegacy() { // others have extents, too
		return nil
	}
	for e, n := range places[:min(total, alloc.MaxExtents)] {
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
		n, rest := 0, false
		err := s.tree.Scan(c.next, func(e tree.Entry) bool {
			if n == batch {
				c.next, rest = e, true
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
		if !rest {
			break
		}
	}
	if c.found != c.wanted && c.edits == s.tree.Edits {
		c.Findings = append(c.Findings, Finding{"index", fmt.Sprintf("it has %d entries, the anchors have %d", c.found, c.wanted)})
	}
	return true, nil
}

// add records damage and returns true; any other error it leaves alone.
func (c *Check) add(err error) bool {
	var bad *CorruptedError
	if !errors.As(err, &bad) {
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
	for ring := range head.history.Newest {
		err := s.rings.Each(slot, &head.history, ring, func(events int, b []byte) bool {
			_, ok := record.Events(nil, b, events, 0)
			return ok
		})
		if err != nil && !c.add(err) {
			return err
		}
	}
	if head.version < record.Version2 || !s.indexes(slot) {
		return nil
	}
	keys, err := recordKeys(nil, payload, head.version, slot)
	if err != nil {
		return err
	}
	for _, key := range keys {
		found := false
		err := s.tree.Scan(key, func(e tree.Entry) bool { found = e == key; return false })
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
