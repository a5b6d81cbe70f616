//go:build !unix

package session

import "syscall"

func detached() *syscall.SysProcAttr { return nil }
