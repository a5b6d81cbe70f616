package tree

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"kedge/canister/storage/stable"
)

var le = binary.LittleEndian

// A node of the index. A leaf (level 0) holds entries; an inner node of level l holds children of level
// l-1 and, between any two of them, a separator: the least entry that can be in the right one.
//
//	off  len
//	  0    8  XXH64 of bytes 8 … up to the end of what is used
//	  8    1  version, 1
//	  9    1  level
//	 10    2  n: entries of a leaf, separators of an inner node
//	 12    4  number of this node
//	          leaf
//	 16 16·n  entries: u64 key, u64 order
//	          inner node
//	 16    4  child 0
//	 20    4  zero
//	 24 20·n  u64 key, u64 order of separator i, u32 child i+1
const (
	nodeSize    = 2048
	nodeVersion = 1
	leafHead    = 16
	innerHead   = 24
	leafItem    = 16
	innerItem   = 20
	leafMax     = (nodeSize - leafHead) / leafItem
	innerMax    = (nodeSize - innerHead) / innerItem

	// maxHeight bounds the tree: half-filled nodes of this height hold more than 2^60 entries.
	maxHeight = 12
)

type node [nodeSize]byte

func (n *node) level() int { return int(n[9]) }
func (n *node) count() int { return int(le.Uint16(n[10:])) }

// items says where the items of a node begin and how long each is.
func (n *node) items() (head, item int) {
	if n.level() == 0 {
		return leafHead, leafItem
	}
	return innerHead, innerItem
}

func (n *node) full() bool {
	if n.level() == 0 {
		return n.count() == leafMax
	}
	return n.count() == innerMax
}

func (n *node) reset(level int) {
	clear(n[:])
	n[8], n[9] = nodeVersion, byte(level)
}

func (n *node) at(i int) Entry {
	head, item := n.items()
	at := n[head+i*item:]
	return Entry{le.Uint64(at), le.Uint64(at[8:])}
}

func (n *node) child(i int) uint32 {
	if i == 0 {
		return le.Uint32(n[leafHead:])
	}
	return le.Uint32(n[innerHead+i*innerItem-4:])
}

func (n *node) setFirstChild(c uint32) { le.PutUint32(n[leafHead:], c) }

// search returns the number of entries that are less than e.
func (n *node) search(e Entry) int { return n.below(e, false) }

// childFor returns the position of the child whose range holds e.
func (n *node) childFor(e Entry) int { return n.below(e, true) }

// below returns the number of entries that are less than e, or equal to it if those are to be counted. It
// takes a tenth of the instructions of sort.Search, whose function would decode an entry in every step.
func (n *node) below(e Entry, equal bool) int {
	head, item := n.items()
	lo, hi := 0, n.count()
	for lo < hi {
		mid := (lo + hi) / 2
		at := n[head+mid*item:]
		key, order := le.Uint64(at), le.Uint64(at[8:])
		if key < e.Key || key == e.Key && (order < e.Order || equal && order == e.Order) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// insert puts an entry (with the child right of it, in an inner node) at position i of a node that is not full.
func (n *node) insert(i int, e Entry, child uint32) {
	head, item := n.items()
	count := n.count()
	at := head + i*item
	copy(n[at+item:], n[at:head+count*item])
	le.PutUint64(n[at:], e.Key)
	le.PutUint64(n[at+8:], e.Order)
	if item == innerItem {
		le.PutUint32(n[at+16:], child)
	}
	le.PutUint16(n[10:], uint16(count+1))
}

// remove takes out item i; in an inner node, the separator i with the child right of it.
func (n *node) remove(i int) {
	head, item := n.items()
	end := head + n.count()*item
	at := head + i*item
	copy(n[at:end], n[at+item:end])
	clear(n[end-item : end])
	le.PutUint16(n[10:], uint16(n.count()-1))
}

// split moves the upper half of a full node to right, an empty one, and returns their separator.
func (n *node) split(right *node) Entry {
	right.reset(n.level())
	head, item := n.items()
	count := n.count()
	half := count / 2
	sep := n.at(half)
	from := half
	if item == innerItem { // the middle separator moves up, its child becomes the first of right
		right.setFirstChild(n.child(half + 1))
		from++
	}
	end := head + count*item
	copy(right[head:], n[head+from*item:end])
	le.PutUint16(right[10:], uint16(count-from))
	clear(n[head+half*item : end])
	le.PutUint16(n[10:], uint16(half))
	return sep
}

func (t *Tree) readNode(n *node, number uint32, level int) error {
	if kept := t.keptInner(number, level); kept != nil {
		*n = *kept
		return nil
	}
	name := fmt.Sprintf // formatted only when something is wrong
	if number >= t.alloc.Regions[t.region].Units {
		return stable.Corrupted(name("index node %d", number), "the index has %d nodes", t.alloc.Regions[t.region].Units)
	}
	at, err := t.alloc.Address(t.region, number)
	if err != nil {
		return err
	}
	if err := t.alloc.Memory.ReadAt(n[:], at); err != nil {
		return fmt.Errorf("read index node %d: %w", number, err)
	}
	head, item := n.items()
	used := head + n.count()*item
	if used > nodeSize {
		return stable.Corrupted(name("index node %d", number), "it would have %d items", n.count())
	}
	if want, got := le.Uint64(n[:]), xxhash.Sum64(n[8:used]); want != got {
		return stable.Corrupted(name("index node %d", number), "checksum %016x, computed %016x", want, got)
	}
	if n[8] != nodeVersion || n.level() != level || le.Uint32(n[12:]) != number {
		return stable.Corrupted(name("index node %d", number), "it is node %d of version %d and level %d, not level %d", le.Uint32(n[12:]), n[8], n.level(), level)
	}
	t.keepInner(n, number)
	return nil
}

// writeNode writes what is used of a node, and one item more, which a removal has cleared.
func (t *Tree) writeNode(n *node, number uint32) error {
	head, item := n.items()
	return t.writeNodeBytes(n, number, min(head+(n.count()+1)*item, nodeSize))
}

// writeWholeNode writes a node that is new, or that was split.
func (t *Tree) writeWholeNode(n *node, number uint32) error {
	return t.writeNodeBytes(n, number, nodeSize)
}

func (t *Tree) writeNodeBytes(n *node, number uint32, length int) error {
	at, err := t.alloc.Address(t.region, number)
	if err != nil {
		return err
	}
	le.PutUint32(n[12:], number)
	head, item := n.items()
	le.PutUint64(n[:], xxhash.Sum64(n[8:head+n.count()*item]))
	if err := t.alloc.Memory.WriteAt(n[:length], at); err != nil {
		return fmt.Errorf("write index node %d: %w", number, err)
	}
	t.keepInner(n, number)
	t.remember(n, number)
	return nil
}
