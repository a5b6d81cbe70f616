package tree

import (
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

// numbered is entry i of ascending ones.
func numbered(i int) Entry { return Entry{uint64(i) << 40, 0} }

// grown is a tree of n ascending entries, inserted one by one: each full leaf is left half full.
func grown(t require.TestingT, n int) *Tree {
	s := emptyTree(t)
	for i := range n {
		require.NoError(t, s.Insert(numbered(i)))
	}
	return s
}

// reopened is the tree on other memory with the same contents, with nothing remembered.
func reopened(s *Tree, mem stable.Memory) *Tree {
	kinds := [alloc.Regions]alloc.Kind{nodes: {Name: "index", UnitSize: NodeSize}}
	a := new(alloc.Allocator)
	a.Init(mem, &kinds)
	a.State = s.alloc.State
	again := new(Tree)
	again.Init(a, nodes)
	again.State = s.State
	return again
}

// lastAtHeight is how many ascending entries a tree of this height has at most.
func lastAtHeight(t *testing.T, height uint32) int {
	s := emptyTree(t)
	for i := 0; ; i++ {
		require.NoError(t, s.Insert(numbered(i)))
		if s.Height > height {
			return i
		}
	}
}

// A single access of memory that fails is answered, whichever it is, reads included.
func TestFaultOfOneAccess(t *testing.T) {
	each := func(do func(Entry) error, from, to int) error {
		for i := from; i < to; i++ {
			if err := do(numbered(i)); err != nil {
				return err
			}
		}
		return nil
	}
	full := lastAtHeight(t, 2)
	// A tree of three levels whose right inner node has one leaf with one entry.
	lonely := grown(t, full+1)
	only := lonely.cache[lonely.Root-1].at(0)
	for i := full; only.Less(numbered(i)); i-- {
		require.NoError(t, lonely.Delete(numbered(i)))
	}
	for _, c := range []struct {
		name     string
		base     *Tree
		scenario func(s *Tree) error
	}{
		{"the first leaves", emptyTree(t), func(s *Tree) error { return each(s.Insert, 0, leafMax+2) }},
		{"an inner node is split", grown(t, full), func(s *Tree) error { return s.Insert(numbered(full)) }},
		{"a leaf goes", grown(t, 200), func(s *Tree) error { return each(s.Delete, 0, 64) }},
		{"the last but one goes", grown(t, leafMax+1), func(s *Tree) error { return each(s.Delete, 0, 64) }},
		{"an inner node goes", lonely, func(s *Tree) error { return s.Delete(only) }},
		{"all go", grown(t, leafMax+1), func(s *Tree) error { return each(s.Delete, 0, leafMax+1) }},
		{"a scan", grown(t, 400), func(s *Tree) error { return s.Scan(Entry{}, func(Entry) bool { return true }) }},
		{"an upper node", grown(t, full+1), func(s *Tree) error { return s.Scan(numbered(full), func(Entry) bool { return true }) }},
		{"a batch", grown(t, 200), func(s *Tree) error {
			s.Begin()
			if err := each(s.Delete, 0, 150); err != nil {
				return err
			}
			if err := each(s.Insert, 300, 500); err != nil {
				return err
			}
			return s.End(false)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			image := c.base.alloc.Memory.(*stable.RAM)
			count := stable.NewFaultyOnce(image.Clone(), -1)
			require.NoError(t, c.scenario(reopened(c.base, count)))
			require.NotZero(t, count.Writes())
			for n := range count.Writes() {
				require.ErrorIs(t, c.scenario(reopened(c.base, stable.NewFaultyOnce(image.Clone(), n))), stable.ErrFault, "access %d", n)
			}
		})
	}
}

func TestNodesAreFull(t *testing.T) {
	for _, c := range []struct {
		level, count int
		full         bool
	}{{0, innerMax, false}, {0, leafMax - 1, false}, {0, leafMax, true}, {1, innerMax - 1, false}, {1, innerMax, true}} {
		var n node
		n.reset(c.level)
		le.PutUint16(n[10:], uint16(c.count))
		require.Equal(t, c.full, n.full(), "%+v", c)
	}
}

func TestStatesThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		state State
		nodes uint32
		may   bool
	}{
		{State{}, 0, true},
		{State{Root: 1, Height: 1}, 1, true},
		{State{Root: 5, Height: 12}, 5, true},
		{State{Root: 5, Height: 13}, 5, false},
		{State{Root: 6, Height: 12}, 5, false},
		{State{Root: 1}, 1, false},
		{State{Height: 1}, 1, false},
	} {
		require.Equal(t, c.may, c.state.Check(c.nodes), "%+v of %d nodes", c.state, c.nodes)
	}
	s := emptyTree(t)
	require.NoError(t, s.newRoot(0, Entry{}, 1, maxHeight-1))
	require.Equal(t, uint32(maxHeight), s.Height)
	require.EqualError(t, s.newRoot(0, Entry{}, 1, maxHeight), "index is corrupted: it would be 13 levels high")
}

