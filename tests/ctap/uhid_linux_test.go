package ctap

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device/ctap"
)

// TestThroughUHID has python-fido2 speak to a stand-in for /dev/uhid, which turns packets into the events of linux/uhid.h
// and back as the kernel does for whoever has /dev/hidraw open. There is no /dev/uhid in a container.
func TestThroughUHID(t *testing.T) {
	python(t)
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	kernel, device := os.NewFile(uintptr(ends[0]), "kernel"), os.NewFile(uintptr(ends[1]), "device")
	defer func() { _ = kernel.Close() }()
	a, err := ctap.New(ctap.Options{
		Store: newFile(t), Presence: func(context.Context, ctap.Prompt) error { return nil },
		Random: rand.Reader, Now: time.Now, Report: func(err error) { t.Error(err) },
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- ctap.ServeUHID(ctx, ctap.NewHID(a), device, "Kedge", "one", func() { close(ready) }) }()

	event := make([]byte, 8192)
	n, err := kernel.Read(event)
	require.NoError(t, err)
	require.Equal(t, 4380, n)
	require.Equal(t, uint32(11), binary.NativeEndian.Uint32(event), "UHID_CREATE2")
	send := func(kind uint32, payload ...byte) error {
		e := append(binary.NativeEndian.AppendUint32(nil, kind), payload...)
		_, err := kernel.Write(append(e, make([]byte, 4380-len(e))...))
		return err
	}
	require.NoError(t, send(2)) // UHID_START
	<-ready
	require.NoError(t, send(4)) // UHID_OPEN

	dir, err := os.MkdirTemp("", "kedge")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(dir) }()
	hidraw, err := net.Listen("unix", filepath.Join(dir, "hidraw"))
	require.NoError(t, err)
	defer func() { _ = hidraw.Close() }()
	go func() {
		client, err := hidraw.Accept()
		if err != nil {
			return
		}
		go func() { // what the client writes, with the number of the report in front
			for {
				report := make([]byte, 4096+3)
				if _, err := io.ReadFull(client, report[1:65]); err != nil {
					return
				}
				binary.NativeEndian.PutUint16(report[4096:], 65)
				report[4098] = 1 // UHID_OUTPUT_REPORT
				if send(6, report...) != nil {
					return
				}
			}
		}()
		for {
			event := make([]byte, 8192)
			n, err := kernel.Read(event)
			if err != nil || n < 70 || binary.NativeEndian.Uint32(event) != 12 { // UHID_INPUT2
				return
			}
			if _, err := client.Write(event[6:70]); err != nil {
				return
			}
		}
	}()
	tell(t, filepath.Join(dir, "hidraw"), "secret")
	cancel()
	require.NoError(t, <-done)
}
