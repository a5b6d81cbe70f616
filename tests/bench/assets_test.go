package bench

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

// What serving an asset may cost: the network charges 50 instructions for a byte of an answer.
const (
	perByte  = 50
	overhead = 400_000
)

// linked are the files that a page names.
var linked = regexp.MustCompile(`(?:src|href)="(/?assets/[^"]+)"`)

// browser is what Chromium sends along, with what a gateway adds.
func browser(encodings string) []kedge.HeaderField {
	return []kedge.HeaderField{
		{F0: "host", F1: "rdmx6-jaaaa-aaaaa-aaadq-cai.icp0.io"},
		{F0: "user-agent", F1: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"},
		{F0: "accept", F1: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"},
		{F0: "accept-language", F1: "en-US,en;q=0.9,de;q=0.8"},
		{F0: "accept-encoding", F1: encodings},
		{F0: "sec-ch-ua", F1: `"Chromium";v="156", "Not?A_Brand";v="24"`},
		{F0: "sec-fetch-dest", F1: "document"}, {F0: "sec-fetch-mode", F1: "navigate"}, {F0: "sec-fetch-site", F1: "none"},
		{F0: "upgrade-insecure-requests", F1: "1"}, {F0: "x-request-id", F1: "0192f6a5-0000-7000-8000-000000000000"},
	}
}

func TestServingAssetsCostsWhatTheNetworkCharges(t *testing.T) {
	h := harness.Open(t, harness.Attesting())
	get := func(url, encodings string) kedge.HttpResponse {
		version := uint16(2)
		reply, err := h.Query(principal.Anonymous, "http_request", kedge.EncodeHttpRequestArgs(kedge.HttpRequest{
			Method: "GET", URL: url, Headers: browser(encodings), CertificateVersion: &version,
		}))
		require.NoError(t, err)
		report, err := h.Net.LastReport(h.Canister)
		require.NoError(t, err)
		response, err := kedge.DecodeHttpRequestResult(reply)
		require.NoError(t, err)
		more := int(withoutPages(report)) - perByte*len(reply)
		t.Logf("%-50s %-8s %d: %8d instructions for %7d bytes, %6d beside %d a byte; pages read %d, written %d",
			url, encodings, response.StatusCode, withoutPages(report), len(reply), more, perByte, report.HeapRead, report.HeapWritten)
		require.LessOrEqual(t, more, overhead, fmt.Sprintf("%s with %s", url, encodings))
		return response
	}
	urls := []string{"/", "/authorize", "/index.html", "/nope", "/" + strings.Repeat("deep/", 400), "/assets/nope.js", "/.well-known/webauthn", "/.well-known/ii-alternative-origins"}
	for _, m := range linked.FindAllStringSubmatch(string(get("/", "identity").Body), -1) {
		urls = append(urls, "/"+strings.TrimPrefix(m[1], "/"))
	}
	for _, url := range urls {
		get(url, "gzip, deflate, br, zstd")
		get(url, "identity")
	}
}
