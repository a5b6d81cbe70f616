//go:build !unix

package device

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lockWait is how long a writer waits for another one.
const lockWait = 30 * time.Second

// lockFile makes the file at path, which nobody else can while it exists, and returns how to give
// the lock back.
func lockFile(path string) (unlock func(), err error) {
	for deadline := time.Now().Add(lockWait); ; time.Sleep(50 * time.Millisecond) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err == nil {
			return func() { _ = f.Close(); _ = os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%q exists: another kedge is writing, or one died; remove the file if none runs", path)
		}
	}
}
