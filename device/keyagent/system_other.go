//go:build !linux

package keyagent

import (
	"errors"
	"os"
	"time"
)

var errSystem = errors.New("there is no agent on this system yet, only on Linux: the passphrase is asked for each time")

// Supported says whether this system has what an agent needs.
func Supported() error { return errSystem }

// Harden refuses: what an agent needs is known on Linux only.
func Harden() (locked bool, err error) { return false, errSystem }

func changed(info os.FileInfo) time.Time { return info.ModTime() }
