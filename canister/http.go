package canister

import (
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
	if certificate, ok := cdk.DataCertificateInto(room.certificate[:0]); ok {
		beside := state.signatures.Hash()
		headers = append(headers, kedge.HeaderField{F0: assets.CertificateHeader, F1: state.site.Certificate(found, &beside, certificate)})
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
	domains, origins := documents(state.settings.RelatedOrigins)
	document := func(kind, body string) assets.Response {
		return assets.Response{Status: 200, Headers: assets.PublicHeaders(kind), Body: body}
	}
	if domains != "" {
		state.site.Set(assets.Domains, document(assets.PlainText, domains))
	}
	state.site.Set(assets.RelatedOrigins, document(assets.JSON, origins))
	state.beside = state.site.Root()
	certify()
}

// documents are /.well-known/ic-domains, the domains that are not the network's own, one a line, and
// /.well-known/webauthn, the origins whose pages may use passkeys of this one (W3C Web Authentication,
// "Related origin requests").
func documents(related []string) (domains, origins string) {
	var list, lines strings.Builder
	for i, origin := range related {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(`"` + origin + `"`)
		if domain := customDomain(origin); domain != "" {
			lines.WriteString(domain + "\n")
		}
	}
	return lines.String(), `{"origins":[` + list.String() + `]}`
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
