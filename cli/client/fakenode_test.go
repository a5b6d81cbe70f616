package client

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aviate-labs/agent-go"
	agentprincipal "github.com/aviate-labs/agent-go/principal"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
)

// fakeNode answers calls with certificates of its own making, to see which a client believes.
type fakeNode struct {
	t        *testing.T
	key      *certificate.SecretKey
	envelope map[string]cbor.RawMessage // of the last call

	answer func(id agent.RequestID) (status int, body []byte) // to a call
	root   func() []byte                                      // of the status endpoint, the key's if nil
}

func newFakeNode(t *testing.T) (*fakeNode, Network) {
	t.Helper()
	key, err := certificate.GenerateKey(rand.Reader)
	require.NoError(t, err)
	node := &fakeNode{t: t, key: key}
	server := httptest.NewServer(node)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	return node, Network{URL: u, RootKey: key.Public().DER()}
}

func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v2/status" {
		key := n.key.Public().DER()
		if n.root != nil {
			key = n.root()
		}
		body, _ := cbor.Marshal(map[string]any{"root_key": key, "replica_health_status": "healthy", "impl_version": "fake"})
		_, _ = w.Write(body)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var envelope struct {
		Content struct {
			Type     string `cbor:"request_type"`
			Sender   []byte `cbor:"sender"`
			Nonce    []byte `cbor:"nonce"`
			Expiry   uint64 `cbor:"ingress_expiry"`
			Canister []byte `cbor:"canister_id"`
			Method   string `cbor:"method_name"`
			Arg      []byte `cbor:"arg"`
		} `cbor:"content"`
	}
	if err := cbor.Unmarshal(body, &envelope); err != nil {
		n.t.Error(err)
	}
	n.envelope = nil
	if err := cbor.Unmarshal(body, &n.envelope); err != nil {
		n.t.Error(err)
	}
	c := envelope.Content
	status, reply := n.answer(agent.NewRequestID(agent.Request{
		Type: c.Type, Sender: agentprincipal.Principal{Raw: c.Sender}, Nonce: c.Nonce, IngressExpiry: c.Expiry,
		CanisterID: agentprincipal.Principal{Raw: c.Canister}, MethodName: c.Method, Arguments: c.Arg,
	}))
	w.WriteHeader(status)
	_, _ = w.Write(reply)
}

// leaves makes the subtree of a request's status, labels in order.
func leaves(pairs ...string) *hashtree.Node {
	var m hashtree.Map
	for i := 0; i < len(pairs); i += 2 {
		m = m.With([]byte(pairs[i]), hashtree.Leaf([]byte(pairs[i+1])))
	}
	return m.Tree()
}

// certify returns the reply of a synchronous call that is about one request.
func (n *fakeNode) certify(id agent.RequestID, at time.Time, status *hashtree.Node, key *certificate.SecretKey, delegation *certificate.Delegation) []byte {
	tree := hashtree.Fork(
		hashtree.Labeled([]byte("request_status"), hashtree.Labeled(id[:], status)),
		hashtree.Labeled([]byte("time"), hashtree.Leaf(hashtree.EncodeNat(uint64(at.UnixNano())))),
	)
	c, err := certificate.Sign(tree, key, delegation)
	require.NoError(n.t, err)
	body, err := cbor.Marshal(map[string]any{"status": "replied", "certificate": c.Encode()})
	require.NoError(n.t, err)
	return body
}

// delegate makes the delegation of a subnet that has the canisters from start to end.
func (n *fakeNode) delegate(subnetKey *certificate.SecretKey, start, end principal.Principal) *certificate.Delegation {
	subnet := principal.SelfAuthenticating(subnetKey.Public().DER())
	ranges := hashtree.Labeled(subnet.Bytes(), hashtree.Labeled(start.Bytes(),
		hashtree.Leaf(certificate.EncodeRanges([]certificate.Range{{Start: start, End: end}}))))
	tree := hashtree.Fork(
		hashtree.Labeled([]byte("canister_ranges"), ranges),
		hashtree.Fork(
			hashtree.Labeled([]byte("subnet"), hashtree.Labeled(subnet.Bytes(),
				hashtree.Labeled([]byte("public_key"), hashtree.Leaf(subnetKey.Public().DER())))),
			hashtree.Labeled([]byte("time"), hashtree.Leaf(hashtree.EncodeNat(uint64(time.Now().UnixNano())))),
		),
	)
	c, err := certificate.Sign(tree, n.key, nil)
	require.NoError(n.t, err)
	return &certificate.Delegation{Subnet: subnet, Certificate: c.Encode()}
}
