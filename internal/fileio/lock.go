package fileio

import (
	"fmt"
	"io/fs"

	"github.com/gofrs/flock"
)

// lockMode is the mode of lock files: they stand beside secrets, and nobody else needs to see them.
const lockMode fs.FileMode = 0o600

// A Lock is an exclusive lock on a file between processes. The system gives it back when the process
// ends, however it ends; the file stays.
type Lock struct{ file *flock.Flock }

// LockFile waits for the lock on the file at path, which it makes if there is none.
func LockFile(path string) (*Lock, error) {
	l := &Lock{flock.New(path, flock.SetPermissions(lockMode))}
	if err := l.file.Lock(); err != nil {
		return nil, fmt.Errorf("lock %q: %w", path, err)
	}
	return l, nil
}

// TryLockFile takes the lock on the file at path if nobody has it, and says whether it did.
func TryLockFile(path string) (l *Lock, locked bool, err error) {
	l = &Lock{flock.New(path, flock.SetPermissions(lockMode))}
	locked, err = l.file.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("lock %q: %w", path, err)
	}
	if !locked {
		return nil, false, nil
	}
	return l, true, nil
}

// Unlock gives the lock back.
func (l *Lock) Unlock() error { return l.file.Unlock() }
