package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aviate-labs/agent-go"
	"github.com/aviate-labs/agent-go/identity"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/certificate"
	"kedge/ic/principal"
	"kedge/ic/request"
)

var testCanister = principal.Canister(7)

func call(t *testing.T, network Network, session Session) ([]byte, error) {
	t.Helper()
	c, err := New(network, session)
	require.NoError(t, err)
	return c.Call(context.Background(), testCanister, "greet", []byte("DIDL\x00\x00"))
}

func TestCallBelievesWhatIsCertified(t *testing.T) {
	node, network := newFakeNode(t)
	node.answer = func(id agent.RequestID) (int, []byte) {
		return http.StatusOK, node.certify(id, time.Now(), leaves("reply", "hello", "status", "replied"), node.key, nil)
	}
	reply, err := call(t, network, Anonymous())
	require.NoError(t, err)
	require.Equal(t, "hello", string(reply))

	subnet, err := certificate.GenerateKey(rand.Reader)
	require.NoError(t, err)
	node.answer = func(id agent.RequestID) (int, []byte) {
		d := node.delegate(subnet, principal.Canister(0), principal.Canister(7))
		return http.StatusOK, node.certify(id, time.Now(), leaves("reply", "from a subnet", "status", "replied"), subnet, d)
	}
	reply, err = call(t, network, Anonymous())
	require.NoError(t, err)
	require.Equal(t, "from a subnet", string(reply))
}

