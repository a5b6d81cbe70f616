package ii

import (
	"fmt"

	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

// Layouts 7 to 9 have a memory manager (dfinity/stable-structures), which divides stable memory from page 2 on
// into buckets and gives each to a virtual memory. Its table is page 1:
//
//	off  len
//	  0    3  "MGR"
//	  3    1  version, 1
//	  4    2  buckets allocated
//	  6    2  pages of a bucket: 128 by default, 1,024 in some canisters
//	  8   32  reserved
//	 40 2040  size in pages of each of 255 memories, u64
//	2080 32768 owner of each bucket, 0xFF for none
const (
	managerAt      = storage.PageSize
	managerMagic   = "MGR\x01"
	managerSizes   = 40
	managerOwners  = 2080
	managerBuckets = 32768
	freeBucket     = 0xff
)

// manager is the head of the table.
type manager struct {
	mem     storage.Memory
	buckets uint16 // allocated
	pages   uint16 // of a bucket
}

// openManager reads the head of the table, and finds what cannot be.
func openManager(mem storage.Memory, layout uint8) (*manager, error) {
	if mem.Size() < alloc.FirstPage {
		return nil, fmt.Errorf("the memory is cut off: layout %d has a %w in its second page, and there are %d pages", layout, errManager, mem.Size())
	}
	var h [8]byte
	if err := mem.ReadAt(h[:], managerAt); err != nil {
		return nil, fmt.Errorf("read %w: %w", errManager, err)
	}
	if string(h[:4]) != managerMagic {
		return nil, fmt.Errorf("the table of the memory manager, in the second page, begins with %q; in layout %d it begins with \"MGR\\x01\": that page is damaged, or the header in the first one is", h[:4], layout)
	}
	m := &manager{mem: mem, buckets: le.Uint16(h[4:]), pages: le.Uint16(h[6:])}
	if m.pages == 0 || m.pages%alloc.ExtentPages != 0 || m.buckets > managerBuckets {
		return nil, fmt.Errorf("the memory manager has %d buckets of %d pages: this build knows buckets of %d pages and multiples of them", m.buckets, m.pages, alloc.ExtentPages)
	}
	if want := m.end(m.buckets); want > mem.Size() {
		return nil, fmt.Errorf("the memory is cut off: the memory manager has %d buckets of %d pages, which end at page %d, and there are %d pages; take the backup again", m.buckets, m.pages, want, mem.Size())
	}
	return m, nil
}

// check finds where the table contradicts itself: a bucket behind those that are allocated that has an owner, which
// the next bucket to be taken would be written over, and a virtual memory whose buckets are not as many as its size
// takes, whose records would be read from the wrong place.
func (m *manager) check() error {
	table := make([]byte, managerOwners+managerBuckets)
	if err := m.mem.ReadAt(table, managerAt); err != nil {
		return fmt.Errorf("read %w: %w", errManager, err)
	}
	const damaged = "the table of the memory manager, in the second page, is damaged: "
	var owned [freeBucket]uint64
	for i, owner := range table[managerOwners:] {
		switch {
		case owner == freeBucket: // also of one that was given back
		case i >= int(m.buckets):
			return fmt.Errorf(damaged+"it counts %d buckets, and bucket %d belongs to virtual memory %d", m.buckets, i, owner)
		default:
			owned[owner]++
		}
	}
	for id, have := range owned {
		size := le.Uint64(table[managerSizes+8*id:])
		want := size / uint64(m.pages)
		if size%uint64(m.pages) != 0 {
			want++
		}
		if have != want {
			return fmt.Errorf(damaged+"virtual memory %d has %d pages, which take %d buckets of %d pages, and has %d buckets", id, size, want, m.pages, have)
		}
	}
	return nil
}

// bucketBytes is the size of a bucket in bytes.
func (m *manager) bucketBytes() uint64 { return uint64(m.pages) * storage.PageSize }

// share is how many extents a bucket has.
func (m *manager) share() uint64 { return uint64(m.pages) / alloc.ExtentPages }

// extent is the i-th extent of a bucket.
func (m *manager) extent(bucket uint16, i uint64) uint32 { return uint32(uint64(bucket)*m.share() + i) }

// end is the page behind the first n buckets.
func (m *manager) end(n uint16) uint64 { return alloc.FirstPage + uint64(n)*uint64(m.pages) }

// owners returns the owner of each bucket that is allocated.
func (m *manager) owners() ([]byte, error) {
	b := make([]byte, m.buckets)
	if err := m.mem.ReadAt(b, managerAt+managerOwners); err != nil {
		return nil, fmt.Errorf("read %w: %w", errManager, err)
	}
	return b, nil
}

// bucketsOf lists the buckets of a virtual memory, in order.
func (m *manager) bucketsOf(id byte) (buckets []uint16, err error) {
	owners, err := m.owners()
	if err != nil {
		return nil, err
	}
	for i, owner := range owners {
		if owner == id {
			buckets = append(buckets, uint16(i))
		}
	}
	return buckets, nil
}

// size is the size of a virtual memory in pages.
func (m *manager) size(id byte) (uint64, error) {
	var b [8]byte
	if err := m.mem.ReadAt(b[:], managerAt+managerSizes+8*uint64(id)); err != nil {
		return 0, fmt.Errorf("read %w: %w", errManager, err)
	}
	return le.Uint64(b[:]), nil
}

// grow makes a virtual memory at least so many pages long. New buckets are the next ones, as the memory
// manager itself takes them.
func (m *manager) grow(id byte, pages uint64) error {
	size, err := m.size(id)
	if err != nil || size >= pages {
		return err
	}
	have, err := m.bucketsOf(id)
	if err != nil {
		return err
	}
	for n := uint64(len(have)); n*uint64(m.pages) < pages; n++ {
		if m.buckets >= managerBuckets {
			return fmt.Errorf("%w: all %d buckets of the memory manager are allocated", storage.ErrFull, managerBuckets)
		}
		if err := stable.GrowTo(m.mem, m.end(m.buckets+1)); err != nil {
			return err
		}
		if err := m.write([]byte{id}, managerOwners+uint64(m.buckets)); err != nil {
			return err
		}
		m.buckets++
		if err := m.write(le.AppendUint16(nil, m.buckets), 4); err != nil {
			return err
		}
	}
	return m.write(le.AppendUint64(nil, pages), managerSizes+8*uint64(id))
}

func (m *manager) write(b []byte, off uint64) error {
	if err := m.mem.WriteAt(b, managerAt+off); err != nil {
		return fmt.Errorf("write %w: %w", errManager, err)
	}
	return nil
}
