//go:build unix

package key

import (
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// letGo leaves the folder, which somebody may want to remove, and gives standard input, output and error back, and the memory that opening the store took.
func letGo() {
	_ = os.Chdir("/")
	if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
		for fd := range 3 {
			_ = unix.Dup2(int(null.Fd()), fd)
		}
		_ = null.Close()
	}
	debug.FreeOSMemory()
}
