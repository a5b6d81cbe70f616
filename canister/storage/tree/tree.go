package tree

import (
	"cmp"

	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

// Entry is what a tree holds: 16 bytes, ordered as two integers.
type Entry struct{ Key, Order uint64 }

// Compare orders entries.
func (e Entry) Compare(o Entry) int {
	if c := cmp.Compare(e.Key, o.Key); c != 0 {
		return c
	}
	return cmp.Compare(e.Order, o.Order)
}

// Less tells whether e comes before o.
func (e Entry) Less(o Entry) bool { return e.Key < o.Key || e.Key == o.Key && e.Order < o.Order }

// State is what the caller keeps in its superblock.
type State struct {
	Root    uint32 // root node + 1, 0 for none
	Height  uint32 // 0 for none
	Entries uint64
}

// Check finds what cannot be, given how many nodes there are.
func (s State) Check(nodes uint32) bool {
	return (s.Root == 0) == (s.Height == 0) && s.Height <= maxHeight && s.Root <= nodes
}

// Tree is a B-tree of entries. Its errors are [stable.CorruptedError] if a node is damaged, else what memory
// answers. Dirty is set when State has changed so that it must be written before the message ends; the caller
// writes it and clears Dirty.
type Tree struct {
	State
	Dirty bool
	Edits uint64 // since the tree was opened: one for each entry, or for each leaf that a batch changes

	alloc  *alloc.Allocator
	region alloc.Region
	node   [2]node
	cache  map[uint32]*node // see cache.go
	batch  *batching
	edits  [8]edit // room: most changes take away or bring a principal and a credential id
}

// Init makes a tree ready, with the region of its nodes.
func (t *Tree) Init(a *alloc.Allocator, r alloc.Region) { t.alloc, t.region = a, r }

// NodeSize is the size of a unit of a tree's region in bytes.
const NodeSize = nodeSize

// Insert adds an entry unless it is there; in a batch, at its end.
func (t *Tree) Insert(e Entry) error { return t.change(append(t.edits[:0], edit{e, true})) }

// Delete removes an entry if it is there, and the nodes that this empties; in a batch, at its end.
func (t *Tree) Delete(e Entry) error { return t.change(append(t.edits[:0], edit{e, false})) }

// Change turns the entries before into those after; both are sorted. What is in both stays as it is. A leaf that several
// changes concern is read and written once. In a batch, all is done at its end.
func (t *Tree) Change(before, after []Entry) error {
	edits := t.edits[:0]
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].Less(after[0]):
			edits = append(edits, edit{before[0], false})
			before = before[1:]
		case len(before) == 0 || after[0].Less(before[0]):
			edits = append(edits, edit{after[0], true})
			after = after[1:]
		default:
			before, after = before[1:], after[1:]
		}
	}
	return t.change(edits)
}

// change makes edits, which are sorted, or has them wait for the end of a batch.
func (t *Tree) change(edits []edit) error {
	if t.batch == nil {
		return t.apply(edits)
	}
	return t.hold(edits)
}

// DropCache forgets the nodes in RAM.
func (t *Tree) DropCache() { t.cache = nil }

// Clear empties the tree at once: its nodes count as never used.
func (t *Tree) Clear() {
	t.cache = nil
	t.State = State{}
	t.alloc.Reset(t.region)
	if t.batch != nil {
		t.batch.pending = t.batch.pending[:0]
	}
	t.Dirty = true
}

// step is one inner node on the way from the root to a leaf, and the position of the child taken.
type step struct {
	number uint32
	pos    int
}

type path struct {
	steps  [maxHeight]step
	depth  int
	leaf   uint32
	upper  Entry // all entries of the leaf are below, if bounded
	bounds bool
}

// descend reads the leaf that e belongs to into t.node[0], for an edit or for a look-up. There must be a root.
func (t *Tree) descend(e Entry, p *path, edit bool) error {
	number := t.Root - 1
	p.depth, p.bounds = 0, false
	for level := int(t.Height) - 1; level > 0; level-- {
		n, err := t.inner(number, level, edit)
		if err != nil {
			return err
		}
		pos := n.childFor(e)
		if pos < n.count() {
			p.upper, p.bounds = n.at(pos), true
		}
		p.steps[p.depth] = step{number, pos}
		p.depth++
		number = n.child(pos)
	}
	p.leaf = number
	return t.readNode(&t.node[0], number, 0)
}

