package localsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"kedge/internal/fileio"
)

// ErrInUse says that another process has the socket.
var ErrInUse = errors.New("another process listens at the socket")

// Claim is the right to listen at a path. A lock beside the socket, which ends with the process, says who has it: the
// socket itself stays behind when a process is killed, and whoever looked whether somebody answers, and removed it if
// not, could remove that of a process that came in between.
type Claim struct {
	path string
	lock *fileio.Lock
}

// NewClaim makes the folder of the socket if it is not there, which has to be the user's own (see [CheckFolder]), and
// claims the path. The error wraps [ErrInUse] if another process has it.
func NewClaim(path string) (*Claim, error) {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	lock, free, err := fileio.TryLockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("locking the socket: %w", err)
	}
	if !free {
		return nil, fmt.Errorf("%w %q", ErrInUse, path)
	}
	return &Claim{path, lock}, nil
}

// Listen makes the socket, with mode 0600, in the place of one that was left by a process that ended.
func (c *Claim) Listen() (*net.UnixListener, error) {
	if info, err := os.Lstat(c.path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("%q is there and is no socket", c.path)
		}
		if err := os.Remove(c.path); err != nil {
			return nil, fmt.Errorf("removing the old socket: %w", err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: c.path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("making the socket: %w", err)
	}
	if err := os.Chmod(c.path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("making the socket private: %w", err), listener.Close())
	}
	return listener, nil
}

// Release gives the path to others. The socket has to be closed.
func (c *Claim) Release() error { return c.lock.Unlock() }
