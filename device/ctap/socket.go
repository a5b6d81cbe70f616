package ctap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ServeSocket listens on a Unix socket and carries packets of 64 bytes, as a USB key would, until the context ends.
// The socket has mode 0600, its folder must be the user's own with mode 0700 and is made if it is not there, and only
// processes of the same user are answered. ready is called once clients can connect; it may be nil.
func ServeSocket(ctx context.Context, h *HID, path string, ready func()) error {
	if len(path) > maxSocketPath {
		return fmt.Errorf("the path of the socket has %d bytes, the limit is %d: %q", len(path), maxSocketPath, path)
	}
	if err := privateFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if old, err := net.Dial("unix", path); err == nil {
		_ = old.Close()
		return fmt.Errorf("the socket %q is in use: a security key is plugged in there", path)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return fmt.Errorf("%q is there and is no socket", path)
		}
		if err := os.Remove(path); err != nil { // left by a process that was killed
			return fmt.Errorf("removing the old socket: %w", err)
		}
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fmt.Errorf("making the socket: %w", err)
	}
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("making the socket private: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	if ready != nil {
		ready()
	}
	var clients sync.WaitGroup
	defer clients.Wait()
	for {
		conn, err := listener.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("waiting for a client: %w", err)
		}
		clients.Go(func() { serveClient(ctx, h, conn) })
	}
}

// writeTimeout is how long a client may take to read a packet once its buffer is full.
const writeTimeout = time.Second

// maxSocketPath is the longest path of a Unix socket on Linux, in bytes.
const maxSocketPath = 107

func serveClient(ctx context.Context, h *HID, conn *net.UnixConn) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if uid, err := peerUID(conn); err != nil || uid != os.Getuid() {
		if h.authenticator.o.Report != nil {
			h.authenticator.o.Report(errors.Join(fmt.Errorf("a client of user %d was refused", uid), err))
		}
		return
	}
	link := h.Open(func(p [PacketSize]byte) error {
		// A client that reads nothing must not stop the others.
		_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := conn.Write(p[:])
		if err != nil {
			_ = conn.Close()
		}
		return err
	})
	// The error is the client's going away in the middle of a packet.
	_ = link.Serve(conn)
}

// privateFolder makes the folder, or checks that nobody else can reach what is in it.
func privateFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("making the folder of the socket: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at the folder of the socket: %w", err)
	}
	if mode := info.Mode().Perm(); mode != 0o700 {
		return fmt.Errorf("the folder %q has mode %#o; a socket needs one of its own with mode 0700 (chmod 700)", path, mode)
	}
	return nil
}
