// Package page asks the real module for its web page through the gateway, which holds every answer against
// what the network certified.
package page

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

// The first timer runs within a round; the machine may be busy.
const wait, tick = time.Minute, 20 * time.Millisecond

// browser asks for the page as a browser does, but for the name of the host.
type browser struct {
	*harness.Harness
}

func open(t *testing.T, init *kedge.KedgeInit) *browser {
	h := harness.OpenLive(t, init)
	// Randomness, and the documents of the init argument: the first timer.
	require.Eventually(t, func() bool { return h.Get("GET", "/.well-known/webauthn").StatusCode == 200 || init == nil }, wait, tick)
	return &browser{h}
}

// ask sends a request below the canister's own host name.
func (b *browser) ask(method, path string, headers ...string) (*http.Response, string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.Net.URL()+path, nil)
	require.NoError(b, err)
	r.Host = b.Canister.Text() + ".localhost"
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(b, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	return response, string(body)
}

// linked are the files that a page names.
var linked = regexp.MustCompile(`(?:src|href)="(/?assets/[^"]+)"`)

func TestThePageIsServedCertified(t *testing.T) {
	b := open(t, harness.Attesting())
	paths := []string{"/", "/?openid=x", "/authorize"}
	_, start := b.ask("GET", "/")
	for _, m := range linked.FindAllStringSubmatch(start, -1) {
		paths = append(paths, "/"+strings.TrimPrefix(m[1], "/"))
	}
	if len(paths) == 3 {
		require.Contains(t, start, "This Kedge has no page", "a page names its script")
		paths = paths[:2]
	}
	for _, path := range paths {
		plain, body := b.ask("GET", path)
		require.Equal(t, 200, plain.StatusCode, "%s: %s", path, body)
		require.Empty(t, plain.Header.Get("Content-Encoding"))
		packed, zipped := b.ask("GET", path, "Accept-Encoding", "gzip, deflate, br, zstd")
		require.Equal(t, 200, packed.StatusCode, "%s: %s", path, zipped)
		if packed.Header.Get("Content-Encoding") == "gzip" {
			r, err := gzip.NewReader(strings.NewReader(zipped))
			require.NoError(t, err)
			unzipped, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, body, string(unzipped))
			require.Less(t, len(zipped), len(body))
		}
		head, nothing := b.ask("HEAD", path)
		require.Equal(t, 200, head.StatusCode)
		require.Empty(t, nothing)
		other, text := b.ask("POST", path)
		require.Equal(t, 405, other.StatusCode, text)
		require.Equal(t, "GET, HEAD", other.Header.Get("Allow"))
		require.Equal(t, "nosniff", plain.Header.Get("X-Content-Type-Options"))
		if strings.HasPrefix(path, "/assets/") {
			require.Equal(t, "public, max-age=31536000, immutable", plain.Header.Get("Cache-Control"))
			continue
		}
		// The gateway lets certified headers through and no others.
		require.Equal(t, "text/html; charset=utf-8", plain.Header.Get("Content-Type"))
		require.Contains(t, plain.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Contains(t, plain.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
		require.Equal(t, "DENY", plain.Header.Get("X-Frame-Options"))
		require.Equal(t, "no-cache", plain.Header.Get("Cache-Control"))
		require.Empty(t, plain.Header.Get("Cross-Origin-Opener-Policy"))
	}
}

func TestWhatIsNotThere(t *testing.T) {
	b := open(t, nil)
	for _, path := range []string{"/nope", "/nope/", "/assets/nope.js", "/assets", "/assets/", "/index.html/x", "/%3C*%3E", "/assets%2Fnope", "/index.html%2F", "/" + strings.Repeat("deep/", 100),
		"/.well-known/", "/.well-known/nothing", "/.well-known/webauthn", "/.well-known/ic-domains", "/metrics/", "/%C3%A4"} {
		response, body := b.ask("GET", path)
		require.Equal(t, 404, response.StatusCode, "%s: %s", path, body)
		require.Contains(t, response.Header.Get("Content-Type"), "text/", path)
	}
}

func TestWellKnown(t *testing.T) {
	b := open(t, &kedge.KedgeInit{RelatedOrigins: []string{"https://id.example.org", "https://rdmx6-jaaaa-aaaaa-aaadq-cai.icp0.io", "http://localhost:4943", "https://login.example"}})
	for path, want := range map[string][2]string{
		"/.well-known/ic-domains":             {"id.example.org\nlogin.example\n", "text/plain; charset=utf-8"},
		"/.well-known/webauthn":               {`{"origins":["https://id.example.org","https://rdmx6-jaaaa-aaaaa-aaadq-cai.icp0.io","http://localhost:4943","https://login.example"]}`, "application/json"},
		"/.well-known/passkey-endpoints":      {`{"enroll":"https://id.example.org/manage","manage":"https://id.example.org/manage"}`, "application/json"},
		"/.well-known/ii-alternative-origins": {`{"alternativeOrigins":[]}`, "application/json"},
	} {
		response, body := b.ask("GET", path)
		require.Equal(t, 200, response.StatusCode, "%s: %s", path, body)
		require.Equal(t, want[0], body, path)
		require.Equal(t, want[1], response.Header.Get("Content-Type"), path)
		require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"), path)
	}
	// An upgrade changes the documents and keeps the rest.
	require.NoError(t, b.UpgradeWith(&kedge.KedgeInit{RelatedOrigins: []string{"https://other.example"}}))
	require.Eventually(t, func() bool { _, body := b.ask("GET", "/.well-known/ic-domains"); return body == "other.example\n" }, wait, tick)
	response, _ := b.ask("GET", "/")
	require.Equal(t, 200, response.StatusCode)
}

// The figures are marked as not certified; they never take an update call.
func TestMetricsPassTheGateway(t *testing.T) {
	b := open(t, nil)
	response, body := b.ask("GET", "/metrics")
	require.Equal(t, 200, response.StatusCode, body)
	require.Contains(t, body, "internet_identity_user_count 0 ")
	require.Contains(t, response.Header.Get("Ic-Certificateexpression"), "no_certification")
	require.Nil(t, b.Get("GET", "/metrics").Upgrade)
	response, _ = b.ask("POST", "/metrics")
	require.Equal(t, 405, response.StatusCode)
}

// One tree certifies both: the page is valid beside delegations, after they came and after an upgrade took
// them, and so are they beside the page.
func TestThePageBesideDelegations(t *testing.T) {
	b := open(t, harness.Attesting())
	valid := func() {
		t.Helper()
		for path, status := range map[string]int{"/": 200, "/nope": 404, "/.well-known/webauthn": 200} {
			response, body := b.ask("GET", path)
			require.Equal(t, status, response.StatusCode, "%s: %s", path, body)
		}
	}
	laptop := harness.NewDevice("laptop")
	anchor := b.Register(laptop)
	for _, app := range []string{"https://a.example", "https://b.example"} {
		_, expiration, err := b.Prepare(anchor, laptop, app, []byte("session"), nil)
		require.NoError(t, err)
		valid()
		response, err := b.Delegation(anchor, laptop, app, []byte("session"), expiration)
		require.NoError(t, err)
		require.Equal(t, kedge.GetDelegationResponseTagSignedDelegation, response.Tag)
	}
	b.Upgrade()
	b.Pass(time.Second) // the first tick publishes the documents of the init argument
	valid()
}
