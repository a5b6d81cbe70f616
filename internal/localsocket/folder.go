package localsocket

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// FolderError says that the folder of a socket cannot be trusted.
type FolderError struct{ Path, Why string }

func (e *FolderError) Error() string {
	return fmt.Sprintf("the folder %q cannot hold a socket: %s", e.Path, e.Why)
}

// CheckFolder says whether nobody else can reach what is in the folder of a socket, or put a socket of his own
// there: it is a folder and no link, the user's own, closed to others, and so is what is above it, or at least
// nobody else can rename what is in it. The error is a [FolderError], or wraps [os.ErrNotExist].
func CheckFolder(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		return &FolderError{path, "it is a symbolic link"}
	case !info.IsDir():
		return &FolderError{path, "it is no folder"}
	case info.Mode().Perm()&0o077 != 0:
		return &FolderError{path, fmt.Sprintf("it has mode %#o, and has to have 0700 (chmod 700)", info.Mode().Perm())}
	case owner(info) != os.Getuid():
		return &FolderError{path, "it is another user's"}
	}
	above := filepath.Dir(path)
	info, err = os.Stat(above)
	if err != nil {
		return err
	}
	switch by := owner(info); {
	case by != os.Getuid() && by != 0:
		return &FolderError{above, "it is another user's"}
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0:
		return &FolderError{above, "others can write to it (chmod go-w)"}
	}
	return nil
}

// makeFolder makes the folder of a socket, with those above it, and checks it.
func makeFolder(path string) error {
	if err := CheckFolder(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("making the folder of the socket: %w", err)
	}
	return CheckFolder(path)
}
