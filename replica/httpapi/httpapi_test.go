package httpapi

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
)

func TestStatus(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	response, err := http.Get(d.url + "/api/v2/status")
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "application/cbor", response.Header.Get("Content-Type"))
	require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
	var m map[string]any
	require.NoError(t, cbor.NewDecoder(response.Body).Decode(&m))
	require.Equal(t, "healthy", m["replica_health_status"])
	require.Equal(t, d.state.Keys().RootDER(), m["root_key"])
	require.EqualValues(t, 1, m["certified_height"])
}

func TestSynchronousCall(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	for _, version := range []string{"v3", "v4"} {
		e := alice.sign(t, call("echo", 1, 2, version[1]))
		status, answer := d.post(path(version, "canister", canister, "call"), e.Encode())
		require.Equal(t, http.StatusOK, status, string(answer))
		tree := d.certificateIn(answer)
		reply, found := tree.Lookup(labels("request_status", e.Content.ID(), "reply")...)
		require.Equal(t, hashtree.Found, found)
		require.Equal(t, []byte{1, 2, version[1]}, reply)

		again, second := d.post(path(version, "canister", canister, "call"), e.Encode())
		require.Equal(t, http.StatusOK, again)
		reply, _ = d.certificateIn(second).Lookup(labels("request_status", e.Content.ID(), "reply")...)
		require.Equal(t, []byte{1, 2, version[1]}, reply)
		require.Equal(t, 1, d.runs[e.Content.ID()])
	}
	e := alice.sign(t, call("trap"))
	status, answer := d.post(path("v4", "canister", canister, "call"), e.Encode())
	require.Equal(t, http.StatusOK, status)
	tree := d.certificateIn(answer)
	for label, want := range map[string]string{"status": "rejected", "reject_code": "\x05", "reject_message": "trapped", "error_code": "IC0503"} {
		got, _ := tree.Lookup(labels("request_status", e.Content.ID(), label)...)
		require.Equal(t, want, string(got))
	}
	status, answer = d.post(path("v4", "canister", canister, "call"), alice.sign(t, call("never")).Encode())
	require.Equal(t, http.StatusAccepted, status)
	require.Empty(t, answer)
}

func TestRefusedCall(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	want := map[string]any{"reject_code": uint64(3), "reject_message": "Canister " + canister.Text() + " not found", "error_code": "IC0301"}
	for _, version := range []string{"v2", "v3", "v4"} {
		status, answer := d.post(path(version, "canister", canister, "call"), alice.sign(t, call("other")).Encode())
		require.Equal(t, http.StatusOK, status)
		var m map[string]any
		require.NoError(t, cbor.Unmarshal(answer, &m))
		if version != "v2" {
			require.Equal(t, "non_replicated_rejection", m["status"])
			delete(m, "status")
		}
		require.Equal(t, want, m)
	}
}

func TestAsynchronousCallAndPolling(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	e := alice.sign(t, call("echo", 9))
	status, answer := d.post(path("v2", "canister", canister, "call"), e.Encode())
	require.Equal(t, http.StatusAccepted, status)
	require.Empty(t, answer)
	status, answer = d.post(path("v2", "canister", canister, "read_state"), alice.sign(t, read(labels("request_status", e.Content.ID()))).Encode())
	require.Equal(t, http.StatusOK, status, string(answer))
	reply, _ := d.certificateIn(answer).Lookup(labels("request_status", e.Content.ID(), "reply")...)
	require.Equal(t, []byte{9}, reply)
}

type queryAnswer struct {
	Status        string
	Reply         struct{ Arg []byte }
	RejectCode    uint64 `cbor:"reject_code"`
	RejectMessage string `cbor:"reject_message"`
	ErrorCode     string `cbor:"error_code"`
	Signatures    []struct {
		Timestamp uint64
		Signature []byte
		Identity  []byte
	}
}

