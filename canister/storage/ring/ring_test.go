package ring

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

const chunks = alloc.Region(1)

var kinds = [alloc.Regions]alloc.Kind{{UnitSize: 512}, {Name: "chunks", UnitSize: ChunkSize, Batch: 32}, {UnitSize: 512}, {UnitSize: 512}}

func emptyRings(t require.TestingT) *Rings {
	mem := stable.NewRAM(0)
	require.NoError(t, mem.Grow(alloc.FirstPage))
	a := new(alloc.Allocator)
	a.Init(mem, &kinds)
	r := new(Rings)
	r.Init(a, chunks, func(owner uint32) string { return fmt.Sprint("owner ", owner) })
	return r
}

// events reads back what Add put in, each with its length before it.
func events(t require.TestingT, r *Rings, owner uint32, h *Head, ring int) (all [][]byte) {
	err := r.Each(owner, h, ring, func(n int, b []byte) bool {
		var chunk [][]byte
		for range n {
			if len(b) == 0 || len(b) < 1+int(b[0]) {
				return false
			}
			chunk, b = append(chunk, append([]byte{}, b[1:1+b[0]]...)), b[1+b[0]:]
		}
		all = append(all, chunk...)
		return len(b) == 0
	})
	require.NoError(t, err)
	return all
}

// A ring has the last events of its owner and loses the oldest alone, whatever others do.
func TestRingsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := emptyRings(t)
		type ringID struct {
			owner uint32
			ring  int
		}
		heads, model := map[uint32]*Head{}, map[ringID][][]byte{}
		for i := range rapid.IntRange(1, 300).Draw(t, "events") {
			id := ringID{uint32(rapid.IntRange(0, 2).Draw(t, "owner")), rapid.IntRange(0, 1).Draw(t, "ring")}
			h := heads[id.owner]
			if h == nil {
				h = new(Head)
				heads[id.owner] = h
			}
			text := append([]byte{byte(i), byte(i >> 8)}, make([]byte, rapid.IntRange(0, 150).Draw(t, "length"))...)
			require.NoError(t, r.Add(id.owner, h, id.ring, append([]byte{byte(len(text))}, text...)))
			model[id] = append(model[id], text)
		}
		for id, all := range model {
			h := heads[id.owner]
			require.LessOrEqual(t, h.Chunks[id.ring], uint8(Chunks))
			kept := events(t, r, id.owner, h, id.ring)
			lost := int(h.Lost[id.ring])
			require.Len(t, kept, len(all)-lost)
			require.ElementsMatch(t, all[lost:], kept)
		}
	})
}

func TestDamagedChunkIsNamed(t *testing.T) {
	r := emptyRings(t)
	h, other := new(Head), new(Head)
	require.NoError(t, r.Add(7, h, 0, []byte{1, 1}))
	require.NoError(t, r.Add(8, other, 0, []byte{1, 2}))
	read := func(owner uint32, h *Head, ring int) error {
		return r.Each(owner, h, ring, func(int, []byte) bool { return true })
	}
	require.NoError(t, read(7, h, 0))
	require.NoError(t, read(7, h, 1), "an empty ring")
	require.EqualError(t, read(7, other, 0), "history of owner 7 is corrupted: chunk 1 is of version 1, ring 0 of owner 8")
	require.ErrorContains(t, read(7, &Head{Newest: [2]uint32{0, 1}}, 1), "ring 0 of owner 7")
	require.EqualError(t, read(7, &Head{Newest: [2]uint32{99, 0}}, 0), "history of owner 7 is corrupted: it names chunk 98 of 32")
	require.EqualError(t, r.Each(7, h, 0, func(int, []byte) bool { return false }), "history of owner 7 is corrupted: the events of chunk 0 do not fill it")

	at, err := r.alloc.Address(chunks, 0)
	require.NoError(t, err)
	flip := func(off uint64, b ...byte) {
		require.NoError(t, r.alloc.Memory.WriteAt(b, at+off))
		require.ErrorContains(t, read(7, h, 0), "history of owner 7 is corrupted")
		require.Error(t, r.Add(7, h, 0, []byte{1, 1}))
	}
	require.EqualError(t, read(7, &Head{Newest: [2]uint32{33, 0}}, 0), "history of owner 7 is corrupted: it names chunk 32 of 32")
	flip(24, 9)
	flip(18, 0, 0)
	flip(18, 0xff, 0xff)
	h.Forget(0)
	require.NoError(t, r.Add(7, h, 0, []byte{1, 3}))
	require.Equal(t, [][]byte{{3}}, events(t, r, 7, h, 0))
}

// A chunk of another version is refused though its checksum is right, and the smallest event, of no bytes, is read.
func TestChunksOfTheirLimits(t *testing.T) {
	r := emptyRings(t)
	h := new(Head)
	require.NoError(t, r.Add(7, h, 0, nil))
	count := 0
	require.NoError(t, r.Each(7, h, 0, func(n int, b []byte) bool { count += n; return len(b) == 0 }))
	require.Equal(t, 1, count)

	r.begin(7, 0, 0)
	r.chunk[16] = 2
	require.NoError(t, r.append(0, []byte{1, 1}))
	require.EqualError(t, r.read(0, 7, 0), "history of owner 7 is corrupted: chunk 0 is of version 2, ring 0 of owner 7")
}

