package outcall_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/wire"
	"kedge/ic/principal"
	"kedge/replica/outcall"
)

func TestCheck(t *testing.T) {
	caller := principal.Canister(1)
	long := func(n int) string { return strings.Repeat("a", n) }
	headers := func(count int, name, value string) []outcall.Header {
		var out []outcall.Header
		for range count {
			out = append(out, outcall.Header{Name: name, Value: value})
		}
		return out
	}
	of := func(change func(*outcall.Request)) outcall.Request {
		r := outcall.Request{URL: "https://example.com/"}
		change(&r)
		return r
	}
	most, tooMany := uint64(2_000_000), uint64(2_000_001)
	yes, no := true, false
	for name, test := range map[string]struct {
		request outcall.Request
		want    string // empty if allowed
	}{
		"plain":               {of(func(*outcall.Request) {}), ""},
		"http here":           {of(func(r *outcall.Request) { r.URL = "http://localhost:80/" }), ""},
		"http at a subdomain": {of(func(r *outcall.Request) { r.URL = "http://a.localhost" }), ""},
		"http at 127.0.0.2":   {of(func(r *outcall.Request) { r.URL = "http://127.0.0.2:1" }), ""},
		"http at ::1":         {of(func(r *outcall.Request) { r.URL = "http://[::1]:1" }), ""},
		"http elsewhere":      {of(func(r *outcall.Request) { r.URL = "http://127.0.0.1.example.com" }), "IC0100: Url must specify https scheme"},
		"http and a user":     {of(func(r *outcall.Request) { r.URL = "http://localhost@example.com" }), "IC0100: Url must specify https scheme"},
		"ftp":                 {of(func(r *outcall.Request) { r.URL = "ftp://localhost" }), "IC0100: Url must specify https scheme"},
		"no URL":              {of(func(r *outcall.Request) { r.URL = "" }), `IC0100: Failed to parse URL: ""`},
		"not a URL":           {of(func(r *outcall.Request) { r.URL = "https://a b" }), `IC0100: Failed to parse URL: "https://a b"`},
		"longest URL":         {of(func(r *outcall.Request) { r.URL += long(8192 - len(r.URL)) }), ""},
		"long URL":            {of(func(r *outcall.Request) { r.URL += long(8193 - len(r.URL)) }), "IC0406: url size 8193 exceeds 8192"},
		"greatest response":   {of(func(r *outcall.Request) { r.MaxResponseBytes = &most }), ""},
		"greater response":    {of(func(r *outcall.Request) { r.MaxResponseBytes = &tooMany }), "IC0406: max_response_bytes expected to be in the range [0..2000000], got 2000001"},
		"most headers":        {of(func(r *outcall.Request) { r.Headers = headers(64, "n", "v") }), ""},
		"many headers":        {of(func(r *outcall.Request) { r.Headers = headers(65, "n", "v") }), "IC0406: number of http headers 65 exceeds 64"},
		"longest header":      {of(func(r *outcall.Request) { r.Headers = headers(1, long(8192), long(8192)) }), ""},
		"long name":           {of(func(r *outcall.Request) { r.Headers = headers(1, long(8193), "") }), "header name 8193 exceeds 8192"},
		"long value":          {of(func(r *outcall.Request) { r.Headers = headers(1, "n", long(8193)) }), "header value 8193 exceeds 8192"},
		"long headers":        {of(func(r *outcall.Request) { r.Headers = headers(7, "n", long(8192)) }), "header names and values 57351 exceeds 49152"},
		"bad name":            {of(func(r *outcall.Request) { r.Headers = headers(1, "a b", "") }), `http header "a b" with value "" is not a valid header`},
		"two lines":           {of(func(r *outcall.Request) { r.Headers = headers(1, "a", "b\r\nc: d") }), "is not a valid header"},
		"largest request":     {of(func(r *outcall.Request) { r.Body = make([]byte, 2_000_000) }), ""},
		"large request":       {of(func(r *outcall.Request) { r.Body = make([]byte, 2_000_000); r.Headers = headers(1, "n", "v") }), "http body 2000002 exceeds 2000000"},
		"delete, replicated":  {of(func(r *outcall.Request) { r.Method, r.IsReplicated = outcall.MethodDelete, &yes }), `IC0406: http method "delete" is allowed in non-replicated mode only`},
		"delete by default":   {of(func(r *outcall.Request) { r.Method = outcall.MethodDelete }), "non-replicated mode only"},
		"delete by one node":  {of(func(r *outcall.Request) { r.Method, r.IsReplicated = outcall.MethodDelete, &no }), ""},
		"another's transform": {of(func(r *outcall.Request) {
			r.Transform = &outcall.Transform{Function: wire.FuncRef{Service: principal.Canister(2), Method: "t"}}
		}), "IC0406: transform principal id expected to be " + caller.String() + ", got " + principal.Canister(2).String()},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.request.Check(caller)
			if test.want == "" {
				require.Nil(t, err)
				return
			}
			require.NotNil(t, err)
			require.Contains(t, err.Error(), test.want)
		})
	}
}

func TestSize(t *testing.T) {
	r := outcall.Request{URL: "12345", Headers: []outcall.Header{{Name: "ab", Value: "c"}}, Body: make([]byte, 10),
		Transform: &outcall.Transform{Function: wire.FuncRef{Method: "prune"}, Context: make([]byte, 100)}}
	require.EqualValues(t, 5+3+10+5+100, r.Size())
}

// FuzzRequest: whatever canisters send is decoded and checked, or refused.
func FuzzRequest(f *testing.F) {
	f.Add([]byte{})
	f.Add(outcall.EncodeHttpRequestArgs(outcall.Request{URL: "https://example.com", Headers: []outcall.Header{{Name: "a", Value: "b"}}}))
	f.Add(outcall.EncodeHttpRequestArgs(outcall.Request{URL: "http://[::1%25a]:x/", Transform: &outcall.Transform{}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := outcall.DecodeHttpRequestArgs(data)
		if err != nil || r.Check(principal.Management) != nil {
			return
		}
		require.LessOrEqual(t, r.Size(), uint64(len(data)))
		require.LessOrEqual(t, r.ResponseLimit(), uint64(outcall.MaxResponse))
	})
}
