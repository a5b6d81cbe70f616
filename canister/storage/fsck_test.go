package storage

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
	"kedge/canister/storage/tree"
)

// run checks a store in messages of so many units of work, and returns what it found and how many it took.
func run(t *testing.T, s *Store, units int) (found []Finding, messages int) {
	t.Helper()
	var c Check
	for done := false; !done; messages++ {
		budget := units
		var err error
		done, err = s.Check(&c, func() bool { budget--; return budget >= 0 })
		require.NoError(t, err)
		require.Less(t, messages, 1000)
	}
	return c.Findings, messages
}

// stored is a store with n anchors of one device each: two entries of the index.
func stored(t *testing.T, n int) *Store {
	t.Helper()
	s := emptyStore(t)
	for i := range n {
		register(t, s, fmt.Sprint("key ", i), nil)
	}
	return s
}

func overwrite(t *testing.T, s *Store, at uint64, b ...byte) {
	t.Helper()
	require.NoError(t, s.alloc.Memory.WriteAt(b, at))
}

// Each damage is found once, whatever the messages, and nothing else is.
func TestCheckFindsEachOnce(t *testing.T) {
	const n = 7
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, s *Store)
		want   []Finding
	}{
		{"none", func(*testing.T, *Store) {}, nil},
		{
			"configuration and state", func(t *testing.T, s *Store) {
				overwrite(t, s, configBlob.at, 0xff, 0xff)
				overwrite(t, s, stateBlob.at, 0xff, 0xff)
			},
			[]Finding{{"configuration", "it would have 65535 bytes, at most 16384"}, {"state", "it would have 65535 bytes, at most 8192"}},
		},
		{"free list of overflow blocks", func(t *testing.T, s *Store) { s.alloc.Regions[overflow].Freed++ }, []Finding{{"free list of overflow", "it does not have the 1 units that it should"}}},
		{"free list of history", func(t *testing.T, s *Store) { s.alloc.Regions[history].Freed++ }, []Finding{{"free list of history", "it does not have the 1 units that it should"}}},
		{"free list of the index", func(t *testing.T, s *Store) { s.alloc.Regions[index].Freed++ }, []Finding{{"free list of index", "it does not have the 1 units that it should"}}},
		{"free extents", func(t *testing.T, s *Store) {
			s.alloc.NextExtent++
			s.alloc.FreeExtent = s.alloc.NextExtent // the last, which begins with no run
			require.NoError(t, stable.GrowTo(s.alloc.Memory, 2+alloc.ExtentPages*uint64(s.alloc.NextExtent)))
		}, []Finding{{"free extent 1", "a run of 0 extents"}}},
		{"an empty place for an extent", func(t *testing.T, s *Store) { s.alloc.Regions[history].Extents++ }, nil},
		{"an entry too many", func(t *testing.T, s *Store) { require.NoError(t, s.tree.Insert(tree.Entry{Key: 1, Order: 1})) }, []Finding{{"index", "it has 15 entries, the anchors have 14"}}},
		{"an entry too few", func(t *testing.T, s *Store) { require.NoError(t, s.tree.Delete(entries(t, s)[0])) }, nil},
		{"aside", func(t *testing.T, s *Store) { require.NoError(t, s.setAside()) }, []Finding{{"index", "it was put aside because it is damaged; rebuild it"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, units := range []int{1, 3, 1000} {
				s := stored(t, n)
				c.damage(t, s)
				if c.name == "an entry too few" {
					c.want = nil
					for number := range uint64(n) {
						if keys := entries(t, s); len(keys) == 2*n-1 {
							raw, err := s.readRaw(uint32(number))
							require.NoError(t, err)
							own, err := recordKeys(nil, raw.payload, raw.head.version, uint32(number))
							require.NoError(t, err)
							for _, k := range own {
								if !contains(keys, k) {
									c.want = append(c.want, Finding{fmt.Sprint("anchor ", 10000+number), "a device is missing from the index"})
								}
							}
						}
					}
					require.Len(t, c.want, 1)
				}
				if c.name == "free extents" {
					c.want[0].What = fmt.Sprint("free extent ", s.alloc.NextExtent-1)
				}
				found, messages := run(t, s, units)
				require.Equal(t, c.want, found, "%d units a message", units)
				work := n + 1 // the index at the end
				if c.name == "aside" {
					work = n
				}
				require.Equal(t, (work+units-1)/units, messages, "%d units a message", units)
			}
		})
	}
}

