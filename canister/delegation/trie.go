package delegation

import (
	"crypto/sha256"
	"math/bits"
)

// hash is a SHA-256 value: a label of the tree or the hash of a node.
type hash = [sha256.Size]byte

// ref names a node of a trie: 0 is the empty trie, n+1 the fork n, and ^n the leaf n.
type ref int32

func forkRef(i int) ref { return ref(i + 1) }
func leafRef(i int) ref { return ^ref(i) }

func (r ref) isLeaf() bool { return r < 0 }
func (r ref) fork() int    { return int(r) - 1 }
func (r ref) leaf() int    { return int(^r) }

// fork is an inner node: its labels share all bits before bit, and bit tells left from right.
type fork struct {
	hash        hash
	left, right ref
	bit         uint16 // 0 is the highest bit of the first byte
}

// leaf is a label with what stands under it: in the upper trie (labels are seeds) the root of a lower
// trie, in a lower one (labels are messages) the empty leaf, with the time at which it expires.
type leaf struct {
	hash    hash // of the labeled node
	label   hash
	sub     ref
	expires uint64
}

// forest holds the two levels of the signature tree in two lists, so that its nodes lie together: the
// network charges for every page that a call touches. Both levels are binary radix tries over 32-byte
// labels. The labels are SHA-256 values, so the tries are balanced without any rotation; to deepen a path
// by one node doubles an attacker's hashing work.
//
// As an Internet Computer hash tree, a fork of the trie is a fork and a leaf a labeled node; the order of
// labels from left to right is ascending, which is what look-ups rely on.
type forest struct {
	forks     list[fork]
	leaves    list[leaf]
	freeFork  ref  // the first free fork, 0 for none; its left names the next
	freeLeaf  ref  // the first free leaf, 0 for none; its sub names the next
	emptyLeaf hash // hash of the leaf ""

	// forkText is what the hash of a fork is the SHA-256 of: the domain, and room for the hashes of both
	// sides. With 10,000 signatures a call hashes a dozen, so the domain is put here once.
	forkText [len(forkDomain) + 2*sha256.Size]byte
}

// find returns the leaf with the label, or false.
func (f *forest) find(root ref, label *hash) (int, bool) {
	if root == 0 {
		return 0, false
	}
	i := f.closest(root, label)
	return i, f.leaves.at(i).label == *label
}

// closest walks down from a non-empty root by the label's bits alone.
func (f *forest) closest(r ref, label *hash) int {
	for !r.isLeaf() {
		n := f.forks.at(r.fork())
		if bitAt(label, n.bit) == 0 {
			r = n.left
		} else {
			r = n.right
		}
	}
	return r.leaf()
}

// insert adds a leaf with the label, which must not be there, with sub under it, and returns the new
// root. The hashes on its path are made anew.
func (f *forest) insert(root ref, label *hash, sub ref, expires uint64) ref {
	if root == 0 {
		return leafRef(f.newLeaf(label, sub, expires))
	}
	differs := firstDifference(&f.leaves.at(f.closest(root, label)).label, label)
	return f.insertAt(root, label, differs, leafRef(f.newLeaf(label, sub, expires)))
}

func (f *forest) insertAt(r ref, label *hash, differs uint16, added ref) ref {
	if !r.isLeaf() {
		i := r.fork()
		if bit := f.forks.at(i).bit; bit < differs {
			if bitAt(label, bit) == 0 {
				f.forks.at(i).left = f.insertAt(f.forks.at(i).left, label, differs, added)
			} else {
				f.forks.at(i).right = f.insertAt(f.forks.at(i).right, label, differs, added)
			}
			f.hashFork(i)
			return r
		}
	}
	if bitAt(label, differs) == 0 {
		return f.newFork(differs, added, r)
	}
	return f.newFork(differs, r, added)
}