func TestQuery(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	for _, version := range []string{"v2", "v3"} {
		for _, c := range []request.Content{query("echo", 5), query("missing")} {
			e := anonymous.sign(t, c)
			status, body := d.post(path(version, "canister", canister, "query"), e.Encode())
			require.Equal(t, http.StatusOK, status, string(body))
			var got queryAnswer
			require.NoError(t, cbor.Unmarshal(body, &got))
			require.Len(t, got.Signatures, 1)
			response := request.QueryResponse{RejectCode: got.RejectCode, RejectMessage: got.RejectMessage, ErrorCode: got.ErrorCode}
			if c.Method == "echo" {
				require.Equal(t, []byte{5}, got.Reply.Arg)
				response = request.QueryResponse{Replied: true, Arg: got.Reply.Arg}
			} else {
				require.Equal(t, queryAnswer{Status: "rejected", RejectCode: 5, RejectMessage: "no query missing", ErrorCode: "IC0536", Signatures: got.Signatures}, got)
			}
			sig := got.Signatures[0]
			require.Equal(t, d.state.Keys().NodeID().Bytes(), sig.Identity)
			require.True(t, ed25519.Verify(d.state.Keys().Node.Public().(ed25519.PublicKey), response.SigningPayload(e.Content.ID(), sig.Timestamp), sig.Signature))
		}
	}
}

// Every scheme, and chains of them, may sign.
func TestSenders(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	p256 := newUser(signature.P256)
	senders := map[string]user{
		"anonymous":  anonymous,
		"Ed25519":    owner,
		"secp256k1":  alice,
		"P-256":      p256,
		"delegation": owner.delegate(t, alice, nil).delegate(t, p256, func(d *request.Delegation) { d.Permissions = request.PermitAll }),
		"targets": owner.delegate(t, alice, func(d *request.Delegation) { d.Targets = []principal.Principal{other, canister} }).
			delegate(t, p256, func(d *request.Delegation) { d.Targets = []principal.Principal{canister} }),
	}
	for name, u := range senders {
		e := u.sign(t, call("echo", 1))
		status, answer := d.post(path("v4", "canister", canister, "call"), e.Encode())
		require.Equal(t, http.StatusOK, status, "%s: %s", name, answer)
		require.Equal(t, e.Content.Sender, d.seen.Sender)
		require.Equal(t, e.Content.ID(), d.seen.ID)
		require.Equal(t, e.Content.IngressExpiry, d.seen.Expiry)
	}
}

// A session of an identity provider on this very network: its canister signs the delegation, and
// information about the sender.
func TestCanisterSignatureOpensSession(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	key := signature.CanisterKey{Canister: canister, Seed: []byte("seed")}
	sign := func(message []byte) []byte {
		seed, digest := hash(key.Seed), hash(message)
		tree := hashtree.Labeled([]byte("sig"), hashtree.Labeled(seed, hashtree.Labeled(digest, hashtree.Leaf(nil))))
		root := tree.Hash()
		d.state.SetCertifiedData(canister, root[:])
		snapshot, err := d.state.Certify(d.Now())
		require.NoError(t, err)
		return signature.EncodeCanister(snapshot.DataCertificate(canister), tree)
	}
	link := request.Delegation{PublicKey: alice.signer.PublicKey(), Expiration: uint64(time.Now().Add(time.Hour).UnixNano())}
	session := user{alice.signer, key.DER(), []request.SignedDelegation{{Delegation: link, Signature: sign(link.SigningPayload())}}}
	status, answer := d.post(path("v4", "canister", canister, "call"), session.sign(t, call("echo")).Encode())
	require.Equal(t, http.StatusOK, status, string(answer))
	require.Equal(t, principal.SelfAuthenticating(key.DER()), d.seen.Sender)

	c := call("echo")
	info := request.SenderInfo{Info: []byte("info"), Signer: canister}
	info.Signature = sign(info.SigningPayload())
	c.SenderInfo = &info
	status, answer = d.post(path("v4", "canister", canister, "call"), session.sign(t, c).Encode())
	require.Equal(t, http.StatusOK, status, string(answer))
	require.Equal(t, &info, d.seen.SenderInfo)

	refused := func(change func(*request.SenderInfo), u user, want string) {
		changed := info
		change(&changed)
		c.SenderInfo = &changed
		status, answer := d.post(path("v4", "canister", canister, "call"), u.sign(t, c).Encode())
		require.Equal(t, http.StatusForbidden, status)
		require.Contains(t, string(answer), want)
	}
	refused(func(i *request.SenderInfo) { i.Info = []byte("changed") }, session, "Invalid sender info: signature verification failed")
	refused(func(i *request.SenderInfo) { i.Signer = other }, session, "does not match canister ID")
	refused(func(*request.SenderInfo) {}, alice, "sender_pubkey is not a valid canister signature public key")
	refused(func(*request.SenderInfo) {}, anonymous, "sender_info is not allowed for the anonymous user")

	session.chain[0].Signature = sign([]byte("another message"))
	status, answer = d.post(path("v4", "canister", canister, "call"), session.sign(t, call("echo")).Encode())
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, string(answer), "Invalid delegation: Invalid canister signature")
}

