package ui

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// openPTY returns both ends of a pseudo-terminal of 30 columns.
func openPTY(t *testing.T) (control, device *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = control.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	device, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = device.Close() })
	require.NoError(t, unix.IoctlSetWinsize(int(device.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 10, Col: 30}))
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
