package ii

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// A map in a virtual memory (dfinity/stable-structures, BTreeMap version 2), here from anchor numbers to anchors:
//
//	off  len
//	  0    3  "BTR"
//	  3    1  version, 2
//	  4    4  size of a page P; 8  4  0xFFFFFFFF
//	 12    8  address of the root node, 0 for none
//	 20    8  number of entries
//
// A node begins with a page and goes on in overflow pages:
//
//	 0    3  "BTN"                            0    3  "NOF"
//	 3    1  version, 2                       3    8  address of the next overflow page, 0 for none
//	 4    1  0 leaf, 1 inner node            11  P-11 what follows of the node
//	 5    2  number of entries k
//	 7    8  address of the first overflow page, 0 for none
//	15       k+1 addresses of children (inner nodes), k keys of 8 bytes (big-endian), k values, each
//	         with its length before it (u32)
const (
	mapMagic       = "BTR"
	mapVersion     = 2
	mapPageMarker  = 0xffffffff
	mapPageMin     = 128
	mapPageMax     = 1 << 20
	mapEntries     = 11 // of a node, at most
	mapHeight      = 30 // a tree of 2^30 entries with nodes that are half full has fewer levels
	mapOverflowMax = 1 << 16
	nodeHead       = 15
	overflowHead   = 11
)

// stableMap reads a map.
type stableMap struct {
	memory virtual
	page   uint32
	root   uint64
	Len    uint64
}

// openMap opens the map of a virtual memory; nil if there is none, or nothing in it.
func openMap(m *manager, id byte) (*stableMap, error) {
	size, err := m.size(id)
	if err != nil || size == 0 {
		return nil, err
	}
	s := new(stableMap)
	if s.memory, err = m.virtual(id); err != nil {
		return nil, err
	}
	var h [28]byte
	if err := s.memory.readAt(h[:], 0); err != nil {
		return nil, fmt.Errorf("read virtual memory %d: %w", id, err)
	}
	s.page, s.root, s.Len = le.Uint32(h[4:]), le.Uint64(h[12:]), le.Uint64(h[20:])
	contradicts := (s.Len == 0) != (s.root == 0)
	if h == [28]byte{} || string(h[:3]) == mapMagic && s.Len == 0 && !contradicts {
		return nil, nil
	}
	if string(h[:3]) != mapMagic || h[3] != mapVersion || le.Uint32(h[8:]) != mapPageMarker || s.page < mapPageMin || s.page > mapPageMax {
		return nil, fmt.Errorf("virtual memory %d begins with %x, which is no map of version %d of values of any length", id, h[:12], mapVersion)
	}
	if contradicts {
		return nil, fmt.Errorf("the map in virtual memory %d counts %d entries, and its root is at %d: it is damaged", id, s.Len, s.root)
	}
	return s, nil
}

// mapNode is a node as it was read.
type mapNode struct {
	keys     []uint64
	values   [][]byte
	children []uint64
}

// node reads a node with all its overflow pages.
func (s *stableMap) node(at uint64) (*mapNode, error) {
	b := make([]byte, s.page)
	if err := s.memory.readAt(b, at); err != nil {
		return nil, fmt.Errorf("read node of virtual memory %d: %w", s.memory.id, err)
	}
	if string(b[:3]) != "BTN" || b[3] != mapVersion || b[4] > 1 || le.Uint16(b[5:]) > mapEntries {
		return nil, fmt.Errorf("virtual memory %d has no node at %d", s.memory.id, at)
	}
	inner, k := b[4] == 1, int(le.Uint16(b[5:]))
	page := make([]byte, s.page)
	for next := le.Uint64(b[7:]); next != 0; next = le.Uint64(page[3:]) {
		if err := s.memory.readAt(page, next); err != nil {
			return nil, fmt.Errorf("read node of virtual memory %d: %w", s.memory.id, err)
		}
		if string(page[:3]) != "NOF" || len(b) > mapOverflowMax {
			return nil, fmt.Errorf("virtual memory %d has no overflow page at %d", s.memory.id, next)
		}
		b = append(b, page[overflowHead:]...)
	}
	n := new(mapNode)
	b = b[nodeHead:]
	take := func(size int) []byte {
		if size > len(b) {
			b = nil
			return make([]byte, min(size, 8))
		}
		part := b[:size:size]
		b = b[size:]
		return part
	}
	if inner {
		for range k + 1 {
			n.children = append(n.children, le.Uint64(take(8)))
		}
	}
	for range k {
		n.keys = append(n.keys, binary.BigEndian.Uint64(take(8)))
	}
	for range k {
		n.values = append(n.values, take(int(le.Uint32(take(4)))))
	}
	if b == nil {
		return nil, fmt.Errorf("the node at %d of virtual memory %d is cut short", at, s.memory.id)
	}
	return n, nil
}

// get returns the value of a key, nil if there is none.
func (s *stableMap) get(key uint64) ([]byte, error) {
	at := s.root
	for range mapHeight {
		n, err := s.node(at)
		if err != nil {
			return nil, err
		}
		i := 0
		for i < len(n.keys) && n.keys[i] < key {
			i++
		}
		if i < len(n.keys) && n.keys[i] == key {
			return n.values[i], nil
		}
		if n.children == nil {
			return nil, nil
		}
		at = n.children[i]
	}
	return nil, fmt.Errorf("the map in virtual memory %d does not end", s.memory.id)
}

// all goes over the entries in the order of the keys. It ends with an error, which is left in err.
func (s *stableMap) all(err *error) iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		last, first := uint64(0), true
		var walk func(at uint64, depth int) bool
		walk = func(at uint64, depth int) bool {
			if depth == mapHeight {
				*err = fmt.Errorf("the map in virtual memory %d does not end", s.memory.id)
				return false
			}
			n, e := s.node(at)
			if e != nil {
				*err = e
				return false
			}
			for i := range n.keys {
				if n.children != nil && !walk(n.children[i], depth+1) {
					return false
				}
				if !first && n.keys[i] <= last {
					*err = fmt.Errorf("the keys of the map in virtual memory %d are not in order", s.memory.id)
					return false
				}
				last, first = n.keys[i], false
				if !yield(n.keys[i], n.values[i]) {
					return false
				}
			}
			return n.children == nil || walk(n.children[len(n.keys)], depth+1)
		}
		walk(s.root, 0)
	}
}
