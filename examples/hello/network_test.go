package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
)

// The canister as it is deployed: built by icbuild, on the local network.
func TestOnTheNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a canister")
	}
	module := filepath.Join(t.TempDir(), "hello.wasm")
	text, err := exec.Command("go", "run", "kedge/cmd/icbuild", "-o", module, ".").CombinedOutput()
	require.NoError(t, err, string(text))
	code, err := os.ReadFile(module)
	require.NoError(t, err)

	net, err := replica.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	you := principal.Anonymous
	canister, err := net.Deploy(t.Context(), you, code, nil)
	require.NoError(t, err)
	reply, err := net.Call(t.Context(), you, canister, "greet", []byte("you"))
	require.NoError(t, err)
	require.Equal(t, "hello you", string(reply))
	reply, err = net.Query(t.Context(), you, canister, "greeted", nil)
	require.NoError(t, err)
	require.Equal(t, "1", string(reply))
}
