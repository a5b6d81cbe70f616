package load

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
)

// network is what a client knows of the network, and what it has seen of it.
type network struct {
	canister principal.Principal
	root     *certificate.PublicKey
	nodes    map[string]ed25519.PublicKey // by id

	// roots holds the root hash that came with each signature: replies of one round have the same of both.
	lock  sync.Mutex
	roots map[string]hashtree.Hash
}

// meet learns the network's keys.
func meet(ctx context.Context, p Plan) (*network, error) {
	var status struct {
		RootKey []byte `cbor:"root_key"`
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/api/v2/status", nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the status: %w", err)
	}
	reply, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("ask for the status: %w", err)
	}
	defer reply.Body.Close()
	content, err := io.ReadAll(io.LimitReader(reply.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("read the status: %w", err)
	}
	if err := cbor.Unmarshal(content, &status); err != nil {
		return nil, fmt.Errorf("read the status: %w", err)
	}
	root, err := certificate.ParsePublicKey(status.RootKey)
	if err != nil {
		return nil, fmt.Errorf("read the network's root key: %w", err)
	}
	n := &network{canister: p.Canister, root: root, nodes: map[string]ed25519.PublicKey{}, roots: map[string]hashtree.Hash{}}
	return n, n.learnNodes(ctx, p)
}

// learnNodes reads, from a certificate, the keys that nodes sign replies to queries with.
func (n *network) learnNodes(ctx context.Context, p Plan) error {
	envelope := request.Envelope{Content: request.Content{
		Type: request.ReadState, Sender: principal.Anonymous, IngressExpiry: uint64(time.Now().Add(lifetime).UnixNano()),
		Paths: [][][]byte{{[]byte("subnet")}},
	}}
	body, err := post(ctx, http.DefaultTransport, p.URL+"/api/v2/canister/"+p.Canister.Text()+"/read_state", envelope.Encode())
	if err != nil {
		return err
	}
	var reply struct {
		Certificate []byte `cbor:"certificate"`
	}
	if err := cbor.Unmarshal(body, &reply); err != nil {
		return fmt.Errorf("read the reply to read_state: %w", err)
	}
	cert, err := certificate.Decode(reply.Certificate)
	if err != nil {
		return err
	}
	if err := cert.VerifyCanister(n.root, p.Canister); err != nil {
		return err
	}
	subnets, _ := cert.Tree.LookupTree([]byte("subnet"))
	for _, subnet := range hashtree.MapOf(subnets).All {
		nodes, found := subnet.LookupTree([]byte("node"))
		if found != hashtree.Found {
			continue
		}
		for id, node := range hashtree.MapOf(nodes).All {
			der, _ := node.Lookup([]byte("public_key"))
			if _, err := signature.ParsePublicKey(der); err != nil || len(der) < ed25519.PublicKeySize {
				return fmt.Errorf("the key of node %x is not one: %w", id, err)
			}
			n.nodes[string(id)] = der[len(der)-ed25519.PublicKeySize:]
		}
	}
	if len(n.nodes) == 0 {
		return errors.New("the certificate names no node")
	}
	return nil
}

// checkCall checks the reply to an update call: that its certificate's tree holds the reply to this
// request, that its root hash is that of all certificates with this signature, and, if the check is to be
// thorough, that the subnet made the signature.
func (n *network) checkCall(id request.ID, body []byte, thorough bool) error {
	var reply struct {
		Status      string `cbor:"status"`
		Certificate []byte `cbor:"certificate"`
		Message     string `cbor:"reject_message"`
	}
	if err := cbor.Unmarshal(body, &reply); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if reply.Status != "replied" {
		return fmt.Errorf("status %q: %s", reply.Status, reply.Message)
	}
	cert, err := certificate.Decode(reply.Certificate)
	if err != nil {
		return err
	}
	status, _ := cert.Tree.Lookup([]byte("request_status"), id[:], []byte("status"))
	if string(status) != "replied" {
		text, _ := cert.Tree.Lookup([]byte("request_status"), id[:], []byte("reject_message"))
		return fmt.Errorf("the certificate says %q about the request: %s", status, text)
	}
	if _, found := cert.Tree.Lookup([]byte("request_status"), id[:], []byte("reply")); found != hashtree.Found {
		return errors.New("the certificate holds no reply")
	}
	if _, err := cert.Time(); err != nil {
		return err
	}
	if err := n.checkRoot(cert); err != nil {
		return err
	}
	if !thorough {
		return nil
	}
	return cert.VerifyCanister(n.root, n.canister)
}

func (n *network) checkRoot(cert *certificate.Certificate) error {
	root := cert.Tree.Hash()
	n.lock.Lock()
	defer n.lock.Unlock()
	known, ok := n.roots[string(cert.Signature)]
	if ok && known != root {
		return fmt.Errorf("two certificates with one signature have the root hashes %x and %x", known, root)
	}
	n.roots[string(cert.Signature)] = root
	return nil
}

// checkQuery checks the reply to a query and, if the check is to be thorough, the node's signature.
func (n *network) checkQuery(id request.ID, body []byte, thorough bool) error {
	var reply struct {
		Status string `cbor:"status"`
		Reply  struct {
			Arg []byte `cbor:"arg"`
		} `cbor:"reply"`
		Message    string `cbor:"reject_message"`
		Signatures []struct {
			Timestamp uint64 `cbor:"timestamp"`
			Signature []byte `cbor:"signature"`
			Identity  []byte `cbor:"identity"`
		} `cbor:"signatures"`
	}
	if err := cbor.Unmarshal(body, &reply); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if reply.Status != "replied" {
		return fmt.Errorf("status %q: %s", reply.Status, reply.Message)
	}
	if len(reply.Signatures) != 1 {
		return fmt.Errorf("%d signatures, one is expected", len(reply.Signatures))
	}
	s := reply.Signatures[0]
	key, known := n.nodes[string(s.Identity)]
	if !known {
		return fmt.Errorf("node %x signed, which the subnet does not have", s.Identity)
	}
	if !thorough {
		return nil
	}
	response := request.QueryResponse{Replied: true, Arg: reply.Reply.Arg}
	if !ed25519.Verify(key, response.SigningPayload(id, s.Timestamp), s.Signature) {
		return errors.New("the node's signature does not match")
	}
	return nil
}
