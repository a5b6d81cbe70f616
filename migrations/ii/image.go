package ii

import (
	"encoding/binary"
	"errors"
	"fmt"

	"kedge/canister/storage"
	"kedge/canister/storage/stable"
)

const (
	headerSize   = 66
	entryHead    = 2
	earlyEntries = 512
	lateEntries  = 2 * storage.PageSize

	magic         = "IIC"
	anchorsMemory = 0  // the entries
	mapMemory     = 16 // the map of anchors of the builds since 2025
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

// Image is the stable memory of an Internet Identity canister (dfinity/internet-identity, storage.rs).
type Image struct {
	Layout    uint8    // 1, 3, 5, 6, 7, 8 or 9
	Anchors   uint32   // how many have been given out
	Lo, Hi    uint64   // their numbers are in [Lo, Hi)
	EntrySize uint16   // in bytes
	Salt      [32]byte // zeros while there is none

	mem     storage.Memory
	manager *manager // nil in layouts without one
	entries virtual
	mapped  *stableMap // of virtual memory 16, nil if it has no anchor
	reused  *reused
}

// Open reads the header of a memory and finds its entries. It fails with an error that wraps [ErrNotII], with a
// [RefusedError], or with a text that says what is cut off or contradicts itself.
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
	case string(h[:3]) != magic:
		return nil, fmt.Errorf("%w: it begins with %q, where Internet Identity's begins with \"IIC\": it is another canister's, or its first bytes are damaged", ErrNotII, h[:3])
	}
	m := &Image{
		Layout: h[3], Anchors: le.Uint32(h[4:]), Lo: le.Uint64(h[8:]), Hi: le.Uint64(h[16:]),
		EntrySize: le.Uint16(h[24:]), Salt: [32]byte(h[26:58]), mem: mem,
	}
	switch m.Layout {
	case 1:
		m.entries = virtual{mem: mem, base: earlyEntries}
	case 3, 5, 6:
		m.entries = virtual{mem: mem, base: lateEntries}
		if err := m.checkUnmanaged(); err != nil {
			return nil, err
		}
	case 7, 8, 9:
		manager, err := openManager(mem, m.Layout)
		if err != nil {
			return nil, err
		}
		if err := manager.check(); err != nil {
			return nil, err
		}
		m.manager = manager
		if m.entries, err = manager.virtual(anchorsMemory); err != nil {
			return nil, err
		}
		if err := m.checkState(); err != nil {
			return nil, err
		}
		if m.Layout == 9 {
			if err := m.openMap(manager); err != nil {
				return nil, err
			}
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

// checkUnmanaged finds a header that names a layout without a memory manager on a memory that has one. The second
// page of such a layout is not used.
func (m *Image) checkUnmanaged() error {
	var b [len(managerMagic)]byte
	switch err := m.mem.ReadAt(b[:], managerAt); {
	case errors.Is(err, stable.ErrOutOfBounds):
		return nil // there is no second page, and no anchor
	case err != nil:
		return fmt.Errorf("read the second page: %w", err)
	case string(b[:]) == managerMagic:
		return fmt.Errorf("the header is damaged: it names layout %d, which has no memory manager, and the second page is the table of one, as in layouts 7 to 9", m.Layout)
	}
	return nil
}

// checkState finds a header that names another layout than the one by which the old module kept its state: behind the
// last entry in layouts 7 and 8, in virtual memory 2 in layout 9.
func (m *Image) checkState() error {
	size, err := m.manager.size(stateMemory)
	if err != nil {
		return err
	}
	if m.Layout < 9 {
		if size > 0 {
			return fmt.Errorf("the header is damaged: it names layout %d, and virtual memory %d has %d pages, which is where layout 9 keeps its state", m.Layout, stateMemory, size)
		}
		return nil
	}
	if size > 0 {
		return nil
	}
	var b [len(stateMagic)]byte
	switch err := m.readAt(b[:], m.entriesEnd()); {
	case errors.Is(err, stable.ErrOutOfBounds):
		return nil // nothing is behind the last entry
	case err != nil:
		return fmt.Errorf("read behind the last entry: %w", err)
	case string(b[:]) == stateMagic:
		return fmt.Errorf("the header is damaged: it names layout 9, and the old module's state is behind the last entry, where layouts up to 8 keep it, and nowhere else")
	}
	return nil
}

func (m *Image) entrySize() uint16 {
	if m.Layout == 1 {
		return 2048
	}
	return 4096
}

// MaxPayload is the greatest length of an anchor's record in bytes.
func (m *Image) MaxPayload() int { return int(m.EntrySize) - entryHead }

// MaxAnchors is the most anchors that the layout has room for.
func (m *Image) MaxAnchors() uint64 {
	switch {
	case m.Layout <= 3:
		return 3_774_873
	case m.Layout <= 7:
		return 8_178_860
	}
	return 67_106_816
}

func (m *Image) readAt(p []byte, off uint64) error { return m.entries.readAt(p, off) }

func (m *Image) writeAt(p []byte, off uint64) error { return m.entries.writeAt(p, off) }

func (m *Image) entriesEnd() uint64 { return uint64(m.Anchors) * uint64(m.EntrySize) }

// Entry returns the record of the i-th anchor, counted from 0; empty if none was written. It fails, with the anchor's
// number, for one that the header does not have, and for a record that would be longer than its entry.
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

// State returns the bytes that an old module keeps behind the last entry over an upgrade, their header of 12 bytes
// included, 2 MiB at most; nil if there are none (layout 9, and early builds of layout 1). It fails for more, and where
// the memory ends before them.
func (m *Image) State() ([]byte, error) {
	if m.Layout == 9 {
		return nil, nil
	}
	var h [stateHead]byte
	if err := m.readAt(h[:], m.entriesEnd()); err != nil {
		if errors.Is(err, stable.ErrOutOfBounds) {
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
