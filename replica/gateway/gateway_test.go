package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/candid/wire"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/replica/certified"
	"kedge/replica/httpapi"
	"kedge/replica/reject"
)

var site = principal.Canister(1<<63 + 1)

const expressionText = `default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{},` +
	`response_certification:ResponseCertification{certified_response_headers:ResponseHeaderList{headers:["Content-Type"]}}}})`

// fake is a network with one canister, whose methods are functions.
type fake struct {
	state   *certified.State
	now     uint64
	queries map[string]func(arg []byte) ([]byte, *reject.Error)
	update  func(arg []byte) ([]byte, *reject.Error)
}

func newFake(t testing.TB, metadata ...certified.Metadata) *fake {
	keys, err := certified.GenerateKeys(nil)
	require.NoError(t, err)
	f := &fake{state: certified.NewState(keys, certified.Options{}), now: uint64(time.Hour), queries: map[string]func([]byte) ([]byte, *reject.Error){}}
	f.state.SetCanister(site, certified.Canister{ModuleHash: []byte{1}, Metadata: metadata})
	return f
}

func (f *fake) Now() uint64             { return f.now }
func (f *fake) State() *certified.State { return f.state }

func (f *fake) Fresh(context.Context) (*certified.Snapshot, error) { return f.state.Certify(f.now) }

func (f *fake) Submit(_ context.Context, c *httpapi.Call) *reject.Error {
	if f.update == nil {
		return reject.New(reject.MethodNotFound, "no update")
	}
	reply, refused := f.update(c.Arg)
	r := certified.Request{Sender: c.Sender, Status: certified.Replied, Reply: reply}
	if refused != nil {
		r = certified.Request{Sender: c.Sender, Status: certified.Rejected, Reject: refused}
	}
	f.state.SetRequest(c.ID, r)
	_, err := f.state.Certify(f.now)
	if err != nil {
		panic(err)
	}
	return nil
}

func (f *fake) Query(_ context.Context, c *httpapi.Call) ([]byte, *reject.Error) {
	if c.Canister != site {
		return nil, reject.New(reject.CanisterNotFound, "Canister %s not found", c.Canister)
	}
	method, ok := f.queries[c.Method]
	if !ok {
		return nil, reject.New(reject.MethodNotFound, "Canister has no query method '%s'", c.Method)
	}
	return method(c.Arg)
}

// serve makes http_request answer; see is what it was asked.
func (f *fake) serve(out HttpResponse, see *HttpRequest) {
	f.queries["http_request"] = func(arg []byte) ([]byte, *reject.Error) {
		in, err := DecodeHttpRequestArgs(arg)
		if err != nil {
			return nil, reject.New(reject.CalledTrap, "%v", err)
		}
		if see != nil {
			*see = in
		}
		return EncodeHttpRequestResult(out), nil
	}
}

// certify certifies the tree as the canister's data and returns the header.
func (f *fake) certify(t testing.TB, tree *hashtree.Node, version string, exprPath []string) HeaderField {
	root := tree.Hash()
	f.state.SetCertifiedData(site, root[:])
	snapshot, err := f.state.Certify(f.now)
	require.NoError(t, err)
	b64 := base64.StdEncoding.EncodeToString
	value := "certificate=:" + b64(snapshot.DataCertificate(site)) + ":, tree=:" + b64(tree.Encode()) + ":"
	if version != "" {
		path, err := cbor.Marshal(exprPath)
		require.NoError(t, err)
		value += ", version=" + version + ", expr_path=:" + b64(path) + ":"
	}
	return HeaderField{"IC-Certificate", value}
}

// nest makes a tree of one path that ends with an empty leaf.
func nest(labels ...[]byte) *hashtree.Node {
	tree := hashtree.Leaf(nil)
	for i := len(labels) - 1; i >= 0; i-- {
		tree = hashtree.Labeled(labels[i], tree)
	}
	return tree
}

// page is a response that expressionText certifies, and its hash.
func page(body string) (HttpResponse, []byte) {
	out := HttpResponse{StatusCode: 200, Body: []byte(body), Headers: []HeaderField{
		{"Content-Type", "text/plain"}, {"X-Other", "not certified"}, {"IC-CertificateExpression", expressionText}}}
	p := pairs{}
	p.add("content-type", "text/plain")
	p.add("ic-certificateexpression", expressionText)
	p = append(p, [2][]byte{[]byte(":ic-cert-status"), {0xc8, 0x01}})
	return out, p.withBody([]byte(body))
}

