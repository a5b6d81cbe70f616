package page

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/internal/clients"
	"kedge/tests/harness"
)

// answer is a request and what the canister answered.
type answer struct {
	Request struct {
		URL     string      `json:"url"`
		Method  string      `json:"method"`
		Headers [][2]string `json:"headers"`
	} `json:"request"`
	Response response `json:"response"`
}

type response struct {
	Status  uint16      `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    []byte      `json:"body"`
}

// verdict is what the library says: the headers that reach a browser, or why none do.
type verdict struct {
	Headers [][2]string `json:"headers"`
	Refused string      `json:"refused"`
}

// verdicts has the library of mainnet's gateways decide.
func verdicts(t *testing.T, h *harness.Harness, answers []answer) []verdict {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat(filepath.Join(clients.Dir(), "node_modules", "@dfinity", "response-verification")); err != nil {
		t.Skipf("@dfinity/response-verification is not installed (run make tools): %v", err)
	}
	in, err := json.Marshal(map[string]any{
		"rootKey": h.Net.RootKey(), "canister": h.Canister.Bytes(), "answers": answers,
		"now": strconv.FormatUint(h.Now(), 10), // more than JavaScript's numbers hold
	})
	require.NoError(t, err)
	run := exec.Command(node, "verify.mjs")
	run.Dir, run.Stdin = clients.Dir(), bytes.NewReader(in)
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	require.NoError(t, err, "%s", &stderr)
	var verdicts []verdict
	require.NoError(t, json.Unmarshal(out, &verdicts))
	require.Len(t, verdicts, len(answers))
	return verdicts
}

// fetch asks the canister as a gateway does.
func fetch(t *testing.T, h *harness.Harness, method, url, encodings string) answer {
	version := uint16(2)
	reply, err := h.Query(principal.Anonymous, "http_request", kedge.EncodeHttpRequestArgs(kedge.HttpRequest{
		Method: method, URL: url, Headers: []kedge.HeaderField{{F0: "accept-encoding", F1: encodings}}, CertificateVersion: &version,
	}))
	require.NoError(t, err)
	got, err := kedge.DecodeHttpRequestResult(reply)
	require.NoError(t, err)
	var a answer
	a.Request.URL, a.Request.Method, a.Request.Headers = url, method, [][2]string{{"accept-encoding", encodings}}
	a.Response.Status, a.Response.Body = got.StatusCode, got.Body
	for _, header := range got.Headers {
		a.Response.Headers = append(a.Response.Headers, [2]string{header.F0, header.F1})
	}
	return a
}

// The library of mainnet's gateways takes every answer with every header, and none that was tampered with.
func TestMainnetsLibraryAgrees(t *testing.T) {
	h := harness.Open(t, &kedge.KedgeInit{RelatedOrigins: []string{"https://id.example.org", "https://login.example"}})
	laptop := harness.NewDevice("laptop")
	_, _, err := h.Prepare(h.Register(laptop), laptop, "https://app.example", []byte("session"), nil)
	require.NoError(t, err) // the other side of the tree is not empty

	urls := []string{"/", "/?openid=x", "//", "/index.html", "/authorize", "/.well-known/ic-domains", "/.well-known/webauthn", "/.well-known/passkey-endpoints",
		"/.well-known/ii-alternative-origins", "/nope", "/nope/", "/assets/nope.js", "/assets", "/assets/", "/index.html/x", "/.well-known/",
		"/%3C*%3E", "/%3C$%3E/x", "/assets%2Fnope", "/index.html%2Fx", "/%2F", "/" + strings.Repeat("deep/", 50), "/assets//nope", "/%C3%A4", "/metrics", "/metrics/x"}
	for _, m := range linked.FindAllStringSubmatch(string(fetch(t, h, "GET", "/", "").Response.Body), -1) {
		path := "/" + strings.TrimPrefix(m[1], "/")
		urls = append(urls, path, path+"/x", path+"/")
	}
	var answers []answer
	for _, url := range urls {
		answers = append(answers, fetch(t, h, "GET", url, "gzip, deflate, br, identity"), fetch(t, h, "GET", url, "identity"), fetch(t, h, "POST", url, "gzip, identity"))
	}
	for i, v := range verdicts(t, h, answers) {
		a := answers[i]
		require.Empty(t, v.Refused, "%s %s with %s", a.Request.Method, a.Request.URL, a.Request.Headers[0][1])
		if strings.HasPrefix(a.Request.URL, "/metrics") && a.Response.Status != 404 {
			continue // not certified: the gateway passes on what it got
		}
		for i := range v.Headers {
			v.Headers[i][0] = strings.ToLower(v.Headers[i][0])
		}
		require.ElementsMatch(t, a.Response.Headers, v.Headers, "every header of %s reaches the browser", a.Request.URL)
	}

	var tampered []answer
	for _, a := range answers {
		if strings.HasPrefix(a.Request.URL, "/metrics") {
			continue
		}
		for _, change := range []func(*answer){
			func(a *answer) { a.Response.Body = append(a.Response.Body, ' ') },
			func(a *answer) { a.Response.Status = 201 },
			func(a *answer) { a.Response.Headers = append(a.Response.Headers, [2]string{"x-new", "1"}) },
			func(a *answer) { a.Response.Headers = a.Response.Headers[1:] },
			func(a *answer) { a.Request.URL = "/.well-known/another" },
		} {
			changed := a
			changed.Response.Headers, changed.Response.Body = slices.Clone(a.Response.Headers), slices.Clone(a.Response.Body)
			change(&changed)
			if changed.Request.URL != a.Request.URL && a.Response.Status == 404 {
				continue // that answer is right there, too, if its witness shows it
			}
			tampered = append(tampered, changed)
		}
	}
	for i, v := range verdicts(t, h, tampered) {
		require.NotEmpty(t, v.Refused, "%+v", tampered[i].Request)
	}
}
