package assets

// The paths whose documents the canister puts in with [Site.Set] when it knows the init argument.
const (
	Domains        = "/.well-known/ic-domains"
	RelatedOrigins = "/.well-known/webauthn"
	Endpoints      = "/.well-known/passkey-endpoints"
)

// Metrics is the path of the figures, which the canister computes.
const Metrics = "/metrics"

// The media types of what the canister itself says.
const (
	JSON      = "application/json"
	PlainText = "text/plain; charset=utf-8"
)

// CacheNever has a browser ask for a file each time.
const CacheNever = "no-cache"

// CommonHeaders are the headers of every certified answer.
func CommonHeaders(kind, cache string) []Header {
	return []Header{
		{"content-type", kind},
		{"cache-control", cache},
		{"vary", "accept-encoding"},
		{"x-content-type-options", "nosniff"},
		{"strict-transport-security", "max-age=31536000; includeSubDomains"},
		{"referrer-policy", "same-origin"},
	}
}

// PublicHeaders are those of a document that pages of other origins may read.
func PublicHeaders(kind string) []Header {
	return append(CommonHeaders(kind, CacheNever), Header{"access-control-allow-origin", "*"})
}
