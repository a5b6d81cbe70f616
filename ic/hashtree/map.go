package hashtree

import "bytes"

// Map is an immutable sorted map from labels to trees that is itself a hash tree. Its forks are the
// branches of a crit-bit tree over the labels: where a fork splits, the labels on its left have a 0 at
// the first bit in which its labels differ. So the tree depends on the contents alone and not on the
// order in which they came, and a change hashes the path to it again and nothing else. The zero Map
// is empty. Labels that hashing spreads evenly give a path of about log2(n) forks.
type Map struct{ root *Node }

// Tree returns the map as a tree.
func (m Map) Tree() *Node {
	if m.root == nil {
		return empty
	}
	return m.root
}

// Get returns the tree at a label.
func (m Map) Get(label []byte) (*Node, bool) {
	n := m.root
	if n == nil {
		return nil, false
	}
	for n.kind == KindFork {
		if first, _ := n.right.first(); bytes.Compare(label, first) < 0 {
			n = n.left
		} else {
			n = n.right
		}
	}
	if !bytes.Equal(n.bytes, label) {
		return nil, false
	}
	return n.left, true
}

// With returns the map with the label set to tree. It keeps label, which must not be changed any more.
func (m Map) With(label []byte, tree *Node) Map {
	if m.root == nil {
		return Map{Labeled(label, tree)}
	}
	// Walk down by the bits of the label to the labels that resemble it most: where it first differs
	// from them is where it belongs.
	n := m.root
	for n.kind == KindFork {
		if goesRight(n, label) {
			n = n.right
		} else {
			n = n.left
		}
	}
	return Map{with(m.root, Labeled(label, tree), critBit(n.bytes, label))}
}

// with puts leaf at the fork that splits at bit, or makes that fork; bit is -1 where the label is
// there already.
func with(n, leaf *Node, bit int) *Node {
	if n.kind == KindFork {
		if own := splitBit(n); bit < 0 || own < bit {
			if bitAt(leaf.bytes, own) {
				return Fork(n.left, with(n.right, leaf, bit))
			}
			return Fork(with(n.left, leaf, bit), n.right)
		}
	} else if bit < 0 {
		return leaf
	}
	if bitAt(leaf.bytes, bit) {
		return Fork(n, leaf)
	}
	return Fork(leaf, n)
}

// Without returns the map without the label.
func (m Map) Without(label []byte) Map {
	if _, ok := m.Get(label); !ok {
		return m
	}
	return Map{without(m.root, label)}
}

func without(n *Node, label []byte) *Node {
	if n.kind != KindFork {
		return nil
	}
	left, right := n.left, n.right
	if goesRight(n, label) {
		right = without(right, label)
	} else {
		left = without(left, label)
	}
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	default:
		return Fork(left, right)
	}
}

// All calls yield with each label and its tree, in order.
func (m Map) All(yield func(label []byte, tree *Node) bool) { m.Tree().children(yield) }

func goesRight(fork *Node, label []byte) bool { return bitAt(label, splitBit(fork)) }

// splitBit is the bit in which the labels on the two sides of a fork differ first.
func splitBit(fork *Node) int {
	left, _ := fork.left.first()
	right, _ := fork.right.first()
	return critBit(left, right)
}

// Labels are compared as strings of bits, nine for each byte: a 1 that says that there is a byte, and
// the byte. Behind the end is 0. So a label comes before all that it is a prefix of.

// critBit returns the number of the first bit in which a and b differ, -1 if they are equal.
func critBit(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if diff := a[i] ^ b[i]; diff != 0 {
			bit := 0
			for diff&0x80 == 0 {
				diff <<= 1
				bit++
			}
			return 9*i + 1 + bit
		}
	}
	if len(a) == len(b) {
		return -1
	}
	return 9 * n
}

func bitAt(label []byte, bit int) bool {
	i, b := bit/9, bit%9
	if i >= len(label) {
		return false
	}
	return b == 0 || label[i]&(0x80>>(b-1)) != 0
}

// MapOf returns the map that a tree was made by, with Map.Tree. Other trees may not have the shape that
// a map relies on.
func MapOf(tree *Node) Map {
	if tree == nil || tree.kind == KindEmpty {
		return Map{}
	}
	return Map{tree}
}
