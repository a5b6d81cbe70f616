package keyagent

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"kedge/device"
)

// longestSocket is the longest path of a socket in bytes, everywhere (unix(7) on Linux: 107).
const longestSocket = 103

// SocketPath returns where the agent for a store listens: one socket for each store, in a folder of the user's own
// below runtimeDir, which is XDG_RUNTIME_DIR, or below the folder for temporary files where that is empty.
func SocketPath(runtimeDir, store string) (string, error) {
	store, err := device.RealPath(store)
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
