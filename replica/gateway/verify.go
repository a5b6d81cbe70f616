package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"

	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/internal/minicbor"
)

// maxAge is how far the time of a certificate may be from now.
const maxAge = 5 * time.Minute

// evidence is the header IC-Certificate.
type evidence struct {
	certificate []byte
	tree        *hashtree.Node
	version     string
	exprPath    []string
}

// verify checks that a response is what the canister certified for the request.
func (g *Gateway) verify(canister principal.Principal, in *HttpRequest, at *url.URL, out *response) error {
	header, ok := headerOf(out.headers, "ic-certificate")
	if !ok {
		return errors.New("it has no IC-Certificate header")
	}
	e, err := parseEvidence(header)
	if err != nil {
		return fmt.Errorf("IC-Certificate header: %w", err)
	}
	if err := g.checkCertificate(canister, e); err != nil {
		return err
	}
	if e.version == "2" {
		return e.verifyV2(in, at, out)
	}
	if strings.Contains(","+strings.ReplaceAll(g.metadata(canister, "supported_certificate_versions"), " ", "")+",", ",2,") {
		return errors.New("it is certified by version 1, but the canister says that it supports version 2")
	}
	return e.verifyV1(at, out)
}

// checkCertificate checks that the tree is what the canister has certified, lately.
func (g *Gateway) checkCertificate(canister principal.Principal, e *evidence) error {
	c, err := certificate.Decode(e.certificate)
	if err != nil {
		return err
	}
	if err := c.VerifyCanister(g.backend.State().Keys().Root.Public(), canister); err != nil {
		return err
	}
	now := g.backend.Now()
	if err := c.CheckTime(time.Unix(int64(now/1e9), int64(now%1e9)), maxAge); err != nil {
		return err
	}
	certified, status := c.Tree.Lookup([]byte("canister"), canister.Bytes(), []byte("certified_data"))
	if hash := e.tree.Hash(); status != hashtree.Found || !bytes.Equal(certified, hash[:]) {
		return errors.New("the tree in the header is not what the canister certified")
	}
	return nil
}

func headerOf(headers []HeaderField, name string) (string, bool) {
	for _, h := range headers {
		if strings.EqualFold(h.F0, name) {
			return h.F1, true
		}
	}
	return "", false
}

// parseEvidence reads: certificate=:base64:, tree=:base64:, version=2, expr_path=:base64: in any order. Fields
// that it does not know are left alone, and of several with one name the first counts.
func parseEvidence(header string) (*evidence, error) {
	fields := map[string]string{}
	for _, part := range strings.Split(header, ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, there := fields[name]; !there {
			fields[name] = strings.Trim(text, ":")
		}
	}
	e := evidence{version: "1"}
	if version, ok := fields["version"]; ok {
		e.version = version
	}
	for _, name := range []string{"certificate", "tree", "expr_path"} {
		text, ok := fields[name]
		if !ok {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("%s is not base64", name)
		}
		switch name {
		case "certificate":
			e.certificate = raw
		case "tree":
			e.tree, err = hashtree.Decode(raw)
		case "expr_path":
			e.exprPath, err = decodeExprPath(raw)
		}
		if err != nil {
			return nil, err
		}
	}
	if e.certificate == nil || e.tree == nil {
		return nil, errors.New("certificate or tree is missing")
	}
	if e.version != "1" && e.version != "2" {
		return nil, fmt.Errorf("version %q is not known", e.version)
	}
	return &e, nil
}

func decodeExprPath(raw []byte) ([]string, error) {
	r := minicbor.NewReader(raw)
	if err := r.SkipTag(minicbor.SelfDescribed); err != nil {
		return nil, err
	}
	n, err := r.Array()
	if err != nil {
		return nil, err
	}
	var out []string
	for range n {
		segment, err := r.Text()
		if err != nil {
			return nil, err
		}
		out = append(out, segment)
	}
	return out, r.Done()
}

