package request

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/aviate-labs/agent-go"
	agenttree "github.com/aviate-labs/agent-go/certification/hashtree"
	agentprincipal "github.com/aviate-labs/agent-go/principal"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/ic/principal"
)

// The example of the Interface Specification, "Request ids".
func TestSpecificationExample(t *testing.T) {
	got := HashMap(map[string]any{
		"request_type": "call",
		"canister_id":  []byte{0, 0, 0, 0, 0, 0, 0x04, 0xd2},
		"method_name":  "hello",
		"arg":          []byte("DIDL\x00\xfd*"),
	})
	require.Equal(t, "8781291c347db32a9d8c10eb62b710fce5a93be676474c42babc74c51858f94b", hex.EncodeToString(got[:]))
}

func TestHashMapOfEveryType(t *testing.T) {
	nested := map[string]any{"a": []any{uint64(1), "x", []any{}}, "b": map[string]any{"c": []byte{}}}
	require.NotEqual(t, HashMap(nested), HashMap(map[string]any{"a": []any{uint64(1), "x"}, "b": nested["b"]}))
	require.Equal(t, HashMap(map[string]any{"k": "v"}), HashMap(map[string]any{"k": []byte("v")}), "text and bytes hash alike")
	require.Panics(t, func() { HashMap(map[string]any{"k": 1.5}) })
}

func drawPrincipal(t *rapid.T, name string) principal.Principal {
	p, err := principal.FromBytes(rapid.SliceOfN(rapid.Byte(), 1, 29).Draw(t, name))
	require.NoError(t, err)
	return p
}

// Ids must be those of agent-go, of the fields above hashed one by one, and of the encoded form.
func TestIDAgreesWithOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Content{
			Type:          rapid.SampledFrom([]Type{Call, Query, ReadState}).Draw(t, "type"),
			Sender:        drawPrincipal(t, "sender"),
			IngressExpiry: rapid.Uint64Min(1).Draw(t, "expiry"),
		}
		foreign := agent.Request{Type: string(c.Type), Sender: agentprincipal.Principal{Raw: c.Sender.Bytes()}, IngressExpiry: c.IngressExpiry}
		generic := map[string]any{"request_type": string(c.Type), "sender": c.Sender.Bytes(), "ingress_expiry": c.IngressExpiry}
		if rapid.Bool().Draw(t, "has nonce") {
			c.Nonce = rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, "nonce")
			foreign.Nonce = c.Nonce
			generic["nonce"] = c.Nonce
		}
		if c.Type == ReadState {
			c.Paths, foreign.Paths = [][][]byte{}, [][]agenttree.Label{}
			var rows []any
			for range rapid.IntRange(0, 3).Draw(t, "paths") {
				var path [][]byte
				var other []agenttree.Label
				var row []any
				for range rapid.IntRange(0, 3).Draw(t, "labels") {
					label := rapid.SliceOf(rapid.Byte()).Draw(t, "label")
					path, other, row = append(path, label), append(other, label), append(row, label)
				}
				c.Paths, foreign.Paths, rows = append(c.Paths, path), append(foreign.Paths, other), append(rows, any(row))
			}
			generic["paths"] = rows
		} else {
			c.Canister = drawPrincipal(t, "canister")
			c.Method = rapid.StringN(1, 20, -1).Draw(t, "method")
			c.Arg = rapid.SliceOf(rapid.Byte()).Draw(t, "arg")
			foreign.CanisterID = agentprincipal.Principal{Raw: c.Canister.Bytes()}
			foreign.MethodName, foreign.Arguments = c.Method, c.Arg
			generic["canister_id"], generic["method_name"], generic["arg"] = c.Canister.Bytes(), c.Method, c.Arg
			if rapid.Bool().Draw(t, "has sender info") { // agent-go does not know it
				c.SenderInfo = &SenderInfo{Info: []byte("i"), Signer: drawPrincipal(t, "signer"), Signature: []byte{}}
				generic["sender_info"] = map[string]any{"info": []byte("i"), "signer": c.SenderInfo.Signer.Bytes(), "sig": []byte{}}
			}
		}
		if c.SenderInfo == nil {
			require.Equal(t, ID(agent.NewRequestID(foreign)), c.ID())
		}
		require.Equal(t, ID(HashMap(generic)), c.ID())

		e := &Envelope{Content: c, PublicKey: []byte{1}, Signature: []byte{2}}
		back, err := Decode(e.Encode())
		require.NoError(t, err)
		require.Equal(t, c.ID(), back.Content.ID())

		theirs, err := cbor.Marshal(agent.Envelope{Content: foreign, SenderPubKey: []byte{1}, SenderSig: []byte{2}})
		require.NoError(t, err)
		if c.SenderInfo == nil {
			back, err = Decode(theirs)
			require.NoError(t, err)
			require.Equal(t, c.ID(), back.Content.ID())
		}
	})
}

