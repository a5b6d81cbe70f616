package ii

import (
	"encoding/binary"
	"errors"
	"fmt"

	"kedge/canister/storage"
)

const (
	headerSize   = 66
	entryHead    = 2
	earlyEntries = 512
	lateEntries  = 2 * storage.PageSize
	bucketSize   = storage.ExtentPages * storage.PageSize

	managerAt     = storage.PageSize
	managerSizes  = 40
	managerOwners = 2080
	freeBucket    = 0xff
	anchorsMemory = 0
	cborMemory    = 16 // the map of anchors of late layout 9
)

var le = binary.LittleEndian

// ErrNotII is wrapped when a memory does not begin with Internet Identity's header.
var ErrNotII = errors.New("not a memory of Internet Identity")

// RefusedError says that a memory is Internet Identity's but is not imported, why, and what to do.
// Nothing has been changed.
type RefusedError struct {
	Layout uint8
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("layout %d of Internet Identity is not imported: %s; nothing was changed", e.Layout, e.Reason)
}

// Image is the stable memory of an Internet Identity canister.
type Image struct {
	Layout    uint8
	Anchors   uint32
	Lo, Hi    uint64
	EntrySize uint16
	Salt      [32]byte

	mem     storage.Memory
	buckets []uint16 // of memory 0, in layouts 7 to 9
	reused  *reused
}

// Open reads the header of a memory and finds its entries. It fails with [ErrNotII], with [RefusedError],
// or with an error that says what contradicts itself.
func Open(mem storage.Memory) (*Image, error) {
	if mem.Size() == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrNotII)
	}
	var h [headerSize]byte
	if err := mem.ReadAt(h[:], 0); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	switch {
	case string(h[:3]) == "KDG":
		return nil, fmt.Errorf("%w: it is Kedge's own already (it begins with \"KDG\"), so there is nothing to import", ErrNotII)
	case string(h[:3]) != "IIC":
		return nil, fmt.Errorf("%w: it begins with %q, where Internet Identity's begins with \"IIC\": it is another canister's, or its first bytes are damaged", ErrNotII, h[:3])
	}
	m := &Image{
		Layout: h[3], Anchors: le.Uint32(h[4:]), Lo: le.Uint64(h[8:]), Hi: le.Uint64(h[16:]),
		EntrySize: le.Uint16(h[24:]), Salt: [32]byte(h[26:58]), mem: mem,
	}
	switch m.Layout {
	case 1, 3, 5, 6:
	case 7, 8, 9:
		if err := m.openManager(); err != nil {
			return nil, err
		}
	case 2, 4:
		return nil, &RefusedError{m.Layout, "it is half way through a conversion of its own; install the old module again with a migration batch size above 0, write to any anchor until stats says that the conversion is finished, then come back"}
	default:
		return nil, &RefusedError{m.Layout, fmt.Sprintf("unsupported header version: %d", m.Layout)}
	}
	if want := m.entrySize(); m.EntrySize != want {
		return nil, fmt.Errorf("the header is damaged: it says that an entry has %d bytes; in layout %d every entry has %d", m.EntrySize, m.Layout, want)
	}
	if m.Hi < m.Lo || uint64(m.Anchors) > m.Hi-m.Lo {
		return nil, fmt.Errorf("the header is damaged: it counts %d anchors in the range [%d, %d)", m.Anchors, m.Lo, m.Hi)
	}
	if err := m.checkCount(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Image) entrySize() uint16 {
	if m.Layout == 1 {
		return 2048
	}
	return 4096
}

// MaxPayload is the greatest length of an anchor's record in bytes.
func (m *Image) MaxPayload() int { return int(m.EntrySize) - entryHead }

// MaxAnchors is the most anchors that the layout has room for (ii.md 4.2).
func (m *Image) MaxAnchors() uint64 {
	switch {
	case m.Layout <= 3:
		return 3_774_873
	case m.Layout <= 7:
		return 8_178_860
	}
	return 67_106_816
}

// openManager reads the table of the memory manager.
func (m *Image) openManager() error {
	if m.mem.Size() < 2 {
		return fmt.Errorf("layout %d has no page for its memory manager", m.Layout)
	}
	var h [8]byte
	if err := m.mem.ReadAt(h[:], managerAt); err != nil {
		return fmt.Errorf("read memory manager: %w", err)
	}
	if string(h[:4]) != "MGR\x01" {
		return fmt.Errorf("the table of the memory manager, in the second page, begins with %q; in layout %d it begins with \"MGR\\x01\": that page is damaged, or the header in the first one is", h[:4], m.Layout)
	}
	buckets, pages := uint64(le.Uint16(h[4:])), uint64(le.Uint16(h[6:]))
	if pages != storage.ExtentPages {
		return fmt.Errorf("the memory manager has buckets of %d pages; this build reads those of %d", pages, storage.ExtentPages)
	}
	if want := 2 + buckets*pages; want > m.mem.Size() {
		return fmt.Errorf("the memory is cut off: the memory manager has %d buckets of %d pages, which end at page %d, and there are %d pages; take the backup again", buckets, pages, want, m.mem.Size())
	}
	if m.Layout == 9 {
		held, err := m.heldInMap()
		if err != nil {
			return err
		}
		if held {
			return &RefusedError{m.Layout, "its anchors are in a map in virtual memory 16 (builds since November 2025), which no reader here knows yet; those in memory 0 are stale and were not read"}
		}
	}
	m.buckets = nil
	var owners [1024]byte
	for at := 0; at < int(le.Uint16(h[4:])); at += len(owners) {
		part := owners[:min(len(owners), int(le.Uint16(h[4:]))-at)]
		if err := m.mem.ReadAt(part, managerAt+managerOwners+uint64(at)); err != nil {
			return fmt.Errorf("read memory manager: %w", err)
		}
		for i, owner := range part {
			if owner == anchorsMemory {
				m.buckets = append(m.buckets, uint16(at+i))
			}
		}
	}
	return nil
}

