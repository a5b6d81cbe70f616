package gateway

import (
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/hashtree"
)

// testdata/assets.json holds answers with the verdict of crate ic-response-verification 4.0.1, by which
// mainnet's gateways decide. The gateway decides likewise.
func TestProductionsVerdicts(t *testing.T) {
	data, err := os.ReadFile("testdata/assets.json")
	require.NoError(t, err)
	var file struct {
		CertifiedData string `json:"certified_data"`
		Cases         []struct {
			Name     string      `json:"name"`
			URL      string      `json:"url"`
			Status   uint16      `json:"status"`
			Headers  [][2]string `json:"headers"`
			Body     string      `json:"body"`
			ExprPath []string    `json:"expr_path"`
			Tree     string      `json:"tree"`
			Verdict  string      `json:"verdict"`
		} `json:"cases"`
	}
	require.NoError(t, json.Unmarshal(data, &file))
	require.Len(t, file.Cases, 20)
	bytesOf := func(text string) []byte {
		raw, err := hex.DecodeString(text)
		require.NoError(t, err)
		return raw
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			f := newFake(t)
			tree, err := hashtree.Decode(bytesOf(c.Tree))
			require.NoError(t, err)
			root := tree.Hash()
			require.Equal(t, file.CertifiedData, hex.EncodeToString(root[:]))
			out := HttpResponse{StatusCode: c.Status, Body: bytesOf(c.Body)}
			for _, h := range c.Headers {
				out.Headers = append(out.Headers, HeaderField{h[0], h[1]})
			}
			out.Headers = append(out.Headers, f.certify(t, tree, "2", c.ExprPath))
			f.serve(out, nil)
			w := f.get(site.Text()+".localhost", c.URL)
			if c.Verdict != "ok" {
				require.True(t, strings.HasPrefix(c.Verdict, "refused: "), c.Verdict)
				require.Equal(t, 502, w.Code, c.Verdict)
				require.Contains(t, w.Body.String(), "did not certify this answer")
				return
			}
			require.Equal(t, int(c.Status), w.Code, w.Body.String())
			require.Equal(t, string(out.Body), w.Body.String())
			if c.Name == "list of headers, csp not in it" {
				require.Empty(t, w.Header().Get("Content-Security-Policy"), "what is not certified does not reach the browser")
			}
			require.Equal(t, "text/", w.Header().Get("Content-Type")[:5])
		})
	}
}

// The hash that the library's own test expects for this request.
func TestProductionsRequestHash(t *testing.T) {
	x := expression{request: true, requestHeaders: []string{"host"}}
	in := HttpRequest{Method: "POST", Body: []byte{0, 1, 2, 3, 4, 5, 6}, Headers: []HeaderField{
		{"Accept-Language", "en"}, {"Accept-Language", "en-US"}, {"Host", "https://ic0.app"},
	}}
	require.Equal(t, "10796453466efb3e333891136b8a5931269f77e40ead9d437fcee94a02fa833c", hex.EncodeToString(x.hashRequest(&in, &url.URL{Path: "/"})))
	with := &url.URL{Path: "/", RawQuery: "color=purple"}
	require.Equal(t, x.hashRequest(&in, &url.URL{Path: "/"}), x.hashRequest(&in, with), "no parameter is certified")
	x.queryParams = []string{"Q"}
	with.RawQuery = "q=hello"
	require.NotEqual(t, x.hashRequest(&in, &url.URL{Path: "/"}), x.hashRequest(&in, with), "names compare without case")
}

func TestWildcardsThatGoBefore(t *testing.T) {
	for _, c := range []struct {
		path    string
		prefix  []string
		covered bool
		before  []string
	}{
		{"/a/b", nil, true, []string{"a/b", "a/", "a", ""}},
		{"/a/", nil, true, []string{"a/", "a", ""}},
		{"/", nil, true, []string{""}},
		{"/a/b", []string{"a"}, true, []string{"a/b", "a/"}},
		{"/a/b", []string{"a", ""}, true, []string{"a/b"}},
		{"/a", []string{"a"}, true, nil},
		{"/a", []string{"a", ""}, true, []string{"a"}},
		{"/a//b///c", []string{"a"}, true, []string{"a/b/c", "a/b/", "a/b", "a/"}},
		{"/a", []string{"b"}, false, nil},
		{"/a", []string{"a", "b"}, false, nil},
		{"/ab", []string{"a", ""}, false, nil},
	} {
		segments := segmentsOf(c.path)
		require.Equal(t, c.covered, covers(c.prefix, segments), "%+v", c)
		if !c.covered {
			continue
		}
		var before []string
		for _, s := range moreSpecific(segments, c.prefix) {
			before = append(before, strings.Join(s, "/"))
		}
		require.Equal(t, c.before, before, "%+v", c)
	}
}