func hashOf(text string) []byte { sum := sha256.Sum256([]byte(text)); return sum[:] }

func (f *fake) get(host, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", target, nil)
	r.Host = host
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	New(f).ServeHTTP(w, r)
	return w
}

func TestLocate(t *testing.T) {
	f := newFake(t)
	f.serve(HttpResponse{StatusCode: 200, Body: []byte("page")}, nil)
	id := site.Text()
	for _, tc := range []struct {
		host, target, referer string
		status                int
		want                  string
	}{
		{id + ".raw.localhost:4943", "/", "", 200, "page"},
		{strings.ToUpper(id) + ".RAW.LOCALHOST", "/", "", 200, "page"},
		{id + ".localhost:4943", "/", "", 502, "has no IC-Certificate header"},
		{"127.0.0.1:4943", "/?canisterId=" + id, "", 502, "has no IC-Certificate header"},
		{"127.0.0.1:4943", "/style.css", "http://127.0.0.1:4943/?canisterId=" + id, 502, "no IC-Certificate header"},
		{"127.0.0.1:4943", "/style.css", "http://" + id + ".raw.localhost:4943/", 200, "page"},
		{"127.0.0.1:4943", "/", "", 404, "Which canister?"},
		{"127.0.0.1:4943", "/", "http://a.example/%zz", 404, "Which canister?"},
		{"localhost", "/?canisterId=nobody", "", 400, "nobody"},
		{"nobody.localhost", "/", "", 400, "nobody"},
		{principal.Canister(5).Text() + ".localhost", "/", "", 404, "There is no canister"},
	} {
		w := f.get(tc.host, tc.target, "Referer", tc.referer)
		require.Equal(t, tc.status, w.Code, "%+v: %s", tc, w.Body)
		require.Contains(t, w.Body.String(), tc.want)
	}
}

func TestRawResponse(t *testing.T) {
	f := newFake(t)
	var seen HttpRequest
	f.serve(HttpResponse{StatusCode: 418, Body: []byte("tea"), Headers: []HeaderField{
		{"Content-Type", "text/tea"}, {"Content-Length", "99"}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}, {"Bad Name", "x"}, {"Bad", "x\r\ny"}}}, &seen)
	w := f.get(site.Text()+".raw.localhost", "/pot?x=1&y", "X-Asked", "yes")
	require.Equal(t, 418, w.Code)
	require.Equal(t, "tea", w.Body.String())
	require.Equal(t, "text/tea", w.Header().Get("Content-Type"))
	require.Equal(t, []string{"a=1", "b=2"}, w.Header().Values("Set-Cookie"))
	require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, site.Text(), w.Header().Get("X-Ic-Canister-Id"))
	require.Empty(t, w.Header().Get("Content-Length"))
	require.Empty(t, w.Header().Get("Bad"))
	require.Equal(t, "/pot?x=1&y", seen.URL)
	require.Equal(t, "GET", seen.Method)
	require.EqualValues(t, 2, *seen.CertificateVersion)
	require.Contains(t, seen.Headers, HeaderField{"x-asked", "yes"})
	require.Contains(t, seen.Headers, HeaderField{"host", site.Text() + ".raw.localhost"})

	f.serve(HttpResponse{StatusCode: 7}, nil)
	require.Equal(t, 502, f.get(site.Text()+".raw.localhost", "/").Code)
	f.queries["http_request"] = func([]byte) ([]byte, *reject.Error) { return []byte("DIDL\x00\x00"), nil }
	w = f.get(site.Text()+".raw.localhost", "/")
	require.Equal(t, 502, w.Code)
	require.Contains(t, w.Body.String(), "is not an HTTP response")
	f.queries["http_request"] = func([]byte) ([]byte, *reject.Error) { return nil, reject.New(reject.CalledTrap, "<trapped>") }
	w = f.get(site.Text()+".raw.localhost", "/")
	require.Equal(t, 502, w.Code)
	require.Contains(t, w.Body.String(), "IC0503: &lt;trapped&gt;")
}

func TestPreflightAndLongBody(t *testing.T) {
	f := newFake(t)
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Host = site.Text() + ".localhost"
	r.Header.Set("Access-Control-Request-Method", "PUT")
	w := httptest.NewRecorder()
	New(f).ServeHTTP(w, r)
	require.Equal(t, 204, w.Code)
	require.Contains(t, w.Header().Get("Access-Control-Allow-Methods"), "PUT")

	r = httptest.NewRequest("POST", "/", bytes.NewReader(make([]byte, maxRequest+1)))
	r.Host = site.Text() + ".localhost"
	w = httptest.NewRecorder()
	New(f).ServeHTTP(w, r)
	require.Equal(t, 413, w.Code)
}

