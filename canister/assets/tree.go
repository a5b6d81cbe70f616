package assets

import "crypto/sha256"

// tree is the hash tree of a pack, as a table that is read where it lies. A level is a set of labels, in
// ascending order; a record is a label with what stands under it, a further level or an empty leaf. As a
// hash tree, a level is a binary tree of forks, each of which parts its labels in the middle.
//
//	level:  first record (2 bytes), number of records (2)
//	record: where its label begins (4) and how long it is (2), child: a level or, with the highest bit
//	        set, a leaf's response (2), and three hashes: of the labeled node, of what stands under the
//	        label, and of the fork that parts the level before this record
//
// Numbers are little-endian. Where labels begin counts from the beginning of the table.
type tree struct {
	table   string
	records int // where they begin
}

const (
	levelSize  = 4
	recordSize = 8 + 3*sha256.Size

	atHash = 8
	atSub  = atHash + sha256.Size
	atFork = atSub + sha256.Size

	leafBit = 0x8000
)

func u16(s string, at int) int { return int(s[at]) | int(s[at+1])<<8 }
func u32(s string, at int) int { return u16(s, at) | u16(s, at+2)<<16 }

func (t tree) first(level int) int { return u16(t.table, level*levelSize) }
func (t tree) count(level int) int { return u16(t.table, level*levelSize+2) }

func (t tree) at(record int) int { return t.records + record*recordSize }

func (t tree) label(record int) string {
	at := t.at(record)
	begin := u32(t.table, at)
	return t.table[begin : begin+u16(t.table, at+4)]
}

func (t tree) isLeaf(record int) bool { return u16(t.table, t.at(record)+6)&leafBit != 0 }
func (t tree) child(record int) int   { return u16(t.table, t.at(record)+6) &^ leafBit }

func (t tree) hashAt(record, field int) string {
	at := t.at(record) + field
	return t.table[at : at+sha256.Size]
}

// hash returns the hash of a level.
func (t tree) hash(level int) string {
	first := t.first(level)
	return t.span(first, first+t.count(level))
}

// span returns the hash of the forks over the records from lo up to hi.
func (t tree) span(lo, hi int) string {
	if hi-lo == 1 {
		return t.hashAt(lo, atHash)
	}
	return t.hashAt(middle(lo, hi), atFork)
}

// middle is the record before which a fork parts the records from lo up to hi.
func middle(lo, hi int) int { return (lo + hi) / 2 }

// search returns the first record of a level whose label is not less.
func (t tree) search(level int, label string) int {
	lo := t.first(level)
	hi := lo + t.count(level)
	for lo < hi {
		if mid := middle(lo, hi); t.label(mid) < label {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// find returns the record of a label.
func (t tree) find(level int, label string) (record int, ok bool) {
	record = t.search(level, label)
	return record, record < t.first(level)+t.count(level) && t.label(record) == label
}

// relabeled returns the tree with another label for the last of the records, which lead from the first
// level to a leaf, and the hashes on the way made anew. The label must have the same length and be alone on
// its level, so that the order stays.
func (t tree) relabeled(records []int, label string) tree {
	b := []byte(t.table)
	last := len(records) - 1
	copy(b[u32(t.table, t.at(records[last])):], label)
	under := t.hashAt(records[last], atSub)
	for i := last; i >= 0; i-- {
		record := records[i]
		if i < last {
			label = t.label(record)
			copy(b[t.at(record)+atSub:], under)
		}
		hash := hashLabeled(label, under)
		copy(b[t.at(record)+atHash:], hash[:])
		level := 0
		if i > 0 {
			level = t.child(records[i-1])
		}
		first := t.first(level)
		top := t.rehash(b, first, first+t.count(level), record, hash)
		under = string(top[:])
	}
	t.table = string(b)
	return t
}

// rehash writes the forks over the records from lo up to hi anew, one of which has another hash, and returns
// the hash of them all.
func (t tree) rehash(b []byte, lo, hi, record int, hash [sha256.Size]byte) [sha256.Size]byte {
	if hi-lo == 1 {
		return hash
	}
	mid := middle(lo, hi)
	if record < mid {
		hash = t.rehash(b, lo, mid, record, hash)
		hash = hashFork(string(hash[:]), t.span(mid, hi))
	} else {
		hash = t.rehash(b, mid, hi, record, hash)
		hash = hashFork(t.span(lo, mid), string(hash[:]))
	}
	copy(b[t.at(mid)+atFork:], hash[:])
	return hash
}

// The hashes of an Internet Computer hash tree (Interface Specification, "Certificate").

func hashFork(left, right string) [sha256.Size]byte {
	return sha256.Sum256([]byte("\x10ic-hashtree-fork" + left + right))
}

func hashLabeled(label, under string) [sha256.Size]byte {
	return sha256.Sum256([]byte("\x13ic-hashtree-labeled" + label + under))
}
