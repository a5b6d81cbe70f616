package canister

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/assets"
)

// The body is the first field of the record, so its length is what first differs.
func TestWhereTheBodyIsInAResponse(t *testing.T) {
	empty := kedge.EncodeHttpRequestResult(kedge.HttpResponse{})
	require.Len(t, empty, httpResultBody+5, "body, headers and upgrade take a byte each, status two")
	full := kedge.EncodeHttpRequestResult(kedge.HttpResponse{Body: []byte("x")})
	require.Equal(t, empty[:httpResultBody], full[:httpResultBody])
	require.Equal(t, "\x01x", string(full[httpResultBody:httpResultBody+2]))
}

func TestDocuments(t *testing.T) {
	get := func(related ...string) map[string]string {
		out := map[string]string{}
		for _, d := range documents(related) {
			out[d.path] = d.body
			if d.kind == assets.JSON {
				require.True(t, json.Valid([]byte(d.body)), d.body)
			}
		}
		return out
	}
	require.Empty(t, get())
	require.Equal(t, map[string]string{
		assets.RelatedOrigins: `{"origins":["https://id.example"]}`,
		assets.Endpoints:      `{"enroll":"https://id.example/manage","manage":"https://id.example/manage"}`,
		assets.Domains:        "id.example\n",
	}, get("https://id.example"))

	// Domains of the network need no line, and neither does what gateways do not serve.
	own := get("http://rdmx6-jaaaa-aaaaa-aaadq-cai.localhost:4943", "https://rdmx6-jaaaa-aaaaa-aaadq-cai.icp0.io", "https://id.ic0.app",
		"https://identity.internetcomputer.org", "https://rdmx6-jaaaa-aaaaa-aaadq-cai.icp.net", "http://id.example", "https://id.example:8443")
	require.NotContains(t, own, assets.Domains)
	require.Contains(t, own[assets.RelatedOrigins], `"https://id.example:8443"`)
	require.Equal(t, "a.example\nnoticp0.io\n", get("https://a.example", "https://noticp0.io", "https://a.example")[assets.Domains])

	// What an older version took does not break the text.
	require.Empty(t, get("\"", "https://a\\b", "https://a\nb", "https://ä.example", ""))
	require.Equal(t, `{"origins":["https://id.example"]}`, get(`https://"`, "https://id.example")[assets.RelatedOrigins])
}
