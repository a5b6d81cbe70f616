package alloc

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/storage/stable"
)

const (
	small Region = iota
	large
	batched
	none
)

var testKinds = [Regions]Kind{{"small", 1024, 0}, {"large", 4096, 0}, {"batched", 512, 32}, {"none", 2048, 0}}

func emptyAllocator(t require.TestingT) *Allocator {
	mem := stable.NewRAM(0)
	require.NoError(t, mem.Grow(FirstPage))
	a := new(Allocator)
	a.Init(mem, &testKinds)
	return a
}

// Units of another size would overlap, and so would batches that an extent cannot hold whole.
func TestKindsThatCannotBe(t *testing.T) {
	open := func(k Kind) func() {
		kinds := testKinds
		kinds[large] = k
		return func() { new(Allocator).Init(stable.NewRAM(0), &kinds) }
	}
	for _, size := range []uint64{0, 1, 4, 12, 1000, 1025, 3 << 10, ExtentSize - 1, 2 * ExtentSize} {
		require.Panics(t, open(Kind{Name: "odd", UnitSize: size}), "%d bytes", size)
	}
	for _, size := range []uint64{8, 16, 4096, ExtentSize} {
		require.NotPanics(t, open(Kind{Name: "even", UnitSize: size}), "%d bytes", size)
	}
	require.Panics(t, open(Kind{Name: "odd", UnitSize: 512, Batch: 3}))
	require.Panics(t, open(Kind{Name: "odd", UnitSize: ExtentSize / 4, Batch: 8}))
	require.NotPanics(t, open(Kind{Name: "even", UnitSize: ExtentSize / 4, Batch: 4}))
}

func TestFreedRunsAreGivenOutOnce(t *testing.T) {
	for n := uint32(1); n <= 4; n++ {
		s := emptyAllocator(t)
		for range n + 2 {
			_, err := s.takeExtent()
			require.NoError(t, err)
		}
		require.NoError(t, s.FreeExtents(1, n))
		require.NoError(t, s.FreeExtents(0, 1))
		pages := s.Memory.Size()
		seen := map[uint32]bool{}
		for range n + 1 {
			e, err := s.takeExtent()
			require.NoError(t, err)
			require.Less(t, e, n+1)
			require.False(t, seen[e], "extent %d is given out twice", e)
			seen[e] = true
		}
		require.Equal(t, pages, s.Memory.Size())
		e, err := s.takeExtent()
		require.NoError(t, err)
		require.Equal(t, n+2, e, "now a new one")
	}
}

// No unit is given out twice, a freed one is given out again, and every byte of a unit is its own.
func TestUnitsAreDisjoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := emptyAllocator(t)
		owned := map[[2]uint64]bool{} // region and unit
		at := map[uint64][2]uint64{}  // 512-byte block to owner
		claim := func(r Region, unit uint32, take bool) {
			off, err := s.Address(r, unit)
			require.NoError(t, err)
			for b := off; b < off+testKinds[r].UnitSize; b += 512 {
				if take {
					require.NotContains(t, at, b)
					at[b] = [2]uint64{uint64(r), uint64(unit)}
				} else {
					delete(at, b)
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "edits") {
			r := Region(rapid.IntRange(0, 2).Draw(t, "region"))
			var held []uint32
			for k := range owned {
				if k[0] == uint64(r) {
					held = append(held, uint32(k[1]))
				}
			}
			if r == large && len(held) > 0 && rapid.Bool().Draw(t, "free") {
				unit := held[0]
				for _, u := range held {
					unit = min(unit, u)
				}
				claim(r, unit, false)
				delete(owned, [2]uint64{uint64(r), uint64(unit)})
				require.NoError(t, s.Release(r, unit))
				require.NoError(t, s.CheckFree(r))
				continue
			}
			unit, err := s.Take(r)
			require.NoError(t, err)
			require.False(t, owned[[2]uint64{uint64(r), uint64(unit)}])
			owned[[2]uint64{uint64(r), uint64(unit)}] = true
			claim(r, unit, true)
		}
		require.NoError(t, s.Check(&testKinds))
		again := new(Allocator) // opened anew from the same state
		again.Init(s.Memory, &testKinds)
		again.State = s.State
		for k := range owned {
			want, err := s.Address(Region(k[0]), uint32(k[1]))
			require.NoError(t, err)
			got, err := again.Address(Region(k[0]), uint32(k[1]))
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		used, free, err := again.Extents()
		require.NoError(t, err)
		require.Len(t, used, int(s.NextExtent))
		require.Empty(t, free)
	})
}

