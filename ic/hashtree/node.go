// Package hashtree holds the Merkle trees in which the Internet Computer certifies its state
// (Interface Specification, "Certification").
//
// A tree is made of five kinds of node. Its root hash does not change when subtrees are replaced by
// their hashes, so a pruned tree, a witness, proves what is left in it:
//
//	kind     CBOR                  hash
//	Empty    [0]                   H("ic-hashtree-empty")
//	Fork     [1, left, right]      H("ic-hashtree-fork" · left hash · right hash)
//	Labeled  [2, label, subtree]   H("ic-hashtree-labeled" · label · subtree hash)
//	Leaf     [3, value]            H("ic-hashtree-leaf" · value)
//	Pruned   [4, hash]             the hash itself
//
// where H(d · x) is SHA-256 of one byte with the length of d, d, and x.
//
// Node is an immutable node that knows its hash. Map builds trees with many labels and changes them
// at the cost of the path to the change. The package is light on purpose: canisters import it.
package hashtree

import "crypto/sha256"

// HashLen is the size of a hash in bytes.
const HashLen = sha256.Size

// Hash is the SHA-256 hash of a tree.
type Hash = [HashLen]byte

// Kind tells the nodes of a tree apart; the numbers are those of the encoding.
type Kind uint8

// The kinds of nodes.
const (
	KindEmpty   Kind = 0
	KindFork    Kind = 1
	KindLabeled Kind = 2
	KindLeaf    Kind = 3
	KindPruned  Kind = 4
)

// Node is a hash tree. It never changes after it was made, so trees share nodes and may be read by
// several goroutines. Make nodes with Empty, Fork, Labeled, Leaf and Pruned.
type Node struct {
	hash  Hash
	bytes []byte // the label of a labeled node, the value of a leaf
	left  *Node  // of a fork; the subtree of a labeled node
	right *Node  // of a fork
	kind  Kind
}

var empty = &Node{kind: KindEmpty, hash: sha256.Sum256([]byte("\x11ic-hashtree-empty"))}

// Empty returns the tree of nothing.
func Empty() *Node { return empty }

// Fork returns the tree of the labels of left followed by those of right. The caller keeps them in
// increasing order; Map does it by itself.
func Fork(left, right *Node) *Node {
	var buf [len(forkDomain) + 2*HashLen]byte
	n := copy(buf[:], forkDomain)
	n += copy(buf[n:], left.hash[:])
	copy(buf[n:], right.hash[:])
	return &Node{kind: KindFork, left: left, right: right, hash: sha256.Sum256(buf[:])}
}

// Labeled returns the tree with one label. It keeps label, which must not be changed any more.
func Labeled(label []byte, subtree *Node) *Node {
	if label == nil {
		label = []byte{} // Children tells a pruned part by its nil label
	}
	var buf [128]byte
	msg := append(append(append(buf[:0], labeledDomain...), label...), subtree.hash[:]...)
	return &Node{kind: KindLabeled, bytes: label, left: subtree, hash: sha256.Sum256(msg)}
}

// Leaf returns the tree that is a value. It keeps value, which must not be changed any more.
func Leaf(value []byte) *Node { return &Node{kind: KindLeaf, bytes: value, hash: leafHash(value)} }

// Pruned returns the tree of which only the hash is known.
func Pruned(hash Hash) *Node { return &Node{kind: KindPruned, hash: hash} }

const (
	forkDomain    = "\x10ic-hashtree-fork"
	labeledDomain = "\x13ic-hashtree-labeled"
	leafDomain    = "\x10ic-hashtree-leaf"
)

func leafHash(value []byte) Hash {
	var buf [128]byte
	if len(leafDomain)+len(value) <= len(buf) {
		return sha256.Sum256(append(append(buf[:0], leafDomain...), value...))
	}
	h := sha256.New()
	h.Write([]byte(leafDomain))
	h.Write(value)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// Hash returns the root hash of the tree.
func (t *Node) Hash() Hash { return t.hash }

// Kind returns what the root node of the tree is.
func (t *Node) Kind() Kind { return t.kind }

// Value returns the value of a leaf, and nil for other nodes. It must not be changed.
func (t *Node) Value() []byte {
	if t.kind != KindLeaf {
		return nil
	}
	return t.bytes
}

// Children calls yield with each label directly below t and its subtree, in order; a pruned part in
// between is reported as a nil label with the pruned node. It fits a range statement.
func (t *Node) Children(yield func(label []byte, subtree *Node) bool) { t.children(yield) }

func (t *Node) children(yield func([]byte, *Node) bool) bool {
	switch t.kind {
	case KindFork:
		return t.left.children(yield) && t.right.children(yield)
	case KindLabeled:
		return yield(t.bytes, t.left)
	case KindPruned:
		return yield(nil, t)
	default:
		return true
	}
}

// first and last return the least and the greatest label directly below t; ok is false where it is
// pruned away or there is none.
func (t *Node) first() (label []byte, ok bool) {
	for t.kind == KindFork {
		t = t.left
	}
	return t.bytes, t.kind == KindLabeled
}

func (t *Node) last() (label []byte, ok bool) {
	for t.kind == KindFork {
		t = t.right
	}
	return t.bytes, t.kind == KindLabeled
}
