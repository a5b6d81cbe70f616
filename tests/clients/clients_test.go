// Package clients runs real clients of the Internet Computer, unmodified, against Kedge on the local network.
package clients

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli"
	"kedge/internal/clients"
	"kedge/tests/harness"
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
	h := harness.OpenLive(t, nil)
	whoami, err := h.Net.Deploy(t.Context(), h.Operator, harness.Whoami(t), []byte("DIDL\x00\x00"))
	require.NoError(t, err)

	stored, appPrincipal := login(t, h)
	run := exec.Command(node, "--test", "--test-reporter=spec", "classic.test.mjs", "signin.test.mjs", "login.test.mjs")
	run.Dir = clients.Dir()
	run.Env = append(os.Environ(), "KEDGE_URL="+h.Net.URL(), "KEDGE_CANISTER="+h.Canister.Text(), "KEDGE_WHOAMI="+whoami.Text(),
		"KEDGE_SESSION_JSON="+stored+".json", "KEDGE_SESSION_PEM="+stored+".pem", "KEDGE_PRINCIPAL="+appPrincipal)
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}

// login signs in by the command line and returns where it stored the session, and who that is.
func login(t *testing.T, h *harness.Harness) (stored, appPrincipal string) {
	const origin = "https://app.example"
	t.Chdir(t.TempDir()) // the command line keeps its files in the current folder
	dir, err := os.Getwd()
	require.NoError(t, err)
	env := map[string]string{
		"KEDGE_NETWORK":         h.Net.URL(),
		"KEDGE_CANISTER":        h.Canister.Text(),
		"KEDGE_KEYS":            filepath.Join(dir, "keys.age"),
		"KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase"),
	}
	require.NoError(t, os.WriteFile(env["KEDGE_PASSPHRASE_FILE"], []byte("test\n"), 0o600))
	kedge := func(args ...string) string {
		var out, errors bytes.Buffer
		system := cli.RealSystem()
		system.Args, system.Stdout, system.Stderr, system.WorkFactor = args, &out, &errors, 10
		system.Getenv = func(name string) string { return env[name] }
		require.Zero(t, cli.Main(t.Context(), system), "kedge %q: %s", args, &errors)
		return strings.TrimSpace(out.String())
	}
	kedge("anchor", "create", "--device", "laptop", "--no-phrase")
	stored = filepath.Join(dir, "session")
	kedge("login", origin, "--out", stored)
	return stored, strings.Fields(kedge("principal", "--origin", origin))[0]
}
