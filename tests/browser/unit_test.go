package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
)

// What the page computes, without a browser: origins, keys, phrases, messages, Candid.
func TestPageUnits(t *testing.T) {
	path := node(t)
	dir := filepath.Join(clients.Root(), "frontend-shim")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "esbuild")); err != nil {
		unable(t, "what builds the page is not installed (make page): %v", err)
	}
	run := exec.Command(path, "--test", "test/")
	run.Dir = dir
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
