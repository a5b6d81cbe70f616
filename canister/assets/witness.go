package assets

import "encoding/base64"

// Certificate returns the value of the header IC-Certificate: the certificate of the network, the witness
// that leads from its root to the response, and the expression path. sibling is the hash of what stands right
// of the site in the canister's certified tree.
func (s *Site) Certificate(f *Found, sibling *[32]byte, certificate []byte) string {
	witness := append(make([]byte, 0, 2<<10), selfDescribed...)
	witness = append(witness, 0x83, tagFork)
	witness = appendText(append(witness, 0x83, tagLabeled), bytesMajor, rootLabel)
	witness = s.tree.appendLevel(witness, 0, f.proofs)
	witness = appendPruned(witness, string(sibling[:]))

	path := append(make([]byte, 0, 128), selfDescribed...)
	path = append(path, arrayMajor|byte(1+len(f.path)))
	path = appendText(path, textMajor, rootLabel)
	for _, segment := range f.path {
		path = appendText(path, textMajor, segment)
	}

	b := make([]byte, 0, 64+(len(certificate)+len(witness)+len(path))*4/3+16)
	b = base64.StdEncoding.AppendEncode(append(b, "certificate=:"...), certificate)
	b = base64.StdEncoding.AppendEncode(append(b, ":, tree=:"...), witness)
	b = base64.StdEncoding.AppendEncode(append(b, ":, version=2, expr_path=:"...), path)
	return string(append(b, ':'))
}

// The tags of hash tree nodes in CBOR (Interface Specification, "Certificate encoding").
const (
	tagFork    = 0x01
	tagLabeled = 0x02
	tagLeaf    = 0x03
	tagPruned  = 0x04
)

// The heads of CBOR that are written here (RFC 8949, section 3).
const (
	bytesMajor = 2 << 5
	textMajor  = 3 << 5
	arrayMajor = 4 << 5 // for less than 24 elements

	selfDescribed = "\xd9\xd9\xf7"
)

func appendText(b []byte, major byte, text string) []byte {
	switch n := len(text); {
	case n < 24:
		b = append(b, major|byte(n))
	case n < 1<<8:
		b = append(b, major|24, byte(n))
	default:
		b = append(b, major|25, byte(n>>8), byte(n))
	}
	return append(b, text...)
}

func appendPruned(b []byte, hash string) []byte {
	return appendText(append(b, 0x82, tagPruned), bytesMajor, hash)
}

// appendLevel writes a level with everything pruned that the proofs need not show. A proof is a path; where
// a label of it does not exist, its neighbours are shown, which proves that.
func (t tree) appendLevel(b []byte, level int, proofs [][]string) []byte {
	first := t.first(level)
	end := first + t.count(level)
	shown := make([]int, 0, 16)
	for _, path := range proofs {
		record := t.search(level, path[0])
		switch {
		case record < end && t.label(record) == path[0]:
			shown = append(shown, record)
			continue
		case record < end:
			shown = append(shown, record)
		}
		if record > first {
			shown = append(shown, record-1)
		}
	}
	return t.appendSpan(b, first, end, shown, proofs)
}

func (t tree) appendSpan(b []byte, lo, hi int, shown []int, proofs [][]string) []byte {
	visible := false
	for _, record := range shown {
		visible = visible || record >= lo && record < hi
	}
	if !visible {
		return appendPruned(b, t.span(lo, hi))
	}
	if hi-lo > 1 {
		mid := middle(lo, hi)
		b = t.appendSpan(append(b, 0x83, tagFork), lo, mid, shown, proofs)
		return t.appendSpan(b, mid, hi, shown, proofs)
	}
	label := t.label(lo)
	b = appendText(append(b, 0x83, tagLabeled), bytesMajor, label)
	if t.isLeaf(lo) {
		return append(b, 0x82, tagLeaf, 0x40)
	}
	further := make([][]string, 0, 8)
	for _, path := range proofs {
		if len(path) > 1 && path[0] == label {
			further = append(further, path[1:])
		}
	}
	return t.appendLevel(b, t.child(lo), further)
}
