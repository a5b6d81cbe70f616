package certificate

import (
	"fmt"

	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/internal/minicbor"
)

// Range is a range of canister ids, both ends included.
type Range struct{ Start, End principal.Principal }

// Contains tells whether the id is in the range.
func (r Range) Contains(id principal.Principal) bool {
	return r.Start.Compare(id) <= 0 && id.Compare(r.End) <= 0
}

// EncodeRanges returns ranges as they stand in state trees: tagged CBOR, [[start, end], …].
func EncodeRanges(ranges []Range) []byte {
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Array, uint64(len(ranges)))
	for _, r := range ranges {
		out = minicbor.AppendHead(out, minicbor.Array, 2)
		out = minicbor.AppendBytes(out, r.Start.Bytes())
		out = minicbor.AppendBytes(out, r.End.Bytes())
	}
	return out
}

// DecodeRanges is the inverse of EncodeRanges; the tag may be missing.
func DecodeRanges(data []byte) ([]Range, error) {
	r := minicbor.NewReader(data)
	if err := r.SkipTag(minicbor.SelfDescribed); err != nil {
		return nil, fmt.Errorf("canister ranges: %w", err)
	}
	n, err := r.Array()
	if err != nil {
		return nil, fmt.Errorf("canister ranges: %w", err)
	}
	var out []Range
	for range n {
		one, err := decodeRange(r)
		if err != nil {
			return nil, fmt.Errorf("canister ranges: %w", err)
		}
		out = append(out, one)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("canister ranges: %w", err)
	}
	return out, nil
}

func decodeRange(r *minicbor.Reader) (out Range, err error) {
	n, err := r.Array()
	if err != nil {
		return out, err
	}
	if n != 2 {
		return out, fmt.Errorf("range of %d ends instead of 2", n)
	}
	for _, end := range []*principal.Principal{&out.Start, &out.End} {
		raw, err := r.Bytes()
		if err != nil {
			return out, err
		}
		if *end, err = principal.FromBytes(raw); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Ranges returns the canister ids that the tree says are the subnet's. A tree holds them in one of two
// forms, or both: sharded, /canister_ranges/<subnet>/<first id>, and the older flat one,
// /subnet/<subnet>/canister_ranges. Shards may be missing from a pruned tree.
func Ranges(tree *hashtree.Node, subnet principal.Principal) ([]Range, error) {
	var out []Range
	id := subnet.Bytes()
	known := false
	if shards, status := tree.LookupTree([]byte("canister_ranges"), id); status == hashtree.Found {
		for _, shard := range shards.Children {
			if shard.Kind() != hashtree.KindLeaf {
				continue
			}
			ranges, err := DecodeRanges(shard.Value())
			if err != nil {
				return nil, err
			}
			out, known = append(out, ranges...), true
		}
	}
	if flat, status := tree.Lookup([]byte("subnet"), id, []byte("canister_ranges")); status == hashtree.Found {
		ranges, err := DecodeRanges(flat)
		if err != nil {
			return nil, err
		}
		out, known = append(out, ranges...), true
	}
	if !known {
		return nil, fmt.Errorf("the certificate does not tell the canister ranges of subnet %s", subnet)
	}
	return out, nil
}
