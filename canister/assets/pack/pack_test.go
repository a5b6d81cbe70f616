package pack_test

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/assets"
	"kedge/canister/assets/pack"
	"kedge/ic/hashtree"
)

const strict = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// entry is a file in site.json.
type entry struct {
	File   string   `json:"file"`
	Paths  []string `json:"paths"`
	Type   string   `json:"type,omitempty"`
	Cache  string   `json:"cache,omitempty"`
	Frame  string   `json:"frame,omitempty"`
	Policy string   `json:"policy,omitempty"`
}

func index() entry {
	return entry{"index.html", []string{"/", "/index.html", "/authorize"}, "text/html; charset=utf-8", "no-cache", "DENY", strict}
}

func script() entry {
	return entry{File: "assets/main.0A1B2C3D.js", Paths: []string{"/assets/main.0A1B2C3D.js"}, Type: "text/javascript", Cache: "public, max-age=31536000, immutable"}
}

// folder makes a built page of the entries; a file holds its name many times.
func folder(t require.TestingT, entries ...entry) fstest.MapFS {
	text, err := json.Marshal(map[string]any{"files": entries})
	require.NoError(t, err)
	fs := fstest.MapFS{"site.json": {Data: text}}
	for _, e := range entries {
		fs[e.File] = &fstest.MapFile{Data: []byte(strings.Repeat(e.File+"\n", 100))}
	}
	return fs
}

func open(t require.TestingT, fs fstest.MapFS) *assets.Site {
	text, err := pack.Build(fs)
	require.NoError(t, err)
	site, err := assets.Open(text)
	require.NoError(t, err)
	return site
}

// field is what the header IC-Certificate says.
var field = regexp.MustCompile(`^certificate=:([^:]*):, tree=:([^:]*):, version=2, expr_path=:([^:]*):$`)

