package assets_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/assets"
	"kedge/ic/hashtree"
)

// page is what is served here: a text, plain and compressed, and 405 for other methods.
func page(path string) assets.Resource {
	body := strings.Repeat(path+"\n", 100)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(body)) // a buffer takes everything
	_ = z.Close()
	kind := assets.Header{Name: "content-type", Value: "text/plain"}
	return assets.Resource{Path: path, Responses: []assets.Response{
		{Variant: assets.Plain, Status: 200, Headers: []assets.Header{kind}, Body: body},
		{Variant: assets.Gzip, Status: 200, Headers: []assets.Header{kind, {Name: "content-encoding", Value: "gzip"}}, Body: packed.String()},
		{Variant: assets.WrongMethod, Status: 405, Headers: []assets.Header{kind}, Body: "use GET"},
	}}
}

// text is a resource with one response.
func text(path string, variant assets.Variant, status uint16) assets.Resource {
	return assets.Resource{Path: path, Responses: []assets.Response{{Variant: variant, Status: status, Body: "text"}}}
}

func open(t require.TestingT, more ...assets.Resource) *assets.Site {
	pack, err := assets.Compile(append([]assets.Resource{
		page("/"), page("/index.html"), page("/authorize"), page("/assets/main.0A1B2C3D.js"),
		page("/.well-known/ii-alternative-origins"), text(assets.Domains, assets.Plain, 404), text(assets.RelatedOrigins, assets.Plain, 404),
		text(assets.Metrics, assets.Computed, 200), text(assets.Everything, assets.Plain, 404),
	}, more...), true)
	require.NoError(t, err)
	site, err := assets.Open(pack)
	require.NoError(t, err)
	return site
}

// field is what the header IC-Certificate says.
var field = regexp.MustCompile(`^certificate=:([^:]*):, tree=:([^:]*):, version=2, expr_path=:([^:]*):$`)

// witness returns the tree and the expression path that the site sends, held against the site's root.
func witness(t require.TestingT, site *assets.Site, found *assets.Found) (*hashtree.Node, []string) {
	sibling := [32]byte{7}
	parts := field.FindStringSubmatch(site.Certificate(found, &sibling, []byte("certificate")))
	require.NotNil(t, parts)
	decode := func(s string) []byte {
		raw, err := base64.StdEncoding.DecodeString(s)
		require.NoError(t, err)
		return raw
	}
	require.Equal(t, "certificate", string(decode(parts[1])))
	tree, err := hashtree.Decode(decode(parts[2]))
	require.NoError(t, err)
	whole := hashtree.Fork(hashtree.Pruned(site.Root()), hashtree.Pruned(sibling))
	require.Equal(t, whole.Hash(), tree.Hash(), "the witness is of the certified tree")
	var path []string
	require.NoError(t, cbor.Unmarshal(decode(parts[3]), &path))
	return tree, path
}

func status(tree *hashtree.Node, path ...string) hashtree.Status {
	labels := make([][]byte, len(path))
	for i, p := range path {
		labels[i] = []byte(p)
	}
	_, s := tree.LookupTree(labels...)
	return s
}

