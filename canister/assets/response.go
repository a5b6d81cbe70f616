package assets

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
)

// The expressions: every header that is sent is certified, or nothing is (HTTP Gateway Protocol
// Specification, "Certification"). The tree holds the hash of the text, letter by letter.
const (
	certifyAll = "default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{}," +
		"response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:[]}}}})"
	uncertified = "default_certification(ValidationArgs{no_certification:Empty{}})"
)

// ExpressionHeader is the name of the header that the expression goes into, and CertificateHeader that of
// what [Site.Certificate] returns.
const (
	ExpressionHeader  = "ic-certificateexpression"
	CertificateHeader = "ic-certificate"
)

// Expression returns the value of the header IC-CertificateExpression.
func (f *Found) Expression() string { return f.certify }

// Sum returns the SHA-256 of a text, as the tree has expressions.
func Sum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

// Hash returns the response hash: what the tree certifies.
func (r *Response) Hash() [sha256.Size]byte {
	rows := make([]string, 0, len(r.Headers)+2)
	add := func(name, value string) {
		n, v := sha256.Sum256([]byte(name)), sha256.Sum256([]byte(value))
		rows = append(rows, string(n[:])+string(v[:]))
	}
	for _, h := range r.Headers {
		add(h.Name, h.Value)
	}
	add(ExpressionHeader, certifyAll)
	add(":ic-cert-status", leb128(r.Status))
	slices.Sort(rows)
	headers, body := sha256.Sum256([]byte(strings.Join(rows, ""))), sha256.Sum256([]byte(r.Body))
	return sha256.Sum256(append(headers[:], body[:]...))
}

// leb128 is a number as the hash of a response has it.
func leb128(n uint16) string {
	var b []byte
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return string(append(b, byte(n)))
}

// pack reads the binary text that package pack writes:
//
//	magic (4), number of levels (2), of responses (2), length of the tree's table (4), 1 if a page is in it,
//	else 0 (4)
//	the tree's table: levels, records, labels, see tree
//	responses: variant (1), number of headers (1), status (2), and where headers begin (4), where the body
//	           begins (4), how long the body is (4), counted from the beginning of the text
//	headers: each the length of its name (1) and of its value (2), name, value
//	bodies
type pack struct {
	text      string
	levels    int
	responses int // where they begin
}

const (
	// magic begins a pack; its last letter is the version of the format.
	magic        = "KAP1"
	headerSize   = 16
	responseSize = 16
)

func openPack(text string) (pack, error) {
	if len(text) < headerSize || text[:len(magic)] != magic {
		return pack{}, errors.New("assets: this is no pack: make one with cmd/assetpack")
	}
	p := pack{text: text, levels: u16(text, 4)}
	p.responses = headerSize + u32(text, 8)
	if p.responses+u16(text, 6)*responseSize > len(text) {
		return pack{}, errors.New("assets: this is no pack: make one with cmd/assetpack")
	}
	return p, nil
}

func (p pack) tree() tree {
	return tree{table: p.text[headerSize:p.responses], records: p.levels * levelSize}
}

func (p pack) variant(response int) Variant {
	return Variant(p.text[p.responses+response*responseSize])
}

func (p pack) response(i int) Response {
	at := p.responses + i*responseSize
	body := u32(p.text, at+8)
	r := Response{
		Variant: Variant(p.text[at]),
		Status:  uint16(u16(p.text, at+2)),
		Headers: make([]Header, p.text[at+1]),
		Body:    p.text[body : body+u32(p.text, at+12)],
	}
	at = u32(p.text, at+4)
	for i := range r.Headers {
		value := at + 3 + int(p.text[at])
		end := value + u16(p.text, at+1)
		r.Headers[i] = Header{p.text[at+3 : value], p.text[value:end]}
		at = end
	}
	return r
}
