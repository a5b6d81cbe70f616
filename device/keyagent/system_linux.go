package keyagent

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Supported says whether this system has what an agent needs.
func Supported() error { return nil }

// Harden makes the process hard to look into, before it has any secret: no core dumps, no debugger of the same user
// (prctl(2), PR_SET_DUMPABLE), files that it makes for nobody else. Its memory is kept out of swap space where the
// system lets it; locked says whether that is so.
func Harden() (locked bool, err error) {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return false, fmt.Errorf("shutting debuggers out: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return false, fmt.Errorf("switching core dumps off: %w", err)
	}
	syscall.Umask(0o077)
	// Under a limit, a lock on all memory to come would make an allocation fail, which ends a Go program. So it is
	// taken only where there is none.
	limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) != nil {
		if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil || limit.Cur != unix.RLIM_INFINITY {
			return false, nil
		}
	}
	return unix.Mlockall(unix.MCL_CURRENT|unix.MCL_FUTURE|unix.MCL_ONFAULT) == nil, nil
}

// changed is when a file's inode changed last, which no program can set.
func changed(info os.FileInfo) time.Time {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(int64(s.Ctim.Sec), int64(s.Ctim.Nsec))
	}
	return time.Time{}
}