func TestEnvelopeKeepsDelegations(t *testing.T) {
	chain := []SignedDelegation{
		{Delegation{PublicKey: []byte{1, 2}, Expiration: 1 << 60, Targets: []principal.Principal{principal.Canister(1)}, Permissions: PermitQueries}, []byte{3}},
		{Delegation{PublicKey: []byte{4}, Expiration: 5, Targets: []principal.Principal{}}, []byte{}},
	}
	e := &Envelope{
		Content:   Content{Type: Query, Sender: principal.Anonymous, Nonce: []byte{}, Method: "m", Arg: []byte{}},
		PublicKey: []byte{9}, Signature: []byte{8}, Delegations: chain,
	}
	back, err := Decode(e.Encode())
	require.NoError(t, err)
	require.Equal(t, e, back)

	for i := range chain {
		generic := map[string]any{"pubkey": chain[i].Delegation.PublicKey, "expiration": chain[i].Delegation.Expiration}
		targets := []any{}
		for _, p := range chain[i].Delegation.Targets {
			targets = append(targets, p.Bytes())
		}
		generic["targets"] = targets
		if p := chain[i].Delegation.Permissions; p != "" {
			generic["permissions"] = p
		}
		require.Equal(t, HashMap(generic), chain[i].Delegation.Hash())
	}
	none := Delegation{PublicKey: []byte{4}, Expiration: 5}
	require.NotEqual(t, none.Hash(), chain[1].Delegation.Hash(), "no targets is not the same as all targets")
}

