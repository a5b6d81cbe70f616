package pack_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"kedge/canister/assets"
	"kedge/canister/assets/pack"
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

func header(r *assets.Found, name string) string {
	for _, h := range r.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
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