func TestBatchesOfUnits(t *testing.T) {
	s := emptyAllocator(t)
	for want := range uint32(70) {
		s.Dirty = false
		unit, err := s.Take(batched)
		require.NoError(t, err)
		require.Equal(t, want, unit)
		require.Equal(t, want%32 == 0, s.Dirty, "the state changes once a batch")
	}
	require.Equal(t, uint32(26), s.Spare(batched))
	s.Reset(batched)
	require.Zero(t, s.Spare(batched))
	unit, err := s.Take(batched)
	require.NoError(t, err)
	require.Zero(t, unit)
}

func TestFullRegionAndMemory(t *testing.T) {
	s := emptyAllocator(t)
	s.Regions[small].Extents = RegionExtents
	require.ErrorIs(t, s.Extend(small), stable.ErrFull)
	s.NextExtent = MaxExtents
	require.ErrorIs(t, s.Extend(large), stable.ErrFull)
	_, err := s.Take(large)
	require.ErrorIs(t, err, stable.ErrFull)
}

func TestDamageIsNamed(t *testing.T) {
	s := emptyAllocator(t)
	_, err := s.Address(small, 0)
	require.EqualError(t, err, "reference to small unit 0 is corrupted: the region has 0 extents")
	unit, err := s.Take(large)
	require.NoError(t, err)
	require.NoError(t, s.Release(large, unit))
	at, err := s.Address(large, unit)
	require.NoError(t, err)
	require.NoError(t, s.Memory.WriteAt([]byte{1}, at+4))
	require.EqualError(t, s.CheckFree(large), "free list of large is corrupted: unit 0 is not free")
	_, err = s.Take(large)
	require.EqualError(t, err, "free list of large is corrupted: unit 0 is not free")
	s.Regions[large].Freed = 2
	require.NoError(t, s.Memory.WriteAt([]byte("F"), at+4))
	require.EqualError(t, s.CheckFree(large), "free list of large is corrupted: it does not have the 2 units that it should")

	fresh := new(Allocator)
	fresh.Init(s.Memory, &testKinds)
	fresh.State = s.State
	require.NoError(t, s.Memory.WriteAt([]byte{9}, s.tableEntry(large, 0)))
	_, err = fresh.Address(large, unit)
	require.EqualError(t, err, "extent table entry 0 of large is corrupted: it names extent 8, which is not there")

	require.NoError(t, s.FreeExtents(0, 1))
	require.NoError(t, s.Memory.WriteAt([]byte{77}, Offset(0)+4))
	_, err = s.takeExtent()
	require.EqualError(t, err, "free extent 0 is corrupted: a run of 77 extents")
	require.NoError(t, s.Memory.WriteAt([]byte{0}, Offset(0)+4))
	_, err = s.takeExtent()
	require.EqualError(t, err, "free extent 0 is corrupted: a run of 0 extents")
	_, _, err = s.Extents()
	require.Error(t, err)
	require.Error(t, (&State{Regions: [Regions]RegionState{{Extents: 1, Units: 1 << 20}}}).Check(&testKinds))
	require.Error(t, (&State{Regions: [Regions]RegionState{{Extents: RegionExtents + 1}}}).Check(&testKinds))
	require.Error(t, (&State{Regions: [Regions]RegionState{{Extents: 1, Units: 1, Freed: 2}}}).Check(&testKinds))
}

