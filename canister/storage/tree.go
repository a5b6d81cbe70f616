package storage

// The index is a B-tree: a look-up, an insertion and a deletion each touch one node a level, plus what a
// split or an emptied node adds, so the work of a call is bounded however many anchors there are. Nodes
// are not merged, only freed when empty; a tree from which much was removed is higher than it need be, never wrong.

// step is one inner node on the way from the root to a leaf, and the position of the child taken.
type step struct {
	number uint32
	pos    int
}

type path struct {
	steps  [maxHeight]step
	depth  int
	leaf   uint32
	upper  entry // all entries of the leaf are below, if bounded
	bounds bool
}

// descend reads the leaf that e belongs to into s.node[0], for an edit or for a look-up. There must be a root.
func (s *Store) descend(e entry, p *path, edit bool) error {
	number := s.sb.root - 1
	p.depth, p.bounds = 0, false
	for level := int(s.sb.height) - 1; level > 0; level-- {
		n, err := s.inner(number, level, edit)
		if err != nil {
			return err
		}
		pos := n.childFor(e)
		if pos < n.count() {
			p.upper, p.bounds = n.entry(pos), true
		}
		p.steps[p.depth] = step{number, pos}
		p.depth++
		number = n.child(pos)
	}
	p.leaf = number
	return s.readNode(&s.node[0], number, 0)
}

// scan shows the entries from e on, in order, until yield returns false.
func (s *Store) scan(e entry, yield func(entry) bool) error {
	if s.sb.root == 0 {
		return nil
	}
	var p path
	for {
		if err := s.descend(e, &p, false); err != nil {
			return err
		}
		n := &s.node[0]
		for i := n.search(e); i < n.count(); i++ {
			if !yield(n.entry(i)) {
				return nil
			}
		}
		if !p.bounds {
			return nil
		}
		e = p.upper
	}
}

// insertEntry adds an entry unless it is there.
func (s *Store) insertEntry(e entry) error {
	n, right := &s.node[0], &s.node[1]
	if s.sb.root == 0 {
		number, err := s.take(index)
		if err != nil {
			return err
		}
		n.reset(0)
		n.insert(0, e, 0)
		s.sb.root, s.sb.height, s.sb.entries = number+1, 1, 1
		s.edits++
		return s.writeWholeNode(n, number)
	}
	var p path
	if err := s.descend(e, &p, true); err != nil {
		return err
	}
	at := n.search(e)
	if at < n.count() && n.entry(at) == e {
		return nil
	}
	s.edits++
	s.sb.entries++ // not worth a write of the superblock
	number, add, child := p.leaf, e, uint32(0)
	for {
		if !n.full() {
			n.insert(at, add, child)
			return s.writeNode(n, number)
		}
		sep := n.split(right)
		other, err := s.take(index)
		if err != nil {
			return err
		}
		if left := n.count(); add.less(sep) {
			n.insert(at, add, child)
		} else {
			at -= left
			if n.level() > 0 {
				at-- // the separator between the halves has moved up
			}
			right.insert(at, add, child)
		}
		if err := s.writeWholeNode(n, number); err != nil {
			return err
		}
		if err := s.writeWholeNode(right, other); err != nil {
			return err
		}
		add, child = sep, other
		if p.depth == 0 {
			return s.newRoot(number, sep, other, n.level()+1)
		}
		p.depth--
		up := p.steps[p.depth]
		if err := s.readNode(n, up.number, n.level()+1); err != nil {
			return err
		}
		number, at = up.number, up.pos
	}
}

func (s *Store) newRoot(left uint32, sep entry, right uint32, level int) error {
	if level >= maxHeight {
		return corrupted("index", "it would be %d levels high", level+1)
	}
	number, err := s.take(index)
	if err != nil {
		return err
	}
	n := &s.node[0]
	n.reset(level)
	n.setFirstChild(left)
	n.insert(0, sep, right)
	s.sb.root, s.sb.height = number+1, uint32(level+1)
	return s.writeWholeNode(n, number)
}

// deleteEntry removes an entry if it is there, and the nodes that this empties.
func (s *Store) deleteEntry(e entry) error {
	if s.sb.root == 0 {
		return nil
	}
	var p path
	if err := s.descend(e, &p, true); err != nil {
		return err
	}
	n := &s.node[0]
	at := n.search(e)
	if at == n.count() || n.entry(at) != e {
		return nil
	}
	s.edits++
	s.sb.entries--
	n.remove(at)
	if n.count() > 0 {
		return s.writeNode(n, p.leaf)
	}
	if err := s.releaseNode(p.leaf); err != nil {
		return err
	}
	for p.depth > 0 {
		p.depth--
		up := p.steps[p.depth]
		if err := s.readNode(n, up.number, n.level()+1); err != nil {
			return err
		}
		if n.count() == 0 { // it had this child alone
			if err := s.releaseNode(up.number); err != nil {
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
		return s.shrink(n, up.number, p.depth)
	}
	s.sb.root, s.sb.height, s.dirty = 0, 0, true
	return nil
}

// shrink writes an inner node that lost a child; a root with one child left gives way to it.
func (s *Store) shrink(n *node, number uint32, depth int) error {
	if depth > 0 || n.count() > 0 {
		return s.writeNode(n, number)
	}
	child := n.child(0)
	if err := s.releaseNode(number); err != nil {
		return err
	}
	s.sb.root, s.sb.height, s.dirty = child+1, s.sb.height-1, true
	return nil
}
