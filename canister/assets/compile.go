package assets

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Resource is what is at a path.
type Resource struct {
	Path      string // decoded, from "/"; or Everything
	Responses []Response
}

// Everything is the path of the answer to whatever does not exist.
const Everything = "*"

// Limits of a pack. Gateways refuse more than a query may answer (3 MiB), and a table has 16-bit numbers.
const (
	MaxBody     = 2 << 20 // bytes
	maxRecords  = leafBit
	maxSegments = 8 // of a path
)

// Compile makes a pack. It is run when the module is built; package pack says of what. page is whether it
// holds a page for people. The same resources give the same pack.
func Compile(resources []Resource, page bool) (string, error) {
	c := compiler{root: &node{}}
	if err := c.add(resources); err != nil {
		return "", err
	}
	if c.root.children[wildcardMark] == nil {
		return "", errors.New("there is no answer to paths that do not exist")
	}
	return c.write(page)
}

type compiler struct {
	root      *node
	responses []Response
}

// node is a level, or a leaf.
type node struct {
	children map[string]*node
	leaf     bool
	response int
}

func (n *node) child(label string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	if n.children[label] == nil {
		n.children[label] = &node{}
	}
	return n.children[label]
}

func (c *compiler) add(resources []Resource) error {
	for _, r := range resources {
		segments, mark := segmentsOf(r.Path), exactMark
		switch {
		case r.Path == Everything:
			segments, mark = nil, wildcardMark
		case !strings.HasPrefix(r.Path, "/") || strings.Contains(r.Path, "//") || strings.ContainsAny(r.Path, "%?#"):
			return fmt.Errorf("%q is no path", r.Path)
		case len(segments) > maxSegments || slices.ContainsFunc(segments, isMark):
			return fmt.Errorf("path %q: more than %d segments, or one that is a mark", r.Path, maxSegments)
		}
		at := c.root
		for _, s := range segments {
			at = at.child(s)
		}
		if at.children[mark] != nil {
			return fmt.Errorf("path %q occurs twice", r.Path)
		}
		if err := c.addResponses(at.child(mark), r.Responses); err != nil {
			return fmt.Errorf("path %q: %w", r.Path, err)
		}
	}
	return nil
}

func (c *compiler) addResponses(at *node, responses []Response) error {
	seen := map[Variant]bool{}
	for _, r := range responses {
		if seen[r.Variant] {
			return errors.New("a variant occurs twice")
		}
		seen[r.Variant] = true
		if err := check(&r); err != nil {
			return err
		}
		index := len(c.responses)
		c.responses = append(c.responses, r)
		if r.Variant == Computed {
			expression := sha256.Sum256([]byte(uncertified))
			*at.child(string(expression[:])) = node{leaf: true, response: index}
			continue
		}
		expression, hash := sha256.Sum256([]byte(certifyAll)), r.Hash()
		level := at.child(string(expression[:])).child("")
		if level.children[string(hash[:])] != nil {
			return errors.New("two variants are the same response")
		}
		*level.child(string(hash[:])) = node{leaf: true, response: index}
	}
	if seen[Computed] != (len(responses) == 1 && !seen[Plain]) || !seen[Computed] && !seen[Plain] {
		return errors.New("want a plain response with its variants, or a computed one alone")
	}
	return nil
}

