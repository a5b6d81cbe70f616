package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/tests/harness"
)

// The demo plays to its end, and says what it claims to show.
func TestDemo(t *testing.T) {
	module := filepath.Join(t.TempDir(), "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(module, harness.Module(t), 0o600))
	var out bytes.Buffer
	require.NoError(t, runSession(&out, module), "%s", &out)
	t.Logf("%s", &out)
	require.Contains(t, out.String(), "Device is locked. Must be authenticated with this device to mutate")
	require.Contains(t, out.String(), "removed Recovery phrase from anchor 10000")
}