// remove takes the leaf with the label, which must be there, out of the trie and returns the new root.
func (f *forest) remove(r ref, label *hash) ref {
	if r.isLeaf() {
		*f.leaves.at(r.leaf()) = leaf{sub: f.freeLeaf}
		f.freeLeaf = r
		return 0
	}
	i := r.fork()
	n := f.forks.at(i)
	var rest ref
	if bitAt(label, n.bit) == 0 {
		n.left = f.remove(n.left, label)
		rest = n.right
		if n.left != 0 {
			f.hashFork(i)
			return r
		}
	} else {
		n.right = f.remove(n.right, label)
		rest = n.left
		if n.right != 0 {
			f.hashFork(i)
			return r
		}
	}
	*n = fork{left: f.freeFork}
	f.freeFork = r
	return rest
}

// update hashes the leaf with the label, which must be there, and its path anew after what stands under
// it has changed to sub.
func (f *forest) update(r ref, label *hash, sub ref) {
	if r.isLeaf() {
		l := f.leaves.at(r.leaf())
		l.sub = sub
		l.hash = hashLabeled(label[:], f.hashUnder(sub))
		return
	}
	i := r.fork()
	n := f.forks.at(i)
	if bitAt(label, n.bit) == 0 {
		f.update(n.left, label, sub)
	} else {
		f.update(n.right, label, sub)
	}
	f.hashFork(i)
}

func (f *forest) newLeaf(label *hash, sub ref, expires uint64) int {
	l := leaf{hash: hashLabeled(label[:], f.hashUnder(sub)), label: *label, sub: sub, expires: expires}
	if free := f.freeLeaf; free != 0 {
		f.freeLeaf = f.leaves.at(free.leaf()).sub
		*f.leaves.at(free.leaf()) = l
		return free.leaf()
	}
	return f.leaves.add(&l)
}

func (f *forest) newFork(bit uint16, left, right ref) ref {
	n := fork{bit: bit, left: left, right: right}
	r := f.freeFork
	if r != 0 {
		f.freeFork = f.forks.at(r.fork()).left
		*f.forks.at(r.fork()) = n
	} else {
		r = forkRef(f.forks.add(&n))
	}
	f.hashFork(r.fork())
	return r
}

func (f *forest) hashFork(i int) {
	n := f.forks.at(i)
	n.hash = f.join(f.hashOf(n.left), f.hashOf(n.right))
}

// hashOf returns the hash of a non-empty trie.
func (f *forest) hashOf(r ref) *hash {
	if r.isLeaf() {
		return &f.leaves.at(r.leaf()).hash
	}
	return &f.forks.at(r.fork()).hash
}

// hashUnder returns the hash of what a label points to: a lower trie, or the empty leaf.
func (f *forest) hashUnder(sub ref) *hash {
	if sub == 0 {
		return &f.emptyLeaf
	}
	return f.hashOf(sub)
}

func bitAt(label *hash, i uint16) byte { return label[i/8] >> (7 - i%8) & 1 }

// firstDifference returns the first bit in which two different labels differ.
func firstDifference(a, b *hash) uint16 {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return uint16(i*8 + bits.LeadingZeros8(x))
		}
	}
	panic("delegation: a label is inserted twice")
}

// The hashes of an Internet Computer hash tree: SHA-256 over a domain with its length before it, and the
// parts (Interface Specification, "Certificate", function reconstruct).

// join returns the hash of a fork.
func (f *forest) join(left, right *hash) hash {
	*(*hash)(f.forkText[len(forkDomain):]) = *left
	*(*hash)(f.forkText[len(forkDomain)+sha256.Size:]) = *right
	return sha256.Sum256(f.forkText[:])
}

// hashLabeled hashes a label of at most 32 bytes with what stands under it.
func hashLabeled(label []byte, under *hash) hash {
	var buf [len(labeledDomain) + 2*sha256.Size]byte
	b := append(buf[:0], texts[:atDelegation]...)
	b = append(b, label...)
	b = append(b, under[:]...)
	return sha256.Sum256(b)
}
