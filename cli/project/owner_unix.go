//go:build unix

package project

import (
	"os"
	"syscall"
)

// ownFolder reports whether a folder belongs to the user of this process.
func ownFolder(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
