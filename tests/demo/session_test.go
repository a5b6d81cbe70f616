package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/tests/harness"
)

// The demo plays to its end, and says what it claims to show.
func TestDemo(t *testing.T) {
	module := filepath.Join(t.TempDir(), "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(module, harness.Module(t), 0o600))
	var out bytes.Buffer
	var address string
	require.NoError(t, runSession(&out, module, func() {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		address = lines[len(lines)-1]
		require.Regexp(t, `^http://[a-z0-9-]+\.localhost:[0-9]+/$`, address, "it ends with the address of the page")
		host := strings.Trim(strings.TrimPrefix(address, "http://"), "/")
		_, port, _ := strings.Cut(host, ":")
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1:"+port, nil)
		require.NoError(t, err)
		r.Host = host
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, 200, response.StatusCode)
	}), "%s", &out)
	require.NotEmpty(t, address)
	t.Logf("%s", &out)
	require.Contains(t, out.String(), "Device is locked. Must be authenticated with this device to mutate")
	require.Contains(t, out.String(), "removed Recovery phrase from anchor 10000")
}