// Every kind of damage is named, also where the checksum is right.
func TestDamageOfEveryKind(t *testing.T) {
	s := grown(t, 10)
	units := s.alloc.Regions[nodes].Units
	var n node
	require.EqualError(t, s.readNode(&n, units, 0), "index node 1 is corrupted: the index has 1 nodes")
	for _, c := range []struct {
		damage func(n *node)
		says   string
	}{
		{func(n *node) { n[8] = 2 }, "index node 0 is corrupted: it is node 0 of version 2 and level 0, not level 0"},
		{func(n *node) { n[9] = 1 }, "index node 0 is corrupted: it is node 0 of version 1 and level 1, not level 0"},
		{func(n *node) { n[12] = 7 }, "index node 0 is corrupted: it is node 7 of version 1 and level 0, not level 0"},
	} {
		require.NoError(t, s.readNode(&n, 0, 0))
		damaged := n
		c.damage(&damaged)
		number := le.Uint32(damaged[12:])
		at, err := s.alloc.Address(nodes, 0)
		require.NoError(t, err)
		seal(&damaged)
		require.NoError(t, s.alloc.Memory.WriteAt(damaged[:], at))
		var read node
		require.EqualError(t, s.readNode(&read, 0, 0), c.says, "number %d", number)
		require.NoError(t, s.alloc.Memory.WriteAt(n[:], at))
	}
	require.EqualError(t, s.writeNode(&n, 1<<20), "reference to index unit 1048576 is corrupted: the region has 1 extents")
	at, err := s.alloc.Address(nodes, 0)
	require.NoError(t, err)
	require.NoError(t, s.alloc.Memory.WriteAt([]byte{leafMax + 1}, at+10))
	require.EqualError(t, s.readNode(&n, 0, 0), "index node 0 is corrupted: it would have 128 items")

	// A cached node is taken for one of its own level alone.
	s = grown(t, lastAtHeight(t, 2)+1)
	require.NotEmpty(t, s.cache)
	s.Height = 4
	require.ErrorContains(t, s.Insert(Entry{1, 1}), "level 2, not level 3")
}

// seal gives a node the checksum of what it holds.
func seal(n *node) {
	head, item := n.items()
	le.PutUint64(n[:], xxhash.Sum64(n[8:head+n.count()*item]))
}

// accesses counts what a scenario reads and writes.
func accesses(t *testing.T, s *Tree, scenario func() error) int {
	t.Helper()
	memory := s.alloc.Memory
	count := stable.NewFaultyOnce(memory, -1)
	s.alloc.Memory = count
	require.NoError(t, scenario())
	s.alloc.Memory = memory
	return count.Writes()
}

// A batch edits each leaf once and reads each parent once: that is what it is for.
func TestWhatABatchCosts(t *testing.T) {
	batch := func(s *Tree, edits func()) func() error {
		return func() error {
			s.Begin()
			edits()
			return s.End(false)
		}
	}
	s := emptyTree(t)
	require.NoError(t, batch(s, func() {
		for i := range 200 {
			require.NoError(t, s.Insert(numbered(i)))
		}
	})())
	// One entry alone, 126 into its leaf; one that splits it, 62 into the right half; one that splits that, 9 more.
	require.Equal(t, uint64(6), s.Edits)
	require.Equal(t, uint64(200), s.Entries)
	require.NoError(t, batch(s, func() {
		for i := range 200 {
			require.NoError(t, s.Delete(numbered(i)))
		}
	})())
	require.Equal(t, uint64(6+2*3), s.Edits, "all but one of each of three leaves, and then that one")
	require.Zero(t, s.Entries)

	s = grown(t, 4000) // 62 leaves below one root
	leaves := int(s.alloc.Regions[nodes].Units) - 1
	before := s.Edits
	require.Equal(t, 1+2*leaves, accesses(t, s, batch(s, func() {
		for i := 3999; i >= 0; i -= 2 { // in no order that a leaf would like
			require.NoError(t, s.Delete(numbered(i)))
			require.NoError(t, s.Insert(numbered(i-1))) // is there
		}
	})), "the root once, and each leaf read and written")
	require.Equal(t, uint64(leaves), s.Edits-before)
	require.Equal(t, 1+leaves, accesses(t, s, batch(s, func() {
		for i := range 2000 {
			require.NoError(t, s.Insert(numbered(2*i)))
		}
	})), "what changes nothing is not written")

	s = grown(t, leafMax)
	before = s.Edits
	require.NoError(t, batch(s, func() {
		for i := range 10 {
			require.NoError(t, s.Delete(numbered(i)))
		}
	})())
	require.Equal(t, uint64(1), s.Edits-before, "a full leaf has room for deletions")
	require.Len(t, entries(t, s), leafMax-10)

	// Many edits of one bucket are sorted as well.
	s = emptyTree(t)
	for i := range uint64(leafMax + 1) {
		require.NoError(t, s.Insert(Entry{7, 2 * i}))
	}
	before = s.Edits
	require.NoError(t, batch(s, func() {
		for i := range uint64(40) {
			require.NoError(t, s.Delete(Entry{7, 2 * i}))
			require.NoError(t, s.Delete(Entry{7, 200 - 2*i}))
		}
	})())
	require.Equal(t, uint64(2), s.Edits-before, "both leaves once")

	// What waits is bounded.
	s.Begin()
	for i := range maxPending {
		require.Len(t, s.batch.pending, i)
		require.NoError(t, s.Delete(Entry{1, 1}))
	}
	require.Empty(t, s.batch.pending)
	require.NoError(t, s.End(false))
}

