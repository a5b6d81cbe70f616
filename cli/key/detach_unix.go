//go:build unix

package key

import (
	"os"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

// detached lets a process outlive the terminal that it was started from, in no folder that anybody would miss.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// letGo gives standard input, output and error back, and the memory that opening the store took.
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
