package fileio

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile puts data into the file at path in one step. The file has the given mode from the start, so
// that a secret is never readable for a moment.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	return Replace(path, mode, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
}

// Replace puts what write writes into the file at path in one step: synced, renamed, and the folder
// synced. If write or anything after it fails, the file at path stays what it was and nothing is left
// beside it.
func Replace(path string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := newPending(path, mode)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes renames and new files in the folder at path last. Some file systems refuse to sync a folder; what happened in it has happened
// then.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = dir.Sync()
	return dir.Close()
}
