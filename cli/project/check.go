package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/cli/ui"
)

// Check refuses a project folder that others can use against the user. It must be the user's own: in a working folder
// such as /tmp anybody can make one. Neither it nor anything in it may be a symbolic link: a folder that was cloned or
// unpacked could otherwise have a log written over any file of the user, or one of the user's own keys used. A folder
// that is not there is fine.
func Check() error {
	info, err := os.Lstat(Folder())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at the project folder: %w", err)
	}
	if info.IsDir() && !ownFolder(Folder()) {
		return ui.Hinted(fmt.Errorf("the project folder %q belongs to another user", Folder()),
			"work in a folder of your own, or remove it")
	}
	err = filepath.WalkDir(Folder(), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a network that runs replaces its files
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking at the project folder: %w", err)
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			return ui.Hinted(fmt.Errorf("%q is a symbolic link, and kedge follows none in a project folder", path),
				"remove it; kedge network start --state-dir keeps the state of a network elsewhere")
		}
		if kind := entry.Type() &^ fs.ModeDir; kind != 0 { // to read a pipe may take for ever
			return ui.Hinted(fmt.Errorf("%q is neither a file nor a folder, and kedge makes no other things in a project folder", path), "remove it")
		}
		return nil
	})
	return err
}
