// Package pack makes the pack of the canister's web page when the module is built: which file is served at
// which path, with which headers.
package pack

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"kedge/canister/assets"
)

// siteFile is what a built page says of itself: see [Build].
const siteFile = "site.json"

// site is the content of siteFile.
type site struct {
	Files []struct {
		File   string   `json:"file"`   // in the folder of the page
		Paths  []string `json:"paths"`  // where it is served
		Type   string   `json:"type"`   // Content-Type
		Cache  string   `json:"cache"`  // Cache-Control
		Frame  string   `json:"frame"`  // X-Frame-Options, of pages
		Policy string   `json:"policy"` // Content-Security-Policy, of pages
	} `json:"files"`
}

// Build makes the pack of a page as frontend-shim builds it: a folder with site.json, which says at which
// paths and with which headers each of the other files is served. A policy that is not strict, a file that
// site.json does not name, and a file that browsers would keep although its name can come again are refused.
func Build(page fs.FS) (string, error) {
	text, err := fs.ReadFile(page, siteFile)
	if err != nil {
		return "", fmt.Errorf("the folder holds no built page: %w", err)
	}
	var s site
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return "", fmt.Errorf("%s: %w", siteFile, err)
	}
	resources := builtIn()
	named := map[string]bool{siteFile: true}
	for _, f := range s.Files {
		headers, err := headersOf(f.File, f.Type, f.Cache, f.Frame, f.Policy)
		if err != nil {
			return "", fmt.Errorf("%s: file %q: %w", siteFile, f.File, err)
		}
		body, err := fs.ReadFile(page, f.File)
		if err != nil {
			return "", fmt.Errorf("%s: %w", siteFile, err)
		}
		named[f.File] = true
		for _, at := range f.Paths {
			resources = append(resources, assets.Resource{Path: at, Responses: variants(200, headers, string(body))})
		}
	}
	if !slices.ContainsFunc(resources, func(r assets.Resource) bool { return r.Path == "/" }) {
		return "", fmt.Errorf("%s: nothing is served at /", siteFile)
	}
	err = fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !named[name] {
			err = fmt.Errorf("%s does not say where file %q is served", siteFile, name)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	sortByPath(resources)
	return assets.Compile(resources, true)
}

// Missing makes the pack of a module that was built without its page.
func Missing() (string, error) {
	resources := append(builtIn(), assets.Resource{Path: "/", Responses: variants(200, pageHeaders("DENY", plainPolicy), missingPage)})
	sortByPath(resources)
	return assets.Compile(resources, false)
}

// variants returns a response with its body as it is and, if that is shorter, compressed, and the answer to
// other methods.
func variants(status uint16, headers []assets.Header, body string) []assets.Response {
	out := []assets.Response{{Variant: assets.Plain, Status: status, Headers: headers, Body: body}}
	if packed := compress(body); len(packed)+len(body)/10 < len(body) {
		headers := append([]assets.Header{{Name: "content-encoding", Value: "gzip"}}, headers...)
		out = append(out, assets.Response{Variant: assets.Gzip, Status: status, Headers: headers, Body: packed})
	}
	return append(out, assets.Response{
		Variant: assets.WrongMethod, Status: 405, Body: "method not allowed: use GET\n",
		Headers: append([]assets.Header{{Name: "allow", Value: "GET, HEAD"}}, assets.CommonHeaders(assets.PlainText, assets.CacheNever)...),
	})
}

func compress(body string) string {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	// A buffer takes everything.
	_, _ = w.Write([]byte(body))
	_ = w.Close()
	return out.String()
}