func TestPreflightAndMethods(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	url := d.url + path("v4", "canister", canister, "call")
	for method, want := range map[string]int{http.MethodOptions: 204, http.MethodGet: 405, http.MethodPut: 405} {
		r, err := http.NewRequest(method, url, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, want, response.StatusCode, method)
		require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, response.Header.Get("Access-Control-Allow-Headers"), "Content-Type")
	}
	response, err := http.Post(d.url+"/api/v2/status", "application/cbor", nil)
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, 405, response.StatusCode)
	response, err = http.Get(d.url + "/somewhere")
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, 404, response.StatusCode)
}

func TestPanicIsAnError(t *testing.T) {
	var log bytes.Buffer
	s := New(newFake(t), Options{Log: &log})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", path("v3", "canister", canister, "query"), bytes.NewReader(anonymous.sign(t, query("panic")).Encode()))
	r.Header.Set("Content-Type", "application/cbor")
	f := s.backend.(*fake)
	s.ServeHTTP(w, r)
	require.Equal(t, 500, w.Code)
	require.Equal(t, "Internal error", w.Body.String())
	require.Contains(t, log.String(), "the backend is broken")
	require.True(t, f.mu.TryLock(), "the fake's lock was released")
}

func TestFormatTime(t *testing.T) {
	at := uint64(time.Date(2025, 5, 1, 23, 55, 18, 0, time.UTC).UnixNano())
	for nanos, want := range map[uint64]string{
		0:         "2025-05-01 23:55:18 UTC",
		500000000: "2025-05-01 23:55:18.500 UTC",
		500:       "2025-05-01 23:55:18.000000500 UTC",
		5000:      "2025-05-01 23:55:18.000005 UTC",
	} {
		require.Equal(t, want, formatTime(at+nanos))
	}
	require.True(t, strings.HasSuffix(formatTime(1<<64-1), " UTC"))
}

func FuzzBodies(f *testing.F) {
	s := New(newFake(f), Options{Wait: time.Millisecond})
	for _, c := range []request.Content{call("echo", 1), query("echo", 2), read(labels("time"), labels("subnet"))} {
		f.Add(alice.sign(f, c).Encode())
		f.Add(owner.delegate(f, alice, nil).sign(f, c).Encode())
		f.Add(anonymous.sign(f, c).Encode())
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, action := range []string{"call", "query", "read_state"} {
			for _, version := range []string{"v2", "v3"} {
				r := httptest.NewRequest("POST", path(version, "canister", canister, action), bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/cbor")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code == http.StatusInternalServerError {
					t.Fatalf("%s %s: %s", version, action, w.Body)
				}
			}
		}
	})
}

var _ Backend = (*fake)(nil)