// The largest numbers that may be are taken, and those one beyond are named.
func TestNumbersAtTheirLimits(t *testing.T) {
	require.NoError(t, (&State{Regions: [Regions]RegionState{{Extents: RegionExtents, Units: 5, Freed: 5}}}).Check(&testKinds))
	a := new(Allocator)
	a.Init(stable.NewRAM(0), &[Regions]Kind{{Name: "named", UnitSize: 8}, {}})
	require.Equal(t, "named", a.Name(0))
	require.Equal(t, "region 1", a.Name(1), "a region without a name")
	require.Equal(t, "region 4", a.Name(Regions), "no region at all")

	s := emptyAllocator(t)
	s.NextExtent = MaxExtents
	require.EqualError(t, s.Extend(large), "canister is full: all 65534 extents are used")

	// Two runs of free extents that together have as many as there can be, and one more.
	s = emptyAllocator(t)
	for range 2 {
		_, err := s.takeExtent()
		require.NoError(t, err)
	}
	require.NoError(t, s.FreeExtents(0, 2))
	require.NoError(t, s.FreeExtents(1, MaxExtents-2))
	_, free, err := s.Extents()
	require.NoError(t, err)
	require.Len(t, free, MaxExtents)
	require.Equal(t, []uint32{1, 2, 3}, free[:3])
	require.Equal(t, []uint32{0, 1}, free[MaxExtents-2:])
	require.NoError(t, s.Memory.WriteAt(le.AppendUint32(nil, MaxExtents-1), Offset(1)+4))
	_, _, err = s.Extents()
	require.EqualError(t, err, "free extent 0 is corrupted: a run of 2 extents")
}

// A free unit may name the region's last unit as the next one, and none behind it. A unit that is not there
// cannot be freed.
func TestFreeUnitsAtTheEnd(t *testing.T) {
	s := emptyAllocator(t)
	for range 3 {
		_, err := s.Take(large)
		require.NoError(t, err)
	}
	require.Equal(t, uint32(1), s.Regions[large].Extents, "three units fit one extent")
	before := s.State
	require.EqualError(t, s.Release(large, 1<<20), "reference to large unit 1048576 is corrupted: the region has 1 extents")
	require.Equal(t, before, s.State)
	require.NoError(t, s.Release(large, 2))
	require.NoError(t, s.Release(large, 0))
	unit, err := s.Take(large)
	require.NoError(t, err)
	require.Equal(t, uint32(0), unit)
	at, err := s.Address(large, 2)
	require.NoError(t, err)
	require.NoError(t, s.Memory.WriteAt([]byte{4}, at))
	_, err = s.Take(large)
	require.EqualError(t, err, "free list of large is corrupted: unit 2 is not free")
}

// A free list that names units that are not there, or more units than are counted, is named.
func TestFreeListsThatCannotBe(t *testing.T) {
	s := emptyAllocator(t)
	for range 2 {
		_, err := s.Take(large)
		require.NoError(t, err)
	}
	require.NoError(t, s.Release(large, 0))
	require.NoError(t, s.Release(large, 1))
	require.NoError(t, s.CheckFree(large))
	s.Regions[large].Freed = 1
	require.EqualError(t, s.CheckFree(large), "free list of large is corrupted: it does not have the 1 units that it should")
	s.Regions[large].Free = 1<<20 + 1
	before := s.State
	const missing = "reference to large unit 1048576 is corrupted: the region has 1 extents"
	require.EqualError(t, s.CheckFree(large), missing)
	_, err := s.Take(large)
	require.EqualError(t, err, missing)
	require.Equal(t, before, s.State)
}

// Remembered entries of the extent table are not read again: each read costs a page.
func TestExtentTableIsReadOnce(t *testing.T) {
	s := emptyAllocator(t)
	reads := stable.NewFaultyOnce(s.Memory, -1)
	s.Memory = reads
	require.NoError(t, s.Extend(small))
	at := reads.Writes()
	for range 3 {
		_, err := s.Address(small, 7)
		require.NoError(t, err)
	}
	require.Equal(t, at, reads.Writes(), "the extent that was just added is known")
	again := new(Allocator)
	again.Init(reads, &testKinds)
	again.State = s.State
	for range 3 {
		_, err := again.Address(small, 7)
		require.NoError(t, err)
	}
	require.Equal(t, at+1, reads.Writes(), "read once")
}