func TestUpgrade(t *testing.T) {
	f := newFake(t)
	yes := true
	f.serve(HttpResponse{StatusCode: 200, Upgrade: &yes}, nil)
	f.update = func(arg []byte) ([]byte, *reject.Error) {
		in, err := DecodeHttpRequestUpdateArgs(arg)
		require.NoError(t, err)
		return EncodeHttpRequestUpdateResult(HttpResponse{StatusCode: 201, Body: []byte("made by " + in.Method)}), nil
	}
	w := f.get(site.Text()+".localhost", "/")
	require.Equal(t, 201, w.Code, "agreed on, so not checked")
	require.Equal(t, "made by GET", w.Body.String())

	f.update = func([]byte) ([]byte, *reject.Error) { return nil, reject.New(reject.CalledTrap, "no") }
	require.Equal(t, 502, f.get(site.Text()+".localhost", "/").Code)
	f.update = func([]byte) ([]byte, *reject.Error) { return []byte("x"), nil }
	require.Equal(t, 502, f.get(site.Text()+".localhost", "/").Code)
	f.update = nil
	require.Contains(t, f.get(site.Text()+".localhost", "/").Body.String(), "IC0536")
}

func TestVersion2(t *testing.T) {
	out, hash := page("hello")
	expr := hashOf(expressionText)
	none := "default_certification(ValidationArgs{no_certification:Empty{}})"
	b := func(s string) []byte { return []byte(s) }
	for _, tc := range []struct {
		name   string
		target string
		tree   *hashtree.Node
		path   []string
		change func(*HttpResponse, *fake)
		want   string
	}{
		{name: "exact", target: "/a/b", tree: nest(b("http_expr"), b("a"), b("b"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "b", "<$>"}},
		{name: "root", target: "/", tree: nest(b("http_expr"), b(""), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "", "<$>"}},
		{name: "encoded", target: "/a%20b?q", tree: nest(b("http_expr"), b("a b"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a b", "<$>"}},
		{name: "wildcard", target: "/a/b", tree: nest(b("http_expr"), b("a"), b("<*>"), expr, b(""), hash), path: []string{"http_expr", "a", "<*>"}},
		{name: "wildcard for all", target: "/a/b", tree: nest(b("http_expr"), b("<*>"), expr, b(""), hash), path: []string{"http_expr", "<*>"}},
		{name: "header not certified", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(r *HttpResponse, _ *fake) { r.Headers[1].F1 = "changed" }},
		{name: "nothing certified", target: "/a", tree: nest(b("http_expr"), b("<*>"), hashOf(none)), path: []string{"http_expr", "<*>"},
			change: func(r *HttpResponse, _ *fake) { r.Headers[2].F1, r.Body = none, []byte("anything") }},

		{name: "body changed", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(r *HttpResponse, _ *fake) { r.Body = []byte("hallo") }, want: "are not the certified ones"},
		{name: "header changed", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(r *HttpResponse, _ *fake) { r.Headers[0].F1 = "text/html" }, want: "are not the certified ones"},
		{name: "status changed", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(r *HttpResponse, _ *fake) { r.StatusCode = 404 }, want: "are not the certified ones"},
		{name: "expression changed", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(r *HttpResponse, _ *fake) { r.Headers[2].F1 = none }, want: "certificate expression is not certified"},
		{name: "no expression", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(r *HttpResponse, _ *fake) { r.Headers = append(r.Headers[:2], r.Headers[3:]...) }, want: "no IC-CertificateExpression"},
		{name: "other path", target: "/c", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"}, want: "does not fit path"},
		{name: "less specific", target: "/a", path: []string{"http_expr", "<*>"}, want: "more specific",
			tree: hashtree.Labeled(b("http_expr"), hashtree.Fork(hashtree.Labeled(b("<*>"), nest(expr, b(""), hash)), hashtree.Labeled(b("a"), nest(b("<$>"), expr, b(""), hash))))},
		{name: "a hidden path", target: "/a", path: []string{"http_expr", "<*>"}, want: "more specific",
			tree: hashtree.Labeled(b("http_expr"), hashtree.Fork(hashtree.Labeled(b("<*>"), nest(expr, b(""), hash)), hashtree.Pruned(hashtree.Hash{})))},
		{name: "path of another kind", target: "/a", tree: nest(b("a")), path: []string{"other", "<*>"}, want: "does not begin with"},
		{name: "old", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(_ *HttpResponse, f *fake) { f.now += uint64(6 * time.Minute) }, want: "more than 5m0s from now"},
		{name: "tree of something else", target: "/a", tree: nest(b("http_expr"), b("a"), b("<$>"), expr, b(""), hash), path: []string{"http_expr", "a", "<$>"},
			change: func(r *HttpResponse, f *fake) {
				other := f.certify(t, nest(b("x")), "2", nil).F1
				mine := r.Headers[3].F1
				r.Headers[3].F1 = other[:strings.Index(other, ", tree")] + mine[strings.Index(mine, ", tree"):]
			}, want: "is not what the canister certified"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t)
			r := out
			r.Headers = append(append([]HeaderField{}, out.Headers...), f.certify(t, tc.tree, "2", tc.path))
			if tc.change != nil {
				tc.change(&r, f)
			}
			f.serve(r, nil)
			w := f.get(site.Text()+".localhost", tc.target)
			if tc.want == "" {
				require.Equal(t, 200, w.Code, w.Body.String())
				require.Equal(t, string(r.Body), w.Body.String())
				return
			}
			require.Equal(t, 502, w.Code)
			require.Contains(t, w.Body.String(), tc.want)
			require.Contains(t, w.Body.String(), site.Text()+".raw")
		})
	}
}

func TestVersion2WithRequest(t *testing.T) {
	f := newFake(t)
	text := `default_certification ( ValidationArgs { certification : Certification { request_certification: RequestCertification{` +
		`certified_request_headers: ["X-Lang"], certified_query_parameters: ["q"] }, response_certification: ResponseCertification {` +
		`response_header_exclusions: ResponseHeaderList { headers: ["X-Other"] } } } } )`
	var request, answer pairs
	request.add("x-lang", "go")
	request.add(":ic-cert-method", "GET")
	request.add(":ic-cert-query", "q=1&q=2")
	answer.add("content-type", "text/plain")
	answer.add("ic-certificateexpression", text)
	answer = append(answer, [2][]byte{[]byte(":ic-cert-status"), {0xc8, 0x01}})
	tree := nest([]byte("http_expr"), []byte("<*>"), hashOf(text), request.withBody(nil), answer.withBody([]byte("hello")))
	f.serve(HttpResponse{StatusCode: 200, Body: []byte("hello"), Headers: []HeaderField{
		{"Content-Type", "text/plain"}, {"X-Other", "free"}, {"IC-CertificateExpression", text}, f.certify(t, tree, "2", []string{"http_expr", "<*>"})}}, nil)
	require.Equal(t, 200, f.get(site.Text()+".localhost", "/?q=1&z=9&q=2", "X-Lang", "go").Code)
	require.Equal(t, 502, f.get(site.Text()+".localhost", "/?q=1&q=3", "X-Lang", "go").Code)
	require.Equal(t, 502, f.get(site.Text()+".localhost", "/?q=1&q=2", "X-Lang", "c").Code)
}

func TestVersion1(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write([]byte("hello"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	tree := hashtree.Labeled([]byte("http_assets"), hashtree.Map{}.With([]byte("/index.html"), hashtree.Leaf(hashOf("index"))).With([]byte("/x"), hashtree.Leaf(hashOf("hello"))).Tree())
	for _, tc := range []struct {
		name, target, encoding, body string
		metadata                     []certified.Metadata
		status                       int
	}{
		{"plain", "/x", "", "hello", nil, 200},
		{"gzip", "/x", "gzip", zipped.String(), nil, 200},
		{"index", "/y", "", "index", nil, 200},
		{"changed", "/x", "", "hallo", nil, 502},
		{"broken gzip", "/x", "gzip", "hello", nil, 502},
		{"unknown encoding", "/x", "br", "hello", nil, 502},
		{"version 2 is supported", "/x", "", "hello", []certified.Metadata{{Name: "supported_certificate_versions", Public: true, Data: []byte("1, 2")}}, 502},
		{"version 1 is supported", "/x", "", "hello", []certified.Metadata{{Name: "supported_certificate_versions", Public: true, Data: []byte("1")}}, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t, tc.metadata...)
			headers := []HeaderField{f.certify(t, tree, "", nil)}
			if tc.encoding != "" {
				headers = append(headers, HeaderField{"Content-Encoding", tc.encoding})
			}
			f.serve(HttpResponse{StatusCode: 200, Body: []byte(tc.body), Headers: headers}, nil)
			w := f.get(site.Text()+".localhost", tc.target)
			require.Equal(t, tc.status, w.Code, w.Body.String())
		})
	}
}

// Version 1 certifies the body alone: a redirect is refused, and how long to keep the answer is dropped.
func TestVersion1CertifiesNoHeaders(t *testing.T) {
	f := newFake(t)
	tree := hashtree.Labeled([]byte("http_assets"), hashtree.Labeled([]byte("/x"), hashtree.Leaf(hashOf("hello"))))
	headers := []HeaderField{f.certify(t, tree, "", nil), {"Cache-Control", "max-age=9"}, {"X-Other", "stays"}, {"Location", "https://evil.example"}}
	f.serve(HttpResponse{StatusCode: 200, Body: []byte("hello"), Headers: headers}, nil)
	w := f.get(site.Text()+".localhost", "/x")
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Header().Get("Cache-Control"))
	require.Equal(t, "stays", w.Header().Get("X-Other"))
	f.serve(HttpResponse{StatusCode: 302, Body: []byte("hello"), Headers: headers}, nil)
	w = f.get(site.Text()+".localhost", "/x")
	require.Equal(t, 502, w.Code)
	require.Contains(t, w.Body.String(), "it redirects, which version 1 does not certify")
}

// A canister may always answer without an encoding.
func TestIdentityIsAlwaysAccepted(t *testing.T) {
	f := newFake(t)
	var seen HttpRequest
	f.serve(HttpResponse{StatusCode: 200}, &seen)
	for sent, want := range map[string]string{"gzip, br": "gzip, br, identity", "Identity;q=0.5, gzip": "Identity;q=0.5, gzip, identity", "identity": "identity"} {
		f.get(site.Text()+".raw.localhost", "/", "Accept-Encoding", sent)
		require.Contains(t, seen.Headers, HeaderField{"accept-encoding", want})
	}
	f.get(site.Text()+".raw.localhost", "/")
	require.NotContains(t, fmt.Sprint(seen.Headers), "accept-encoding")
}

func TestStreaming(t *testing.T) {
	f := newFake(t)
	out, hash := page("one two three")
	header := f.certify(t, nest([]byte("http_expr"), []byte("<*>"), hashOf(expressionText), nil, hash), "2", []string{"http_expr", "<*>"})
	out.Headers, out.Body = append(out.Headers, header), []byte("one ")
	strategy := StreamingStrategy{Callback: StreamingStrategyCallback{Callback: wire.FuncRef{Service: site, Method: "more"}, Token: Token{Key: "k", Index: big.NewInt(1)}}}
	out.StreamingStrategy = &strategy
	f.serve(out, nil)
	asked := 0
	f.queries["more"] = func(arg []byte) ([]byte, *reject.Error) {
		token, err := DecodeHttpRequestStreamingCallbackArgs(arg)
		require.NoError(t, err)
		require.Equal(t, "k", token.Key)
		asked++
		if asked%2 == 1 {
			return EncodeHttpRequestStreamingCallbackResult(&StreamingBody{Body: []byte("two "), Token: &Token{Key: "k", Index: new(big.Int)}}), nil
		}
		return EncodeHttpRequestStreamingCallbackResult(&StreamingBody{Body: []byte("three")}), nil
	}
	for _, host := range []string{".localhost", ".raw.localhost"} {
		w := f.get(site.Text()+host, "/")
		require.Equal(t, 200, w.Code, w.Body.String())
		require.Equal(t, "one two three", w.Body.String())
	}
	require.Equal(t, 4, asked)

	f.queries["more"] = func([]byte) ([]byte, *reject.Error) { return nil, reject.New(reject.CalledTrap, "no more") }
	require.Contains(t, f.get(site.Text()+".localhost", "/").Body.String(), "The rest of the answer")
	require.Panics(t, func() { f.get(site.Text()+".raw.localhost", "/") }, "the connection is cut")

	strategy.Callback.Callback.Service = principal.Canister(9)
	f.serve(out, nil)
	require.Contains(t, f.get(site.Text()+".localhost", "/").Body.String(), "a method of another canister")
}

func TestParseExpressionRefuses(t *testing.T) {
	for _, text := range []string{
		" \n" + expressionText + " more", strings.Replace(expressionText, `"Content-Type"`, `"a-1" , "\\" , ""`, 1),
		strings.Replace(expressionText, "no_request_certification:Empty{}", "no_request_certification:[]", 1),
		strings.Replace(expressionText, "certification:Cert", "certification:X{},certification:Cert", 1),
		"default_certification ( ValidationArgs { no_certification : Empty { } } , more{} )",
	} {
		_, err := parseExpression(text)
		require.NoError(t, err, "production's gateways take it: %s", text)
	}
	for _, text := range []string{
		"", "default_certification", "default_certification()", "default_certification(X{})",
		"default_certification(ValidationArgs{})", "default_certification(ValidationArgs{certification:Other{}})",
		"default_certification(ValidationArgs{certification:Certification{}})",
		"default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{}}})",
		"default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{},response_certification:R{}}})",
		"default_certification(ValidationArgs{no_certification:Empty{},certification:Certification{}})",
		strings.Replace(expressionText, "no_request_certification:Empty{}", "request_certification:RequestCertification{certified_request_headers:[]}", 1),
		strings.Replace(expressionText, "no_request_certification:Empty{}", "no_request_certification:Empty{},request_certification:Empty{}", 1),
		strings.Replace(expressionText, "ResponseHeaderList", "Headers", 1), strings.Replace(expressionText, "[", "X{", 1),
		strings.Replace(expressionText, `"Content-Type"`, `Content`, 1), strings.Replace(expressionText, `"Content-Type"`, `E{}`, 1),
		strings.Replace(expressionText, `"Content-Type"`, `"Content-Type",`, 1), strings.Replace(expressionText, `"Content-Type"`, `"content_type"`, 1),
		strings.Replace(expressionText, `"Content-Type"`, `"content type"`, 1), strings.Replace(expressionText, `"Content-Type"`, `"\t"`, 1),
		strings.Replace(expressionText, `})`, `},)`, 1), strings.Replace(expressionText, `}})`, `},})`, 1),
		"default_certification(ValidationArgs{a:[\"x]})", "default_certification(ValidationArgs{a:[\"x\"})",
		"default_certification(" + strings.Repeat("a{b:", 20), strings.Repeat("x", maxExpression+1),
	} {
		_, err := parseExpression(text)
		require.Error(t, err, text)
	}
}

func TestParseEvidenceRefuses(t *testing.T) {
	for header, want := range map[string]string{
		"":                                      "missing",
		"certificate=:***:":                     "certificate is not base64",
		"tree=:AA==:":                           "hash tree",
		"expr_path=:AA==:":                      "expected array",
		"version=3":                             "missing",
		"certificate=:AA==:, x=:AA:":            "missing",
		"certificate=:AA==:, certificate=:***:": "missing", // the first counts
	} {
		_, err := parseEvidence(header)
		require.ErrorContains(t, err, want, header)
	}
	tree := base64.StdEncoding.EncodeToString(hashtree.Empty().Encode())
	_, err := parseEvidence("certificate=:AA==:, tree=:" + tree + ":, version=3")
	require.ErrorContains(t, err, `version "3" is not known`)
}

func FuzzDecodeResponse(f *testing.F) {
	out, _ := page("hello")
	out.StreamingStrategy = &StreamingStrategy{Callback: StreamingStrategyCallback{Token: Token{Key: "k", Index: new(big.Int)}}}
	f.Add(EncodeHttpRequestResult(out), expressionText)
	f.Add(EncodeHttpRequestStreamingCallbackResult(&StreamingBody{Token: &Token{Index: new(big.Int)}}), "default_certification(ValidationArgs{a:[\"x\"]})")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		if r, err := decodeResponse(data); err == nil && r.next != nil && !bytes.HasPrefix(r.next.token, []byte("DIDL")) {
			t.Fatal("a token is not a message")
		}
		_, _, _ = decodePart(data)
		_, _ = parseExpression(text)
		_, _ = parseEvidence(text)
	})
}

func TestOverHTTP(t *testing.T) {
	f := newFake(t)
	f.serve(HttpResponse{StatusCode: 200, Body: []byte("page")}, nil)
	server := httptest.NewServer(httpapi.New(f, httpapi.Options{Other: New(f)}))
	defer server.Close()
	r, err := http.NewRequest("GET", server.URL+"/", nil)
	require.NoError(t, err)
	r.Host = site.Text() + ".raw.localhost"
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "page", string(body))
	r.URL.Path = "/api/v2/status"
	status, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	status.Body.Close()
	require.Equal(t, "application/cbor", status.Header.Get("Content-Type"), "the network answers below every host")
}
