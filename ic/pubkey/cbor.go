package pubkey

import "errors"

// members are those of a COSE key that say something here, by label; all others are passed over. Of a label
// that comes twice the last member counts, as for the network.
type members [7]item

const lowestLabel = -3

// at returns the member with a label from -3 to 3, the zero item if there is none.
func (m *members) at(label int64) *item { return &m[label-lowestLabel] }

// maxDepth bounds nesting, as the network's parser does.
const maxDepth = 128

var errCBOR = errors.New("its encoding ends early or is none")

// readCOSE reads a CBOR map (RFC 8949), in whatever form its items are: lengths longer than they need be or
// indefinite, tags, floats.
func readCOSE(data []byte) (members, error) {
	var m members
	r := &reader{data: data}
	for {
		major, _, _, err := r.peek()
		if err != nil {
			return m, err
		}
		if major != majorTag {
			break
		}
		if _, _, _, err := r.head(); err != nil {
			return m, err
		}
	}
	major, n, indefinite, err := r.head()
	if err != nil || major != majorMap {
		return m, errCBOR
	}
	for i := uint64(0); indefinite || i < n; i++ {
		if indefinite && r.atBreak() {
			break
		}
		label, err := r.item(0)
		if err != nil {
			return m, err
		}
		value, err := r.item(0)
		if err != nil {
			return m, err
		}
		if label.isInt && label.int >= lowestLabel && label.int < lowestLabel+int64(len(m)) {
			*m.at(label.int) = value
		}
	}
	if len(r.data) != 0 {
		return m, errors.New("something comes after it")
	}
	return m, nil
}

const (
	majorUint = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// reader reads items off data.
type reader struct{ data []byte }

// item is what is kept of an item: an integer of 64 bits, or a byte string, never nil.
type item struct {
	isInt bool
	int   int64
	bytes []byte
}

func (r *reader) peek() (major int, n uint64, indefinite bool, err error) {
	copied := reader{r.data}
	return copied.head()
}

// head reads the head of an item.
func (r *reader) head() (major int, n uint64, indefinite bool, err error) {
	if len(r.data) == 0 {
		return 0, 0, false, errCBOR
	}
	first := r.data[0]
	major, n = int(first>>5), uint64(first&31)
	r.data = r.data[1:]
	switch {
	case n < 24:
		return major, n, false, nil
	case n == 31 && major >= majorBytes && major != majorTag:
		return major, 0, true, nil
	case n > 27:
		return 0, 0, false, errCBOR
	}
	width := 1 << (n - 24)
	if len(r.data) < width {
		return 0, 0, false, errCBOR
	}
	n = 0
	for _, b := range r.data[:width] {
		n = n<<8 | uint64(b)
	}
	r.data = r.data[width:]
	return major, n, false, nil
}

// atBreak passes over the mark that ends an item of indefinite length, if it is next.
func (r *reader) atBreak() bool {
	if len(r.data) > 0 && r.data[0] == 0xff {
		r.data = r.data[1:]
		return true
	}
	return false
}

func (r *reader) item(depth int) (item, error) {
	if depth > maxDepth {
		return item{}, errCBOR
	}
	major, n, indefinite, err := r.head()
	if err != nil {
		return item{}, err
	}
	switch major {
	case majorUint, majorNegative:
		if n > 1<<63-1 {
			return item{}, nil
		}
		value := int64(n)
		if major == majorNegative {
			value = -1 - value
		}
		return item{isInt: true, int: value}, nil
	case majorBytes, majorText:
		content, err := r.content(major, n, indefinite)
		if err != nil || major == majorText {
			return item{}, err
		}
		return item{bytes: content}, nil
	case majorArray, majorMap:
		if major == majorMap {
			n *= 2
		}
		for i := uint64(0); indefinite || i < n; i++ {
			if indefinite && r.atBreak() {
				break
			}
			if _, err := r.item(depth + 1); err != nil {
				return item{}, err
			}
		}
		return item{}, nil
	case majorTag:
		return r.item(depth + 1)
	}
	if indefinite { // a break where an item is wanted
		return item{}, errCBOR
	}
	return item{}, nil
}

// content reads what a string holds, in one piece or in several.
func (r *reader) content(major int, n uint64, indefinite bool) ([]byte, error) {
	if !indefinite {
		if n > uint64(len(r.data)) {
			return nil, errCBOR
		}
		out := r.data[:n:n]
		r.data = r.data[n:]
		return out, nil
	}
	out := []byte{}
	for !r.atBreak() {
		part, n, nested, err := r.head()
		if err != nil || part != major || nested || n > uint64(len(r.data)) {
			return nil, errCBOR
		}
		out, r.data = append(out, r.data[:n]...), r.data[n:]
	}
	return out, nil
}