// witness returns the tree and the expression path that the site sends, held against the site's root.
func witness(t require.TestingT, site *assets.Site, found *assets.Found) (*hashtree.Node, []string) {
	beside := [32]byte{7}
	parts := field.FindStringSubmatch(site.Certificate(found, &beside, []byte("certificate")))
	require.NotNil(t, parts)
	decode := func(s string) []byte {
		raw, err := base64.StdEncoding.DecodeString(s)
		require.NoError(t, err)
		return raw
	}
	require.Equal(t, "certificate", string(decode(parts[1])))
	tree, err := hashtree.Decode(decode(parts[2]))
	require.NoError(t, err)
	whole := hashtree.Fork(hashtree.Pruned(site.Root()), hashtree.Pruned(beside))
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
	site := open(t, folder(t, index(), script()))
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
	entries := []entry{index(), script()}
	for _, name := range []string{"0", "1", "2", "3", "a", "b", "c", "z"} {
		e := script()
		e.File = "assets/" + name + ".0A1B2C3D.js"
		e.Paths = []string{"/" + e.File, "/deep/er/" + name}
		entries = append(entries, e)
	}
	site := open(t, folder(t, entries...))
	segment := rapid.OneOf(
		rapid.SampledFrom([]string{"", "assets", "main.0A1B2C3D.js", "index.html", ".well-known", "metrics", "<*>", "<$>", "a", "zz", "authorize", "~", "deep", "er", "c.0A1B2C3D.js"}),
		rapid.StringN(0, 3, -1),
	)
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(segment, 1, 6).Draw(t, "segments")
		var escaped strings.Builder
		for _, p := range parts {
			escaped.WriteByte('/')
			for _, b := range []byte(p) {
				fmt.Fprintf(&escaped, "%%%02x", b)
			}
		}
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
	site := open(t, folder(t, index(), script()))
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

func TestHeaders(t *testing.T) {
	check := entry{"check.html", []string{"/check"}, "text/html", "no-cache", "SAMEORIGIN",
		strings.NewReplacer("frame-ancestors 'none'", "frame-ancestors 'self'; sandbox allow-scripts", "connect-src 'self'", "connect-src 'self' https:").Replace(strict)}
	site := open(t, folder(t, index(), script(), check))
	for _, url := range []string{"/", "/authorize", "/check", "/nope", "/assets/main.0A1B2C3D.js", "/.well-known/webauthn"} {
		found := site.Find(url, true, true)
		require.Equal(t, "nosniff", header(&found, "x-content-type-options"), url)
		require.Equal(t, "accept-encoding", header(&found, "vary"), url)
		require.Contains(t, header(&found, "strict-transport-security"), "max-age=", url)
		require.Empty(t, header(&found, "cross-origin-opener-policy"), "it would part the window from who opened it")
		if strings.HasPrefix(header(&found, "content-type"), "text/html") {
			require.Contains(t, header(&found, "content-security-policy"), "default-src 'none'", url)
			require.Contains(t, header(&found, "permissions-policy"), "publickey-credentials-get=(self)", url)
			require.Contains(t, header(&found, "permissions-policy"), "camera=()", url)
			require.Contains(t, []string{"DENY", "SAMEORIGIN"}, header(&found, "x-frame-options"), url)
			require.Equal(t, "no-cache", header(&found, "cache-control"), url)
		}
	}
	found := site.Find("/assets/main.0A1B2C3D.js", true, true)
	require.Equal(t, "public, max-age=31536000, immutable", header(&found, "cache-control"))
	found = site.Find("/", false, true)
	require.Equal(t, "GET, HEAD", header(&found, "allow"))
}

func TestBuildRefuses(t *testing.T) {
	changed := func(change func(*entry)) fstest.MapFS {
		e := index()
		change(&e)
		return folder(t, e)
	}
	policy := func(from, to string) fstest.MapFS {
		return changed(func(e *entry) { e.Policy = strings.Replace(e.Policy, from, to, 1) })
	}
	unnamed := folder(t, index())
	unnamed["secret.txt"] = &fstest.MapFile{Data: []byte("x")}
	missing := folder(t, index())
	delete(missing, "index.html")
	huge := folder(t, index())
	huge["index.html"].Data = make([]byte, assets.MaxBody+1)
	for name, c := range map[string]struct {
		fs   fstest.MapFS
		want string
	}{
		"nothing":            {fstest.MapFS{}, "the folder holds no built page"},
		"not JSON":           {fstest.MapFS{"site.json": {Data: []byte("{")}}, "site.json: unexpected EOF"},
		"unknown member":     {fstest.MapFS{"site.json": {Data: []byte(`{"files":[{"headers":{}}]}`)}}, `unknown field "headers"`},
		"no page at /":       {changed(func(e *entry) { e.Paths = []string{"/x"} }), "nothing is served at /"},
		"missing file":       {missing, "index.html"},
		"unnamed file":       {unnamed, `does not say where file "secret.txt" is served`},
		"huge file":          {huge, "a body of 2097153 bytes"},
		"no type":            {changed(func(e *entry) { e.Type = "" }), "no type"},
		"other cache":        {changed(func(e *entry) { e.Cache = "max-age=60" }), `cache "max-age=60"`},
		"cached for ever":    {changed(func(e *entry) { e.Cache = script().Cache }), "its name must hold a hash"},
		"frame":              {changed(func(e *entry) { e.Frame = "" }), `frame ""`},
		"twice":              {folder(t, index(), entry{"b.html", []string{"/"}, "text/html", "no-cache", "DENY", strict}), `path "/" occurs twice`},
		"no slash":           {changed(func(e *entry) { e.Paths = append(e.Paths, "x") }), `"x" is no path`},
		"mark":               {changed(func(e *entry) { e.Paths = append(e.Paths, "/<*>") }), "is a mark"},
		"policy of a script": {folder(t, index(), entry{"assets/a.12345678.js", []string{"/assets/a.12345678.js"}, "text/javascript", "no-cache", "", strict}), "are a page's"},

		"no policy":        {changed(func(e *entry) { e.Policy = "" }), "its policy says"},
		"inline":           {policy("script-src 'self'", "script-src 'self' 'unsafe-inline'"), "script-src 'self' 'unsafe-inline'"},
		"eval in styles":   {policy("base-uri", "style-src 'unsafe-inline'; base-uri"), "which is not strict"},
		"scripts anywhere": {policy("script-src 'self'", "script-src *"), "script-src *"},
		"images anywhere":  {policy("base-uri", "img-src *; base-uri"), "which is not strict"},
		"connect anywhere": {policy("connect-src 'self'", "connect-src 'self' https:"), "only a sandboxed page may reach other origins"},
		"weak sandbox":     {policy("connect-src 'self'", "sandbox allow-scripts allow-same-origin; connect-src https:"), "only a sandboxed page"},
		"default":          {policy("default-src 'none'", "default-src 'self'"), "default-src 'self'"},
		"frames":           {policy("frame-ancestors 'none'", "frame-ancestors 'self'"), "frame-ancestors 'self', want 'none'"},
		"no trusted types": {policy("require-trusted-types-for 'script'", "report-uri /x"), "require-trusted-types-for"},
	} {
		_, err := pack.Build(c.fs)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestBuildIsReproducible(t *testing.T) {
	first, err := pack.Build(folder(t, index(), script()))
	require.NoError(t, err)
	second, err := pack.Build(folder(t, index(), script()))
	require.NoError(t, err)
	require.True(t, first == second)
}

// The pack in the sources is that of a module without a page; go generate writes it.
func TestEmbeddedPackIsCurrent(t *testing.T) {
	want, err := pack.Missing()
	require.NoError(t, err)
	require.True(t, want == assets.Page, "run go generate ./canister/assets")
	site, err := assets.Open(assets.Page)
	require.NoError(t, err)
	require.False(t, site.HasPage())
	found := site.Find("/", true, false)
	require.Contains(t, found.Body, "make build")
}

func TestOpenRefusesWhatIsNoPack(t *testing.T) {
	for _, text := range []string{"", "KAP1", "KAP0" + assets.Page[4:], assets.Page[:100]} {
		_, err := assets.Open(text)
		require.ErrorContains(t, err, "this is no pack")
	}
}

// The built page, where there is one.
func TestBuiltPage(t *testing.T) {
	const dist = "../../../frontend-shim/dist"
	if _, err := os.Stat(dist + "/site.json"); err != nil {
		t.Skip("the page has not been built (make page)")
	}
	text, err := pack.Build(os.DirFS(dist))
	require.NoError(t, err)
	site, err := assets.Open(text)
	require.NoError(t, err)
	require.True(t, site.HasPage())
	for _, url := range []string{"/", "/authorize"} {
		found := site.Find(url, true, true)
		require.EqualValues(t, 200, found.Status, url)
		require.Equal(t, "DENY", header(&found, "x-frame-options"), url)
		require.Contains(t, header(&found, "content-security-policy"), "connect-src 'self';", url)
	}
}
