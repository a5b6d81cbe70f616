package outcall

import (
	"net/netip"
	"net/url"
	"strings"

	"kedge/ic/principal"
	"kedge/replica/reject"
)

// Limits in bytes, unless they count.
const (
	MaxURL     = 8192
	MaxHeaders = 64      // how many
	MaxHeader  = 8 << 10 // a name, or a value

	MaxHeaderBytes = 48 << 10 // all names and values together

	MaxRequest  = 2_000_000
	MaxResponse = 2_000_000
)

// The reject codes of an outcall that was made and failed. Only canisters make outcalls, and they see the
// hundreds alone.
const (
	Fatal     reject.ErrorCode = 100
	Transient reject.ErrorCode = 200
)

// ResponseLimit is the greatest size of the response in bytes, headers and body together.
func (r *Request) ResponseLimit() uint64 {
	if r.MaxResponseBytes == nil {
		return MaxResponse
	}
	return *r.MaxResponseBytes
}

// Size is the size of the request in bytes, as it is paid for: URL, headers, body, and the name and the
// context of the transform function.
func (r *Request) Size() uint64 {
	size := len(r.URL) + HeadersSize(r.Headers) + len(r.Body)
	if t := r.Transform; t != nil {
		size += len(t.Function.Method) + len(t.Context)
	}
	return uint64(size)
}

// HeadersSize is the size of the names and values of headers in bytes.
func HeadersSize(headers []Header) int {
	size := 0
	for _, h := range headers {
		size += len(h.Name) + len(h.Value)
	}
	return size
}

// Check refuses a request of a canister that is not allowed, before it is paid for.
func (r *Request) Check(caller principal.Principal) *reject.Error {
	refuse := func(format string, args ...any) *reject.Error {
		return reject.New(reject.CanisterRejectedMessage, format, args...)
	}
	if limit := r.ResponseLimit(); limit > MaxResponse {
		return refuse("max_response_bytes expected to be in the range [0..%d], got %d", MaxResponse, limit)
	}
	if t := r.Transform; t != nil && t.Function.Service != caller {
		return refuse("transform principal id expected to be %s, got %s", caller, t.Function.Service)
	}
	if r.Method != MethodGet && r.Method != MethodHead && r.Method != MethodPost && (r.IsReplicated == nil || *r.IsReplicated) {
		return refuse("http method %q is allowed in non-replicated mode only: set is_replicated to false", r.Method)
	}
	if len(r.URL) > MaxURL {
		return refuse("url size %d exceeds %d", len(r.URL), MaxURL)
	}
	if len(r.Headers) > MaxHeaders {
		return refuse("number of http headers %d exceeds %d", len(r.Headers), MaxHeaders)
	}
	for _, h := range r.Headers {
		if len(h.Name) > MaxHeader {
			return refuse("number of bytes to represent some http header name %d exceeds %d", len(h.Name), MaxHeader)
		}
		if len(h.Value) > MaxHeader {
			return refuse("number of bytes to represent some http header value %d exceeds %d", len(h.Value), MaxHeader)
		}
		if !validName(h.Name) || strings.ContainsAny(h.Value, "\x00\r\n") {
			return refuse("http header %q with value %q is not a valid header", h.Name, h.Value)
		}
	}
	size := HeadersSize(r.Headers)
	if size > MaxHeaderBytes {
		return refuse("total number of bytes to represent all http header names and values %d exceeds %d", size, MaxHeaderBytes)
	}
	if size += len(r.Body); size > MaxRequest {
		return refuse("total number of bytes to represent all http header names and values and http body %d exceeds %d", size, MaxRequest)
	}
	return r.checkURL()
}

// checkURL refuses URLs that are not https, or http to this machine, where local tests have their servers.
func (r *Request) checkURL() *reject.Error {
	for i := range len(r.URL) {
		if r.URL[i] >= 0x80 {
			return reject.New(Fatal, "Failed to parse URL: %q has characters that are not ASCII: write them in percent-encoding", r.URL)
		}
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Hostname() == "" {
		return reject.New(Fatal, "Failed to parse URL: %q", r.URL)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return reject.New(Fatal, "Url must specify https scheme: %q (http is for servers on this machine: localhost, 127.0.0.1, [::1])", r.URL)
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// validName reports whether a name is a token, as RFC 9110, section 5.1, wants header names.
func validName(name string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	for _, c := range []byte(name) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(marks, c) < 0 {
			return false
		}
	}
	return name != ""
}
