package hashtree

import (
	"bytes"
	"sort"
)

// Witness returns t pruned to what the paths ask for. It reveals the whole subtree at each path; for
// a path that leads nowhere it reveals the labels on both sides, with their subtrees pruned, so that
// Lookup answers Absent and not Unknown. Its hash is that of t. An empty path reveals everything.
func (t *Node) Witness(paths ...[][]byte) *Node {
	if len(paths) == 0 {
		return t.prune()
	}
	sorted := append([][][]byte(nil), paths...)
	sort.SliceStable(sorted, func(i, j int) bool { return comparePaths(sorted[i], sorted[j]) < 0 })
	return t.witness(group(sorted))
}

func comparePaths(a, b [][]byte) int {
	for i := range min(len(a), len(b)) {
		if c := bytes.Compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

// request is what a witness must tell about one label: below is what is asked of its subtree, nil if
// all of it.
type request struct {
	label []byte
	below []request
}

// group turns sorted paths into requests; nil means that one of the paths is empty.
func group(paths [][][]byte) []request {
	if len(paths[0]) == 0 {
		return nil
	}
	var out []request
	for i := 0; i < len(paths); {
		label, j := paths[i][0], i
		var tails [][][]byte
		for ; j < len(paths) && bytes.Equal(paths[j][0], label); j++ {
			tails = append(tails, paths[j][1:])
		}
		out = append(out, request{label, group(tails)})
		i = j
	}
	return out
}

func (t *Node) witness(want []request) *Node {
	if want == nil {
		return t
	}
	return t.reveal(want, false)
}

// reveal keeps what the requests need of the labels directly below t. With first set, it also keeps
// the least label, as the upper neighbour of an absent label in front of it. The lower neighbour needs
// no such mark: the search for an absent label ends beside it.
func (t *Node) reveal(want []request, first bool) *Node {
	if len(want) == 0 && !first {
		return t.prune()
	}
	switch t.kind {
	case KindLabeled:
		for _, req := range want {
			if bytes.Equal(req.label, t.bytes) {
				return keepLabel(t, t.left.witness(req.below))
			}
		}
		return keepLabel(t, t.left.prune())
	case KindFork:
		split := len(want)
		bound, ok := t.right.first()
		if ok {
			split = sort.Search(len(want), func(i int) bool { return bytes.Compare(want[i].label, bound) >= 0 })
		}
		left, right := want[:split], want[split:]
		gap := false // some label is asked for that would lie between the two sides
		if len(left) > 0 {
			end, known := t.left.last()
			gap = !known || bytes.Compare(left[len(left)-1].label, end) > 0
		}
		if !ok { // already pruned there: any of the labels may be on either side
			right, gap = want, true
		}
		return keepFork(t, t.left.reveal(left, first), t.right.reveal(right, gap))
	default:
		return t
	}
}

// keepLabel returns the labeled node with its subtree reduced. Its hash is what it was, so a witness
// costs no hashing.
func keepLabel(t, subtree *Node) *Node {
	return &Node{kind: KindLabeled, bytes: t.bytes, left: subtree, hash: t.hash}
}

// keepFork returns the fork with its sides reduced, or only its hash when nothing is left of them.
func keepFork(t, left, right *Node) *Node {
	if left.kind == KindPruned && right.kind == KindPruned {
		return Pruned(t.hash)
	}
	return &Node{kind: KindFork, left: left, right: right, hash: t.hash}
}

// prune reduces t to its hash. The empty tree is left as it is: it is shorter, and says no less.
func (t *Node) prune() *Node {
	if t.kind == KindEmpty {
		return t
	}
	return Pruned(t.hash)
}

// Merge returns a tree that reveals all that a or b reveals; both must be witnesses of one tree, and
// a is returned where they are not.
func Merge(a, b *Node) *Node {
	switch {
	case a.hash != b.hash || b.kind == KindPruned:
		return a
	case a.kind == KindPruned:
		return b
	case a.kind == KindFork && b.kind == KindFork:
		return &Node{kind: KindFork, hash: a.hash, left: Merge(a.left, b.left), right: Merge(a.right, b.right)}
	case a.kind == KindLabeled && b.kind == KindLabeled:
		return &Node{kind: KindLabeled, hash: a.hash, bytes: a.bytes, left: Merge(a.left, b.left)}
	default:
		return a
	}
}
