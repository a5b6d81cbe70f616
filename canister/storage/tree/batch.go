package tree

import (
	"slices"
)

// edit is one edit that waits for the end of a batch.
type edit struct {
	e      Entry
	insert bool
}

// maxPending is how many edits wait at most, 6 MiB of them: about as many as one batch makes.
const maxPending = 1 << 18

// batching is what a store has while a batch runs.
type batching struct {
	pending []edit
	sorted  []edit
	inner   [maxHeight]struct { // the inner nodes read last, by level
		number uint32 // + 1
		node   node
	}
}

// Begin begins a batch: edits wait until its end and are then made in the order of the entries, leaf by leaf,
// which costs a fraction of making them as they come. A scan does not see those that wait.
func (t *Tree) Begin() { t.batch = new(batching) }

// Batching tells whether a batch is under way.
func (t *Tree) Batching() bool { return t.batch != nil }

// End ends a batch. After an error of its own the caller drops the batch; else the edits that wait are made.
func (t *Tree) End(drop bool) error {
	var err error
	if !drop {
		err = t.applyHeld()
	}
	t.batch = nil
	return err
}

// hold keeps edits for the end of the batch.
func (t *Tree) hold(edits []edit) error {
	t.batch.pending = append(t.batch.pending, edits...)
	if len(t.batch.pending) < maxPending {
		return nil
	}
	return t.applyHeld()
}

// applyHeld makes the edits that wait. After an error none waits any more.
func (t *Tree) applyHeld() error {
	edits := t.batch.sort()
	t.batch.pending = t.batch.pending[:0]
	return t.apply(edits)
}

// apply makes edits, which are sorted, leaf by leaf.
func (t *Tree) apply(edits []edit) error {
	for len(edits) > 0 {
		n, err := t.applyToLeaf(edits)
		if err != nil {
			return err
		}
		edits = edits[n:]
	}
	return nil
}

// sort returns the edits in the order of the entries, those of one entry in the order in which they came.
// Keys are hashes, so dealing them out by their first bits all but sorts them.
func (b *batching) sort() []edit {
	const (
		bits   = 14
		shift  = 64 - bits
		simple = 24 // up to so many are sorted by insertion
	)
	var starts [1<<bits + 1]uint32
	for i := range b.pending {
		starts[b.pending[i].e.Key>>shift+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	b.sorted = slices.Grow(b.sorted[:0], len(b.pending))[:len(b.pending)]
	next := starts
	for i := range b.pending {
		at := &next[b.pending[i].e.Key>>shift]
		b.sorted[*at] = b.pending[i]
		*at++
	}
	for i := range len(starts) - 1 {
		part := b.sorted[starts[i]:starts[i+1]]
		if len(part) > simple { // many of one key: strangers may list someone's credential id at will
			slices.SortStableFunc(part, func(a, b edit) int { return a.e.Compare(b.e) })
			continue
		}
		for j := 1; j < len(part); j++ {
			o := part[j]
			k := j
			for ; k > 0 && o.e.Less(part[k-1].e); k-- {
				part[k] = part[k-1]
			}
			part[k] = o
		}
	}
	return b.sorted
}

// applyToLeaf makes as many of the edits as concern one leaf, at least one, and returns their number.
func (t *Tree) applyToLeaf(edits []edit) (done int, err error) {
	switch {
	case t.Root != 0:
		if done, err = t.editLeaf(edits); done > 0 || err != nil {
			return done, err
		}
	case !edits[0].insert: // there is nothing to remove
		return 1, nil
	}
	if edits[0].insert { // into an empty tree or a full leaf
		return 1, t.insertEntry(edits[0].e)
	}
	return 1, t.deleteLast(edits[0].e)
}

// editLeaf makes the edits that the leaf of the first has room for.
func (t *Tree) editLeaf(edits []edit) (done int, err error) {
	var p path
	if err := t.descend(edits[0].e, &p, true); err != nil {
		return 0, err
	}
	n := &t.node[0]
	had, changed := n.count(), false
leaf:
	for _, o := range edits {
		if p.bounds && !o.e.Less(p.upper) {
			break
		}
		at := n.search(o.e)
		there := at < n.count() && n.at(at) == o.e
		switch {
		case o.insert == there:
		case o.insert && n.full(), !o.insert && n.count() == 1:
			break leaf
		case o.insert:
			n.insert(at, o.e, 0)
			t.Entries++
			changed = true
		default:
			n.remove(at)
			t.Entries--
			changed = true
		}
		done++
	}
	if changed {
		t.Edits++
		err = t.writeNodeBytes(n, p.leaf, leafHead+max(had, n.count())*leafItem) // zeros over what it had and has no longer
	}
	return done, err
}

// keptInner returns an inner node that this batch has read last at its level.
func (t *Tree) keptInner(number uint32, level int) *node {
	if t.batch != nil && t.batch.inner[level].number == number+1 { // never a leaf: none is kept
		return &t.batch.inner[level].node
	}
	return nil
}

// keepInner remembers an inner node as it is in memory.
func (t *Tree) keepInner(n *node, number uint32) {
	if level := n.level(); t.batch != nil && level > 0 {
		t.batch.inner[level].number, t.batch.inner[level].node = number+1, *n
	}
}
