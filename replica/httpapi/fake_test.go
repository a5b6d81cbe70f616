package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
	"kedge/replica/certified"
	"kedge/replica/reject"
)

var (
	canister = principal.Canister(1<<63 + 1)
	other    = principal.Canister(1<<63 + 2)
)

// fake is a backend with one canister. Its method "echo" replies with the argument, "trap" is rejected,
// "never" does not answer, and every other is refused before induction.
type fake struct {
	mu    sync.Mutex
	state *certified.State
	now   func() uint64
	runs  map[request.ID]int
	seen  *Call
}

func newFake(t testing.TB) *fake {
	keys, err := certified.GenerateKeys(nil)
	require.NoError(t, err)
	f := &fake{
		state: certified.NewState(keys, certified.Options{}),
		now:   func() uint64 { return uint64(time.Now().UnixNano()) },
		runs:  map[request.ID]int{},
	}
	f.state.SetCanister(canister, certified.Canister{
		Controllers:   []principal.Principal{owner.principal()},
		ModuleHash:    bytes.Repeat([]byte{7}, 32),
		CertifiedData: []byte("data"),
		Metadata:      []certified.Metadata{{Name: "candid:service", Public: true, Data: []byte("service : {}")}, {Name: "notes", Data: []byte("private")}},
	})
	return f
}

func (f *fake) Now() uint64             { return f.now() }
func (f *fake) State() *certified.State { return f.state }

func (f *fake) Fresh(context.Context) (*certified.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if latest := f.state.Latest(); latest != nil && latest.Time()+1e9 > f.now() {
		return latest, nil
	}
	return f.state.Certify(f.now())
}

func (f *fake) Submit(_ context.Context, c *Call) *reject.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = c
	if f.runs[c.ID] > 0 {
		return nil
	}
	r := certified.Request{Sender: c.Sender, Receiver: c.Canister, Effective: c.Effective}
	switch c.Method {
	case "echo":
		r.Status, r.Reply = certified.Replied, c.Arg
	case "trap":
		r.Status, r.Reject = certified.Rejected, reject.New(reject.CalledTrap, "trapped")
	case "never":
		r.Status = certified.Processing
	default:
		return reject.New(reject.CanisterNotFound, "Canister %s not found", c.Canister)
	}
	f.runs[c.ID]++
	f.state.SetRequest(c.ID, r)
	_, err := f.state.Certify(f.now())
	if err != nil {
		panic(err)
	}
	return nil
}

func (f *fake) Query(_ context.Context, c *Call) ([]byte, *reject.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = c
	switch c.Method {
	case "echo":
		return c.Arg, nil
	case "panic":
		panic("the backend is broken")
	}
	return nil, reject.New(reject.MethodNotFound, "no query %s", c.Method)
}

// endpoint is an HTTP interface with a fake behind it, served by a real HTTP server.
type endpoint struct {
	t   testing.TB
	url string
	*fake
}

func newEndpoint(t testing.TB, f *fake) endpoint {
	server := httptest.NewServer(New(f, Options{Wait: 50 * time.Millisecond}))
	t.Cleanup(server.Close)
	return endpoint{t, server.URL, f}
}

// post sends a body and returns status and answer.
func (d endpoint) post(path string, body []byte) (int, []byte) {
	response, err := http.Post(d.url+path, "application/cbor", bytes.NewReader(body))
	require.NoError(d.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(d.t, err)
	return response.StatusCode, answer
}

func path(version, kind string, id principal.Principal, action string) string {
	return "/api/" + version + "/" + kind + "/" + id.Text() + "/" + action
}

// user is a signer with a chain of delegations, or none.
type user struct {
	signer request.Signer
	key    []byte
	chain  []request.SignedDelegation
}

var (
	owner = newUser(signature.Ed25519)
	alice = newUser(signature.Secp256k1)
)

func newUser(scheme signature.Scheme) user {
	s, err := signature.Generate(scheme, nil)
	if err != nil {
		panic(err)
	}
	return user{signer: s}
}

func (u user) principal() principal.Principal {
	if u.key != nil {
		return principal.SelfAuthenticating(u.key)
	}
	return principal.SelfAuthenticating(u.signer.PublicKey())
}

// delegate returns the same user with one more link, to a new key.
func (u user) delegate(t testing.TB, to user, change func(*request.Delegation)) user {
	d := request.Delegation{PublicKey: to.signer.PublicKey(), Expiration: uint64(time.Now().Add(time.Hour).UnixNano())}
	if change != nil {
		change(&d)
	}
	link, err := request.Delegate(d, u.signer)
	require.NoError(t, err)
	key := u.key
	if key == nil {
		key = u.signer.PublicKey()
	}
	return user{to.signer, key, append(u.chain[:len(u.chain):len(u.chain)], link)}
}

func (u user) sign(t testing.TB, c request.Content) *request.Envelope {
	if c.IngressExpiry == 0 {
		c.IngressExpiry = uint64(time.Now().Add(4 * time.Minute).UnixNano())
	}
	e, err := request.Sign(c, u.signer, u.key, u.chain...)
	require.NoError(t, err)
	return e
}

var anonymous = user{}

func call(method string, arg ...byte) request.Content {
	return request.Content{Type: request.Call, Canister: canister, Method: method, Arg: append([]byte{}, arg...)}
}

func query(method string, arg ...byte) request.Content {
	c := call(method, arg...)
	c.Type = request.Query
	return c
}

func read(paths ...[][]byte) request.Content {
	return request.Content{Type: request.ReadState, Paths: paths}
}

// labels makes a path.
func labels(parts ...any) [][]byte {
	var out [][]byte
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			out = append(out, []byte(v))
		case principal.Principal:
			out = append(out, v.Bytes())
		case request.ID:
			out = append(out, v[:])
		}
	}
	return out
}

// certificateIn decodes an answer and verifies the certificate in it.
func (d endpoint) certificateIn(answer []byte) *hashtree.Node {
	var m struct {
		Certificate []byte `cbor:"certificate"`
	}
	require.NoError(d.t, cbor.Unmarshal(answer, &m))
	c, err := certificate.Decode(m.Certificate)
	require.NoError(d.t, err)
	require.NoError(d.t, c.VerifyCanister(d.state.Keys().Root.Public(), canister))
	return c.Tree
}