func contains(keys []tree.Entry, k tree.Entry) bool {
	for _, have := range keys {
		if have == k {
			return true
		}
	}
	return false
}

// Whether the index has as many entries as it should is said only of a run during which nobody edited it.
func TestCheckWhileTheIndexChanges(t *testing.T) {
	s := stored(t, 4)
	require.NoError(t, s.tree.Insert(tree.Entry{Key: 1, Order: 1}))
	var c Check
	budget := 2
	done, err := s.Check(&c, func() bool { budget--; return budget >= 0 })
	require.NoError(t, err)
	require.False(t, done)
	require.NoError(t, s.Write(oneDevice(10000, "another", nil)))
	done, err = s.Check(&c, always)
	require.NoError(t, err)
	require.True(t, done)
	require.Empty(t, c.Findings)

	found, _ := run(t, s, 100)
	require.Equal(t, []Finding{{"index", "it has 9 entries, the anchors have 8"}}, found)
}

// An index of more entries than are read at once is read in as many parts.
func TestCheckReadsTheIndexInParts(t *testing.T) {
	for _, n := range []int{249, 250, 251, 500, 501} { // anchors of two entries each; a part has 500
		s := emptyStore(t)
		require.NoError(t, s.Batch(func() error {
			for i := range n {
				register(t, s, fmt.Sprint("key ", i), nil)
			}
			return nil
		}))
		found, messages := run(t, s, 1)
		require.Empty(t, found)
		parts := (2*n + 499) / 500
		require.Equal(t, n+parts, messages, "%d anchors", n)
		require.NoError(t, s.tree.Insert(tree.Entry{Key: 1 << 62, Order: 1}))
		found, _ = run(t, s, 1)
		require.Equal(t, []Finding{{"index", fmt.Sprintf("it has %d entries, the anchors have %d", 2*n+1, 2*n)}}, found)
	}
}

func TestCheckEndsWithAThousandFindings(t *testing.T) {
	for _, c := range []struct {
		anchors, found int
		position       uint64
	}{{maxFindings - 1, maxFindings - 1, maxFindings - 1}, {maxFindings, maxFindings, maxFindings}, {maxFindings + 5, maxFindings, maxFindings}} {
		s := emptyStore(t)
		for range c.anchors {
			_, err := s.Allocate() // and never written
			require.NoError(t, err)
		}
		var check Check
		done, err := s.Check(&check, always)
		require.NoError(t, err)
		require.True(t, done)
		require.Len(t, check.Findings, c.found)
		require.Equal(t, Finding{"anchor 10000", "its slot was never written"}, check.Findings[0])
		require.Equal(t, c.position, check.Position)
	}
}

// A damaged leaf of the index is found at each anchor whose entries it has, and the run goes on to the end.
func TestCheckOfADamagedIndex(t *testing.T) {
	s := stored(t, 3)
	at, err := s.alloc.Address(index, s.tree.Root-1)
	require.NoError(t, err)
	overwrite(t, s, at+20, 0xff)
	found, _ := run(t, s, 1)
	require.Len(t, found, 3*2+1)
	for _, f := range found {
		require.Contains(t, f.What, "index")
		require.NotContains(t, f.Detail, "missing")
	}
}

