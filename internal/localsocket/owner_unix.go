//go:build unix

package localsocket

import (
	"os"
	"syscall"
)

func owner(info os.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}
