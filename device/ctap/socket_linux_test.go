package ctap_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device/ctap"
)

// serve serves a key on a socket in a folder of its own. reports is what the authenticator tells.
func serve(t *testing.T) (path string, reports chan error) {
	t.Helper()
	reports = make(chan error, 8)
	_, key := plug(t, nil)
	a, err := ctap.New(ctap.Options{Store: memory{key}, Random: zeros{}, Now: time.Now, Report: func(err error) { reports <- err }})
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "kedge")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path = filepath.Join(dir, "key")
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- ctap.ServeSocket(ctx, ctap.NewHID(a), path, func() { close(ready) }) }()
	<-ready
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		require.NoFileExists(t, path)
	})
	return path, reports
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 1
	}
	return len(p), nil
}

// Another user's client is refused, even where files would let it in.
func TestPeerOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else for a moment")
	}
	path, reports := serve(t)
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o777))
	require.NoError(t, os.Chmod(path, 0o777))
	answer := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		const nobody, same = 65534, ^uintptr(0)
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, same, nobody, same); errno != 0 {
			answer <- errno
			return
		}
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err == nil {
			err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
		}
		if err == nil {
			_, _ = syscall.Write(fd, append([]byte("\xff\xff\xff\xff\x86\x00\x08nonce123"), make([]byte, 49)...))
			var n int
			if n, err = syscall.Read(fd, make([]byte, 64)); n > 0 {
				err = syscall.EALREADY // it was answered
			}
		}
		if err == syscall.ECONNRESET || err == syscall.EPIPE {
			err = nil
		}
		answer <- err
	}()
	require.NoError(t, <-answer)
	require.ErrorContains(t, <-reports, "a client of user 65534 was refused")

	conn, err := net.Dial("unix", path) // our own is answered
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write(append([]byte("\xff\xff\xff\xff\x86\x00\x08nonce123"), make([]byte, 49)...))
	require.NoError(t, err)
	packet := make([]byte, 64)
	_, err = conn.Read(packet)
	require.NoError(t, err)
	require.Equal(t, "nonce123", string(packet[7:15]))
}

// A client that reads nothing is dropped, and the others are served.
func TestClientThatReadsNothing(t *testing.T) {
	path, _ := serve(t)
	deaf, err := net.Dial("unix", path)
	require.NoError(t, err)
	defer func() { _ = deaf.Close() }()
	packet := append([]byte("\xff\xff\xff\xff\x86\x00\x08nonce123"), make([]byte, 49)...)
	for err == nil { // until the key hangs up
		_, err = deaf.Write(packet)
	}
	conn, err := net.Dial("unix", path)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write(packet)
	require.NoError(t, err)
	_, err = conn.Read(packet)
	require.NoError(t, err)
}

func TestSocketsThatAreRefused(t *testing.T) {
	a, _ := plug(t, nil)
	h := ctap.NewHID(a)
	dir := t.TempDir()
	ours := filepath.Join(dir, "ours")
	require.NoError(t, os.Mkdir(ours, 0o700))
	open := filepath.Join(dir, "open")
	require.NoError(t, os.Mkdir(open, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(ours, "text"), []byte("precious"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(ours, "folder"), 0o700))
	for path, want := range map[string]string{
		filepath.Join(open, "key"):         "it has mode 0755, and has to have 0700 (chmod 700)",
		filepath.Join(ours, "text"):        "is there and is no socket",
		filepath.Join(ours, "folder"):      "is there and is no socket",
		filepath.Join(ours, "text", "key"): "it is no folder",
		"/" + strings.Repeat("x", 107):     "the path of the socket has 108 bytes, the limit is 107",
	} {
		require.ErrorContains(t, ctap.ServeSocket(t.Context(), h, path, func() { t.Error("ready") }), want, path)
	}
	text, err := os.ReadFile(filepath.Join(ours, "text"))
	require.NoError(t, err)
	require.Equal(t, "precious", string(text))
}

// Of keys that are plugged in at once, one gets the socket, also where a killed process left one: none removes
// another's.
func TestOneKeyASocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "kedge")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "key")
	for range 20 {
		left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		require.NoError(t, err)
		left.SetUnlinkOnClose(false)
		require.NoError(t, left.Close())
		ctx, stop := context.WithCancel(t.Context())
		begin, ready := make(chan struct{}), make(chan struct{}, 4)
		ended := make(chan error, 4)
		for range 4 {
			a, _ := plug(t, nil)
			go func() {
				<-begin
				ended <- ctap.ServeSocket(ctx, ctap.NewHID(a), path, func() { ready <- struct{}{} })
			}()
		}
		close(begin)
		for range 3 {
			require.ErrorContains(t, <-ended, "a security key is plugged in there")
		}
		<-ready
		conn, err := net.Dial("unix", path)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		stop()
		require.NoError(t, <-ended)
		require.Empty(t, ready)
		require.NoFileExists(t, path)
	}
}

// A socket that a killed process left is taken over.
func TestSocketLeftBehind(t *testing.T) {
	dir, err := os.MkdirTemp("", "kedge")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "key")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	left.SetUnlinkOnClose(false)
	require.NoError(t, left.Close())
	require.FileExists(t, path)
	a, _ := plug(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, ctap.ServeSocket(ctx, ctap.NewHID(a), path, cancel))
	require.NoFileExists(t, path)
}