// verifyV1 looks for the hash of the body below the path, or else that of /index.html.
// Neither status nor headers are certified: redirects are refused, and how long to keep the answer is dropped.
func (e *evidence) verifyV1(at *url.URL, out *response) error {
	if out.status >= 300 && out.status < 400 {
		return errors.New("it redirects, which version 1 does not certify")
	}
	want, status := e.tree.Lookup([]byte("http_assets"), []byte(at.Path))
	if status == hashtree.Absent {
		want, status = e.tree.Lookup([]byte("http_assets"), []byte("/index.html"))
	}
	if status != hashtree.Found {
		return fmt.Errorf("the tree does not certify path %q (%s)", at.Path, status)
	}
	encoding, _ := headerOf(out.headers, "content-encoding")
	plain, err := decompress(encoding, out.body)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(plain); !bytes.Equal(want, sum[:]) {
		return errors.New("the body is not the certified one")
	}
	out.headers = slices.DeleteFunc(out.headers, func(h HeaderField) bool { return strings.EqualFold(h.F0, "cache-control") })
	return nil
}

func decompress(encoding string, body []byte) ([]byte, error) {
	var reader io.Reader
	var err error
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		reader, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		reader, err = zlib.NewReader(bytes.NewReader(body))
	default:
		return nil, fmt.Errorf("content encoding %q cannot be checked", encoding)
	}
	if err != nil {
		return nil, fmt.Errorf("content encoding %q: %w", encoding, err)
	}
	plain, err := io.ReadAll(io.LimitReader(reader, maxChecked+1))
	if err == nil && len(plain) > maxChecked {
		err = errors.New("too long to be checked")
	}
	if err != nil {
		return nil, fmt.Errorf("content encoding %q: %w", encoding, err)
	}
	return plain, nil
}

// verifyV2 checks the path, the expression below it, and the hashes that the expression asks for. Headers that
// are not certified do not stay.
func (e *evidence) verifyV2(in *HttpRequest, at *url.URL, out *response) error {
	path, err := e.checkPath(at)
	if err != nil {
		return err
	}
	text, ok := headerOf(out.headers, "ic-certificateexpression")
	if !ok {
		return errors.New("it has no IC-CertificateExpression header")
	}
	hash := sha256.Sum256([]byte(text))
	path = append(path, hash[:])
	if _, status := e.tree.LookupTree(path...); status != hashtree.Found {
		return fmt.Errorf("its certificate expression is not certified (%s)", status)
	}
	expr, err := parseExpression(text)
	if err != nil || expr.nothing {
		return err
	}
	requestHash := []byte{}
	if expr.request {
		requestHash = expr.hashRequest(in, at)
	}
	leaf, status := e.tree.Lookup(append(path, requestHash, expr.hashResponse(out))...)
	if status != hashtree.Found || len(leaf) != 0 {
		return errors.New("status, headers or body are not the certified ones")
	}
	out.headers = slices.DeleteFunc(out.headers, func(h HeaderField) bool {
		return !strings.EqualFold(h.F0, "ic-certificate") && !expr.certifies(strings.ToLower(h.F0))
	})
	return nil
}

// checkPath returns the labels of the path of the header, which must fit the request and be the most
// specific one that the tree holds for it. It decides as production's gateways do.
func (e *evidence) checkPath(at *url.URL) ([][]byte, error) {
	n := len(e.exprPath)
	if n < 2 || e.exprPath[0] != "http_expr" {
		return nil, fmt.Errorf("expression path %q does not begin with \"http_expr\"", e.exprPath)
	}
	if !utf8.ValidString(at.Path) {
		return nil, errors.New("the path is not text in UTF-8")
	}
	segments := segmentsOf(at.Path)
	prefix, end := e.exprPath[1:n-1], e.exprPath[n-1]
	if end == "<$>" && slices.Equal(prefix, segments) {
		return labels(prefix, "<$>"), nil
	}
	if end != "<*>" || !covers(prefix, segments) {
		return nil, fmt.Errorf("expression path %q does not fit path %q", e.exprPath, at.Path)
	}
	if _, status := e.tree.LookupTree(labels(segments, "<$>")...); status != hashtree.Absent {
		return nil, errors.New("the tree may hold a more specific expression path: the exact one")
	}
	for _, wildcard := range moreSpecific(segments, prefix) {
		if _, status := e.tree.LookupTree(labels(wildcard, "<*>")...); status != hashtree.Absent {
			return nil, fmt.Errorf("the tree may hold a more specific expression path: %q", append(wildcard, "<*>"))
		}
	}
	return labels(prefix, "<*>"), nil
}

