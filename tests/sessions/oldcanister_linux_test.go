package sessions

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/ic/principal"
	"kedge/migrations/ii/iitest"
	"kedge/tests/harness"
)

// oldCanister is the directive of a page that needs one, see [place.OldCanister].
const oldCanister = "<!-- sessions: internet identity -->"

// OldCanister puts a canister of an old build of Internet Identity with one anchor on the network, and what its operator
// has into the project: OLD.wasm, stable_memory.bin.gz and controller.pem. Another module stands in for the old build's:
// what is asked of it is to be what the canister ran.
func (p *place) OldCanister() {
	t := p.t
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	memory := storage.NewRAM(0)
	iitest.Install(t, memory, 7, iitest.Options{BucketPages: 128})
	build := iitest.Start(t, memory, iitest.From2023Apr)
	build.Register(iitest.Passkey("first"), iitest.Phrase("phrase of first", true))
	build.Stop()
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, err = zip.Write(memory.Bytes())
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	for name, data := range map[string][]byte{
		"OLD.wasm": harness.Whoami(t), "stable_memory.bin.gz": zipped.Bytes(),
		"controller.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(p.project, name), data, 0o600))
	}
	id, err := p.network.Deploy(t.Context(), principal.SelfAuthenticating(der), harness.Whoami(t), []byte("DIDL\x00\x00"))
	require.NoError(t, err)
	require.NoError(t, p.network.SetStableMemory(id, memory.Bytes()))
	p.canister = id.Text()
}
