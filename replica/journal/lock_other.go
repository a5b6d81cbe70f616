//go:build !unix

package journal

import "os"

// lock opens the file without a lock: the system has none that ends with the process.
func lock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}
