package tree

// cachedLevel is the lowest level of the nodes that are cached in RAM once read: those above the parents of
// leaves. So a call reads two nodes of the index from memory for each key, however high the tree is; to
// read a node costs about 6,000 instructions, half of them for its checksum, to search a remembered one a
// tenth of that. The most anchors that one memory holds make about 600 such nodes, 1.2 MiB.
const cachedLevel = 2

// inner returns an inner node for reading only. remember is for edits: what a query would remember is
// forgotten when it ends, and so paid for in vain.
func (t *Tree) inner(number uint32, level int, remember bool) (*node, error) {
	if level >= cachedLevel {
		if n := t.cache[number]; n != nil && n.level() == level {
			return n, nil
		}
	}
	n := &t.node[0]
	if err := t.readNode(n, number, level); err != nil {
		return nil, err
	}
	if remember {
		t.remember(n, number)
	}
	return n, nil
}

// remember remembers an upper node as it is in memory.
func (t *Tree) remember(n *node, number uint32) {
	if n.level() < cachedLevel {
		return
	}
	if t.cache == nil {
		t.cache = map[uint32]*node{}
	}
	kept := t.cache[number]
	if kept == nil {
		kept = new(node)
		t.cache[number] = kept
	}
	*kept = *n
}

// releaseNode frees a node of the index.
func (t *Tree) releaseNode(number uint32) error {
	delete(t.cache, number)
	return t.alloc.Release(t.region, number)
}
