package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
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
	"kedge/tests/harness"
)

// oldAgent speaks to a network as dfx did for years: calls through version 2 and polling, or through
// version 3, with state read through version 2.
type oldAgent struct {
	testing.TB
	net    *replica.Network
	signer *signature.Signer
	root   *certificate.PublicKey
	nonce  byte
}

func newOldAgent(t *testing.T, net *replica.Network) *oldAgent {
	signer, err := signature.Generate(signature.Secp256k1, nil)
	require.NoError(t, err)
	root, err := certificate.ParsePublicKey(net.RootKey())
	require.NoError(t, err)
	return &oldAgent{TB: t, net: net, signer: signer, root: root}
}

func (a *oldAgent) self() principal.Principal {
	return principal.SelfAuthenticating(a.signer.PublicKey())
}

// post signs and sends a request and returns its id and the response.
func (a *oldAgent) post(version int, effective principal.Principal, content request.Content) (request.ID, int, []byte) {
	a.Helper()
	content.IngressExpiry = uint64(time.Now().Add(4 * time.Minute).UnixNano())
	if content.Type == request.Call {
		a.nonce++
		content.Nonce = []byte{a.nonce}
	}
	envelope, err := request.Sign(content, a.signer, nil)
	require.NoError(a, err)
	url := fmt.Sprintf("%s/api/v%d/canister/%s/%s", a.net.URL(), version, effective, content.Type)
	res, err := http.Post(url, "application/cbor", bytes.NewReader(envelope.Encode()))
	require.NoError(a, err)
	defer func() { require.NoError(a, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(a, err)
	return envelope.Content.ID(), res.StatusCode, body
}

// outcome is the end of a call: a reply, or the refusal and its codes.
type outcome struct {
	reply       []byte
	code, error string // of the refusal: reject code, error code
	message     string
}

// call2 sends a call through version 2 and polls for its outcome.
func (a *oldAgent) call2(effective, canister principal.Principal, method string, arg []byte) outcome {
	a.Helper()
	id, status, body := a.post(2, effective, request.Content{Type: request.Call, Canister: canister, Method: method, Arg: arg})
	if status == http.StatusOK { // refused at once, without a certificate
		var refusal struct {
			Code    uint64 `cbor:"reject_code"`
			Message string `cbor:"reject_message"`
			Error   string `cbor:"error_code"`
		}
		require.NoError(a, cbor.Unmarshal(body, &refusal))
		return outcome{code: fmt.Sprint(refusal.Code), message: refusal.Message, error: refusal.Error}
	}
	require.Equal(a, http.StatusAccepted, status, "%s", body)
	require.Empty(a, body)
	for {
		tree := a.read(effective, [][]byte{[]byte("request_status"), id[:]})
		if o, done := a.outcome(tree, id); done {
			return o
		}
		select {
		case <-a.Context().Done():
			require.NoError(a, context.Cause(a.Context()))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// call3 sends a call through version 3, which answers with the certificate.
func (a *oldAgent) call3(effective, canister principal.Principal, method string, arg []byte) outcome {
	a.Helper()
	id, status, body := a.post(3, effective, request.Content{Type: request.Call, Canister: canister, Method: method, Arg: arg})
	require.Equal(a, http.StatusOK, status, "%s", body)
	var answer struct {
		Status      string `cbor:"status"`
		Certificate []byte `cbor:"certificate"`
	}
	require.NoError(a, cbor.Unmarshal(body, &answer))
	require.Equal(a, "replied", answer.Status)
	o, done := a.outcome(a.verified(effective, answer.Certificate), id)
	require.True(a, done)
	return o
}

// read reads the state through version 2.
func (a *oldAgent) read(effective principal.Principal, paths ...[][]byte) *hashtree.Node {
	a.Helper()
	_, status, body := a.post(2, effective, request.Content{Type: request.ReadState, Paths: paths})
	require.Equal(a, http.StatusOK, status, "%s", body)
	var answer struct {
		Certificate []byte `cbor:"certificate"`
	}
	require.NoError(a, cbor.Unmarshal(body, &answer))
	return a.verified(effective, answer.Certificate)
}

// verified checks a certificate as old agents do, by the flat ranges of the delegation, and returns its tree.
func (a *oldAgent) verified(effective principal.Principal, encoded []byte) *hashtree.Node {
	a.Helper()
	c, err := certificate.Decode(encoded)
	require.NoError(a, err)
	require.NoError(a, c.CheckTime(time.Now(), 5*time.Minute))
	delegation, err := certificate.Decode(c.Delegation.Certificate)
	require.NoError(a, err)
	_, found := delegation.Tree.Lookup([]byte("subnet"), c.Delegation.Subnet.Bytes(), []byte("canister_ranges"))
	require.Equal(a, hashtree.Found, found, "the delegation has flat ranges")
	if effective.IsManagement() {
		require.NoError(a, c.VerifySubnet(a.root, c.Delegation.Subnet))
	} else {
		require.NoError(a, c.VerifyCanister(a.root, effective))
	}
	return c.Tree
}

// outcome reads what became of a request.
func (a *oldAgent) outcome(tree *hashtree.Node, id request.ID) (o outcome, done bool) {
	a.Helper()
	leaf := func(name string) string {
		value, _ := tree.Lookup([]byte("request_status"), id[:], []byte(name))
		return string(value)
	}
	switch status := leaf("status"); status {
	case "replied":
		return outcome{reply: []byte(leaf("reply"))}, true
	case "rejected":
		return outcome{code: fmt.Sprint(leaf("reject_code")[0]), message: leaf("reject_message"), error: leaf("error_code")}, true
	default:
		require.Contains(a, []string{"", "received", "processing"}, status)
		return o, false
	}
}

// create makes a canister from nothing.
func (a *oldAgent) create(effective principal.Principal) principal.Principal {
	a.Helper()
	o := a.call2(effective, principal.Management, "provisional_create_canister_with_cycles",
		management.EncodeProvisionalCreateCanisterWithCyclesArgs(management.ProvisionalCreateArg{}))
	require.Empty(a, o.message)
	made, err := management.DecodeProvisionalCreateCanisterWithCyclesResult(o.reply)
	require.NoError(a, err)
	return made.CanisterID
}

// An old dfx creates, installs, calls and reads through the endpoints of its time.
func TestOldEndpoints(t *testing.T) {
	net := startNetwork(t)
	a := newOldAgent(t, net)
	module := harness.Whoami(t)
	seen := map[principal.Principal]bool{}
	for _, effective := range []principal.Principal{principal.MustParse("rwlgt-iiaaa-aaaaa-aaaaa-cai"), principal.Management} {
		t.Run(effective.Text(), func(t *testing.T) {
			a := *a
			a.TB = t
			id := a.create(effective)
			require.False(t, seen[id])
			seen[id] = true

			install := management.EncodeInstallCodeArgs(management.InstallArg{
				Mode: management.InstallMode{Tag: management.InstallModeTagInstall}, CanisterID: id, WasmModule: module, Arg: []byte("DIDL\x00\x00")})
			require.Empty(t, a.call2(id, principal.Management, "install_code", install).message)
			again := a.call3(id, principal.Management, "install_code", install)
			require.Equal(t, "5", again.code)
			require.Equal(t, "IC0514", again.error)
			require.Contains(t, again.message, "not empty", "dfx looks for these words")

			want := append([]byte("DIDL\x00\x01\x68\x01\x1d"), a.self().Bytes()...)
			require.Equal(t, want, a.call2(id, id, "whoami", []byte("DIDL\x00\x00")).reply)
			require.Equal(t, want, a.call3(id, id, "whoami", []byte("DIDL\x00\x00")).reply)
			missing := a.call2(id, id, "no_such_method", []byte("DIDL\x00\x00"))
			require.Equal(t, "5", missing.code)
			require.Equal(t, "IC0536", missing.error)

			tree := a.read(id, path(id, "module_hash"), path(id, "controllers"))
			hashed, found := tree.Lookup(path(id, "module_hash")...)
			require.Equal(t, hashtree.Found, found)
			require.Equal(t, hash(module), fmt.Sprintf("0x%x", hashed))
		})
	}

	t.Run("refused at once", func(t *testing.T) {
		nowhere := principal.Canister(0x8000_0000_00ff_0000)
		o := a.call2(nowhere, nowhere, "whoami", nil)
		require.Equal(t, "3", o.code)
		require.Equal(t, "IC0301", o.error)
	})
}

// path is the path of something that the state tells of a canister.
func path(canister principal.Principal, name string) [][]byte {
	return [][]byte{[]byte("canister"), canister.Bytes(), []byte(name)}
}

// dfx deploys Kedge as it is in dfx.json: the file that make build leaves, in chunks, with (null) for its init
// argument; nothing else is called. Then somebody signs in, and the module is the file that was built.
func TestDeployedAsDfxDoes(t *testing.T) {
	net := startNetwork(t)
	a := newOldAgent(t, net)
	id := a.create(principal.Management)
	module := harness.Module(t)
	var hashes []management.ChunkHash
	for rest := module; len(rest) > 0; {
		chunk := rest[:min(1<<20, len(rest))]
		rest = rest[len(chunk):]
		o := a.call3(id, principal.Management, "upload_chunk", management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: id, Chunk: chunk}))
		require.Empty(t, o.message)
		sum := sha256.Sum256(chunk)
		hashes = append(hashes, management.ChunkHash{Hash: sum[:]})
	}
	null := []byte("DIDL\x00\x01\x7f") // (null), as dfx encodes it
	sum := sha256.Sum256(module)
	for _, mode := range []management.InstallModeTag{management.InstallModeTagInstall, management.InstallModeTagUpgrade} {
		o := a.call3(id, principal.Management, "install_chunked_code", management.EncodeInstallChunkedCodeArgs(management.InstallChunkedArg{
			Mode: management.InstallMode{Tag: mode}, TargetCanister: id, ChunkHashesList: hashes, WasmModuleHash: sum[:], Arg: null}))
		require.Empty(t, o.message)
		signsIn(t, net, id)
		tree := a.read(id, path(id, "module_hash"))
		hashed, _ := tree.Lookup(path(id, "module_hash")...)
		require.Equal(t, hash(module), fmt.Sprintf("0x%x", hashed))
	}
}