// The second copy of the superblock is reported by the first run after opening alone.
func TestCheckReportsTheSecondCopyOnce(t *testing.T) {
	s := stored(t, 2)
	overwrite(t, s, 20, 0xff)
	s, err := Open(s.Memory())
	require.NoError(t, err)
	found, _ := run(t, s, 1)
	require.Equal(t, []Finding{{"superblock", "the first copy is damaged; the second is in use and the next write repairs the first"}}, found)
	found, _ = run(t, s, 1)
	require.Empty(t, found)
}

// Anchors of layout 1 have no history and are in no index; nor is an index rebuilt of a memory in that layout.
func TestLayout1HasNoIndex(t *testing.T) {
	mem := buildGolden(t, Layout1)
	s, err := Open(mem)
	require.NoError(t, err)
	found, _ := run(t, s, 1)
	require.Empty(t, found)
	_, err = s.RebuildIndex(always)
	require.EqualError(t, err, "layout 1 has no index")
	require.Empty(t, entries(t, s))
	h, err := s.History(10000, 0, 10)
	require.NoError(t, err)
	require.Equal(t, &History{}, h)

	s, err = Open(buildGolden(t, Layout2))
	require.NoError(t, err)
	done, err := s.RebuildIndex(always)
	require.NoError(t, err)
	require.True(t, done)
	found, _ = run(t, s, 1)
	require.Empty(t, found)
}

// A rebuild in the middle of the way up leaves out what is still written in version 1.
func TestRebuildOnTheWayUp(t *testing.T) {
	s, err := Open(buildGolden(t, Layout1))
	require.NoError(t, err)
	require.NoError(t, s.Enter(Migration{Phase: Up}))
	done, err := s.RebuildIndex(always)
	require.NoError(t, err)
	require.True(t, done)
	require.Empty(t, entries(t, s))
	require.NoError(t, s.Rewrite(10000))
	require.NotEmpty(t, entries(t, s))
	found, _ := run(t, s, 1)
	require.Empty(t, found)
	before := entries(t, s)
	done, err = s.RebuildIndex(always)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, before, entries(t, s))
}

// During a rebuild the entries of the slots that are done are kept, and no others.
func TestWritesDuringARebuild(t *testing.T) {
	s := stored(t, 4)
	require.NoError(t, s.setAside())
	before := entries(t, s)
	require.NoError(t, s.Write(oneDevice(10001, "written while it is aside", nil)))
	require.Equal(t, before, entries(t, s))
	budget := 2
	done, err := s.RebuildIndex(func() bool { budget--; return budget >= 0 })
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, uint32(2), s.sb.built)
	again, err := Open(s.Memory())
	require.NoError(t, err)
	require.Equal(t, uint32(2), again.sb.built, "the next message goes on from there")
	require.Len(t, entries(t, s), 2*2)
	found, _ := run(t, s, 10)
	require.Equal(t, []Finding{{"index", "it was put aside because it is damaged; rebuild it"}}, found, "what is not in it yet is not missed")
	for slot, want := range []bool{true, true, false, false} {
		require.Equal(t, want, s.indexes(uint32(slot)), "slot %d", slot)
		require.NoError(t, s.Write(oneDevice(10000+uint64(slot), fmt.Sprint("new ", slot), nil)))
	}
	require.Len(t, entries(t, s), 2*2)
	require.NoError(t, s.setAside()) // with slots that were done
	require.False(t, s.indexes(0))
	done, err = s.RebuildIndex(always)
	require.NoError(t, err)
	require.True(t, done)
	found, _ = run(t, s, 1)
	require.Empty(t, found)
	require.Len(t, entries(t, s), 2*4)
}

