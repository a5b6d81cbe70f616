package canister

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/assets"
	"kedge/cdk/cdktest"
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

// A module that was built without its page, as these tests are, says so in the log.
func TestAModuleWithoutPageSaysSo(t *testing.T) {
	network := installed(t)
	require.Contains(t, strings.Join(network.Log(), "\n"), "this module was built without its web page")
}

// The first timer certifies the documents of the init argument.
func TestDocumentsArePublishedByTheFirstTimer(t *testing.T) {
	network := cdktest.Install(t)
	require.NoError(t, network.Deliver(exportInit, kedge.EncodeInitArgs(&kedge.KedgeInit{RelatedOrigins: []string{"https://id.example"}})))
	network.SetCertificate([]byte("certificate"))
	get := func() kedge.HttpResponse {
		reply, err := network.Query(exportHttpRequest, kedge.EncodeHttpRequestArgs(kedge.HttpRequest{Method: "GET", URL: assets.Domains}))
		require.NoError(t, err)
		response, err := kedge.DecodeHttpRequestResult(reply)
		require.NoError(t, err)
		return response
	}
	require.EqualValues(t, 404, get().StatusCode)
	before := network.CertifiedData()
	require.NoError(t, network.FireTimer(exportTimer))
	response := get()
	require.EqualValues(t, 200, response.StatusCode)
	require.Equal(t, "id.example\n", string(response.Body))
	require.NotEqual(t, before, network.CertifiedData())
	root := state.site.Root()
	whole := state.signatures.Root(&root)
	require.Equal(t, whole[:], network.CertifiedData())
	require.NoError(t, network.FireTimer(exportTimer))
	require.Equal(t, whole[:], network.CertifiedData(), "once")
}