// The arithmetic of a ring, exactly: 488 bytes of events fill a chunk, eight chunks a ring, and then the oldest
// chunk goes with all its events.
func TestRingIsFilledExactly(t *testing.T) {
	r := emptyRings(t)
	h := new(Head)
	event := append([]byte{121}, make([]byte, 121)...) // four fill a chunk
	for i := range 4 * Chunks {
		event[1] = byte(i)
		require.NoError(t, r.Add(1, h, 1, event))
		require.Equal(t, uint8(i/4+1), h.Chunks[1])
		require.Zero(t, h.Lost[1])
	}
	for i := range 9 {
		event[1] = byte(4*Chunks + i)
		require.NoError(t, r.Add(1, h, 1, event))
		require.Equal(t, uint32(4*(i/4+1)), h.Lost[1])
		require.Equal(t, uint8(Chunks), h.Chunks[1])
		kept := events(t, r, 1, h, 1)
		require.Len(t, kept, 4*Chunks+i+1-int(h.Lost[1]))
	}
	require.Zero(t, h.Lost[0])
	require.Equal(t, uint32(32), r.alloc.Regions[chunks].Units)
}

// Whatever memory refuses is answered, at every access.
func TestFaultAtEveryAccess(t *testing.T) {
	scenario := func(r *Rings) error {
		h := new(Head)
		for range 4*Chunks + 6 {
			if err := r.Add(1, h, 0, append([]byte{121}, make([]byte, 121)...)); err != nil {
				return err
			}
		}
		return r.Each(1, h, 0, func(int, []byte) bool { return true })
	}
	r := emptyRings(t)
	count := stable.NewFaultyOnce(r.alloc.Memory, -1)
	r.alloc.Memory = count
	require.NoError(t, scenario(r))
	for n := range count.Writes() {
		r := emptyRings(t)
		r.alloc.Memory = stable.NewFaultyOnce(r.alloc.Memory, n)
		require.ErrorIs(t, scenario(r), stable.ErrFault, "access %d", n)
	}
}

// opened is the rings as they are after an upgrade, when nothing of the extent table is remembered.
func opened(r *Rings, mem stable.Memory) *Rings {
	a := new(alloc.Allocator)
	a.Init(mem, &kinds)
	a.State = r.alloc.State
	again := new(Rings)
	again.Init(a, chunks, r.name)
	return again
}

// What the extent table cannot say is answered, and so is that there is no room for another chunk.
func TestChunksThatCannotBeReached(t *testing.T) {
	r := emptyRings(t)
	h := new(Head)
	event := append([]byte{121}, make([]byte, 121)...)
	for range 4 {
		require.NoError(t, r.Add(1, h, 0, event))
	}
	unread := func() *Rings { return opened(r, stable.NewFaultyOnce(r.alloc.Memory, 0)) }
	require.ErrorIs(t, unread().Each(1, h, 0, func(int, []byte) bool { return true }), stable.ErrFault)
	require.ErrorIs(t, unread().Add(1, h, 0, event), stable.ErrFault)
	require.ErrorIs(t, unread().Add(1, h, 1, event), stable.ErrFault)

	full := opened(r, r.alloc.Memory)
	full.alloc.NextExtent = alloc.MaxExtents
	full.alloc.Regions[chunks].Units = alloc.ExtentSize / ChunkSize
	before := *h
	require.ErrorIs(t, full.Add(1, h, 0, event), stable.ErrFull)
	require.Equal(t, before, *h)
	require.Len(t, events(t, r, 1, h, 0), 4)
}

// Events that come one after the other read their chunk once, and a chunk is never taken for that of another ring, of
// another owner, or for what memory had before Release.
func TestChunkIsReadOnce(t *testing.T) {
	r := emptyRings(t)
	count := stable.NewFaultyOnce(r.alloc.Memory, 1<<30)
	r.alloc.Memory = count
	heads := [2]Head{}
	accesses := func(owner uint32, ring int, text byte) int {
		before := count.Writes()
		require.NoError(t, r.Add(owner, &heads[owner], ring, []byte{1, text}))
		return count.Writes() - before
	}
	for owner := range uint32(2) {
		for ring := range Count {
			require.NoError(t, r.Add(owner, &heads[owner], ring, []byte{1, 0}))
		}
	}
	require.Equal(t, 1, accesses(1, 1, 1), "it is the one written last")
	require.Equal(t, 1, accesses(1, 1, 2))
	require.Equal(t, 2, accesses(1, 0, 1), "another ring")
	require.Equal(t, 2, accesses(0, 0, 1), "another owner")
	r.Release()
	require.Equal(t, 2, accesses(0, 0, 2))
	require.Equal(t, 1, accesses(0, 0, 3))
	require.Equal(t, [][]byte{{0}, {1}, {2}, {3}}, events(t, r, 0, &heads[0], 0))
	require.Equal(t, 2, accesses(0, 0, 4), "a walk reads chunks over it")

	// Heads that name a chunk of somebody else are found out, though it is at hand.
	wrong := Head{Newest: heads[0].Newest}
	require.ErrorContains(t, r.Add(1, &wrong, 0, []byte{1, 1}), "history of owner 1 is corrupted")
	require.Equal(t, 2, accesses(0, 0, 5))
	wrong = Head{Newest: [2]uint32{0, heads[0].Newest[0]}}
	require.ErrorContains(t, r.Add(0, &wrong, 1, []byte{1, 1}), "history of owner 0 is corrupted")
}
