package keyagent

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// longestSocket is the longest path of a socket in bytes, everywhere (unix(7) on Linux: 107).
const longestSocket = 103

// SocketPath returns where the agent for a store listens: one socket for each store, in a folder of the user's own
// below runtimeDir, which is XDG_RUNTIME_DIR, or below the folder for temporary files where that is empty.
func SocketPath(runtimeDir, store string) (string, error) {
	store, err := storePath(store)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("kedge-%d", os.Getuid()))
	if runtimeDir != "" {
		folder = filepath.Join(runtimeDir, "kedge")
	}
	hash := sha256.Sum256([]byte(store))
	socket := filepath.Join(folder, fmt.Sprintf("agent-%x.sock", hash[:8]))
	if len(socket) > longestSocket {
		return "", fmt.Errorf("the path of the agent's socket would have %d bytes, the limit is %d: %q", len(socket), longestSocket, socket)
	}
	return socket, nil
}

// storePath is the one way to write the path of a store: absolute, without symbolic links as far as it exists.
func storePath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the key store: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	return path, nil
}

// errFolder says that the folder of the socket cannot be trusted.
type errFolder struct{ path, why string }

func (e *errFolder) Error() string {
	return fmt.Sprintf("the folder %q cannot hold the agent's socket: %s", e.path, e.why)
}

// checkFolder says whether nobody else can reach what is in the folder of a socket, or put a socket of his own
// there: it is a folder and no link, the user's own, closed to others, and so is what is above it, or at least
// nobody else can rename what is in it.
func checkFolder(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		return &errFolder{path, "it is a symbolic link"}
	case !info.IsDir():
		return &errFolder{path, "it is no folder"}
	case info.Mode().Perm()&0o077 != 0:
		return &errFolder{path, fmt.Sprintf("it has mode %#o, and has to have 0700", info.Mode().Perm())}
	case owner(info) != os.Getuid():
		return &errFolder{path, "it is another user's"}
	}
	above := filepath.Dir(path)
	info, err = os.Stat(above)
	if err != nil {
		return err
	}
	switch by := owner(info); {
	case by != os.Getuid() && by != 0:
		return &errFolder{above, "it is another user's"}
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0:
		return &errFolder{above, "others can write to it"}
	}
	return nil
}

// makeFolder makes the folder of a socket, and checks it.
func makeFolder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("making the folder of the agent's socket: %w", err)
	}
	return checkFolder(path)
}
