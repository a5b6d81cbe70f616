package httpapi

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
)

func hash(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] }

// Every wrong request gets its status and its words, and the server goes on.
func TestBadInput(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	at := func(offset time.Duration) uint64 { return uint64(time.Now().Add(offset).UnixNano()) }
	changed := func(u user, c request.Content, change func(*request.Envelope)) []byte {
		e := u.sign(t, c)
		change(e)
		return e.Encode()
	}
	expiring := func(u user, c request.Content, expiry uint64) []byte {
		c.IngressExpiry = expiry
		return u.sign(t, c).Encode()
	}
	chain := func(n int) user {
		u := owner
		for range n {
			u = u.delegate(t, newUser(signature.Ed25519), nil)
		}
		return u
	}
	long := func() request.Content { c := call("echo"); c.Nonce = make([]byte, 33); return c }
	big := call("echo")
	big.Arg = make([]byte, maxIngress)
	toOther := call("echo")
	toOther.Canister = other
	paths := make([][][]byte, 1001)
	for i := range paths {
		paths[i] = labels("time")
	}
	deep := read(make([][]byte, 128))
	for i := range deep.Paths[0] {
		deep.Paths[0][i] = []byte("x")
	}
	good := alice.sign(t, call("echo"))
	id := good.Content.ID().String()
	callPath, queryPath, readPath := path("v4", "canister", canister, "call"), path("v3", "canister", canister, "query"), path("v3", "canister", canister, "read_state")
	self := owner.delegate(t, owner, nil)
	loop := owner.delegate(t, alice, nil).delegate(t, owner, nil)

	for _, tc := range []struct {
		name, path string
		body       []byte
		status     int
		want       string
	}{
		{"empty", callPath, nil, 400, "Could not parse body as call message: envelope: EOF"},
		{"not CBOR", callPath, []byte("hello"), 400, "Could not parse body as call message"},
		{"other tag", callPath, append([]byte{0xc1}, good.Encode()[3:]...), 400, "Could not parse body as call message"},
		{"left over", callPath, append(good.Encode(), 0), 400, "Could not parse body as call message"},
		{"a query to call", callPath, alice.sign(t, query("echo")).Encode(), 400, "unknown variant `query` of request_type, expected `call`"},
		{"a call to query", queryPath, good.Encode(), 400, "unknown variant `call` of request_type, expected `query`"},
		{"a call to read_state", readPath, good.Encode(), 400, "unknown variant `call` of request_type, expected `read_state`"},
		{"other canister", callPath, alice.sign(t, toOther).Encode(), 400, "Specified canister ID " + other.Text() + " does not match effective canister ID in URL " + canister.Text()},
		{"huge body", callPath, make([]byte, maxBody+1), 413, "at most 4194304 bytes"},
		{"big call", callPath, alice.sign(t, big).Encode(), 413, "is larger than the max allowed 2097152."},
		{"bad id", "/api/v4/canister/rwlgt-iiaaa-aaaaa-aaaaa-caq/call", good.Encode(), 400, "Invalid canister id in URL: principal \"rwlgt-iiaaa-aaaaa-aaaaa-caq\": checksum does not match"},
		{"unknown version", path("v5", "canister", canister, "call"), good.Encode(), 404, "Not found"},
		{"unknown action", path("v4", "canister", canister, "cull"), good.Encode(), 404, "Not found"},
		{"unknown path", "/api/v2/other", good.Encode(), 404, "Not found"},

		{"expired", callPath, expiring(alice, call("echo"), at(-time.Second)), 400, "Invalid request expiry: Specified ingress_expiry not within expected range: Minimum allowed expiry: "},
		{"far future", callPath, expiring(alice, call("echo"), at(6*time.Minute)), 400, "Invalid request expiry: "},
		{"no bound on numbers", callPath, expiring(alice, call("echo"), 1<<64-1), 400, "Invalid request expiry: "},
		{"expired query", queryPath, expiring(alice, query("echo"), at(-time.Second)), 400, "Invalid request expiry: "},
		{"expired anonymous query", queryPath, expiring(anonymous, query("echo"), 1), 200, ""},
		{"expired anonymous call", callPath, expiring(anonymous, call("echo"), 1), 400, "Invalid request expiry: "},
		{"within the drift", callPath, expiring(alice, call("echo"), at(5*time.Minute+20*time.Second)), 200, ""},
		{"long nonce", callPath, alice.sign(t, long()).Encode(), 400, "Nonce in request is too big: got 33 bytes, but at most 32 are allowed"},
		{"many paths", readPath, alice.sign(t, read(paths...)).Encode(), 400, "Too many paths in read state request: got 1001 paths, but at most 1000 are allowed"},
		{"deep path", readPath, alice.sign(t, deep).Encode(), 400, "At least one path in read state request is too deep: got 128 labels, but at most 127 are allowed"},

		{"anonymous with a key", callPath, changed(anonymous, call("echo"), func(e *request.Envelope) { e.PublicKey = []byte{1} }), 403, "Signature is not allowed for the anonymous user"},
		{"anonymous with a signature", callPath, changed(anonymous, call("echo"), func(e *request.Envelope) { e.Signature = []byte{} }), 403, "Signature is not allowed for the anonymous user"},
		{"no signature", callPath, changed(alice, call("echo"), func(e *request.Envelope) { e.Signature = nil }), 403, "Missing signature from user: " + alice.principal().Text()},
		{"no key", callPath, changed(alice, call("echo"), func(e *request.Envelope) { e.PublicKey = nil }), 403, "Missing signature from user"},
		{"other sender", callPath, changed(alice, call("echo"), func(e *request.Envelope) { e.Content.Sender = owner.principal() }), 403, "does not match the public key"},
		{"changed argument", callPath, changed(alice, call("echo"), func(e *request.Envelope) { e.Content.Arg = []byte{1} }), 403, "Invalid signature: Invalid basic signature: signature does not match"},
		{"names the request", callPath, changed(alice, good.Content, func(e *request.Envelope) { e.Signature[0] ^= 1 }), 403, "Failed to authenticate request " + id + " due to: Invalid signature"},
		{"signature of another length", callPath, changed(alice, call("echo"), func(e *request.Envelope) { e.Signature = e.Signature[1:] }), 403, "63 bytes instead of 64"},
		{"key of no scheme", callPath, changed(alice, call("echo"), func(e *request.Envelope) {
			e.PublicKey = []byte("key")
			e.Content.Sender = principal.SelfAuthenticating(e.PublicKey)
		}), 403, "Invalid signature: Invalid public key: "},
		{"changed query", queryPath, changed(alice, query("echo"), func(e *request.Envelope) { e.Content.Method = "other" }), 403, "Invalid signature"},
		{"changed read_state", readPath, changed(alice, read(labels("time")), func(e *request.Envelope) { e.Content.Paths = nil }), 403, "Invalid signature"},

		{"twenty delegations", callPath, chain(20).sign(t, call("echo")).Encode(), 200, ""},
		{"twenty-one delegations", callPath, chain(21).sign(t, call("echo")).Encode(), 403, "Chain of delegations is too long: got 21 delegations, but at most 20 are allowed"},
		{"delegation to itself", callPath, self.sign(t, call("echo")).Encode(), 403, "Chain of delegations contains at least one cycle: first repeating public key encountered"},
		{"delegation in a circle", callPath, loop.sign(t, call("echo")).Encode(), 403, "contains at least one cycle"},
		{"expired delegation", callPath, owner.delegate(t, alice, func(d *request.Delegation) { d.Expiration = at(-time.Second) }).sign(t, call("echo")).Encode(), 400, "Invalid delegation expiry: "},
		{"delegation changed", callPath, changed(owner.delegate(t, alice, nil), call("echo"), func(e *request.Envelope) { e.Delegations[0].Delegation.Expiration++ }), 403, "Invalid delegation: Invalid basic signature"},
		{"last link not followed", callPath, changed(owner.delegate(t, alice, nil), call("echo"), func(e *request.Envelope) {
			sig, err := owner.signer.Sign(e.Content.ID().SigningPayload())
			require.NoError(t, err)
			e.Signature = sig
		}), 403, "Invalid signature"},
		{"wrong target", callPath, owner.delegate(t, alice, func(d *request.Delegation) { d.Targets = []principal.Principal{other} }).sign(t, call("echo")).Encode(), 403, "Canister " + canister.Text() + " is not one of the delegation targets"},
		{"no target", callPath, owner.delegate(t, alice, func(d *request.Delegation) { d.Targets = []principal.Principal{} }).sign(t, call("echo")).Encode(), 403, "is not one of the delegation targets"},
		{"targets that do not meet", callPath, owner.delegate(t, alice, func(d *request.Delegation) { d.Targets = []principal.Principal{canister} }).
			delegate(t, newUser(signature.P256), func(d *request.Delegation) { d.Targets = []principal.Principal{other} }).sign(t, call("echo")).Encode(), 403, "is not one of the delegation targets"},
		{"too many targets", callPath, owner.delegate(t, alice, func(d *request.Delegation) {
			for range 1001 {
				d.Targets = append(d.Targets, canister)
			}
		}).sign(t, call("echo")).Encode(), 403, "Too many targets: got 1001, but at most 1000 are allowed"},
		{"call with a delegation for queries", callPath, owner.delegate(t, alice, func(d *request.Delegation) { d.Permissions = request.PermitQueries }).sign(t, call("echo")).Encode(), 403, "do not allow calls"},
		{"query with a delegation for queries", queryPath, owner.delegate(t, alice, func(d *request.Delegation) { d.Permissions = request.PermitQueries }).sign(t, query("echo")).Encode(), 200, ""},
		{"other permissions", callPath, changed(owner.delegate(t, alice, nil), call("echo"), func(e *request.Envelope) { e.Delegations[0].Delegation.Permissions = "some" }), 400, "permissions"},

		{"other subnet", path("v4", "subnet", canister, "call"), good.Encode(), 400, "does not match the subnet ID of this node"},
		{"call to a subnet", path("v4", "subnet", d.state.Keys().SubnetID(), "call"), good.Encode(), 400, "Only the method create_canister"},
		{"query to a subnet", path("v3", "subnet", d.state.Keys().SubnetID(), "query"), alice.sign(t, query("echo")).Encode(), 400, "Only the method list_canisters"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, answer := d.post(tc.path, tc.body)
			require.Equal(t, tc.status, status, string(answer))
			if tc.want != "" {
				require.Contains(t, string(answer), tc.want)
			}
		})
	}
	status, answer := d.post(callPath, good.Encode())
	require.Equal(t, http.StatusOK, status, string(answer))
}

func TestContentType(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	for _, contentType := range []string{"", "application/json", "text/plain"} {
		response, err := http.Post(d.url+path("v3", "canister", canister, "query"), contentType, bytes.NewReader(anonymous.sign(t, query("echo")).Encode()))
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, 400, response.StatusCode)
		require.Equal(t, "Unexpected content-type, expected application/cbor.", string(body))
		require.True(t, strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain"))
	}
}