type source struct{ next uint32 }

func (s *source) Take() (uint32, error) { s.next += 3; return s.next, nil }

func TestExtentsOfASource(t *testing.T) {
	s := emptyAllocator(t)
	s.Source = &source{}
	require.NoError(t, stable.GrowTo(s.Memory, FirstPage+10*ExtentPages))
	unit, err := s.Take(small)
	require.NoError(t, err)
	at, err := s.Address(small, unit)
	require.NoError(t, err)
	require.Equal(t, Offset(3), at)
	require.Zero(t, s.NextExtent)
	s.Dirty = false
	require.NoError(t, s.Extend(small))
	require.True(t, s.Dirty, "the region has one more")
}

// Whatever memory refuses is answered, at every access, and every change of the state is said.
func TestFaultAtEveryAccess(t *testing.T) {
	scenario := func(a *Allocator) error {
		for range 3 {
			if _, err := a.Take(large); err != nil {
				return err
			}
		}
		if err := a.Extend(small); err != nil {
			return err
		}
		for unit := range uint32(2) {
			if err := a.Release(large, unit); err != nil {
				return err
			}
		}
		if err := a.CheckFree(large); err != nil {
			return err
		}
		if _, err := a.Take(large); err != nil {
			return err
		}
		a.NextExtent += 3
		if err := stable.GrowTo(a.Memory, FirstPage+uint64(a.NextExtent)*ExtentPages); err != nil {
			return err
		}
		if err := a.FreeExtents(2, 2); err != nil {
			return err
		}
		if err := a.FreeExtents(4, 1); err != nil {
			return err
		}
		if _, free, err := a.Extents(); err != nil || len(free) != 3 {
			return err
		}
		for range 3 {
			if err := a.Extend(small); err != nil {
				return err
			}
		}
		again := new(Allocator)
		again.Init(a.Memory, &testKinds)
		again.State = a.State
		_, err := again.Address(large, 1)
		return err
	}
	a := emptyAllocator(t)
	count := stable.NewFaultyOnce(a.Memory, -1)
	a.Memory = count
	require.NoError(t, scenario(a))
	for n := range count.Writes() {
		a := emptyAllocator(t)
		a.Memory = stable.NewFaultyOnce(a.Memory, n)
		require.ErrorIs(t, scenario(a), stable.ErrFault, "access %d", n)
	}
}

func TestChangesOfTheStateAreSaid(t *testing.T) {
	a := emptyAllocator(t)
	changes := func(what string, f func() error) {
		t.Helper()
		a.Dirty = false
		require.NoError(t, f())
		require.True(t, a.Dirty, what)
	}
	changes("take", func() error { _, err := a.Take(large); return err })
	changes("release", func() error { return a.Release(large, 0) })
	changes("take a free one", func() error { _, err := a.Take(large); return err })
	changes("extend", func() error { return a.Extend(small) })
	changes("a new extent", func() error { _, err := a.takeExtent(); return err })
	changes("free an extent", func() error { return a.FreeExtents(2, 1) })
	changes("take the last free extent", func() error { _, err := a.takeExtent(); return err })
	changes("reset", func() error { a.Reset(large); return nil })
	require.Equal(t, "large", a.Name(large))
	require.Equal(t, "region 9", a.Name(9))
}

// Extents 0 and 128 of a region share a place among the remembered entries; each is found all the same.
func TestMoreExtentsThanAreRemembered(t *testing.T) {
	a := emptyAllocator(t)
	for range knownExtents + 2 {
		require.NoError(t, a.Extend(small))
	}
	for _, ordinal := range []uint32{0, knownExtents, 1, 0, knownExtents + 1, knownExtents, 0} {
		at, err := a.Address(small, ordinal*8192+5)
		require.NoError(t, err)
		require.Equal(t, Offset(ordinal)+5*1024, at)
	}
	used, free, err := a.Extents()
	require.NoError(t, err)
	require.Len(t, used, knownExtents+2)
	require.Empty(t, free)
}
