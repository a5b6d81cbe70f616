package canister

import (
	"slices"
	"strings"

	"kedge/candid/kedge"
	"kedge/candid/wire"
	"kedge/canister/assets"
	"kedge/cdk"
)

// httpRequest answers a gateway: with the page, certified, or with the figures.
func httpRequest() {
	request, err := kedge.DecodeHttpRequestArgs(argument())
	must(err)
	get := request.Method == "GET" || request.Method == "HEAD"
	gzip := false
	for i := range request.Headers {
		if strings.EqualFold(request.Headers[i].F0, "accept-encoding") {
			gzip = assets.AcceptsGzip(request.Headers[i].F1)
		}
	}
	found := state.site.Find(request.URL, get, gzip)
	if found.Variant == assets.Computed {
		compute(&found, get)
	}
	replyPage(&found)
}

// compute makes an answer that is not certified: the figures, in Prometheus' text format.
func compute(found *assets.Found, get bool) {
	kind := "text/plain; version=0.0.4"
	found.Status, found.Body = 200, string(metrics())
	if !get {
		kind = "text/plain; charset=utf-8"
		found.Status, found.Body = 405, "method not allowed: use GET\n"
		found.Headers = append(found.Headers, assets.Header{Name: "allow", Value: "GET, HEAD"})
	}
	found.Headers = append(found.Headers,
		assets.Header{Name: "content-type", Value: kind}, assets.Header{Name: "cache-control", Value: "no-store"},
		assets.Header{Name: "x-content-type-options", Value: "nosniff"})
}

// replyPage replies with a response and its certificate. The body goes from the module's data to the network
// as it lies: it is the first field of the record, between the header of the message and the other fields.
func replyPage(found *assets.Found) {
	headers := make([]kedge.HeaderField, 0, len(found.Headers)+2)
	for _, h := range found.Headers {
		headers = append(headers, kedge.HeaderField{F0: h.Name, F1: h.Value})
	}
	headers = append(headers, kedge.HeaderField{F0: assets.ExpressionHeader, F1: found.Expression()})
	// There is none in an update call, whose answer the network certifies itself.
	if certificate, ok := cdk.DataCertificateInto(scratch.certificate[:0]); ok {
		sibling := state.signatures.Hash()
		headers = append(headers, kedge.HeaderField{F0: assets.CertificateHeader, F1: state.site.Certificate(found, &sibling, certificate)})
	}
	message := kedge.AppendHttpRequestResult(answer(), kedge.HttpResponse{StatusCode: found.Status, Headers: headers})
	head := wire.AppendULEB(append(make([]byte, 0, httpResultBody+5), message[:httpResultBody]...), uint64(len(found.Body)))
	cdk.ReplyParts(string(head), found.Body, string(message[httpResultBody+1:]))
}

// httpResultBody is where the length of the body stands in the message of a response, behind its types.
const httpResultBody = 45

// publish puts the documents of the init argument into the site. The first tick does it: hashing them would
// make installing and upgrading dearer. Until then gateways get 404.
func publish() {
	if state.published {
		return
	}
	state.published = true
	if len(state.settings.RelatedOrigins) == 0 {
		return
	}
	for _, d := range documents(state.settings.RelatedOrigins) {
		state.site.Set(d.path, assets.Response{Status: 200, Headers: assets.PublicHeaders(d.kind), Body: d.body})
	}
	state.siteRoot = state.site.Root()
	certify()
}

// document is what stands at a path below /.well-known.
type document struct{ path, kind, body string }

// managePath is the page on which people manage their passkeys.
const managePath = "/manage"

// documents are made of the related origins:
//
//   - webauthn: whose pages may use passkeys of this one (W3C Web Authentication, "Related origin requests");
//   - ic-domains: the domains that are not the network's own, one a line, for gateways;
//   - passkey-endpoints: where password managers send people who want to manage their passkeys (W3C Passkey
//     Endpoints), at the first origin.
func documents(related []string) []document {
	var origins, domains []string
	for _, origin := range related {
		if !isPlain(origin) {
			continue
		}
		origins = append(origins, origin)
		if domain := customDomain(origin); domain != "" && !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	if len(origins) == 0 {
		return nil
	}
	manage := `"` + origins[0] + managePath + `"`
	out := []document{
		{assets.RelatedOrigins, assets.JSON, `{"origins":["` + strings.Join(origins, `","`) + `"]}`},
		{assets.Endpoints, assets.JSON, `{"enroll":` + manage + `,"manage":` + manage + `}`},
	}
	if len(domains) > 0 {
		out = append(out, document{assets.Domains, assets.PlainText, strings.Join(domains, "\n") + "\n"})
	}
	return out
}

// isPlain reports whether an origin can stand in a JSON text as it is. Origins are checked when they are set;
// an older version did not.
func isPlain(origin string) bool {
	for i := range len(origin) {
		if c := origin[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return origin != ""
}

// customDomain returns the domain of an origin that needs a line in ic-domains, or nothing.
func customDomain(origin string) string {
	host, secure := strings.CutPrefix(origin, "https://")
	if !secure || strings.Contains(host, ":") {
		return ""
	}
	for _, own := range []string{"ic0.app", "icp0.io", "icp.net", "internetcomputer.org", "localhost"} {
		if host == own || strings.HasSuffix(host, "."+own) {
			return ""
		}
	}
	return host
}
