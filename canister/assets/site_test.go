package assets

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func plain(status uint16, body string) []Response {
	return []Response{{Variant: Plain, Status: status, Headers: []Header{{"content-type", "text/plain"}}, Body: body}}
}

func compiled(t require.TestingT, resources []Resource) *Site {
	pack, err := Compile(resources, true)
	require.NoError(t, err)
	site, err := Open(pack)
	require.NoError(t, err)
	return site
}

// Putting documents into a site gives the tree that would have been compiled with them.
func TestSetIsLikeCompiling(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "c", ".well-known", "x-1", "ä", ""})
	rapid.Check(t, func(t *rapid.T) {
		paths := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
			parts := rapid.SliceOfN(segment, 1, 3).Draw(t, "segments")
			path := "/" + strings.Join(parts, "/")
			for strings.Contains(path, "//") {
				path = strings.ReplaceAll(path, "//", "/")
			}
			return path
		}), 1, 12, rapid.ID).Draw(t, "paths")
		before := []Resource{{Everything, plain(404, "not found")}}
		after := []Resource{{Everything, plain(404, "not found")}}
		changed := map[string]Response{}
		for i, path := range paths {
			before = append(before, Resource{path, plain(404, "reserved")})
			if rapid.Bool().Draw(t, "set") {
				document := plain(200, fmt.Sprint("document ", i))
				changed[path] = document[0]
				after = append(after, Resource{path, document})
			} else {
				after = append(after, Resource{path, plain(404, "reserved")})
			}
		}
		site, want := compiled(t, before), compiled(t, after)
		for path, document := range changed {
			site.Set(path, document)
		}
		require.Equal(t, want.Root(), site.Root())
		sibling := [32]byte{1}
		for _, url := range append(paths, "/nope", "/a/nope", "/") {
			got, expected := site.Find(url, true, true), want.Find(url, true, true)
			require.Equal(t, expected.Response, got.Response)
			require.Equal(t, want.Certificate(&expected, &sibling, nil), site.Certificate(&got, &sibling, nil))
		}
	})
}

func TestCompileRefuses(t *testing.T) {
	everything := Resource{Everything, plain(404, "not found")}
	header := func(name, value string) []Response {
		return []Response{{Variant: Plain, Status: 200, Headers: []Header{{"content-type", "text/plain"}, {name, value}}}}
	}
	same := append(plain(200, "x"), Response{Variant: Gzip, Status: 200, Headers: plain(200, "")[0].Headers, Body: "x"})
	for name, c := range map[string]struct {
		resources []Resource
		want      string
	}{
		"nothing":           {nil, "no answer to paths that do not exist"},
		"no slash":          {[]Resource{everything, {"x", plain(200, "")}}, `"x" is no path`},
		"escaped":           {[]Resource{everything, {"/%20", plain(200, "")}}, "is no path"},
		"query":             {[]Resource{everything, {"/a?b", plain(200, "")}}, "is no path"},
		"deep":              {[]Resource{everything, {"/1/2/3/4/5/6/7/8/9", plain(200, "")}}, "more than 8 segments"},
		"twice":             {[]Resource{everything, {"/a", plain(200, "")}, {"/a", plain(201, "")}}, `path "/a" occurs twice`},
		"no responses":      {[]Resource{everything, {"/a", nil}}, "want a plain response"},
		"no plain one":      {[]Resource{everything, {"/a", []Response{{Variant: Gzip, Status: 200}}}}, "want a plain response"},
		"computed and more": {[]Resource{everything, {"/a", append(plain(200, ""), Response{Variant: Computed, Status: 200})}}, "want a plain response"},
		"variant twice":     {[]Resource{everything, {"/a", append(plain(200, ""), plain(200, "x")...)}}, "a variant occurs twice"},
		"same twice":        {[]Resource{everything, {"/a", same}}, "two variants are the same response"},
		"status":            {[]Resource{everything, {"/a", plain(99, "")}}, "status 99"},
		"long":              {[]Resource{everything, {"/a", plain(200, strings.Repeat("x", MaxBody+1))}}, "a body of 2097153 bytes"},
		"upper case":        {[]Resource{everything, {"/a", header("Vary", "x")}}, `header "Vary"`},
		"underscore":        {[]Resource{everything, {"/a", header("a_b", "x")}}, `header "a_b"`},
		"the certificate":   {[]Resource{everything, {"/a", header("ic-certificate", "x")}}, "does not begin with ic-"},
		"header twice":      {[]Resource{everything, {"/a", header("content-type", "x")}}, "occurs twice"},
		"line break":        {[]Resource{everything, {"/a", header("x", "a\r\nb: c")}}, "line break"},
		"long value":        {[]Resource{everything, {"/a", header("x", strings.Repeat("v", 5000))}}, "longer than 4 KiB"},
	} {
		_, err := Compile(c.resources, true)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "identity": false, "gzip": true, "gzip, deflate, br": true, "br,GZIP;q=0.5": true, "x-gzip": true,
		"gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.001": true, "*": true, "*;q=0": false, "*, gzip;q=0": false,
		"gzip;q=0, *": false, "br;q=1.0, *;q=0.1": true, "gzipped": false, " , ,": false, "gzip;level=9": true, "gzip;q=": true,
	} {
		require.Equal(t, want, AcceptsGzip(header), "%q", header)
	}
}

func TestSegments(t *testing.T) {
	for url, want := range map[string][]string{
		"":           {""},
		"/":          {""},
		"//":         {""},
		"/a":         {"a"},
		"/a/":        {"a", ""},
		"/a//b":      {"a", "b"},
		"/a%2Fb":     {"a", "b"},
		"/a%2f%2Fb":  {"a", "b"},
		"/a%2F":      {"a", ""},
		"%2F":        {""},
		"/a%3Fb%23":  {"a?b#"},
		"/%c3%A4":    {"ä"},
		"/a%zz%4":    {"a%zz%4"},
		"/a?b/c#d":   {"a"},
		"/a#b?c":     {"a"},
		"?x":         {""},
		"a/b":        {"a", "b"},
		"/%":         {"%"},
		"/%3C%24%3E": {"<$>"},
	} {
		require.Equal(t, want, segmentsOf(url), url)
	}
	require.Len(t, segmentsOf(strings.Repeat("/a", 1000)), maxLooked)
}

// Whatever is asked for, there is an answer, and its witness is of the site's tree.
func FuzzFind(f *testing.F) {
	site := compiled(f, []Resource{
		{Everything, plain(404, "not found")}, {"/", plain(200, "start")}, {"/a/b", plain(200, "b")}, {"/a/", plain(200, "a")},
		{"/metrics", []Response{{Variant: Computed, Status: 200}}},
	})
	for _, seed := range []string{"/", "/a/b", "/a", "/a/", "/metrics?x", "/%3C*%3E", "/%zz", "//a//b", "", "?", "/a/b/%3C$%3E/x"} {
		f.Add(seed, "gzip, *;q=0")
	}
	f.Fuzz(func(t *testing.T, url, encodings string) {
		found := site.Find(url, true, AcceptsGzip(encodings))
		require.Contains(t, []uint16{200, 404}, found.Status)
		sibling := [32]byte{}
		require.NotEmpty(t, site.Certificate(&found, &sibling, nil))
	})
}
