package hashtree

import "bytes"

// Status is what a tree says about a path (Interface Specification, "Lookup").
type Status uint8

const (
	// Absent means that the tree proves that there is nothing at the path.
	Absent Status = iota
	// Unknown means that the part of the tree that would tell has been pruned.
	Unknown
	// Found means that the path leads to a value (or to a subtree, for LookupTree).
	Found
	// Malformed means that the path leads to a subtree where a value was asked for.
	Malformed
)

func (s Status) String() string {
	switch s {
	case Absent:
		return "absent"
	case Unknown:
		return "unknown"
	case Found:
		return "found"
	default:
		return "not a value"
	}
}

// Lookup returns the value of the leaf at the path.
func (t *Node) Lookup(path ...[]byte) ([]byte, Status) {
	sub, status := t.LookupTree(path...)
	if status != Found {
		return nil, status
	}
	switch sub.kind {
	case KindLeaf:
		return sub.bytes, Found
	case KindEmpty:
		return nil, Absent
	case KindPruned:
		return nil, Unknown
	default:
		return nil, Malformed
	}
}

// LookupTree returns the subtree at the path, whatever it is; it may itself be pruned.
func (t *Node) LookupTree(path ...[]byte) (*Node, Status) {
	for _, label := range path {
		next, status := t.find(label)
		if status != Found {
			return nil, status
		}
		t = next
	}
	return t, Found
}

// find is find_label of the specification: a label is absent only if its neighbours on both sides
// are there, or it is beyond the first or the last, and nothing pruned lies between.
func (t *Node) find(label []byte) (*Node, Status) {
	prunedBefore := false // the last node before the place of label is pruned
	var found *Node
	status := Absent
	t.children(func(l []byte, sub *Node) bool {
		if l == nil {
			prunedBefore = true
			return true
		}
		switch bytes.Compare(l, label) {
		case -1:
			prunedBefore = false
			return true
		case 0:
			found, status = sub, Found
		default:
			if prunedBefore {
				status = Unknown
			}
		}
		prunedBefore = false
		return false
	})
	if prunedBefore {
		status = Unknown
	}
	return found, status
}