// A damaged anchor and one whose record is not what its version says are left out of a rebuilt index.
func TestRebuildLeavesDamagedAnchorsOut(t *testing.T) {
	s := stored(t, 4)
	at, err := s.alloc.Address(slots, 1)
	require.NoError(t, err)
	overwrite(t, s, at+60, 0xff)
	malformed(t, s, 2)
	require.NoError(t, s.setAside())
	done, err := s.RebuildIndex(always)
	require.NoError(t, err)
	require.True(t, done)
	require.Len(t, entries(t, s), 2*2)
	found, _ := run(t, s, 1)
	require.Len(t, found, 2)
	require.Equal(t, "anchor 10001", found[0].What)
	require.Equal(t, "anchor 10002", found[1].What)
	require.ErrorContains(t, s.Write(oneDevice(10002, "over it", nil)), "anchor 10002 is corrupted", "its entries are not known")
}

// malformed puts a record into a slot that begins as one of two devices and ends after its head, with a right checksum.
func malformed(t *testing.T, s *Store, slot uint32) {
	t.Helper()
	raw, err := s.readRaw(slot)
	require.NoError(t, err)
	image := append(make([]byte, slotHead2, SlotSize+blockSize), raw.payload[:len(raw.payload)-3]...)
	old, head := *raw, raw.head
	require.NoError(t, s.writeRaw(&old, &head, image))
	_, err = s.Read(s.sb.lo + uint64(slot))
	require.ErrorContains(t, err, "is corrupted")
}

// A chunk of history that is damaged, or for which there is no memory, costs events and never a call.
func TestHistoryNeverFailsACall(t *testing.T) {
	s := stored(t, 1)
	a, err := s.Read(10000)
	require.NoError(t, err)
	write := func(kind identity.EventKind) {
		a.Events = []identity.Event{{Kind: kind}}
		require.NoError(t, s.Write(a))
	}
	write(identity.EventUpdated)
	write(identity.EventGuardOn)
	h, err := s.History(10000, 0, 2)
	require.NoError(t, err)
	require.Len(t, h.Events, 2)

	raw, err := s.readRaw(0)
	require.NoError(t, err)
	at, err := s.alloc.Address(history, raw.head.history.Newest[routine]-1)
	require.NoError(t, err)
	overwrite(t, s, at+20, 0xff, 0xff)
	s, err = Open(s.Memory())
	require.NoError(t, err)
	write(identity.EventUpdated) // is lost, and begins a new ring
	write(identity.EventUpdated)
	h, err = s.History(10000, 0, 10)
	require.NoError(t, err)
	require.Equal(t, [3]uint64{4, 1, 0}, [3]uint64{h.Next, h.LostRoutine, h.LostSecurity})
	require.Equal(t, []uint64{1, 3}, []uint64{h.Events[0].Number, h.Events[1].Number})

	full := s.alloc.Memory.(*RAM)
	limited := &limit{Memory: full}
	s.alloc.Memory = limited
	for s.alloc.Spare(history) > 0 {
		_, err := s.alloc.Take(history)
		require.NoError(t, err)
	}
	s.alloc.Regions[history].Units = s.alloc.Regions[history].Extents * uint32(kinds[history].Units())
	for range 300 {
		write(identity.EventGuardOn)
	}
	h, err = s.History(10000, 0, 1000)
	require.NoError(t, err)
	require.NotZero(t, h.LostSecurity)
	require.Equal(t, uint64(304), h.Next)
	require.Equal(t, uint64(304), uint64(len(h.Events))+h.LostRoutine+h.LostSecurity+1, "one was in the chunk that was left behind")
	require.Equal(t, uint64(1), h.Events[0].Number, "the ring is not given up")
	_, err = s.History(10001, 0, 1)
	require.ErrorAs(t, err, new(*NotFoundError))
	h, err = s.History(10000, 0, 0)
	require.NoError(t, err)
	require.Empty(t, h.Events)
	h, err = s.History(10000, 0, -1)
	require.NoError(t, err)
	require.Empty(t, h.Events)
}

// limit is a memory that does not grow.
type limit struct{ Memory }

func (l *limit) Grow(uint64) error { return fmt.Errorf("grow: %w", ErrFull) }
