package delegation

import "crypto/sha256"

// Get appends the canister signature over a message by the seed's key, in the form in which the network
// checks it: the CBOR map {"certificate": bytes, "tree": hash tree} behind the self-describing tag
// 55799, with everything but the path to the message pruned away. sibling is as for Root and certificate
// the data certificate of the running query.
//
// ok is false if the message was not prepared, or has expired at now, pruned or not.
func (s *Signatures) Get(b []byte, seed Seed, m Message, now uint64, sibling *[32]byte, certificate []byte) (signature []byte, ok bool) {
	key, message := hash(sha256.Sum256(seed[:])), hash(m)
	upper, ok := s.forest.find(s.root, &key)
	if !ok {
		return nil, false
	}
	lower := s.forest.leaves.at(upper).sub
	i, ok := s.forest.find(lower, &message)
	if !ok || s.forest.leaves.at(i).expires <= now {
		return nil, false
	}

	b = append(b, 0xd9, 0xd9, 0xf7, 0xa2)
	b = appendText(b, "certificate")
	b = appendBytes(b, certificate)
	b = appendText(b, "tree")
	b = appendPruned(append(b, 0x83, tagFork), sibling)
	b = appendBytes(append(b, 0x83, tagLabeled), []byte("sig"))
	b = s.forest.appendPath(b, s.root, &key, func(b []byte) []byte {
		return s.forest.appendPath(b, lower, &message, func(b []byte) []byte {
			return append(b, 0x82, tagLeaf, 0x40)
		})
	})
	return b, true
}

// The tags of hash tree nodes in CBOR (Interface Specification, "Certificate encoding").
const (
	tagFork    = 0x01
	tagLabeled = 0x02
	tagLeaf    = 0x03
	tagPruned  = 0x04
)

// appendPath writes the trie with everything beside the path to the label pruned; under writes what
// stands under the label.
func (f *forest) appendPath(b []byte, r ref, label *hash, under func([]byte) []byte) []byte {
	if r.isLeaf() {
		b = appendBytes(append(b, 0x83, tagLabeled), label[:])
		return under(b)
	}
	n := f.forks.at(r.fork())
	b = append(b, 0x83, tagFork)
	if bitAt(label, n.bit) == 0 {
		b = f.appendPath(b, n.left, label, under)
		return appendPruned(b, f.hashOf(n.right))
	}
	b = appendPruned(b, f.hashOf(n.left))
	return f.appendPath(b, n.right, label, under)
}

func appendPruned(b []byte, h *hash) []byte {
	return appendBytes(append(b, 0x82, tagPruned), h[:])
}

// appendBytes writes a CBOR byte string.
func appendBytes(b, v []byte) []byte { return append(appendHead(b, 2<<5, len(v)), v...) }

// appendText writes a CBOR text string.
func appendText(b []byte, v string) []byte { return append(appendHead(b, 3<<5, len(v)), v...) }

// appendHead writes the major type and the length of a CBOR string (RFC 8949, section 3) below 4 GiB.
func appendHead(b []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return append(b, major|25, byte(n>>8), byte(n))
	default:
		return append(b, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}
