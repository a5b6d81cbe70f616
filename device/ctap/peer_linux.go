package ctap

import (
	"net"
	"syscall"
)

// peerUID returns the user id of the process at the other end.
func peerUID(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	uid := -1
	var failed error
	err = raw.Control(func(fd uintptr) {
		credentials, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		if err != nil {
			failed = err
			return
		}
		uid = int(credentials.Uid)
	})
	if err == nil {
		err = failed
	}
	return uid, err
}
