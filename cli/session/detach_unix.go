//go:build unix

package session

import "syscall"

// detached lets a process outlive the terminal that it was started from.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
