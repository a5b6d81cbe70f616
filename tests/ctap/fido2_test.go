// Package ctap has clients that share no code with Kedge drive the security key: python-fido2 and libfido2.
package ctap

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device"
	"kedge/device/ctap"
)

// file is a key in a store, as kedge key plug has it.
type file struct {
	t    testing.TB
	path string
}

func newFile(t testing.TB) file {
	t.Helper()
	f := file{t, filepath.Join(t.TempDir(), "keys.age")}
	root, err := device.NewRoot(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, f.store().Change(func(k *device.Keys) error { _, err := k.AddKey("laptop", root, time.Now()); return err }))
	return f
}

// store opens the file anew, so nothing is remembered but what is in it.
func (f file) store() *device.Store {
	s, err := device.OpenStore(f.path, "a passphrase")
	require.NoError(f.t, err)
	s.SetWorkFactor(1)
	return s
}

func (f file) Load() (*device.SecurityKey, error) {
	keys, err := f.store().Load()
	if err != nil {
		return nil, err
	}
	return keys.Key("laptop")
}

func (f file) Change(change func(*device.SecurityKey) error) error {
	return f.store().Change(func(keys *device.Keys) error {
		k, err := keys.Key("laptop")
		if err != nil {
			return err
		}
		return change(k)
	})
}

// plug plugs the key in: each call is another time. It returns the path of its socket.
func plug(t *testing.T, f file, verify func(context.Context, ctap.Prompt) error) string {
	t.Helper()
	a, err := ctap.New(ctap.Options{
		Store: f, Presence: func(context.Context, ctap.Prompt) error { return nil }, Verify: verify,
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
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return socket
}

var calls atomic.Int64

// tell has python-fido2 play a story.
func tell(t *testing.T, socket, story string) {
	t.Helper()
	out, err := exec.Command(python(t), "client.py", socket, story).CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, count, passed := strings.Cut(string(out), "passed "+story+" with ")
	require.True(t, passed, "%s", out)
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(count), " calls"))
	require.NoError(t, err)
	calls.Add(int64(n))
}

func python(t testing.TB) string {
	t.Helper()
	python, err := filepath.Abs(".venv/bin/python")
	require.NoError(t, err)
	if exec.Command(python, "-c", "import fido2").Run() != nil {
		t.Skip("python-fido2 is not here; scripts/tools.sh installs it into tests/ctap/.venv")
	}
	return python
}

func TestPythonFido2(t *testing.T) {
	python(t)
	for _, story := range []string{
		"sign", "resident", "pin", "manage", "secret", "blobs", "extensions", "protect", "order", "always", "right",
	} {
		t.Run(story, func(t *testing.T) { tell(t, plug(t, newFile(t), nil), story) })
	}
	t.Run("verify", func(t *testing.T) {
		tell(t, plug(t, newFile(t), func(context.Context, ctap.Prompt) error { return nil }), "verify")
	})
	t.Run("stranger", func(t *testing.T) {
		asked := 0
		tell(t, plug(t, newFile(t), func(context.Context, ctap.Prompt) error { asked++; return ctap.ErrNotVerified }), "stranger")
		require.Equal(t, 3, asked)
	})
	// Eight wrong PINs lock the key, however often it is plugged in between.
	t.Run("locked", func(t *testing.T) {
		f := newFile(t)
		for range 3 {
			tell(t, plug(t, f, nil), "wrong")
		}
		tell(t, plug(t, f, nil), "locked")
	})
	t.Logf("python-fido2 made %d calls, and every answer was canonical CBOR", calls.Load())
}

func TestSocketIsPrivate(t *testing.T) {
	socket := plug(t, newFile(t), nil)
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
