package pack

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kedge/canister/assets"
)

const (
	htmlText = "text/html; charset=utf-8"

	cacheForEver = "public, max-age=31536000, immutable"
)

// plainPolicy is the content security policy of pages without scripts and styles.
const plainPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hashed is the name of a file that changes with what is in it.
var hashed = regexp.MustCompile(`^assets/[\w.-]*[.-][0-9A-Za-z_]{8,64}\.\w+$`)

// headersOf returns the headers of a file of the page.
func headersOf(name, kind, cache, frame, policy string) ([]assets.Header, error) {
	switch {
	case kind == "":
		return nil, errors.New("no type")
	case cache != assets.CacheNever && cache != cacheForEver:
		return nil, fmt.Errorf("cache %q: want %q or %q", cache, assets.CacheNever, cacheForEver)
	case cache == cacheForEver && !hashed.MatchString(name):
		return nil, errors.New("browsers would keep it for a year, so its name must hold a hash: assets/NAME.HASH.EXT")
	case strings.HasPrefix(kind, "text/html"):
		if frame != "DENY" && frame != "SAMEORIGIN" {
			return nil, fmt.Errorf("frame %q: want DENY or SAMEORIGIN", frame)
		}
		return pageHeaders(frame, policy), checkPolicy(policy, frame)
	case policy != "" || frame != "":
		return nil, errors.New("a policy and frames are a page's; this is none")
	}
	return assets.CommonHeaders(kind, cache), nil
}

// checkPolicy refuses a content security policy that is less strict than what people may rely on: nothing
// but what is named, scripts from here alone, no inline code and no eval, no text that becomes code, and no
// page of another origin around it.
func checkPolicy(policy, frame string) error {
	got := map[string]string{}
	for directive := range strings.SplitSeq(policy, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), " ")
		got[name] = value
	}
	ancestors := "'none'"
	if frame == "SAMEORIGIN" {
		ancestors = "'self'"
	}
	for name, want := range map[string]string{
		"default-src": "'none'", "script-src": "'self'", "base-uri": "'none'", "form-action": "'none'",
		"frame-ancestors": ancestors, "require-trusted-types-for": "'script'",
	} {
		if got[name] != want {
			return fmt.Errorf("its policy says %s %s, want %s", name, got[name], want)
		}
	}
	for name, value := range got {
		if strings.Contains(value, "unsafe") || strings.Contains(value, "*") && name != "connect-src" {
			return fmt.Errorf("its policy says %s %s, which is not strict", name, value)
		}
	}
	// Whatever may reach other origins must not be where people type: it has no origin of its own.
	if connect := got["connect-src"]; connect != "'self'" && connect != "'none'" && connect != "" {
		if sandbox, ok := got["sandbox"]; !ok || strings.Contains(sandbox, "allow-same-origin") || strings.Contains(sandbox, "allow-forms") {
			return fmt.Errorf("its policy says connect-src %s: only a sandboxed page may reach other origins", connect)
		}
	}
	return nil
}

// permissions turns off what a page could ask a browser for and this one does not. Passkeys are made and
// used, and texts are copied.
var permissions = func() string {
	var out []string
	for _, feature := range []string{
		"accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "gamepad",
		"geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi",
		"payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb",
		"window-management", "xr-spatial-tracking",
	} {
		out = append(out, feature+"=()")
	}
	return strings.Join(append(out, "clipboard-write=(self)", "publickey-credentials-create=(self)", "publickey-credentials-get=(self)"), ", ")
}()

// pageHeaders are those of a page. There is no Cross-Origin-Opener-Policy: it would part the sign-in window
// from the application that opened it.
func pageHeaders(frame, policy string) []assets.Header {
	return append(assets.CommonHeaders(htmlText, assets.CacheNever),
		assets.Header{Name: "content-security-policy", Value: policy},
		assets.Header{Name: "permissions-policy", Value: permissions},
		assets.Header{Name: "x-frame-options", Value: frame},
	)
}

// builtIn are the resources of every pack.
func builtIn() []assets.Resource {
	notFound := variants(404, pageHeaders("DENY", plainPolicy), notFoundPage)[:1]
	reserved := []assets.Response{{
		Variant: assets.Plain, Status: 404, Headers: assets.PublicHeaders(assets.PlainText),
		Body: "not found: the init argument of this canister names no origins\n",
	}}
	return []assets.Resource{
		{Path: assets.Everything, Responses: notFound},
		{Path: "/.well-known/ii-alternative-origins", Responses: variants(200, assets.PublicHeaders(assets.JSON), `{"alternativeOrigins":[]}`)},
		{Path: assets.Domains, Responses: reserved},
		{Path: assets.RelatedOrigins, Responses: reserved},
		{Path: assets.Endpoints, Responses: reserved},
		{Path: assets.Metrics, Responses: []assets.Response{{Variant: assets.Computed, Status: 200}}},
	}
}

func sortByPath(resources []assets.Resource) {
	slices.SortFunc(resources, func(a, b assets.Resource) int { return strings.Compare(a.Path, b.Path) })
}

const notFoundPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Not found</title>
<main><h1>Not found</h1><p>There is nothing at this address. <a href="/">Go to the start</a></p></main>
</html>
`

const missingPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Kedge</title>
<main><h1>This Kedge has no page</h1>
<p>The canister works, but its module was built without the web page. Install Node.js, build the module
again with <code>make build</code>, and upgrade the canister to it. Until then people use the command line.</p></main>
</html>
`
