package replica_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/wire"
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/exec"
	"kedge/replica/outcall"
	"kedge/replica/reject"
)

// outcallCycles is enough for any outcall.
const outcallCycles = 100_000_000_000

// fetch is the argument of the outcalls canister's fetch.
func fetch(amount uint64, r outcall.Request) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, amount), outcall.EncodeHttpRequestArgs(r)...)
}

// fetched makes an outcall and returns the cycles that came back and the response.
func (w *world) fetched(canister principal.Principal, r outcall.Request) (uint64, outcall.Response) {
	w.Helper()
	raw := w.call(canister, "fetch", fetch(outcallCycles, r))
	response, err := outcall.DecodeHttpRequestResult(raw[8:])
	require.NoError(w, err)
	return binary.LittleEndian.Uint64(raw), response
}

// echoServer answers with what it was asked.
func echoServer(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["Date"] = nil
		w.Header().Set("X-Seen", r.Method+" "+r.URL.String())
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/large":
			_, _ = w.Write(bytes.Repeat([]byte{'x'}, 2_000_001))
		default:
			w.WriteHeader(http.StatusTeapot)
			_, _ = fmt.Fprintf(w, "%s %s %s %s", r.UserAgent(), r.Header.Get("X-Asked"), r.Header.Get("Accept-Encoding"), body)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func header(r outcall.Response, name string) string {
	for _, h := range r.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

func transformBy(canister principal.Principal, method, context string) *outcall.Transform {
	return &outcall.Transform{Function: wire.FuncRef{Service: canister, Method: method}, Context: []byte(context)}
}

func TestOutcalls(t *testing.T) {
	server := echoServer(t)
	w := newWorld(t, replica.WithOutcalls(nil))
	c := w.deploy("outcalls")
	no := false

	for name, test := range map[string]struct {
		request outcall.Request
		seen    string
		body    string
	}{
		"get":  {outcall.Request{URL: server.URL + "/a?b=c"}, "GET /a?b=c", "ic/1.0   "},
		"head": {outcall.Request{URL: server.URL, Method: outcall.MethodHead}, "HEAD /", ""},
		"post": {outcall.Request{URL: server.URL + "/p", Method: outcall.MethodPost, Body: []byte("sent"),
			Headers: []outcall.Header{{Name: "x-asked", Value: "for"}, {Name: "User-Agent", Value: "mine"}}}, "POST /p", "mine for  sent"},
		"put": {outcall.Request{URL: server.URL + "/p", Method: outcall.MethodPut, Body: []byte("x"), IsReplicated: &no}, "PUT /p", "ic/1.0   x"},
	} {
		t.Run(name, func(t *testing.T) {
			refund, response := w.fetched(c, test.request)
			require.Equal(t, big.NewInt(http.StatusTeapot), response.Status)
			require.Equal(t, test.seen, header(response, "x-seen"))
			require.Equal(t, test.body, string(response.Body))
			require.EqualValues(t, outcallCycles, refund+exec.OutcallCost(test.request.Size(), outcall.MaxResponse).Lo)
		})
	}
	t.Run("redirects are not followed", func(t *testing.T) {
		_, response := w.fetched(c, outcall.Request{URL: server.URL + "/redirect"})
		require.Equal(t, big.NewInt(http.StatusFound), response.Status)
		require.Equal(t, "/elsewhere", header(response, "location"))
	})
	t.Run("https", func(t *testing.T) {
		secure := httptest.NewTLSServer(server.Config.Handler)
		t.Cleanup(secure.Close)
		w := newWorld(t, replica.WithOutcalls(secure.Client()))
		_, response := w.fetched(w.deploy("outcalls"), outcall.Request{URL: secure.URL})
		require.Equal(t, "GET /", header(response, "x-seen"))
	})
}

func TestOutcallsThatFail(t *testing.T) {
	server := echoServer(t)
	closed := httptest.NewServer(nil)
	closed.Close()
	w := newWorld(t, replica.WithOutcalls(nil))
	c := w.deploy("outcalls")
	limit := uint64(10)

	for name, test := range map[string]struct {
		request outcall.Request
		want    string // reject code and text
	}{
		"refused beforehand":  {outcall.Request{URL: "http://example.com"}, `1Url must specify https scheme: "http://example.com"`},
		"nobody listens":      {outcall.Request{URL: closed.URL}, "2Failed to perform the HTTP request"},
		"large":               {outcall.Request{URL: server.URL + "/large"}, "1Http body exceeds size limit of 2000000 bytes."},
		"headers are larger":  {outcall.Request{URL: server.URL, MaxResponseBytes: &limit}, "1Header size exceeds specified response size limit 10"},
		"transform traps":     {outcall.Request{URL: server.URL, Transform: transformBy(c, "prune_trap", "")}, "5Error from Canister " + c.String() + ": Canister called `ic0.trap` with message: 'pruned badly'"},
		"transform is silent": {outcall.Request{URL: server.URL, Transform: transformBy(c, "prune_silent", "")}, "5Canister " + c.String() + " did not produce a response"},
		"transform refuses":   {outcall.Request{URL: server.URL, Transform: transformBy(c, "prune_refuse", "")}, "4pruned badly"},
		"no transform":        {outcall.Request{URL: server.URL, Transform: transformBy(c, "fetch", "")}, "5Error from Canister " + c.String() + ": Canister has no query method 'fetch'"},
		"transform's reply":   {outcall.Request{URL: server.URL, Transform: transformBy(c, "prune_large", "")}, "1Transformed http response exceeds limit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Call(ctx, alice, c, "fetch", fetch(outcallCycles, test.request))
			refused(t, err, reject.CanisterRejectedMessage, test.want)
			require.Zero(t, w.ask(c, "get", nil)[0], "transform functions change nothing")
		})
	}
	t.Run("too few cycles", func(t *testing.T) {
		r := outcall.Request{URL: server.URL}
		_, err := w.Call(ctx, alice, c, "fetch", fetch(7, r))
		price := exec.OutcallCost(r.Size(), outcall.MaxResponse)
		refused(t, err, reject.CanisterRejectedMessage,
			fmt.Sprintf("4http_request request sent with 7 cycles, but %s cycles are required.", price))
	})
	t.Run("malformed", func(t *testing.T) {
		_, err := w.Call(ctx, alice, c, "fetch", make([]byte, 8))
		refused(t, err, reject.CanisterRejectedMessage, "4Error decoding candid")
	})
	t.Run("by a user", func(t *testing.T) {
		_, err := w.Call(ctx, alice, principal.Management, "http_request", outcall.EncodeHttpRequestArgs(outcall.Request{URL: server.URL}))
		refused(t, err, reject.CanisterRejectedMessage, "Only canisters can call ic00 method http_request")
	})
}

func TestOutcallTimesOut(t *testing.T) {
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select { // the server notices that the client left
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	w := newWorld(t, replica.WithOutcalls(&http.Client{Timeout: time.Millisecond}))
	_, err := w.Call(ctx, alice, w.deploy("outcalls"), "fetch", fetch(outcallCycles, outcall.Request{URL: server.URL}))
	refused(t, err, reject.CanisterRejectedMessage, "2Canister http request timed out")
}

func TestOutcallTransform(t *testing.T) {
	server := echoServer(t)
	w := newWorld(t, replica.WithOutcalls(nil))
	c := w.deploy("outcalls")
	raw := w.call(c, "fetch", fetch(outcallCycles, outcall.Request{URL: server.URL + "/t", Transform: transformBy(c, "prune", "context")}))
	require.Zero(t, raw[8], "the caller is the management canister, whose id is empty")
	seen, err := outcall.DecodeTransformArgs(raw[9:])
	require.NoError(t, err)
	require.Equal(t, "context", string(seen.Context))
	require.Equal(t, "ic/1.0   ", string(seen.Response.Body))
	require.Equal(t, "GET /t", header(seen.Response, "x-seen"))
	require.Zero(t, w.ask(c, "get", nil)[0], "a transform function changes nothing")
}

func TestOutcallsAreOff(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(server.Close)
	w := newWorld(t)
	c := w.deploy("outcalls")
	_, err := w.Call(ctx, alice, c, "fetch", fetch(outcallCycles, outcall.Request{URL: server.URL}))
	refused(t, err, reject.CanisterRejectedMessage, `4This local network has no HTTP outcalls: the management method "http_request" is not available`)
	_, err = w.Query(ctx, alice, principal.Management, "http_request", nil)
	refused(t, err, reject.CanisterRejectedMessage, "This local network has no HTTP outcalls")
	server.Close()
	require.False(t, asked)
}

// A log with outcalls gives the same state again without their server, and with the switch off.
func TestOutcallsAreReplayed(t *testing.T) {
	server := echoServer(t)
	dir := t.TempDir()
	w := newWorld(t, stopped, replica.WithState(dir), replica.WithOutcalls(nil))
	c := w.deploy("outcalls")
	w.fetched(c, outcall.Request{URL: server.URL})
	w.call(c, "fetch", fetch(outcallCycles, outcall.Request{URL: server.URL, Transform: transformBy(c, "prune", "x")}))
	_, err := w.Call(ctx, alice, c, "fetch", fetch(outcallCycles, outcall.Request{URL: server.URL, Transform: transformBy(c, "prune_trap", "x")}))
	require.Error(t, err)
	server.Close()
	_, err = w.Call(ctx, alice, c, "fetch", fetch(outcallCycles, outcall.Request{URL: server.URL}))
	require.Error(t, err)

	again := newWorld(t, replica.WithTime(w.Time()), replica.WithState(copyDir(t, dir)))
	require.Equal(t, everything(t, w, c), everything(t, again, c))
	reply, err := again.Query(ctx, owner, principal.Management, "canister_metrics", management.EncodeCanisterMetricsArgs(management.CanisterArg{CanisterID: c}))
	require.NoError(t, err)
	metrics, err := management.DecodeCanisterMetricsResult(reply)
	require.NoError(t, err)
	require.Positive(t, metrics.CyclesConsumed.HttpOutcalls.Sign())
}

// What was under way when a network ended, by a kill or not, is rejected by the next one and not sent again.
func TestOutcallsAreInterrupted(t *testing.T) {
	asked, ended := make(chan struct{}, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-ended
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	dir := t.TempDir()
	w := newWorld(t, stopped, replica.WithState(dir), replica.WithOutcalls(nil))
	c := w.deploy("outcalls")
	returned := make(chan error, 1)
	go func() {
		_, err := w.Call(ctx, alice, c, "fetch", fetch(outcallCycles, outcall.Request{URL: server.URL}))
		returned <- err
	}()
	<-asked // so its round is logged

	killed := copyDir(t, dir)
	require.NoError(t, w.Close())
	require.ErrorContains(t, <-returned, "the network was closed")
	for name, dir := range map[string]string{"killed": killed, "closed": dir} {
		t.Run(name, func(t *testing.T) {
			again := newWorld(t, replica.WithTime(w.Time()), replica.WithState(dir), replica.WithOutcalls(nil))
			// The canister cannot stop before its call was answered.
			require.NoError(t, again.StopCanister(ctx, owner, c))
			require.Empty(t, asked, "it is not sent again")
			require.NoError(t, again.StartCanister(ctx, owner, c))
			_, err := again.Call(ctx, alice, c, "fetch", fetch(outcallCycles, outcall.Request{URL: "http://127.0.0.1:0"}))
			refused(t, err, reject.CanisterRejectedMessage, "2Failed to perform the HTTP request")
			require.NoError(t, again.Close())
		})
	}
}
