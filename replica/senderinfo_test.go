package replica_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
	"kedge/replica"
	"kedge/replica/reject"
	"kedge/wasm"
)

// infoModule replies with what msg_caller_info tells: data and signer, one after the other.
func infoModule() []byte {
	p := newProbe("msg_caller_info_data_copy", principal.Management, nil)
	api := wasm.SystemAPI()
	for _, name := range []string{"msg_caller_info_data_size", "msg_caller_info_signer_size", "msg_caller_info_signer_copy"} {
		p.m.Imports = append(p.m.Imports, p.m.FunctionImport("ic0", name, api[name]))
		p.imports[name] = uint32(len(p.m.Imports) - 1)
	}
	for _, entry := range []string{"canister_update info", "canister_query ask"} {
		b := new(wasm.Body)
		for _, part := range []string{"msg_caller_info_data", "msg_caller_info_signer"} {
			b.I32Const(1000).I32Const(0).Call(p.imports[part+"_size"]).Call(p.imports[part+"_copy"])
			b.I32Const(1000).Call(p.imports[part+"_size"]).Call(p.imports["msg_reply_data_append"])
		}
		p.export(entry, p.call(b, "msg_reply"))
	}
	return p.m.Encode()
}

// canisterSigner signs in the name of a canister: it certifies the signature and makes it of the certificate.
type canisterSigner struct {
	*world
	canister principal.Principal
	seed     []byte
}

func (s *canisterSigner) PublicKey() []byte {
	return signature.CanisterKey{Canister: s.canister, Seed: s.seed}.DER()
}

func (s *canisterSigner) Sign(message []byte) ([]byte, error) {
	s.Helper()
	seed, payload := sha256.Sum256(s.seed), sha256.Sum256(message)
	tree := hashtree.Labeled([]byte("sig"), hashtree.Labeled(seed[:], hashtree.Labeled(payload[:], hashtree.Leaf(nil))))
	root := tree.Hash()
	s.call(s.canister, "certify", root[:])
	return signature.EncodeCanister(s.ask(s.canister, "certificate", nil), tree), nil
}

// Information that a canister has signed about a sender reaches the canister that is called, through HTTP.
func TestSenderInfo(t *testing.T) {
	w := newWorld(t, replica.WithListen("127.0.0.1:0"))
	issuer := w.deploy("scenario")
	app, err := w.Deploy(ctx, owner, infoModule(), nil)
	require.NoError(t, err)
	signer := &canisterSigner{w, issuer, []byte("seed")}
	info := &request.SenderInfo{Info: []byte("an admirer"), Signer: issuer}
	info.Signature, err = signer.Sign(info.SigningPayload())
	require.NoError(t, err)
	want := append([]byte("an admirer"), issuer.Bytes()...)

	post := func(path string, content request.Content) (request.ID, []byte) {
		content.Canister, content.SenderInfo, content.Arg = app, info, []byte{}
		content.IngressExpiry = uint64(time.Now().Add(time.Minute).UnixNano())
		envelope, err := request.Sign(content, signer, nil)
		require.NoError(t, err)
		res, err := http.Post(w.URL()+"/api/"+path+string(content.Type), "application/cbor", bytes.NewReader(envelope.Encode()))
		require.NoError(t, err)
		defer func() { require.NoError(t, res.Body.Close()) }()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode, "%s", body)
		return envelope.Content.ID(), body
	}
	id, body := post("v4/canister/"+app.Text()+"/", request.Content{Type: request.Call, Method: "info"})
	var called struct {
		Certificate []byte `cbor:"certificate"`
	}
	require.NoError(t, cbor.Unmarshal(body, &called))
	c, err := certificate.Decode(called.Certificate)
	require.NoError(t, err)
	reply, found := c.Tree.Lookup([]byte("request_status"), id[:], []byte("reply"))
	require.Equal(t, hashtree.Found, found)
	require.Equal(t, want, reply)

	_, body = post("v3/canister/"+app.Text()+"/", request.Content{Type: request.Query, Method: "ask"})
	var asked struct {
		Reply struct {
			Arg []byte `cbor:"arg"`
		} `cbor:"reply"`
	}
	require.NoError(t, cbor.Unmarshal(body, &asked))
	require.Equal(t, want, asked.Reply.Arg)
	require.Empty(t, w.ask(app, "ask", nil), "who brings nothing has nothing")
}

func TestMinimumOfIncomingCycles(t *testing.T) {
	w := newWorld(t)
	caller, callee := w.deploy("scenario"), w.deploy("scenario")
	for minimum, allowed := range map[uint64]bool{1_000: true, 1_001: false} { // forward_cycles sends a thousand
		w.manage("update_settings", management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: callee,
			Settings: management.Settings{MinimumIncomingCanisterCallCycles: ptr(nat(minimum))}}))
		_, err := w.Call(ctx, alice, caller, "forward_cycles", to(callee, "take_half", ""))
		if allowed {
			require.NoError(t, err)
		} else {
			refused(t, err, reject.CanisterRejectedMessage, "5Canister "+callee.Text()+" requires at least 1001 transferred cycles")
		}
		require.Equal(t, "users pay nothing", string(w.call(callee, "echo", []byte("users pay nothing"))))
	}
}
