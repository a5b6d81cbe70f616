package ui

import (
	"bytes"
	"io"
	"kedge/internal/pty"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// openPTY returns both ends of a pseudo-terminal of 30 columns.
func openPTY(t *testing.T) (control, device *os.File) {
	t.Helper()
	control, device, err := pty.Open(10, 30)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = control.Close(), device.Close() })
	return control, device
}

// What takes long is told on a terminal, in its width, and taken away at the end.
func TestWorkingIsTold(t *testing.T) {
	control, device := openPTY(t)
	u := &UI{System: System{Stderr: device}}
	done := u.Working("stopping the canister with %d calls under way", 3)
	var shown strings.Builder
	b := make([]byte, 256)
	for !strings.Contains(shown.String(), "stopping") {
		n, err := control.Read(b)
		require.NoError(t, err)
		shown.Write(b[:n])
	}
	done()
	done() // as often as a caller likes
	for !strings.HasSuffix(shown.String(), "\r\x1b[K") {
		n, err := control.Read(b)
		require.NoError(t, err)
		shown.Write(b[:n])
	}
	for _, line := range strings.Split(shown.String(), "\r\x1b[K") {
		require.Less(t, len(line), 30, "a line that wraps cannot be taken away")
	}
}

// A dumb terminal gets one line and no escape sequence; while something is told, nothing else is.
func TestWorkingOnADumbTerminal(t *testing.T) {
	control, device := openPTY(t)
	u := &UI{System: System{Stderr: device, Getenv: func(string) string { return "dumb" }}}
	done := u.Working("waiting")
	u.Working("something else")()
	b := make([]byte, 256)
	n, err := control.Read(b)
	require.NoError(t, err)
	done()
	require.Equal(t, "waiting\r\n", string(b[:n]))
	bar := u.NewBar()
	bar.Show(1, 2)
	bar.Clear()
	_, err = io.WriteString(device, "end")
	require.NoError(t, err)
	n, err = control.Read(b)
	require.NoError(t, err)
	require.Equal(t, "end", string(b[:n]))
}

// Scripts see nothing of it, on a terminal neither with --json.
func TestWorkingIsNothingToScripts(t *testing.T) {
	var out bytes.Buffer
	(&UI{System: System{Stderr: &out}}).Working("waiting")()
	require.Empty(t, out.String())
	control, device := openPTY(t)
	(&UI{System: System{Stderr: device}, JSON: true}).Working("waiting")()
	_, err := io.WriteString(device, "end")
	require.NoError(t, err)
	b := make([]byte, 16)
	n, err := control.Read(b)
	require.NoError(t, err)
	require.Equal(t, "end", string(b[:n]))
}
