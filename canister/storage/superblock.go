package storage

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
	"kedge/canister/storage/tree"
)

// The superblock is written whole, twice in the same page: at offset 0 of home and again at 4096. It is
// the only structure without which nothing can be read, so the second copy serves when the first is damaged.
//
//	off  len
//	  0    3  magic "KDG"
//	  3    1  layout version: 1, 2 or 3
//	  4    1  placement: 0 home is pages 0 and 1; else as the legacy store that has them says (see legacy.go)
//	  5    1  index: 0 whole, 1 put aside, 2 being rebuilt (see index.go)
//	  6    2  zero
//	  8    8  first anchor number lo
//	 16    8  end of the anchor range hi, exclusive
//	 24    4  anchors given out; their numbers are lo … lo+n-1
//	 28    4  next extent: the first that was never used
//	 32    4  first extent + 1 of the first run of free extents, 0 for none (see package alloc)
//	 36    4  slots that the rebuilding of the index has done
//	 40   32  salt, all zero while unset
//	 72    8  service time, ns
//	 80    8  time of its last step, ns since the epoch
//	 88   64  four regions (slots, overflow, history, index), 16 bytes each:
//	            0  4  extents of the region
//	            4  4  units ever used (slots: 0)
//	            8  4  first free unit + 1, 0 for none
//	           12  4  number of free units
//	152    4  root node of the index + 1, 0 for none
//	156    4  height of the index, 0 for none
//	160    8  entries of the index when the superblock was last written
//	168    2  migration: number of the step, 0 for none
//	170    1  phase of the step: 0 none, 1 up, 2 down, 3 checking whether it may go down
//	171    1  bit 0 while paused, bit 1: no further step begins after this one
//	172    4  losses that the controller accepted for this step, a bit each
//	176    8  cursor: units of work done, counted by the step itself
//	184    8  total units of work of the step
//	192  256  what the migration from a legacy store keeps (see legacy.go), zero without one
//	448   48  zero
//	496    8  zero; a number of writes in the golden images, which nothing reads
//	504    8  XXH64 of bytes 0 … 503
//
// Layout version 1, of the first release, has no history and no index; their fields are zero. Layout 3 differs
// from layout 2 in its records alone.
const (
	superblockSize   = 512
	superblockMirror = 4096
	superblockMagic  = "KDG"

	// Layout1 is the layout of the first release: records of version 1, no history, no index.
	Layout1 = 1
	// Layout2 has records of version 2, histories and the index.
	Layout2 = 2
	// Layout3 has records of version 3: recovery contacts.
	Layout3 = 3
	// NewestLayout is the present layout. Records of version n came with layout n.
	NewestLayout = Layout3
)

// Phase says in which direction a migration step is under way.
type Phase uint8

// The phases of a step.
const (
	Idle     Phase = 0
	Up       Phase = 1
	Down     Phase = 2
	Checking Phase = 3
)

// Migration is the durable state of the step that is under way.
type Migration struct {
	Step   uint16
	Phase  Phase
	Paused bool
	Stop   bool   // no further step begins after this one
	Losses Loss   // accepted by the controller
	Cursor uint64 // units of work done
	Total  uint64 // units of work in all
}

type superblock struct {
	layout    uint8
	placement uint8
	lo, hi    uint64
	count     uint32
	index     uint8
	built     uint32
	salt      [32]byte
	service   uint64
	stepped   uint64
	alloc     alloc.State
	tree      tree.State
	migration Migration
	legacy    [LegacySize]byte
}

var le = binary.LittleEndian

func (sb *superblock) encode(b *[superblockSize]byte) {
	clear(b[:])
	copy(b[:], superblockMagic)
	b[3], b[4], b[5] = sb.layout, sb.placement, sb.index
	le.PutUint64(b[8:], sb.lo)
	le.PutUint64(b[16:], sb.hi)
	le.PutUint32(b[24:], sb.count)
	le.PutUint32(b[28:], sb.alloc.NextExtent)
	le.PutUint32(b[32:], sb.alloc.FreeExtent)
	le.PutUint32(b[36:], sb.built)
	copy(b[40:], sb.salt[:])
	le.PutUint64(b[72:], sb.service)
	le.PutUint64(b[80:], sb.stepped)
	for i, r := range sb.alloc.Regions {
		at := b[88+16*i:]
		le.PutUint32(at, r.Extents)
		le.PutUint32(at[4:], r.Units)
		le.PutUint32(at[8:], r.Free)
		le.PutUint32(at[12:], r.Freed)
	}
	le.PutUint32(b[152:], sb.tree.Root)
	le.PutUint32(b[156:], sb.tree.Height)
	le.PutUint64(b[160:], sb.tree.Entries)
	m := sb.migration
	le.PutUint16(b[168:], m.Step)
	b[170] = byte(m.Phase)
	if m.Paused {
		b[171] |= 1
	}
	if m.Stop {
		b[171] |= 2
	}
	le.PutUint32(b[172:], uint32(m.Losses))
	le.PutUint64(b[176:], m.Cursor)
	le.PutUint64(b[184:], m.Total)
	copy(b[192:], sb.legacy[:])
	le.PutUint64(b[504:], xxhash.Sum64(b[:504]))
}

