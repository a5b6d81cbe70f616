package storage

import "slices"

// op is one edit of the index that waits for the end of a batch.
type op struct {
	e      entry
	insert bool
}

// maxPending is how many edits wait at most, 6 MiB of them: about as many as one batch makes.
const maxPending = 1 << 18

// batching is what a store has while a batch runs.
type batching struct {
	pending []op
	sorted  []op
	inner   [maxHeight]struct { // the inner nodes read last, by level
		number uint32 // + 1
		node   node
	}
}

// Batch runs work, which reads and writes many anchors, one after the other: an anchor that it read is no
// longer valid when it reads the next. Edits of the index wait until the end and are then made in the
// order of the index, leaf by leaf, which costs a fraction of making them as they come.
func (s *Store) Batch(work func() error) error {
	s.batch = new(batching)
	err := work()
	if err == nil {
		err = s.applyPending()
	}
	s.batch = nil
	if err != nil {
		return err
	}
	return s.flush()
}

// hold keeps an edit for the end of the batch.
func (s *Store) hold(o op) error {
	s.batch.pending = append(s.batch.pending, o)
	if len(s.batch.pending) < maxPending {
		return nil
	}
	return s.applyPending()
}

// applyPending makes the edits that wait.
func (s *Store) applyPending() error {
	ops := s.batch.sort()
	s.batch.pending = s.batch.pending[:0]
	for len(ops) > 0 {
		n, err := s.applyToLeaf(ops)
		if err != nil {
			if !isCorrupted(err) {
				return err
			}
			return s.setAside()
		}
		ops = ops[n:]
	}
	return nil
}

// sort returns the edits in the order of the index, those of one entry in the order in which they came.
// Keys are hashes, so dealing them out by their first bits all but sorts them.
func (b *batching) sort() []op {
	const (
		bits   = 14
		shift  = 64 - bits
		simple = 24 // up to so many are sorted by insertion
	)
	var starts [1<<bits + 1]uint32
	for i := range b.pending {
		starts[b.pending[i].e.key>>shift+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	b.sorted = slices.Grow(b.sorted[:0], len(b.pending))[:len(b.pending)]
	next := starts
	for i := range b.pending {
		at := &next[b.pending[i].e.key>>shift]
		b.sorted[*at] = b.pending[i]
		*at++
	}
	for i := range len(starts) - 1 {
		part := b.sorted[starts[i]:starts[i+1]]
		if len(part) > simple { // many of one key: strangers may list someone's credential id at will
			slices.SortStableFunc(part, func(a, b op) int { return a.e.compare(b.e) })
			continue
		}
		for j := 1; j < len(part); j++ {
			o := part[j]
			k := j
			for ; k > 0 && o.e.less(part[k-1].e); k-- {
				part[k] = part[k-1]
			}
			part[k] = o
		}
	}
	return b.sorted
}

// applyToLeaf makes as many of the edits as concern one leaf, at least one, and returns their number.
func (s *Store) applyToLeaf(ops []op) (done int, err error) {
	if s.sb.root != 0 {
		if done, err = s.editLeaf(ops); done > 0 || err != nil {
			return done, err
		}
	}
	if ops[0].insert { // into an empty tree or a full leaf
		return 1, s.insertEntry(ops[0].e)
	}
	return 1, s.deleteEntry(ops[0].e) // the last entry of a leaf
}

// editLeaf makes the edits that the leaf of the first has room for.
func (s *Store) editLeaf(ops []op) (done int, err error) {
	var p path
	if err := s.descend(ops[0].e, &p, true); err != nil {
		return 0, err
	}
	n := &s.node[0]
	changed := false
	for _, o := range ops {
		if p.bounds && !o.e.less(p.upper) {
			break
		}
		at := n.search(o.e)
		there := at < n.count() && n.entry(at) == o.e
		switch {
		case o.insert == there:
		case o.insert && n.full(), !o.insert && n.count() == 1:
			if changed {
				err = s.writeWholeNode(n, p.leaf)
			}
			return done, err
		case o.insert:
			n.insert(at, o.e, 0)
			s.sb.entries++
			changed = true
		default:
			n.remove(at)
			s.sb.entries--
			changed = true
		}
		done++
	}
	if changed {
		s.edits++
		err = s.writeWholeNode(n, p.leaf)
	}
	return done, err
}

// keptInner returns an inner node that this batch has read last at its level.
func (s *Store) keptInner(number uint32, level int) *node {
	if s.batch != nil && level > 0 && level < maxHeight && s.batch.inner[level].number == number+1 {
		return &s.batch.inner[level].node
	}
	return nil
}

// keepInner remembers an inner node as it is in memory.
func (s *Store) keepInner(n *node, number uint32) {
	if level := n.level(); s.batch != nil && level > 0 && level < maxHeight {
		s.batch.inner[level].number, s.batch.inner[level].node = number+1, *n
	}
}
