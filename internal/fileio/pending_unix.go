//go:build !windows

package fileio

import (
	"io/fs"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// newPending begins a file beside path. The temporary file must be on path's file system, or the rename
// would be a copy.
func newPending(path string, mode fs.FileMode) (*renameio.PendingFile, error) {
	return renameio.NewPendingFile(path,
		renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(mode))
}
