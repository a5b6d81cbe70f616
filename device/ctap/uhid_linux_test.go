package ctap

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device"
)

// kernel is a stand-in for /dev/uhid: a pair of sockets that keep the bounds of each event.
type kernel struct {
	t *testing.T
	f *os.File
}

func newKernel(t *testing.T) (kernel, *os.File) {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	k := kernel{t, os.NewFile(uintptr(ends[0]), "kernel")}
	t.Cleanup(func() { _ = k.f.Close() })
	return k, os.NewFile(uintptr(ends[1]), "device")
}

func (k kernel) read() []byte {
	k.t.Helper()
	buffer := make([]byte, 8192)
	n, err := k.f.Read(buffer)
	require.NoError(k.t, err)
	return buffer[:n]
}

func (k kernel) write(event []byte) {
	k.t.Helper()
	_, err := k.f.Write(fixed(string(event), 4380))
	require.NoError(k.t, err)
}

// packet sends a packet as hidraw does, with the number of the report, and input reads one.
func (k kernel) packet(data string) {
	k.t.Helper()
	k.write(output(append([]byte{0}, fixed(data, 64)...), 65, 1))
}

func (k kernel) input() string {
	k.t.Helper()
	e := k.read()
	require.Equal(k.t, "\x0c\x00\x00\x00\x40\x00", string(e[:6]))
	require.Len(k.t, e, 70)
	return string(e[6:])
}

func TestServeUHID(t *testing.T) {
	littleEndian(t)
	root, err := device.NewRoot(rand.Reader)
	require.NoError(t, err)
	key, err := new(device.Keys).AddKey("laptop", root, time.Now())
	require.NoError(t, err)
	asked, ended := make(chan Prompt, 1), make(chan error, 1)
	a, err := New(Options{
		Store: onlyKey{key}, Random: rand.Reader, Now: time.Now,
		Presence: func(ctx context.Context, p Prompt) error {
			asked <- p
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		},
	})
	require.NoError(t, err)
	k, device := newKernel(t)
	ready, done := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { done <- ServeUHID(ctx, NewHID(a), device, "Kedge", "one", func() { close(ready) }) }()

	require.Equal(t, createEvent("Kedge", "one"), k.read())
	select {
	case <-ready:
		t.Fatal("ready before the kernel said so")
	default:
	}
	k.write([]byte{2}) // UHID_START
	<-ready
	k.write([]byte{4}) // UHID_OPEN
	k.packet("\xff\xff\xff\xff\x86\x00\x08nonce123")
	answer := k.input()
	require.Equal(t, "\xff\xff\xff\xff\x86\x00\x11nonce123", answer[:15])
	channel := answer[15:19]
	k.packet(channel + "\x81\x00\x02hi")
	require.Equal(t, channel+"\x81\x00\x02hi"+strings.Repeat("\x00", 55), k.input())

	// A report by SET_REPORT is a packet too; there is none to read.
	k.write(append(append([]byte{13, 0, 0, 0, 7, 0, 0, 0, 0, 1, 65, 0}, 0), fixed(channel+"\x81\x00\x03you", 64)...))
	require.Equal(t, channel+"\x81\x00\x03you", k.input()[:10])
	require.Equal(t, "\x0e\x00\x00\x00\x07\x00\x00\x00\x00\x00", string(k.read()))
	k.write([]byte{9, 0, 0, 0, 8, 0, 0, 0, 0, 2})
	require.Equal(t, "\x0a\x00\x00\x00\x08\x00\x00\x00\x05\x00\x00\x00", string(k.read()))

	// A browser that is killed while the key asks: the question ends.
	k.packet(channel + "\x90\x00\x01\x0b") // CBOR, selection
	require.Equal(t, Select, (<-asked).Action)
	k.write([]byte{5}) // UHID_CLOSE
	require.ErrorIs(t, <-ended, context.Canceled)
	k.write([]byte{4})
	for { // the channel went with the client; keep-alives that were under way may come before
		k.packet(channel + "\x81\x00\x02hi")
		if got := k.input(); got[4] != 0xbb {
			require.Equal(t, channel+"\xbf\x00\x01\x0b", got[:8])
			break
		}
	}

	cancel()
	for { // further answers may be on the way
		if e := k.read(); e[0] == 1 {
			require.Equal(t, "\x01\x00\x00\x00", string(e)) // UHID_DESTROY
			break
		}
	}
	require.NoError(t, <-done)
}

// A device that goes away is an error in words.
func TestUHIDTakenAway(t *testing.T) {
	a, err := New(Options{Store: onlyKey{}, Random: rand.Reader, Now: time.Now})
	require.NoError(t, err)
	k, device := newKernel(t)
	done := make(chan error, 1)
	go func() { done <- ServeUHID(t.Context(), NewHID(a), device, "Kedge", "one", nil) }()
	k.read()
	require.NoError(t, k.f.Close())
	require.EqualError(t, <-done, "the system took the device away")
}