func header(r *assets.Found, name string) string {
	for _, h := range r.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

func TestFilesAreServedAndCertified(t *testing.T) {
	site := open(t)
	require.True(t, site.HasPage())
	for _, c := range []struct {
		url       string
		get, gzip bool
		status    uint16
		path      []string
		variant   assets.Variant
	}{
		{"/", true, false, 200, []string{"", "<$>"}, assets.Plain},
		{"/", true, true, 200, []string{"", "<$>"}, assets.Gzip},
		{"/?openid=x#y", true, true, 200, []string{"", "<$>"}, assets.Gzip},
		{"//", true, true, 200, []string{"", "<$>"}, assets.Gzip},
		{"/", false, true, 405, []string{"", "<$>"}, assets.WrongMethod},
		{"/index.html", true, false, 200, []string{"index.html", "<$>"}, assets.Plain},
		{"/%69ndex.html", true, false, 200, []string{"index.html", "<$>"}, assets.Plain},
		{"/authorize", true, true, 200, []string{"authorize", "<$>"}, assets.Gzip},
		{"/assets/main.0A1B2C3D.js", true, true, 200, []string{"assets", "main.0A1B2C3D.js", "<$>"}, assets.Gzip},
		{"/assets%2Fmain.0A1B2C3D.js", true, false, 200, []string{"assets", "main.0A1B2C3D.js", "<$>"}, assets.Plain},
		{"/assets//main.0A1B2C3D.js", true, false, 200, []string{"assets", "main.0A1B2C3D.js", "<$>"}, assets.Plain},
		{"/.well-known/ii-alternative-origins", true, false, 200, []string{".well-known", "ii-alternative-origins", "<$>"}, assets.Plain},
		{"/.well-known/ic-domains", true, true, 404, []string{".well-known", "ic-domains", "<$>"}, assets.Plain},
		{"/.well-known/webauthn", true, true, 404, []string{".well-known", "webauthn", "<$>"}, assets.Plain},
		{"/metrics?x", true, true, 200, []string{"metrics", "<$>"}, assets.Computed},

		{"/nope", true, false, 404, []string{"<*>"}, assets.Plain},
		{"/authorize/", true, false, 404, []string{"<*>"}, assets.Plain},
		{"/assets", true, false, 404, []string{"<*>"}, assets.Plain},
		{"/assets/", true, false, 404, []string{"<*>"}, assets.Plain},
		{"/assets/nope.js", true, true, 404, []string{"<*>"}, assets.Plain},
		{"/assets/main.0A1B2C3D.js/more/and/more", true, true, 404, []string{"<*>"}, assets.Plain},
		{"/" + strings.Repeat("a/", 1000), true, true, 404, []string{"<*>"}, assets.Plain},
		{"/%3C*%3E", true, true, 404, []string{"<*>"}, assets.Plain},
		{"/%3C$%3E", false, true, 404, []string{"<*>"}, assets.Plain},
		{"/%zz%", true, true, 404, []string{"<*>"}, assets.Plain},
	} {
		found := site.Find(c.url, c.get, c.gzip)
		require.Equal(t, c.status, found.Status, c.url)
		require.Equal(t, c.variant, found.Variant, c.url)
		tree, path := witness(t, site, &found)
		require.Equal(t, append([]string{"http_expr"}, c.path...), path, c.url)
		expression := assets.Sum(found.Expression())
		if c.variant == assets.Computed {
			require.Equal(t, hashtree.Found, status(tree, append(path, expression)...), c.url)
			continue
		}
		hash := found.Response.Hash()
		require.Equal(t, hashtree.Found, status(tree, append(path, expression, "", string(hash[:]))...), c.url)
		if c.variant == assets.Gzip {
			require.Equal(t, "gzip", header(&found, "content-encoding"))
			r, err := gzip.NewReader(strings.NewReader(found.Body))
			require.NoError(t, err)
			plain, err := io.ReadAll(r)
			require.NoError(t, err)
			other := site.Find(c.url, true, false)
			require.Equal(t, other.Body, string(plain))
		} else {
			require.Empty(t, header(&found, "content-encoding"))
		}
	}
}

// Whatever is asked for, the witness proves that nothing more specific is there: the path itself, or a wildcard
// for a part of it or a folder on the way to it.
func TestAbsenceIsProved(t *testing.T) {
	var more []assets.Resource
	for _, name := range []string{"0", "1", "2", "3", "a", "b", "c", "z"} {
		more = append(more, page("/assets/"+name+".0A1B2C3D.js"), page("/deep/er/"+name))
	}
	site := open(t, more...)
	segment := rapid.OneOf(
		rapid.SampledFrom([]string{"", "assets", "main.0A1B2C3D.js", "index.html", ".well-known", "metrics", "<*>", "<$>", "a", "zz", "authorize", "~", "deep", "er", "c.0A1B2C3D.js"}),
		rapid.StringN(0, 3, -1),
	)
	rapid.Check(t, func(t *rapid.T) {
		// A gateway decodes a path before it splits it, so it makes no difference which of its bytes are escaped.
		decoded := "/" + strings.Join(rapid.SliceOfN(segment, 1, 6).Draw(t, "segments"), "/")
		var escaped strings.Builder
		for _, b := range []byte(decoded) {
			if b == '/' && rapid.Bool().Draw(t, "as it is") {
				escaped.WriteByte(b)
			} else {
				fmt.Fprintf(&escaped, "%%%02x", b)
			}
		}
		parts := strings.Split(decoded, "/")
		found := site.Find(escaped.String(), true, false)
		tree, path := witness(t, site, &found)
		var segments []string
		for _, p := range parts {
			if p != "" {
				segments = append(segments, p)
			}
		}
		if parts[len(parts)-1] == "" {
			segments = append(segments, "")
		}
		request := append([]string{"http_expr"}, segments...)
		if found.Status != 404 || len(path) > 2 {
			require.Equal(t, append(request, "<$>"), path)
			return
		}
		require.Equal(t, []string{"http_expr", "<*>"}, path)
		require.Equal(t, hashtree.Absent, status(tree, append(request, "<$>")...))
		for k := len(request); k >= 1; k-- {
			if k > 1 {
				require.Equal(t, hashtree.Absent, status(tree, append(append([]string{}, request[:k]...), "<*>")...))
			}
			if k < len(request) {
				require.Equal(t, hashtree.Absent, status(tree, append(append([]string{}, request[:k]...), "", "<*>")...))
			}
		}
	})
}

func TestDocuments(t *testing.T) {
	site := open(t)
	before := site.Root()
	site.Set(assets.RelatedOrigins, assets.Response{Status: 200, Headers: assets.PublicHeaders(assets.JSON), Body: `{"origins":[]}`})
	require.NotEqual(t, before, site.Root())
	middle := site.Root()
	site.Set(assets.Domains, assets.Response{Status: 200, Headers: assets.PublicHeaders(assets.PlainText), Body: "id.example\n"})
	require.NotEqual(t, middle, site.Root())
	for url, body := range map[string]string{assets.RelatedOrigins: `{"origins":[]}`, assets.Domains: "id.example\n", "/": "", "/nope": "", "/assets/main.0A1B2C3D.js": "", "/.well-known/x": ""} {
		found := site.Find(url, true, false)
		if body != "" {
			require.EqualValues(t, 200, found.Status)
			require.Equal(t, body, found.Body)
			require.Equal(t, "*", header(&found, "access-control-allow-origin"))
		}
		tree, path := witness(t, site, &found)
		hash := found.Response.Hash()
		require.Equal(t, hashtree.Found, status(tree, append(path, assets.Sum(found.Expression()), "", string(hash[:]))...))
	}
	require.Panics(t, func() { site.Set("/nope", assets.Response{}) })
	require.Panics(t, func() { site.Set("/", assets.Response{}) }, "it has variants")
}

// A witness shows what it must and hides the rest, so it stays small.
func TestWitnessesHideTheRest(t *testing.T) {
	var more []assets.Resource
	for i := range 60 {
		more = append(more, page(fmt.Sprintf("/assets/%02d.0A1B2C3D.js", i)))
	}
	site := open(t, more...)
	for _, url := range []string{"/", "/assets/30.0A1B2C3D.js", "/assets/30.0A1B2C3D.css", "/nope"} {
		found := site.Find(url, true, false)
		tree, _ := witness(t, site, &found)
		for _, other := range [][]string{{"index.html", "<$>"}, {"assets", "10.0A1B2C3D.js", "<$>"}, {"metrics", "<$>"}} {
			require.Equal(t, hashtree.Unknown, status(tree, append([]string{"http_expr"}, other...)...), "%s and %s", url, other)
		}
		require.Less(t, len(tree.Encode()), 1200, url)
	}
}

// A path can name the labels of the tree down to a leaf, and go on.
func TestPathsIntoTheTree(t *testing.T) {
	site := open(t)
	found := site.Find(assets.Metrics, true, false)
	var path strings.Builder
	path.WriteString(assets.Metrics + "/%3C$%3E/")
	for _, b := range []byte(assets.Sum(found.Expression())) {
		fmt.Fprintf(&path, "%%%02x", b)
	}
	for _, url := range []string{path.String(), path.String() + "/", path.String() + "/x", path.String() + "/x/y"} {
		found := site.Find(url, true, false)
		require.EqualValues(t, 404, found.Status)
		_, expression := witness(t, site, &found)
		require.Equal(t, []string{"http_expr", "<*>"}, expression)
	}
}
