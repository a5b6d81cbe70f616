package assets

// Header is a header's name, in lower case, and value.
type Header struct{ Name, Value string }

// Variant says which of the answers at a path a response is.
type Variant uint8

// The variants. A path has Plain and whatever else it needs, or Computed alone.
const (
	Plain       Variant = iota
	Gzip                // the body is compressed
	WrongMethod         // 405, to methods other than GET and HEAD
	Computed            // the canister makes the answer, which is not certified
)

// Response is an answer but for the headers that certify it.
type Response struct {
	Variant Variant
	Status  uint16
	Headers []Header
	Body    string
}

// Site is what the canister serves. Open makes one.
type Site struct {
	pack      pack
	tree      tree
	documents map[int]Response // of Set, by response
}

// Open returns the site of a pack that package pack has made. It reads no more than the beginning.
func Open(text string) (*Site, error) {
	p, err := openPack(text)
	if err != nil {
		return nil, err
	}
	return &Site{pack: p, tree: p.tree()}, nil
}

// HasPage reports whether the module was built with its page.
func (s *Site) HasPage() bool { return u32(s.pack.text, 12) != 0 }

// Root returns the hash of the site's part of the canister's certified tree: what stands left of the
// signatures.
func (s *Site) Root() [32]byte { return hashLabeled(rootLabel, s.tree.hash(0)) }

const rootLabel = "http_expr"

// Found is where a request leads: to a response, and to what the witness must show.
type Found struct {
	Response
	path    []string // the expression path behind "http_expr"
	proofs  [][]string
	certify string // the expression
}

// Find looks up the path of a URL. get is whether the method is GET or HEAD, gzip whether the client takes
// that encoding (see [AcceptsGzip]). There is always an answer: 404 if nothing else.
func (s *Site) Find(url string, get, gzip bool) Found {
	segments := segmentsOf(url)
	level, depth := 0, 0
	for ; depth < len(segments); depth++ {
		record, ok := s.tree.find(level, segments[depth])
		if !ok || s.tree.isLeaf(record) {
			break
		}
		level = s.tree.child(record)
	}
	var f Found
	if depth == len(segments) {
		if record, ok := s.tree.find(level, exactMark); ok {
			s.choose(&f, with(segments, exactMark), s.tree.child(record), get, gzip)
			return f
		}
	}
	// The answer to everything else. Its witness shows that there is nothing more specific: not the path
	// itself, and no wildcard on the way to it, neither for a part of it nor for the folder (an empty label)
	// that the next part would be in.
	record, _ := s.tree.find(0, wildcardMark)
	s.choose(&f, []string{wildcardMark}, s.tree.child(record), true, gzip)
	missing := exactMark
	if depth < len(segments) {
		missing = segments[depth]
	}
	f.proofs = append(f.proofs, with(segments[:depth], missing), []string{"", wildcardMark})
	for k := 1; k <= depth; k++ {
		f.proofs = append(f.proofs, with(segments[:k], wildcardMark), append(with(segments[:k], ""), wildcardMark))
	}
	return f
}

// choose picks a response below the mark that ends an expression path: the levels there are expression,
// request hash (none) and response hash.
func (s *Site) choose(f *Found, path []string, level int, get, gzip bool) {
	expression := s.tree.first(level)
	proof := with(path, s.tree.label(expression))
	response := s.tree.child(expression)
	f.certify = uncertified
	if !s.tree.isLeaf(expression) {
		f.certify = certifyAll
		want := Plain
		if !get {
			want = WrongMethod
		} else if gzip {
			want = Gzip
		}
		none := s.tree.first(response)
		responses := s.tree.child(none)
		record := s.tree.first(responses)
		for i := range s.tree.count(responses) {
			r := s.tree.first(responses) + i
			if v := s.pack.variant(s.tree.child(r)); v == want {
				record = r
				break
			} else if v == Plain {
				record = r
			}
		}
		response = s.tree.child(record)
		proof = append(proof, s.tree.label(none), s.tree.label(record))
	}
	var changed bool
	if f.Response, changed = s.documents[response]; !changed {
		f.Response = s.pack.response(response)
	}
	f.path = path
	f.proofs = append(f.proofs, proof)
}

// with returns the path with one more label, in memory of its own.
func with(path []string, label string) []string {
	return append(append(make([]string, 0, len(path)+4), path...), label)
}

// Set puts a document at a path that the pack has reserved. It panics on others: which documents there are
// is decided when the module is built.
func (s *Site) Set(path string, r Response) {
	level := 0
	trail := with(segmentsOf(path), exactMark)
	var records []int
	for i := 0; ; i++ {
		record := s.tree.first(level)
		if i < len(trail) {
			var ok bool
			if record, ok = s.tree.find(level, trail[i]); !ok {
				panic("assets: no document is reserved at " + path)
			}
		} else if s.tree.count(level) != 1 {
			panic("assets: the document at " + path + " is not reserved")
		}
		records = append(records, record)
		if s.tree.isLeaf(record) {
			break
		}
		level = s.tree.child(record)
	}
	last := records[len(records)-1]
	if s.documents == nil {
		s.documents = map[int]Response{}
	}
	s.documents[s.tree.child(last)] = r
	hash := r.Hash()
	s.tree = s.tree.relabeled(records, string(hash[:]))
}
