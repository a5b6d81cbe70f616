package ii

import (
	"errors"
	"fmt"

	"kedge/canister/storage/stable"
)

// What the beginning of an entry looks like.
type entryKind int

const (
	entryRecord entryKind = iota // a length, and the beginning of a Candid message
	entryBlank                   // never written
	entryState                   // what the old module keeps behind the last record
	entryOther
)

func (m *Image) entryKind(i uint64) (entryKind, error) {
	var b [8]byte
	if err := m.readAt(b[:], i*uint64(m.EntrySize)); err != nil {
		return 0, err
	}
	switch n := int(le.Uint16(b[:])); {
	case b == [8]byte{}:
		return entryBlank, nil
	case string(b[:4]) == stateMagic:
		return entryState, nil
	case n <= m.MaxPayload() && string(b[2:6]) == "DIDL":
		return entryRecord, nil
	}
	return entryOther, nil
}

// checkCount finds a header whose number of anchors contradicts the records: too high, and anchors would be
// imported that nobody has; too low, and anchors would be lost. A single blank entry at the end is left to
// the report.
func (m *Image) checkCount() error {
	n := uint64(m.Anchors)
	if n == 0 {
		return nil
	}
	var b [1]byte
	if err := m.readAt(b[:], m.entriesEnd()-1); err != nil {
		if errors.Is(err, stable.ErrOutOfBounds) {
			return fmt.Errorf("the header counts %d anchors, whose entries take %d KiB, and the memory ends before the last of them: the memory is cut off, or the count is wrong", n, m.entriesEnd()>>10)
		}
		return fmt.Errorf("read the last entry: %w", err)
	}
	more := uint64(0)
	for ; more < m.MaxAnchors(); more++ {
		kind, err := m.entryKind(n + more)
		if errors.Is(err, stable.ErrOutOfBounds) {
			break
		}
		if err != nil {
			return fmt.Errorf("read behind the last entry: %w", err)
		}
		if kind != entryRecord {
			break
		}
	}
	if more > 0 {
		return fmt.Errorf("the header counts %d anchors, but the records of %d more follow: the count is wrong, and an import would lose the anchors from %d on", n, more, m.Lo+n)
	}
	return m.checkTail(n)
}

// checkTail looks at the last entries for ones that were never written.
func (m *Image) checkTail(n uint64) error {
	const most = maxState / 2048 // entries that an earlier state of the old module can have left bytes in
	written := n                 // entries up to the last record
	blank, others := uint64(0), 0
	for ; written > 0 && others <= most; written-- {
		kind, err := m.entryKind(written - 1)
		if err != nil {
			return fmt.Errorf("read entry %d: %w", written-1, err)
		}
		if kind == entryState {
			return m.neverWritten(n, written-1)
		}
		if kind == entryRecord {
			break
		}
		if kind == entryOther {
			others++
		} else if others == 0 {
			blank++
		}
	}
	switch {
	case blank <= 1: // the others are records that cannot be read, which the report names
		return nil
	case others > 0: // what an earlier state of the old module left
		return fmt.Errorf("the header counts %d anchors, but the last %d entries were never written, so the count is wrong", n, blank)
	}
	return m.neverWritten(n, written)
}

func (m *Image) neverWritten(n, written uint64) error {
	return fmt.Errorf("the header counts %d anchors, but only %d have a record: the last %d entries were never written, so the count is wrong", n, written, n-written)
}
