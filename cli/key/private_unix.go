//go:build unix

package key

import "syscall"

// makePrivate has everything that this process makes from now on be its user's alone, sockets included, which
// would else be anybody's until their mode is changed.
func makePrivate() { syscall.Umask(0o077) }