func TestCallRefusesWhatIsNot(t *testing.T) {
	other, err := certificate.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ok := leaves("reply", "hello", "status", "replied")
	tests := []struct {
		name, err string
		answer    func(n *fakeNode, id agent.RequestID) []byte
	}{
		{"signed by another key", "signature", func(n *fakeNode, id agent.RequestID) []byte {
			return n.certify(id, time.Now(), ok, other, nil)
		}},
		{"an altered reply", "signature", func(n *fakeNode, id agent.RequestID) []byte {
			return []byte(strings.Replace(string(n.certify(id, time.Now(), ok, n.key, nil)), "hello", "jello", 1))
		}},
		{"too old", "more than 5m0s from now", func(n *fakeNode, id agent.RequestID) []byte {
			return n.certify(id, time.Now().Add(-6*time.Minute), ok, n.key, nil)
		}},
		{"from the future", "more than 5m0s from now", func(n *fakeNode, id agent.RequestID) []byte {
			return n.certify(id, time.Now().Add(6*time.Minute), ok, n.key, nil)
		}},
		{"of another request", "not present in the tree", func(n *fakeNode, id agent.RequestID) []byte {
			id[0]++
			return n.certify(id, time.Now(), ok, n.key, nil)
		}},
		{"of a subnet without the canister", "is not in the ranges", func(n *fakeNode, id agent.RequestID) []byte {
			return n.certify(id, time.Now(), ok, other, n.delegate(other, principal.Canister(8), principal.Canister(9)))
		}},
		{"without a certificate", "certificate", func(*fakeNode, agent.RequestID) []byte {
			body, _ := cbor.Marshal(map[string]any{"status": "replied"})
			return body
		}},
		{"an unknown status", `status "done"`, func(*fakeNode, agent.RequestID) []byte {
			body, _ := cbor.Marshal(map[string]any{"status": "done"})
			return body
		}},
		{"not CBOR", "not CBOR", func(*fakeNode, agent.RequestID) []byte { return []byte("<html>") }},
		{"a reject code that is no number", "makes no sense", func(n *fakeNode, id agent.RequestID) []byte {
			return n.certify(id, time.Now(), leaves("error_code", "IC0503", "reject_code", "abc", "reject_message", "m", "status", "rejected"), n.key, nil)
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			node, network := newFakeNode(t)
			node.answer = func(id agent.RequestID) (int, []byte) { return http.StatusOK, tc.answer(node, id) }
			reply, err := call(t, network, Anonymous())
			require.Nil(t, reply)
			var untrusted *UntrustedError
			require.ErrorAs(t, err, &untrusted)
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestRejects(t *testing.T) {
	const trap = "Error from Canister rrkah-fqaaa-aaaaa-aaaaq-cai: Canister called `ic0.trap` with message: '2vxsx-fae could not be authenticated.'.\nConsider gracefully handling failures from this canister or altering the canister to handle exceptions. See documentation: https://internetcomputer.org/docs/current/references/execution-errors#trapped-explicitly"
	node, network := newFakeNode(t)
	node.answer = func(id agent.RequestID) (int, []byte) {
		return http.StatusOK, node.certify(id, time.Now(),
			leaves("error_code", "IC0503", "reject_code", "\x05", "reject_message", trap, "status", "rejected"), node.key, nil)
	}
	_, err := call(t, network, Anonymous())
	var reject *Reject
	require.ErrorAs(t, err, &reject)
	require.Equal(t, &Reject{Code: 5, ErrorCode: "IC0503", Message: trap}, reject)
	require.EqualError(t, err, "2vxsx-fae could not be authenticated.")

	node.answer = func(agent.RequestID) (int, []byte) {
		body, _ := cbor.Marshal(map[string]any{
			"status": "non_replicated_rejection", "reject_code": 3,
			"reject_message": "Canister fqupy-haaaa-aaaaa-aaaa7-cai not found.", "error_code": "IC0301",
		})
		return http.StatusOK, body
	}
	_, err = call(t, network, Anonymous())
	require.ErrorAs(t, err, &reject)
	require.Equal(t, "IC0301", reject.ErrorCode)
	require.EqualError(t, err, "Canister fqupy-haaaa-aaaaa-aaaa7-cai not found (IC0301)")

	node.answer = func(agent.RequestID) (int, []byte) {
		return http.StatusBadRequest, []byte("Invalid request expiry: …")
	}
	_, err = call(t, network, Anonymous())
	var refused *HTTPError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, &HTTPError{Status: 400, Message: "Invalid request expiry: …"}, refused)
}

func TestRejectTexts(t *testing.T) {
	require.EqualError(t, &Reject{ErrorCode: "IC0536", Message: "Error from Canister a-b: Canister has no query method 'x'..\nCheck that the method is exported"},
		"Canister has no query method 'x' (IC0536)")
	require.EqualError(t, &Reject{Message: "no code"}, "no code")
}

func TestTrapTexts(t *testing.T) {
	for message, want := range map[string]string{
		"Error from Canister a-b: Canister called `ic0.trap` with message: plain text":                         "plain text",
		"Error from Canister a-b: Canister called `ic0.trap` with message: 'quoted'":                           "quoted",
		"Error from Canister a-b: Canister called `ic0.trap` with message: 'it's'.\nConsider gracefully":       "it's",
		"Error from Canister a-b: Canister called `ic0.trap` with message: 'two\nlines'.\nConsider gracefully": "two\nlines",
		"Error from Canister a-b: Canister called `ic0.trap` with message: 'x'.\nCanister Backtrace:\nf":       "x",
	} {
		text, ok := (&Reject{Message: message}).Trap()
		require.True(t, ok, message)
		require.Equal(t, want, text)
	}
	_, ok := (&Reject{Message: "Canister a-b is out of cycles"}).Trap()
	require.False(t, ok)
}

func TestDelegationsTravelWithRequests(t *testing.T) {
	user, err := identity.NewRandomEd25519Identity()
	require.NoError(t, err)
	session, err := identity.NewRandomEd25519Identity()
	require.NoError(t, err)
	chain := Chain{PublicKey: user.PublicKey(), Delegations: []request.SignedDelegation{{
		Delegation: request.Delegation{PublicKey: session.PublicKey(), Expiration: 99, Targets: []principal.Principal{testCanister}},
		Signature:  []byte("signature"),
	}}}
	node, network := newFakeNode(t)
	node.answer = func(id agent.RequestID) (int, []byte) {
		var signature []byte
		require.NoError(t, cbor.Unmarshal(node.envelope["sender_sig"], &signature))
		require.True(t, session.Verify(append([]byte("\x0Aic-request"), id[:]...), signature), "signed by the session key")
		return http.StatusOK, node.certify(id, time.Now(), leaves("reply", "ok", "status", "replied"), node.key, nil)
	}
	_, err = call(t, network, Delegated(session, chain))
	require.NoError(t, err)
	var sent []wireDelegation
	require.NoError(t, cbor.Unmarshal(node.envelope["sender_delegation"], &sent))
	require.Equal(t, onTheWire(chain.Delegations), sent)
	require.Equal(t, [][]byte{testCanister.Bytes()}, sent[0].Delegation.Targets)
	var key []byte
	require.NoError(t, cbor.Unmarshal(node.envelope["sender_pubkey"], &key))
	require.Equal(t, user.PublicKey(), key)
}

func TestOpen(t *testing.T) {
	ctx := context.Background()
	node, network := newFakeNode(t)
	address := network.URL.String()

	opened, err := Open(ctx, address, nil)
	require.NoError(t, err)
	require.Equal(t, network, opened)
	require.False(t, opened.IsMainnet())
	require.Len(t, opened.Fingerprint(), 16)

	t.Run("elsewhere without a key", func(t *testing.T) {
		_, err := Open(ctx, "https://example.org", nil)
		require.ErrorIs(t, err, ErrNoRootKey)
	})
	t.Run("elsewhere with a key", func(t *testing.T) {
		opened, err := Open(ctx, "https://example.org", network.RootKey)
		require.NoError(t, err)
		require.Equal(t, network.RootKey, opened.RootKey)
	})
	t.Run("nobody there", func(t *testing.T) {
		_, err := Open(ctx, "http://127.0.0.1:1", nil)
		var unreachable *UnreachableError
		require.ErrorAs(t, err, &unreachable)
		require.ErrorContains(t, err, "the network at http://127.0.0.1:1 cannot be reached: ")
	})
	t.Run("a key that is none", func(t *testing.T) {
		node.root = func() []byte { return []byte("key") }
		defer func() { node.root = nil }()
		_, err := Open(ctx, address, nil)
		require.ErrorContains(t, err, "a root key has 133 bytes of DER, this one has 3")
	})
	for _, bad := range []string{"", "mainnet", "ftp://localhost", "http://localhost/path", "http://me@localhost", "http://localhost?x=1", "http://"} {
		_, err := Open(ctx, bad, nil)
		require.ErrorContains(t, err, "network ", "%q", bad)
	}
}

func TestIsLoopback(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST.", "a.localhost"} {
		require.True(t, Loopback(host), host)
	}
	for _, host := range []string{"", "0.0.0.0", "10.0.0.1", "localhost.example", "notlocalhost", "127.0.0.1.example"} {
		require.False(t, Loopback(host), host)
	}
}

func TestParseRootKey(t *testing.T) {
	key, err := ParseRootKey(" " + strings.ToUpper(hexMainnet) + "\n")
	require.NoError(t, err)
	require.True(t, Network{RootKey: key}.IsMainnet())
	require.Equal(t, "https://icp-api.io", Mainnet().URL.String())
	for text, want := range map[string]string{
		"xyz":                         "the root key is not hexadecimal",
		"00":                          "a root key has 133 bytes of DER, this one has 1",
		strings.Repeat("00", 133):     "the root key is not a BLS12-381 key in DER",
		hexMainnet[:264] + "ffff"[:2]: "the root key is not a BLS12-381 key in DER",
	} {
		_, err := ParseRootKey(text)
		require.ErrorContains(t, err, want)
	}
}

// hexMainnet is the root key of the Internet Computer as its documentation prints it.
const hexMainnet = "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae"

func TestNoRedirects(t *testing.T) {
	_, network := newFakeNode(t)
	u, err := url.Parse(network.URL.String())
	require.NoError(t, err)
	redirect := &http.Request{URL: u}
	require.True(t, errors.Is(noRedirect(redirect, nil), http.ErrUseLastResponse))
}

func FuzzChain(f *testing.F) {
	f.Add(`{"delegations":[{"delegation":{"expiration":"1","pubkey":"3020","targets":["04"],"permissions":"all"},"signature":"d9"}],"publicKey":"303c"}`)
	f.Add(`{"delegations":null,"publicKey":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		var c, again Chain
		if json.Unmarshal([]byte(text), &c) != nil {
			require.Zero(t, c)
			return
		}
		data, err := json.Marshal(c)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &again))
		require.Equal(t, c, again)
	})
}

// No reply makes a call succeed that is not certified, and none makes the program panic.
func FuzzVerifyCall(f *testing.F) {
	key, err := certificate.GenerateKey(rand.Reader)
	require.NoError(f, err)
	tr := &transport{network: Network{RootKey: key.Public().DER()}}
	for _, reply := range []map[string]any{{"status": "replied", "certificate": []byte{}}, {"status": "non_replicated_rejection"}, {"status": 1}} {
		body, err := cbor.Marshal(reply)
		require.NoError(f, err)
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var reply struct {
			Status string `cbor:"status"`
		}
		if tr.verifyCall(body, testCanister.Text()) == nil {
			require.NoError(t, cbor.Unmarshal(body, &reply))
			require.Equal(t, "non_replicated_rejection", reply.Status)
		}
	})
}

func TestChainJSON(t *testing.T) {
	const text = `{"delegations":[{"delegation":{"expiration":"17970c8a0f2b5f00","pubkey":"3020","targets":["00000000000000070101"]},"signature":"d9d9f7"}],"publicKey":"303c"}`
	var c Chain
	require.NoError(t, c.UnmarshalJSON([]byte(text)))
	require.Equal(t, testCanister, c.Delegations[0].Delegation.Targets[0])
	again, err := c.MarshalJSON()
	require.NoError(t, err)
	require.JSONEq(t, text, string(again))
	for bad, want := range map[string]string{
		`{`:                  "unexpected end",
		`{"publicKey":"xy"}`: `publicKey "xy" is not hexadecimal`,
		`{"delegations":[{"delegation":{"expiration":"zz","pubkey":""},"signature":""}],"publicKey":""}`:   `expiration "zz"`,
		`{"delegations":[{"delegation":{"expiration":"1","pubkey":"q"},"signature":""}],"publicKey":""}`:   `pubkey "q"`,
		`{"delegations":[{"delegation":{"expiration":"1","pubkey":""},"signature":"abc"}],"publicKey":""}`: `signature "abc"`,
	} {
		require.ErrorContains(t, new(Chain).UnmarshalJSON([]byte(bad)), want)
	}
}