// heldInMap tells whether virtual memory 16 has a map with anything in it. A map begins with "BTR", and its
// length is at 20. Whatever else is there counts as holding anchors.
func (m *Image) heldInMap() (bool, error) {
	var b [8]byte
	if err := m.mem.ReadAt(b[:], managerAt+managerSizes+8*cborMemory); err != nil {
		return false, fmt.Errorf("read memory manager: %w", err)
	}
	if le.Uint64(b[:]) == 0 {
		return false, nil
	}
	var owners [1024]byte
	for at := uint64(0); at < 32768; at += uint64(len(owners)) {
		if err := m.mem.ReadAt(owners[:], managerAt+managerOwners+at); err != nil {
			return false, fmt.Errorf("read memory manager: %w", err)
		}
		for i, owner := range owners {
			if owner != cborMemory {
				continue
			}
			var head [28]byte
			if err := m.mem.ReadAt(head[:], lateEntries+(at+uint64(i))*bucketSize); err != nil {
				return false, fmt.Errorf("read virtual memory 16: %w", err)
			}
			return string(head[:3]) != "BTR" || le.Uint64(head[20:]) != 0, nil
		}
	}
	return true, nil
}

// spans calls do for each contiguous piece of n bytes at an offset counted from the first entry.
func (m *Image) spans(off uint64, n int, do func(raw uint64, from, to int) error) error {
	if m.buckets == nil && m.Layout < 7 {
		base := uint64(lateEntries)
		if m.Layout == 1 {
			base = earlyEntries
		}
		return do(base+off, 0, n)
	}
	for from := 0; from < n; {
		b, at := (off+uint64(from))/bucketSize, (off+uint64(from))%bucketSize
		if b >= uint64(len(m.buckets)) {
			return fmt.Errorf("offset %d of virtual memory 0: %w", off, storage.ErrOutOfBounds)
		}
		to := min(n, from+int(bucketSize-at))
		if err := do(lateEntries+uint64(m.buckets[b])*bucketSize+at, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (m *Image) readAt(p []byte, off uint64) error {
	return m.spans(off, len(p), func(raw uint64, from, to int) error { return m.mem.ReadAt(p[from:to], raw) })
}

func (m *Image) writeAt(p []byte, off uint64) error {
	return m.spans(off, len(p), func(raw uint64, from, to int) error { return m.mem.WriteAt(p[from:to], raw) })
}

func (m *Image) entriesEnd() uint64 { return uint64(m.Anchors) * uint64(m.EntrySize) }

// Entry returns the record of the i-th anchor, empty if none was written. A record that would be longer
// than its entry is an error that names the anchor.
func (m *Image) Entry(i uint32) ([]byte, error) { return m.entryInto(nil, i) }

// entryInto is Entry into the given room, if that is enough.
func (m *Image) entryInto(room []byte, i uint32) ([]byte, error) {
	if i >= m.Anchors {
		return nil, fmt.Errorf("anchor %d: the header has %d anchors from %d on", m.Lo+uint64(i), m.Anchors, m.Lo)
	}
	head := room
	if len(head) < entryHead {
		head = make([]byte, entryHead)
	}
	head = head[:entryHead]
	at := uint64(i) * uint64(m.EntrySize)
	if err := m.readAt(head, at); err != nil {
		return nil, fmt.Errorf("anchor %d: %w", m.Lo+uint64(i), err)
	}
	n := int(le.Uint16(head))
	if n > m.MaxPayload() {
		return nil, fmt.Errorf("anchor %d: its record would have %d bytes, an entry holds %d", m.Lo+uint64(i), n, m.MaxPayload())
	}
	b := room
	if len(b) < n {
		b = make([]byte, n)
	}
	b = b[:n:n]
	if err := m.readAt(b, at+entryHead); err != nil {
		return nil, fmt.Errorf("anchor %d: %w", m.Lo+uint64(i), err)
	}
	return b, nil
}

const (
	stateMagic = "IIPS"
	stateHead  = 12
	maxState   = 2 << 20
)

// State returns the bytes that an old module keeps behind the last entry over an upgrade, header
// included; nil if there are none (layout 9, and early builds of layout 1).
func (m *Image) State() ([]byte, error) {
	if m.Layout == 9 {
		return nil, nil
	}
	var h [stateHead]byte
	if err := m.readAt(h[:], m.entriesEnd()); err != nil {
		if errors.Is(err, storage.ErrOutOfBounds) {
			return nil, nil
		}
		return nil, fmt.Errorf("read persistent state: %w", err)
	}
	if string(h[:4]) != stateMagic {
		return nil, nil
	}
	n := le.Uint64(h[4:])
	if n > maxState {
		return nil, fmt.Errorf("persistent state would have %d bytes, at most %d", n, maxState)
	}
	b := make([]byte, stateHead+n)
	if err := m.readAt(b, m.entriesEnd()); err != nil {
		return nil, fmt.Errorf("read persistent state of %d bytes: %w", n, err)
	}
	return b, nil
}