func check(r *Response) error {
	if len(r.Body) > MaxBody {
		return fmt.Errorf("a body of %d bytes, at most %d are served", len(r.Body), MaxBody)
	}
	if r.Status < 200 || r.Status > 599 || len(r.Headers) > 100 {
		return fmt.Errorf("status %d with %d headers", r.Status, len(r.Headers))
	}
	for i, h := range r.Headers {
		same := func(other Header) bool { return other.Name == h.Name }
		switch {
		case h.Name == "" || len(h.Name) > 100 || strings.Trim(h.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.HasPrefix(h.Name, "ic-"):
			return fmt.Errorf("header %q: a name is of lower-case letters, digits and -, and does not begin with ic-", h.Name)
		case slices.ContainsFunc(r.Headers[:i], same):
			return fmt.Errorf("header %q occurs twice", h.Name)
		case len(h.Value) > 4<<10 || strings.ContainsAny(h.Value, "\r\n\x00"):
			return fmt.Errorf("header %q: its value is longer than 4 KiB or has a line break", h.Name)
		}
	}
	return nil
}

// write lays the pack out.
func (c *compiler) write(page bool) (string, error) {
	table, levels, err := writeTree(c.root)
	if err != nil {
		return "", err
	}
	var out, headers, bodies []byte
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint16(out, uint16(levels))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(c.responses)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(table)))
	has := uint32(0)
	if page {
		has = 1
	}
	out = binary.LittleEndian.AppendUint32(out, has)
	out = append(out, table...)

	headersAt := len(out) + len(c.responses)*responseSize
	var begins []int
	for _, r := range c.responses {
		begins = append(begins, headersAt+len(headers))
		for _, h := range r.Headers {
			headers = append(headers, byte(len(h.Name)))
			headers = binary.LittleEndian.AppendUint16(headers, uint16(len(h.Value)))
			headers = append(append(headers, h.Name...), h.Value...)
		}
	}
	bodiesAt := headersAt + len(headers)
	places := map[string]int{} // paths that serve the same body share it
	for i, r := range c.responses {
		place, ok := places[r.Body]
		if !ok {
			place = bodiesAt + len(bodies)
			places[r.Body] = place
			bodies = append(bodies, r.Body...)
		}
		out = append(out, byte(r.Variant), byte(len(r.Headers)))
		out = binary.LittleEndian.AppendUint16(out, r.Status)
		out = binary.LittleEndian.AppendUint32(out, uint32(begins[i]))
		out = binary.LittleEndian.AppendUint32(out, uint32(place))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(r.Body)))
	}
	return string(out) + string(headers) + string(bodies), nil
}

// writeTree returns the table of a tree and the number of its levels.
func writeTree(root *node) (table []byte, levels int, err error) {
	type place struct{ first, count int }
	var order []*node // levels, every one before those below it
	var places []place
	var labels []string
	var children []*node
	number := map[*node]int{root: 0}
	order = append(order, root)
	for i := 0; i < len(order); i++ {
		names := make([]string, 0, len(order[i].children))
		for label := range order[i].children {
			names = append(names, label)
		}
		slices.Sort(names)
		places = append(places, place{len(labels), len(names)})
		for _, label := range names {
			below := order[i].children[label]
			labels, children = append(labels, label), append(children, below)
			if !below.leaf {
				number[below] = len(order)
				order = append(order, below)
			}
		}
	}
	if len(labels) >= maxRecords {
		return nil, 0, errors.New("too many paths")
	}
	for _, p := range places {
		table = binary.LittleEndian.AppendUint16(table, uint16(p.first))
		table = binary.LittleEndian.AppendUint16(table, uint16(p.count))
	}
	labelsAt := len(table) + len(labels)*recordSize
	for i, label := range labels {
		table = binary.LittleEndian.AppendUint32(table, uint32(labelsAt))
		table = binary.LittleEndian.AppendUint16(table, uint16(len(label)))
		child := number[children[i]]
		if children[i].leaf {
			child = children[i].response | leafBit
		}
		table = binary.LittleEndian.AppendUint16(table, uint16(child))
		table = append(table, make([]byte, 3*sha256.Size)...)
		labelsAt += len(label)
	}
	for _, label := range labels {
		table = append(table, label...)
	}
	// The deepest levels first.
	records := len(places) * levelSize
	for i := len(order) - 1; i >= 0; i-- {
		p := places[i]
		for r := p.first; r < p.first+p.count; r++ {
			t := tree{table: string(table), records: records}
			under := sha256.Sum256([]byte("\x10ic-hashtree-leaf"))
			if !t.isLeaf(r) {
				copy(under[:], t.hash(t.child(r)))
			}
			hash := hashLabeled(labels[r], string(under[:]))
			copy(table[t.at(r)+atSub:], under[:])
			copy(table[t.at(r)+atHash:], hash[:])
		}
		forks(table, records, p.first, p.first+p.count)
	}
	return table, len(places), nil
}

// forks writes the hashes of the forks over the records from lo up to hi and returns that of them all.
func forks(table []byte, records, lo, hi int) []byte {
	at := func(record, field int) []byte {
		begin := records + record*recordSize + field
		return table[begin : begin+sha256.Size]
	}
	if hi-lo == 1 {
		return at(lo, atHash)
	}
	mid := middle(lo, hi)
	hash := hashFork(string(forks(table, records, lo, mid)), string(forks(table, records, mid, hi)))
	copy(at(mid, atFork), hash[:])
	return hash[:]
}