// Scan shows the entries from e on, in order, until yield returns false.
func (t *Tree) Scan(e Entry, yield func(Entry) bool) error {
	if t.Root == 0 {
		return nil
	}
	var p path
	for {
		if err := t.descend(e, &p, false); err != nil {
			return err
		}
		n := &t.node[0]
		for i := n.search(e); i < n.count(); i++ {
			if !yield(n.at(i)) {
				return nil
			}
		}
		if !p.bounds {
			return nil
		}
		e = p.upper
	}
}

// insertEntry adds an entry that is not there.
func (t *Tree) insertEntry(e Entry) error {
	n, right := &t.node[0], &t.node[1]
	if t.Root == 0 {
		number, err := t.alloc.Take(t.region)
		if err != nil {
			return err
		}
		n.reset(0)
		n.insert(0, e, 0)
		t.Root, t.Height, t.Entries = number+1, 1, 1
		t.Edits++
		return t.writeWholeNode(n, number)
	}
	var p path
	if err := t.descend(e, &p, true); err != nil {
		return err
	}
	at := n.search(e)
	t.Edits++
	t.Entries++ // not worth a write of the superblock
	number, add, child := p.leaf, e, uint32(0)
	for {
		if !n.full() {
			n.insert(at, add, child)
			return t.writeNode(n, number)
		}
		sep := n.split(right)
		other, err := t.alloc.Take(t.region)
		if err != nil {
			return err
		}
		if left := n.count(); add.Less(sep) {
			n.insert(at, add, child)
		} else {
			at -= left
			if n.level() > 0 {
				at-- // the separator between the halves has moved up
			}
			right.insert(at, add, child)
		}
		if err := t.writeWholeNode(n, number); err != nil {
			return err
		}
		if err := t.writeWholeNode(right, other); err != nil {
			return err
		}
		add, child = sep, other
		if p.depth == 0 {
			return t.newRoot(number, sep, other, n.level()+1)
		}
		p.depth--
		up := p.steps[p.depth]
		if err := t.readNode(n, up.number, n.level()+1); err != nil {
			return err
		}
		number, at = up.number, up.pos
	}
}

func (t *Tree) newRoot(left uint32, sep Entry, right uint32, level int) error {
	if level >= maxHeight {
		return stable.Corrupted("index", "it would be %d levels high", level+1)
	}
	number, err := t.alloc.Take(t.region)
	if err != nil {
		return err
	}
	n := &t.node[0]
	n.reset(level)
	n.setFirstChild(left)
	n.insert(0, sep, right)
	t.Root, t.Height = number+1, uint32(level+1)
	return t.writeWholeNode(n, number)
}

// deleteLast removes the only entry of a leaf, and the nodes that this empties.
func (t *Tree) deleteLast(e Entry) error {
	var p path
	if err := t.descend(e, &p, true); err != nil {
		return err
	}
	n := &t.node[0]
	t.Edits++
	t.Entries--
	if err := t.releaseNode(p.leaf); err != nil {
		return err
	}
	for p.depth > 0 {
		p.depth--
		up := p.steps[p.depth]
		if err := t.readNode(n, up.number, n.level()+1); err != nil {
			return err
		}
		if n.count() == 0 { // it had this child alone
			if err := t.releaseNode(up.number); err != nil {
				return err
			}
			continue
		}
		if up.pos == 0 {
			n.setFirstChild(n.child(1))
			n.remove(0)
		} else {
			n.remove(up.pos - 1)
		}
		return t.shrink(n, up.number, p.depth)
	}
	t.Root, t.Height, t.Dirty = 0, 0, true
	return nil
}

// shrink writes an inner node that lost a child; a root with one child left gives way to it.
func (t *Tree) shrink(n *node, number uint32, depth int) error {
	if depth > 0 || n.count() > 0 {
		return t.writeNode(n, number)
	}
	child := n.child(0)
	if err := t.releaseNode(number); err != nil {
		return err
	}
	t.Root, t.Height, t.Dirty = child+1, t.Height-1, true
	return nil
}
