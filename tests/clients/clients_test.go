// Package clients runs real clients of the Internet Computer, unmodified, against Kedge on the local network.
package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid"
	"kedge/ic/principal"
	"kedge/internal/clients"
	"kedge/tests/house"
)

// @icp-sdk/core, with all its checks on, uses the classic API and signs in to another canister.
func TestJavaScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat(filepath.Join(clients.Dir(), "node_modules", "@icp-sdk", "core")); err != nil {
		t.Skipf("@icp-sdk/core is not installed (run make tools): %v", err)
	}
	h := house.OpenLive(t, nil)
	_, err = h.Call(principal.Anonymous, "init_salt", candid.EncodeInitSaltArgs())
	require.NoError(t, err)
	whoami, err := h.Net.Deploy(t.Context(), h.Operator, house.Whoami(t), []byte("DIDL\x00\x00"))
	require.NoError(t, err)

	run := exec.Command(node, "--test", "--test-reporter=spec", "classic.test.mjs", "signin.test.mjs")
	run.Dir = clients.Dir()
	run.Env = append(os.Environ(), "KEDGE_URL="+h.Net.URL(), "KEDGE_CANISTER="+h.Canister.Text(), "KEDGE_WHOAMI="+whoami.Text())
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}
