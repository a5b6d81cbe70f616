package fileio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// pending is what renameio offers on other systems.
type pending struct {
	*os.File
	path string
}

func newPending(path string, mode fs.FileMode) (*pending, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	return &pending{f, path}, f.Chmod(mode)
}

func (p *pending) CloseAtomicallyReplace() error {
	return errors.Join(p.Sync(), p.Close(), os.Rename(p.Name(), p.path))
}

func (p *pending) Cleanup() error {
	_ = p.Close()
	return os.Remove(p.Name())
}