// segmentsOf returns the segments of a path: without empty ones, and with one behind a slash at the end.
func segmentsOf(path string) []string {
	segments := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
	if strings.HasSuffix(path, "/") {
		segments = append(segments, "")
	}
	return segments
}

func labels(segments []string, end string) [][]byte {
	out := [][]byte{[]byte("http_expr")}
	for _, s := range segments {
		out = append(out, []byte(s))
	}
	return append(out, []byte(end))
}

// covers reports whether the wildcard below a prefix is for a path: one below it. A prefix that ends in an
// empty segment, a folder, is for what is in the folder.
func covers(prefix, segments []string) bool {
	begins := func(prefix []string) bool {
		return len(prefix) <= len(segments) && slices.Equal(prefix, segments[:len(prefix)])
	}
	k := len(prefix)
	return begins(prefix) || k > 0 && prefix[k-1] == "" && begins(prefix[:k-1])
}

// moreSpecific returns the prefixes of the wildcards that go before that of a prefix, the longest first: of
// each part of the path, the wildcard for it and the one for the folder that it would be in.
func moreSpecific(segments, prefix []string) [][]string {
	var out [][]string
	last := func(s []string) string {
		if len(s) == 0 {
			return "\x00" // no segment
		}
		return s[len(s)-1]
	}
	for at := slices.Clone(segments); len(at) > len(prefix) || last(at) != last(prefix); {
		out = append(out, slices.Clone(at))
		folder := last(at) == ""
		at = at[:max(len(at)-1, 0)]
		if !folder {
			at = append(at, "")
		}
	}
	return out
}

// pairs is a map with repeated keys, to be hashed independently of representation.
type pairs [][2][]byte

func (p *pairs) add(key, value string) { *p = append(*p, [2][]byte{[]byte(key), []byte(value)}) }

func (p pairs) hash() []byte {
	rows := make([][]byte, len(p))
	for i, pair := range p {
		key, value := sha256.Sum256(pair[0]), sha256.Sum256(pair[1])
		rows[i] = append(key[:], value[:]...)
	}
	slices.SortFunc(rows, bytes.Compare)
	sum := sha256.Sum256(bytes.Join(rows, nil))
	return sum[:]
}

// withBody hashes the hash of the pairs and that of the body.
func (p pairs) withBody(body []byte) []byte {
	bodyHash := sha256.Sum256(body)
	sum := sha256.Sum256(append(p.hash(), bodyHash[:]...))
	return sum[:]
}

func (x *expression) hashRequest(in *HttpRequest, at *url.URL) []byte {
	var p pairs
	for _, h := range in.Headers {
		if containsFold(x.requestHeaders, h.F0) {
			p.add(strings.ToLower(h.F0), h.F1)
		}
	}
	p.add(":ic-cert-method", in.Method)
	var query []string
	for _, part := range strings.Split(at.RawQuery, "&") {
		if name, _, _ := strings.Cut(part, "="); containsFold(x.queryParams, name) {
			query = append(query, part)
		}
	}
	if query != nil {
		p.add(":ic-cert-query", strings.Join(query, "&"))
	}
	return p.withBody(in.Body)
}

func (x *expression) hashResponse(out *response) []byte {
	var p pairs
	for _, h := range out.headers {
		if name := strings.ToLower(h.F0); x.certifies(name) {
			p.add(name, h.F1)
		}
	}
	p = append(p, [2][]byte{[]byte(":ic-cert-status"), hashtree.EncodeNat(uint64(out.status))})
	return p.withBody(out.body)
}

// certifies reports whether a header of a response is certified; its name is in lower case.
func (x *expression) certifies(name string) bool {
	switch name {
	case "ic-certificate":
		return false
	case "ic-certificateexpression":
		return true
	}
	return containsFold(x.responseHeaders, name) != x.exclude
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
