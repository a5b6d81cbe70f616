// Package ctap has python-fido2 drive the security key: a client that shares no code with Kedge.
package ctap

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device"
	"kedge/device/ctap"
)

// memory is a store without a file.
type memory struct{ key *device.SecurityKey }

func (m memory) Load() (*device.SecurityKey, error)             { return m.key, nil }
func (m memory) Change(f func(*device.SecurityKey) error) error { return f(m.key) }

func TestPythonFido2(t *testing.T) {
	python, err := filepath.Abs(".venv/bin/python")
	require.NoError(t, err)
	if exec.Command(python, "-c", "import fido2").Run() != nil {
		t.Skip("python-fido2 is not here; scripts/tools.sh installs it into tests/ctap/.venv")
	}
	for _, story := range []string{"sign", "resident", "pin", "manage", "secret"} {
		t.Run(story, func(t *testing.T) {
			root, err := device.NewRoot(rand.Reader)
			require.NoError(t, err)
			key, err := new(device.Keys).AddKey("laptop", root, time.Now())
			require.NoError(t, err)
			a, err := ctap.New(ctap.Options{
				Store: memory{key}, Presence: func(context.Context, ctap.Prompt) error { return nil },
				Random: rand.Reader, Now: time.Now, Report: func(err error) { t.Error(err) },
			})
			require.NoError(t, err)
			dir, err := os.MkdirTemp("", "kedge") // a socket's path is short
			require.NoError(t, err)
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			socket := filepath.Join(dir, "key")
			ready, done := make(chan struct{}), make(chan error, 1)
			ctx, cancel := context.WithCancel(context.Background())
			go func() { done <- ctap.ServeSocket(ctx, ctap.NewHID(a), socket, func() { close(ready) }) }()
			select {
			case <-ready:
			case err := <-done:
				require.NoError(t, err)
			}
			out, err := exec.Command(python, "client.py", socket, story).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "passed "+story)
			info, err := os.Stat(socket)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			cancel()
			require.NoError(t, <-done)
		})
	}
}
