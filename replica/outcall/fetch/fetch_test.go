package fetch_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica/outcall"
	"kedge/replica/outcall/fetch"
)

// respond serves one raw response to every request and returns the URL.
func respond(t *testing.T, raw string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4096)
			_, _ = c.Read(buffer)
			_, _ = io.WriteString(c, raw)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

func response(headers, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s", len(body), headers, body)
}

// fixed is what the headers of response count for without others.
const fixed = len("content-length") + 1 + len("connection") + len("close")

func TestLimitsOfResponses(t *testing.T) {
	many := func(n int) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, "X-%d: 1\r\n", i)
		}
		return out.String()
	}
	long := func(n int) string { return strings.Repeat("v", n) }
	limit := func(n int) *uint64 { v := uint64(n); return &v }
	for name, test := range map[string]struct {
		raw   string
		limit *uint64
		want  string // empty if it is taken
	}{
		"the body to the byte":        {response("", "12345"), limit(fixed + 5), ""},
		"a byte more":                 {response("", "12345"), limit(fixed + 4), "Http body exceeds size limit"},
		"headers alone are too much":  {response("", ""), limit(fixed - 1), "Header size exceeds specified response size limit"},
		"64 headers":                  {response(many(62), ""), nil, ""},
		"65 headers":                  {response(many(63), ""), nil, "number of http headers 65"},
		"a value of 8,192 bytes":      {response("X: "+long(8192)+"\r\n", ""), nil, ""},
		"a value of 8,193 bytes":      {response("X: "+long(8193)+"\r\n", ""), nil, "exceeds 8192"},
		"a name of 8,193 bytes":       {response(long(8193)+": x\r\n", ""), nil, "exceeds 8192"},
		"more than 48 KiB of headers": {response(strings.Repeat("X: "+long(8000)+"\r\n", 7), ""), nil, "total number of bytes of all http headers"},
		"a little less than 48 KiB":   {response(strings.Repeat("X: "+long(8000)+"\r\n", 6), ""), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := outcall.Request{URL: respond(t, test.raw), MaxResponseBytes: test.limit}
			got, err := fetch.Do(t.Context(), fetch.Client(nil), &r)
			if test.want != "" {
				require.NotNil(t, err)
				require.Contains(t, err.Message, test.want)
				return
			}
			require.Nil(t, err)
			require.Contains(t, got.Headers, outcall.Header{Name: "connection", Value: "close"}, "the canister sees what came")
			require.Equal(t, http.StatusOK, int(got.Status.Int64()))
		})
	}
}

func TestURLsAreASCII(t *testing.T) {
	r := outcall.Request{URL: "https://ex\u00e4mple.com/"}
	require.ErrorContains(t, r.Check(principal.Canister(1)), "not ASCII")
}
