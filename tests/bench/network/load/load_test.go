package load_test

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica"
	"kedge/tests/bench/network/load"
)

var owner = principal.SelfAuthenticating([]byte("owner"))

func plan(t *testing.T) (load.Plan, *replica.Network) {
	net, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithState(t.TempDir()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	code, err := os.ReadFile("../testdata/small.wasm")
	require.NoError(t, err)
	id, err := net.Deploy(t.Context(), owner, code, binary.LittleEndian.AppendUint32(nil, 1))
	require.NoError(t, err)
	return load.Plan{URL: net.URL(), Canister: id, Type: request.Call, Method: "bump", Clients: 4, Requests: 110}, net
}

// Every request is executed once, and its reply checked.
func TestLoad(t *testing.T) {
	p, net := plan(t)
	figures, err := load.Run(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, 110, figures.Requests)
	require.Equal(t, 4, figures.Signatures, "the first of each client, and every hundredth")
	require.LessOrEqual(t, figures.Median, figures.P99)

	p.Type, p.Method, p.Requests = request.Query, "read", 404
	figures, err = load.Run(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, 8, figures.Signatures)
	reply, err := net.Query(t.Context(), owner, p.Canister, "read", nil)
	require.NoError(t, err)
	require.Equal(t, uint32(110), binary.LittleEndian.Uint32(reply))
}

func TestLoadThatCannotBe(t *testing.T) {
	p, _ := plan(t)
	refused := func(change func(*load.Plan), text string) {
		t.Helper()
		changed := p
		change(&changed)
		_, err := load.Run(t.Context(), changed)
		require.ErrorContains(t, err, text)
	}
	refused(func(p *load.Plan) { p.Requests = 3 }, "3 requests of 4 clients")
	refused(func(p *load.Plan) { p.Requests = 1_000_000 }, "at most 100000")
	refused(func(p *load.Plan) { p.URL = "http://127.0.0.1:1" }, "ask for the status")
	refused(func(p *load.Plan) { p.Method = "absent" }, `has no update method 'absent'`)
	refused(func(p *load.Plan) { p.Type, p.Method = request.Query, "absent" }, `has no query method 'absent'`)
	refused(func(p *load.Plan) { p.Method, p.Arg = "spoil", make([]byte, 4) }, "unreachable")
	ended, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err := load.Run(ended, p)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A network that gives everybody the reply to the first request, or spoils a certificate, is found out.
func TestLoadFindsWrongReplies(t *testing.T) {
	p, net := plan(t)
	for _, c := range []struct {
		name   string
		change func(first, reply []byte) []byte
		text   string
	}{
		{"somebody else's reply", func(first, _ []byte) []byte { return first }, "about the request"},
		{"a byte of the signature", spoil(-30), "the reply to request"},
		{"not CBOR", func(_, _ []byte) []byte { return []byte("hello") }, "decode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var first []byte
			proxy := httptest.NewServer(relay(t, net.URL(), func(reply []byte) []byte {
				if first == nil {
					first = reply
					if c.name == "somebody else's reply" {
						return reply
					}
				}
				return c.change(first, reply)
			}))
			defer proxy.Close()
			wrong := p
			wrong.URL, wrong.Clients, wrong.Requests = proxy.URL, 1, 2
			_, err := load.Run(t.Context(), wrong)
			require.ErrorContains(t, err, c.text)
		})
	}
}

// spoil flips a bit of the byte with the index, counted from the end if negative.
func spoil(index int) func(_, reply []byte) []byte {
	return func(_, reply []byte) []byte {
		out := append([]byte(nil), reply...)
		out[len(out)+index] ^= 1
		return out
	}
}

// relay passes requests on and lets change have the replies to calls.
func relay(t *testing.T, url string, change func([]byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r2, err := http.NewRequestWithContext(t.Context(), r.Method, url+r.URL.Path, r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		r2.Header = r.Header
		reply, err := http.DefaultTransport.RoundTrip(r2)
		if err != nil {
			t.Error(err)
			return
		}
		defer reply.Body.Close()
		body := read(t, reply)
		if last := r.URL.Path[len(r.URL.Path)-5:]; last == "/call" {
			body = change(body)
		}
		_, _ = w.Write(body)
	})
}

func read(t *testing.T, reply *http.Response) []byte {
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Error(err)
	}
	return body
}
