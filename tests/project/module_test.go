package project

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
	"kedge/tests/harness"
	"kedge/wasm"
)

// module returns the real canister's module, unpacked, and the file that holds it.
func module(t *testing.T) (content []byte, path string) {
	unzip, err := gzip.NewReader(bytes.NewReader(harness.Module(t)))
	require.NoError(t, err)
	content, err = io.ReadAll(unzip)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "kedge.wasm")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return content, path
}

func TestModuleKeepsTheNetworksRules(t *testing.T) {
	content, _ := module(t)
	m, err := wasm.Decode(content)
	require.NoError(t, err)
	require.NoError(t, wasm.Check(m, wasm.Production()))
	require.Less(t, len(harness.Module(t)), 5<<19, "with its page the module is installed in three chunks of 1 MiB")

	did, err := os.ReadFile(filepath.Join(clients.Root(), "candid", "kedge", "kedge.did"))
	require.NoError(t, err)
	service, ok := m.Custom("icp:public candid:service")
	require.True(t, ok)
	require.Equal(t, string(did), string(service))
	figures, err := m.Size()
	require.NoError(t, err)
	t.Logf("%d bytes, %d gzipped, %d functions", len(content), len(harness.Module(t)), figures.Functions)
}

func TestModuleIsValid(t *testing.T) {
	validate, err := exec.LookPath("wasm-validate")
	if err != nil {
		t.Skip("wasm-validate is not installed (run make tools)")
	}
	_, path := module(t)
	out, err := exec.Command(validate, path).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestIcWasmReadsTheModule(t *testing.T) {
	icWasm := clients.ICWasm(t)
	_, path := module(t)
	out, err := exec.Command(icWasm, path, "info").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "canister_update prepare_delegation")
	out, err = exec.Command(icWasm, path, "metadata", "candid:args").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "(opt KedgeInit)")
}
