package storage

// upperLevel is the lowest level of the nodes that are remembered in RAM once read: those above the parents
// of leaves. So a call reads two nodes of the index from memory for each key, however high the tree is; to
// read a node costs about 6,000 instructions, half of them for its checksum, to search a remembered one a
// tenth of that. The most anchors that one memory holds make about 600 such nodes, 1.2 MiB.
const upperLevel = 2

// inner returns an inner node for reading only. remember is for edits: what a query would remember is
// forgotten when it ends, and so paid for in vain.
func (s *Store) inner(number uint32, level int, remember bool) (*node, error) {
	if level >= upperLevel {
		if n := s.upper[number]; n != nil && n.level() == level {
			return n, nil
		}
	}
	n := &s.node[0]
	if err := s.readNode(n, number, level); err != nil {
		return nil, err
	}
	if remember {
		s.rememberUpper(n, number)
	}
	return n, nil
}

// rememberUpper remembers an upper node as it is in memory.
func (s *Store) rememberUpper(n *node, number uint32) {
	if n.level() < upperLevel {
		return
	}
	if s.upper == nil {
		s.upper = map[uint32]*node{}
	}
	kept := s.upper[number]
	if kept == nil {
		kept = new(node)
		s.upper[number] = kept
	}
	*kept = *n
}

// releaseNode frees a node of the index.
func (s *Store) releaseNode(number uint32) error {
	delete(s.upper, number)
	return s.release(index, number)
}