// Single edits count as one each, and what changes nothing as none.
func TestEditsAreCounted(t *testing.T) {
	s := emptyTree(t)
	for _, c := range []struct {
		do    func(Entry) error
		e     Entry
		edits uint64
	}{
		{s.Delete, Entry{1, 1}, 0}, {s.Insert, Entry{1, 1}, 1}, {s.Insert, Entry{1, 1}, 1}, {s.Insert, Entry{1, 2}, 2},
		{s.Delete, Entry{1, 3}, 2}, {s.Delete, Entry{1, 1}, 3}, {s.Delete, Entry{1, 2}, 4},
	} {
		require.NoError(t, c.do(c.e))
		require.Equal(t, c.edits, s.Edits)
	}
}

// Upper nodes are read once, by edits and not by scans; leaves and their parents are not kept; what is freed is
// forgotten, and so is everything when the tree is cleared.
func TestWhatIsCached(t *testing.T) {
	s := grown(t, lastAtHeight(t, 2)+1)
	require.Equal(t, uint32(3), s.Height)
	require.Len(t, s.cache, 1, "the root alone is of level 2")
	none := func(Entry) bool { return false }
	scan := func() error { return s.Scan(Entry{1, 1}, none) }
	require.Equal(t, 2, accesses(t, s, scan), "the parent and the leaf")
	s.DropCache()
	require.Equal(t, 3, accesses(t, s, scan))
	require.Empty(t, s.cache)
	require.NoError(t, s.Insert(numbered(0)))
	require.Len(t, s.cache, 1)
	require.Equal(t, 2, accesses(t, s, scan))

	var n node
	n.reset(2)
	s.remember(&n, 900)
	kept := s.cache[900]
	s.remember(&n, 901)
	s.remember(&n, 900)
	require.Same(t, kept, s.cache[900])
	require.Len(t, s.cache, 3)
	s.cache[0] = kept
	require.NoError(t, s.releaseNode(0))
	require.NotContains(t, s.cache, uint32(0))

	s.Dirty = false
	s.Clear()
	require.Nil(t, s.cache)
	require.True(t, s.Dirty)
	require.Zero(t, s.alloc.Regions[nodes].Units)
	require.Equal(t, State{}, s.State)
}

// Behind what a node uses there is nothing: no deleted entry stays in memory. A root with one child gives way.
func TestNothingIsLeftBehind(t *testing.T) {
	s := grown(t, lastAtHeight(t, 2)+1)
	clean := func() {
		t.Helper()
		for number := range s.alloc.Regions[nodes].Units {
			at, err := s.alloc.Address(nodes, number)
			require.NoError(t, err)
			var n node
			require.NoError(t, s.alloc.Memory.ReadAt(n[:], at))
			if le.Uint32(n[4:]) == 0x45455246 { // a free unit
				continue
			}
			head, item := n.items()
			for _, b := range n[head+n.count()*item:] {
				require.Zero(t, b, "node %d", number)
			}
		}
	}
	clean()
	for i := range 1000 {
		require.NoError(t, s.Delete(numbered(i*5)))
	}
	clean()

	s = grown(t, leafMax+1)
	require.Equal(t, uint32(2), s.Height)
	for i := range 63 {
		require.NoError(t, s.Delete(numbered(i)))
	}
	require.Equal(t, uint32(1), s.Height)
	require.Len(t, entries(t, s), 65)
}
