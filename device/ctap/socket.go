package ctap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"kedge/internal/localsocket"
)

// ServeSocket listens on a Unix socket and carries packets of 64 bytes, as a USB key would, until the context ends.
// The socket has mode 0600, its folder must be the user's own with mode 0700 and is made if it is not there, and only
// processes of the same user are answered. ready is called once clients can connect; it may be nil.
func ServeSocket(ctx context.Context, h *HID, path string, ready func()) error {
	if len(path) > maxSocketPath {
		return fmt.Errorf("the path of the socket has %d bytes, the limit is %d: %q", len(path), maxSocketPath, path)
	}
	claim, err := localsocket.NewClaim(path)
	switch {
	case errors.Is(err, localsocket.ErrInUse):
		return fmt.Errorf("the socket %q is in use: a security key is plugged in there", path)
	case err != nil:
		return err
	}
	defer func() { _ = claim.Release() }()
	listener, err := claim.Listen()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
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
	if uid, err := localsocket.PeerUID(conn); err != nil || uid != os.Getuid() {
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
