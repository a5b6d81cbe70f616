package hashtree

import (
	"bytes"
	"fmt"

	"kedge/internal/minicbor"
)

// MaxDepth is the greatest number of nodes above one another that Decode accepts.
const MaxDepth = 256

// Encode returns the tree in CBOR, without the tag 55799.
func (t *Node) Encode() []byte { return t.AppendTo(nil) }

// AppendTo appends the tree in CBOR to dst.
func (t *Node) AppendTo(dst []byte) []byte {
	switch t.kind {
	case KindFork:
		return t.right.AppendTo(t.left.AppendTo(append(dst, 0x83, byte(KindFork))))
	case KindLabeled:
		return t.left.AppendTo(minicbor.AppendBytes(append(dst, 0x83, byte(KindLabeled)), t.bytes))
	case KindLeaf:
		return minicbor.AppendBytes(append(dst, 0x82, byte(KindLeaf)), t.bytes)
	case KindPruned:
		return minicbor.AppendBytes(append(dst, 0x82, byte(KindPruned)), t.hash[:])
	default:
		return append(dst, 0x81, byte(KindEmpty))
	}
}

// Decode reads a tree, with or without the tag 55799. The whole of data must be one well-formed
// tree: labels strictly increasing, leaves only at the end of a path, at most MaxDepth deep. The tree
// aliases data.
func Decode(data []byte) (*Node, error) {
	r := minicbor.NewReader(data)
	if err := r.SkipTag(minicbor.SelfDescribed); err != nil {
		return nil, fmt.Errorf("hash tree: %w", err)
	}
	t, err := DecodeFrom(r)
	if err != nil {
		return nil, err
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("hash tree: %w", err)
	}
	return t, nil
}

// DecodeFrom reads a tree without the tag that is part of a larger item, and checks its form.
func DecodeFrom(r *minicbor.Reader) (*Node, error) {
	t, err := decode(r, MaxDepth)
	if err == nil {
		err = t.checkForm()
	}
	if err != nil {
		return nil, fmt.Errorf("hash tree: %w", err)
	}
	return t, nil
}

// elements is the length of the array that each kind of node is.
var elements = [...]uint64{KindEmpty: 1, KindFork: 3, KindLabeled: 3, KindLeaf: 2, KindPruned: 2}

func decode(r *minicbor.Reader, depth int) (*Node, error) {
	start := r.Offset()
	if depth == 0 {
		return nil, fmt.Errorf("more than %d levels deep at offset %d", MaxDepth, start)
	}
	n, err := r.Array()
	if err != nil {
		return nil, err
	}
	kind, err := r.Uint()
	if err != nil {
		return nil, err
	}
	if kind >= uint64(len(elements)) {
		return nil, fmt.Errorf("unknown kind of node %d at offset %d", kind, start)
	}
	if n != elements[kind] {
		return nil, fmt.Errorf("node of kind %d at offset %d has %d elements instead of %d", kind, start, n, elements[kind])
	}
	switch Kind(kind) {
	case KindFork:
		left, err := decode(r, depth-1)
		if err != nil {
			return nil, err
		}
		right, err := decode(r, depth-1)
		if err != nil {
			return nil, err
		}
		return Fork(left, right), nil
	case KindLabeled:
		label, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		sub, err := decode(r, depth-1)
		if err != nil {
			return nil, err
		}
		return Labeled(label, sub), nil
	case KindLeaf:
		value, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		return Leaf(value), nil
	case KindPruned:
		hash, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		if len(hash) != HashLen {
			return nil, fmt.Errorf("hash of %d bytes at offset %d", len(hash), start)
		}
		return Pruned(Hash(hash)), nil
	default:
		return Empty(), nil
	}
}

// checkForm is well_formed of the specification.
func (t *Node) checkForm() error {
	if t.kind == KindLeaf {
		return nil
	}
	var previous []byte
	return t.checkForest(&previous)
}

func (t *Node) checkForest(previous *[]byte) error {
	switch t.kind {
	case KindLeaf:
		return fmt.Errorf("a leaf inside a fork")
	case KindFork:
		if err := t.left.checkForest(previous); err != nil {
			return err
		}
		return t.right.checkForest(previous)
	case KindLabeled:
		if *previous != nil && bytes.Compare(*previous, t.bytes) >= 0 {
			return fmt.Errorf("label %q does not come after %q", t.bytes, *previous)
		}
		*previous = t.bytes
		return t.left.checkForm()
	default:
		return nil
	}
}