// decode reads a superblock, or says why these bytes are none.
func (sb *superblock) decode(b *[superblockSize]byte) error {
	const what = "superblock"
	if string(b[:3]) != superblockMagic {
		return stable.Corrupted(what, "it starts with %q, not %q", b[:3], superblockMagic)
	}
	if want, got := le.Uint64(b[504:]), xxhash.Sum64(b[:504]); want != got {
		return stable.Corrupted(what, "checksum %016x, computed %016x", want, got)
	}
	if b[3] < Layout1 || b[3] > NewestLayout {
		return &UnsupportedError{What: "the memory layout", Version: int(b[3])}
	}
	*sb = superblock{
		layout: b[3], placement: b[4], index: b[5], built: le.Uint32(b[36:]),
		lo: le.Uint64(b[8:]), hi: le.Uint64(b[16:]), count: le.Uint32(b[24:]),
		alloc:   alloc.State{NextExtent: le.Uint32(b[28:]), FreeExtent: le.Uint32(b[32:])},
		salt:    [32]byte(b[40:72]),
		service: le.Uint64(b[72:]), stepped: le.Uint64(b[80:]),
		tree: tree.State{Root: le.Uint32(b[152:]), Height: le.Uint32(b[156:]), Entries: le.Uint64(b[160:])},
		migration: Migration{
			Step: le.Uint16(b[168:]), Phase: Phase(b[170]), Paused: b[171]&1 != 0, Stop: b[171]&2 != 0, Losses: Loss(le.Uint32(b[172:])),
			Cursor: le.Uint64(b[176:]), Total: le.Uint64(b[184:]),
		},
	}
	sb.legacy = [LegacySize]byte(b[192:])
	for i := range sb.alloc.Regions {
		at := b[88+16*i:]
		sb.alloc.Regions[i] = alloc.RegionState{Extents: le.Uint32(at), Units: le.Uint32(at[4:]), Free: le.Uint32(at[8:]), Freed: le.Uint32(at[12:])}
	}
	return sb.check()
}

// check finds what a right checksum does not exclude: a superblock written by faulty code.
func (sb *superblock) check() error {
	const what = "superblock"
	if sb.hi < sb.lo || uint64(sb.count) > sb.hi-sb.lo {
		return stable.Corrupted(what, "%d anchors in the range [%d, %d)", sb.count, sb.lo, sb.hi)
	}
	if sb.index > indexBuilding {
		return stable.Corrupted(what, "index state %d", sb.index)
	}
	if sb.migration.Phase > Checking {
		return stable.Corrupted(what, "migration phase %d", sb.migration.Phase)
	}
	if have := sb.alloc.Regions[slots].Extents; uint64(sb.count) > uint64(have)*kinds[slots].Units() {
		return stable.Corrupted(what, "%d anchors in %d extents of slots", sb.count, have)
	}
	if err := sb.alloc.Check(&kinds); err != nil {
		return stable.Corrupted(what, "%v", err)
	}
	if !sb.tree.Check(sb.alloc.Regions[index].Units) {
		return stable.Corrupted(what, "index root %d, height %d", sb.tree.Root, sb.tree.Height)
	}
	return nil
}

// flush writes the superblock if anything in it has changed.
func (s *Store) flush() error {
	if !s.dirty && !s.alloc.Dirty && !s.tree.Dirty {
		return nil
	}
	s.sb.alloc, s.sb.tree = s.alloc.State, s.tree.State
	s.sb.encode(&s.block)
	for _, off := range [...]uint64{0, superblockMirror} {
		if err := s.alloc.Memory.WriteAt(s.block[:], s.alloc.Home+off); err != nil {
			return fmt.Errorf("write superblock: %w", err)
		}
	}
	s.dirty, s.alloc.Dirty, s.tree.Dirty, s.clock = false, false, false, s.sb.stepped
	return nil
}

// readSuperblock reads the superblock at home, from its second copy when the first is damaged.
func readSuperblock(mem Memory, home uint64) (sb superblock, mirrored bool, err error) {
	var b [superblockSize]byte
	if err := mem.ReadAt(b[:], home); err != nil {
		return sb, false, fmt.Errorf("read superblock: %w", err)
	}
	err = sb.decode(&b)
	if err == nil {
		return sb, false, nil
	}
	if merr := mem.ReadAt(b[:], home+superblockMirror); merr != nil {
		return sb, false, fmt.Errorf("read superblock: %w", merr)
	}
	if sb.decode(&b) == nil {
		return sb, true, nil
	}
	return sb, false, err
}
