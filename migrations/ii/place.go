package ii

import (
	"errors"
	"fmt"

	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

// While an Internet Identity memory is on trial its own header keeps page 0, and its layout says where home of
// Kedge's store is and where its extents come from.
//
//	layout   reach of the old layout   extent of home
//	1        8 GiB                     1024
//	3        16 GiB                    2048
//	5, 6     32 GiB                    4096
//	7, 8, 9  any                       the first of memory 100
//
// In layouts 1 to 6 all other extents are above home. In layouts 7 to 9 every extent is a part of a bucket of
// virtual memory 100, which Kedge takes through the memory manager's table. A bucket has 128 pages or a
// multiple, so that several extents may share one.
const (
	raised  = 1 // placement of layouts 1 to 6
	managed = 2 // placement of layouts 7 to 9

	// ownMemory is the virtual memory that Kedge's extents belong to.
	ownMemory = 100
)

// raisedHome is the extent that holds home above layouts 1 to 6; ok is false for every other layout.
func raisedHome(layout uint8) (extent uint32, ok bool) {
	switch layout {
	case 1:
		return 1024, true
	case 3:
		return 2048, true
	case 5, 6:
		return 4096, true
	}
	return 0, false
}

// OpenStore opens the memory of a canister that Kedge runs on, be it on trial or not, and attaches the old
// store. The error wraps [storage.ErrNotKedge] if Kedge never ran on it; others are those of [storage.Open] and [Open].
func OpenStore(mem storage.Memory) (*storage.Store, error) {
	place, err := findPlace(mem)
	if err != nil {
		return nil, err
	}
	if place.Placement == 0 {
		return storage.Open(mem)
	}
	s, err := storage.OpenBeside(mem, place)
	if err != nil {
		return nil, err
	}
	img, err := Open(mem)
	if err != nil {
		return nil, err
	}
	attach(s, img)
	return s, nil
}

// findPlace says where home is, which is nowhere in a memory that Kedge never ran on.
func findPlace(mem storage.Memory) (storage.Place, error) {
	if mem.Size() < alloc.FirstPage {
		return storage.Place{}, fmt.Errorf("%w: it has %d pages", storage.ErrNotKedge, mem.Size())
	}
	var b [4]byte
	if err := mem.ReadAt(b[:], 0); err != nil {
		return storage.Place{}, fmt.Errorf("read page 0: %w", err)
	}
	if string(b[:3]) != magic {
		return storage.Place{}, nil // also when damaged: the second copy of the superblock may serve
	}
	layout := b[3]
	own, isRaised := raisedHome(layout)
	if !isRaised && layout >= 7 {
		m, err := openManager(mem, layout)
		if err != nil {
			return storage.Place{}, err
		}
		buckets, err := m.bucketsOf(ownMemory)
		if err != nil {
			return storage.Place{}, err
		}
		if len(buckets) > 0 {
			return storage.Place{Home: alloc.Offset(m.extent(buckets[0], 0)), Placement: managed, Source: &ownExtents{mem, layout}}, nil
		}
	}
	for _, old := range [...]uint8{1, 3, 5} {
		e, _ := raisedHome(old)
		at := alloc.Offset(e)
		if at+alloc.ExtentSize > mem.Size()*storage.PageSize {
			continue
		}
		if err := mem.ReadAt(b[:3], at); err != nil {
			return storage.Place{}, fmt.Errorf("look for the superblock: %w", err)
		}
		if string(b[:3]) != "KDG" {
			continue
		}
		if isRaised && e == own {
			return storage.Place{Home: at, Placement: raised}, nil
		}
		return storage.Place{}, fmt.Errorf("the memory was on trial beside layout %d of Internet Identity, which is layout %d now: let the old module keep its layout while on trial", old, layout)
	}
	return storage.Place{}, fmt.Errorf("%w: it is Internet Identity's, layout %d", storage.ErrNotKedge, layout)
}

// makePlace finds a place for home beside an old memory on which Kedge never ran.
func makePlace(mem storage.Memory, layout uint8) (storage.Place, error) {
	e, ok := raisedHome(layout)
	if !ok {
		source := &ownExtents{mem, layout}
		e, err := source.Take()
		return storage.Place{Home: alloc.Offset(e), Placement: managed, Source: source}, err
	}
	home := alloc.Offset(e)
	if reach := home / storage.PageSize; mem.Size() > reach {
		return storage.Place{}, fmt.Errorf("the memory has %d pages, more than layout %d can reach (%d): it is not what it seems", mem.Size(), layout, reach)
	}
	return storage.Place{Home: home, Placement: raised, NextExtent: e + 1}, stable.GrowTo(mem, (home+alloc.ExtentSize)/storage.PageSize)
}

// ownExtents takes extents through the memory manager's table. It reads the table each time, as the memory of
// the old records takes buckets through it, too.
type ownExtents struct {
	mem    storage.Memory
	layout uint8
}

// Take implements [alloc.Source].
func (o *ownExtents) Take() (uint32, error) {
	m, err := openManager(o.mem, o.layout)
	if err != nil {
		return 0, err
	}
	size, err := m.size(ownMemory)
	if err != nil {
		return 0, err
	}
	if err := m.grow(ownMemory, size+alloc.ExtentPages); err != nil {
		return 0, err
	}
	buckets, err := m.bucketsOf(ownMemory)
	if err != nil {
		return 0, err
	}
	n := size / alloc.ExtentPages
	return m.extent(buckets[n/m.share()], n%m.share()), nil
}

// leftBy lists the extents that become free when the old store is given up, except home's, and counts all.
func leftBy(s *storage.Store) (free []uint32, total uint32, err error) {
	layout := TrialOf(s).Layout
	if home, ok := raisedHome(layout); ok {
		for e := range home {
			free = append(free, e)
		}
		_, _, total, err = s.Extents()
		return free, total, err
	}
	m, err := openManager(s.Memory(), layout)
	if err != nil {
		return nil, 0, err
	}
	size, err := m.size(ownMemory)
	if err != nil {
		return nil, 0, err
	}
	owners, err := m.owners()
	if err != nil {
		return nil, 0, err
	}
	left := size / alloc.ExtentPages // of ours
	for bucket, owner := range owners {
		for i := range m.share() {
			if owner == ownMemory && left > 0 {
				left--
				continue
			}
			free = append(free, m.extent(uint16(bucket), i))
		}
	}
	return free, uint32(uint64(len(owners)) * m.share()), nil
}

var errManager = errors.New("memory manager of Internet Identity")
