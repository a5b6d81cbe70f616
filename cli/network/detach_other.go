//go:build !unix

package network

import "syscall"

// detached lets a process outlive the terminal that it was started from, which needs nothing here.
func detached() *syscall.SysProcAttr { return nil }