func TestDecodeRefuses(t *testing.T) {
	call := func() map[string]any {
		return map[string]any{"request_type": "call", "sender": []byte{4}, "ingress_expiry": 1, "canister_id": []byte{}, "method_name": "m", "arg": []byte{}}
	}
	with := func(m map[string]any, key string, value any) map[string]any { m[key] = value; return m }
	without := func(m map[string]any, key string) map[string]any { delete(m, key); return m }
	envelope := func(content any) map[string]any { return map[string]any{"content": content} }
	delegation := func(d map[string]any) map[string]any {
		return with(envelope(call()), "sender_delegation", []any{map[string]any{"delegation": d, "signature": []byte{1}}})
	}
	deep := any(1)
	for range 40 {
		deep = []any{deep}
	}
	for _, tc := range []struct {
		name string
		data any
		want string
	}{
		{"not a map", 7, "envelope"},
		{"no content", map[string]any{}, "missing field `content`"},
		{"no sender", envelope(without(call(), "sender")), "missing field `sender`"},
		{"no type", envelope(without(call(), "request_type")), "missing field `request_type`"},
		{"no expiry", envelope(without(call(), "ingress_expiry")), "missing field `ingress_expiry`"},
		{"no canister", envelope(without(call(), "canister_id")), "missing field `canister_id`"},
		{"no method", envelope(without(call(), "method_name")), "missing field `method_name`"},
		{"no arg", envelope(without(call(), "arg")), "missing field `arg`"},
		{"no paths", envelope(with(call(), "request_type", "read_state")), "missing field `paths`"},
		{"other type", envelope(with(call(), "request_type", "upgrade")), "unknown variant `upgrade`"},
		{"long sender", envelope(with(call(), "sender", make([]byte, 30))), "sender: a principal has at most 29 bytes, got 30"},
		{"long canister", envelope(with(call(), "canister_id", make([]byte, 30))), "canister_id"},
		{"negative expiry", envelope(with(call(), "ingress_expiry", -1)), "negative integer"},
		{"text arg", envelope(with(call(), "arg", "text")), "text string"},
		{"half a sender info", envelope(with(call(), "sender_info", map[string]any{"info": []byte{}})), "sender_info: a field is missing"},
		{"too deep", with(envelope(call()), "extra", deep), "nested level"},
		{"no delegation", with(envelope(call()), "sender_delegation", []any{map[string]any{"signature": []byte{1}}}), "missing field `delegation`"},
		{"no key", delegation(map[string]any{"expiration": 1}), "sender_delegation 0: missing field `pubkey`"},
		{"no expiration", delegation(map[string]any{"pubkey": []byte{}}), "missing field `expiration`"},
		{"other permissions", delegation(map[string]any{"pubkey": []byte{}, "expiration": 1, "permissions": "some"}), `unknown variant "some" of permissions`},
		{"long target", delegation(map[string]any{"pubkey": []byte{}, "expiration": 1, "targets": [][]byte{make([]byte, 30)}}), "target 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := cbor.Marshal(tc.data)
			require.NoError(t, err)
			_, err = Decode(data)
			require.ErrorContains(t, err, tc.want)
		})
	}
	valid := (&Envelope{Content: Content{Type: Call, Method: "m", Arg: []byte{}}}).Encode()
	_, err := Decode(append(valid, 0))
	require.ErrorContains(t, err, "extraneous")
	_, err = Decode([]byte("\xa2\x67content\x01\x67content\x01"))
	require.Error(t, err, "repeated key")
	_, err = Decode(append([]byte{0xc1}, valid[3:]...))
	require.Error(t, err, "another tag")
}

func TestSign(t *testing.T) {
	e, err := Sign(Content{Type: Call, Arg: []byte{}}, nil, nil)
	require.NoError(t, err)
	require.Equal(t, principal.Anonymous, e.Content.Sender)
	require.Nil(t, e.Signature)

	key := fakeSigner("key")
	e, err = Sign(Content{Type: Call, Arg: []byte{}}, key, nil)
	require.NoError(t, err)
	require.Equal(t, principal.SelfAuthenticating([]byte("key")), e.Content.Sender)
	require.Equal(t, "key signs \x0aic-request", string(e.Signature[:21]))

	link, err := Delegate(Delegation{PublicKey: key.PublicKey()}, fakeSigner("root"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(link.Signature), "root signs \x1aic-request-auth-delegation"))
	e, err = Sign(Content{Type: Call, Arg: []byte{}}, key, []byte("root"), link)
	require.NoError(t, err)
	require.Equal(t, principal.SelfAuthenticating([]byte("root")), e.Content.Sender)

	_, err = Sign(Content{}, key, []byte("root"))
	require.ErrorContains(t, err, "goes with a chain of delegations")
}

type fakeSigner string

func (s fakeSigner) PublicKey() []byte { return []byte(s) }

func (s fakeSigner) Sign(message []byte) ([]byte, error) {
	return append([]byte(s+" signs "), message...), nil
}

func FuzzDecode(f *testing.F) {
	f.Add((&Envelope{Content: Content{Type: Call, Method: "m", Arg: []byte{1}, Nonce: []byte{2}}}).Encode())
	f.Add((&Envelope{Content: Content{Type: ReadState, Paths: [][][]byte{{[]byte("time")}}}, PublicKey: []byte{1}, Signature: []byte{2},
		Delegations: []SignedDelegation{{Delegation{PublicKey: []byte{1}, Permissions: PermitAll}, []byte{}}}}).Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Decode(e.Encode())
		if err != nil {
			t.Fatalf("a decoded envelope does not survive its own encoding: %v", err)
		}
		if again.Content.ID() != e.Content.ID() {
			t.Fatal("its request id changed")
		}
	})
}
