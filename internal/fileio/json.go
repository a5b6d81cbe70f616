package fileio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// MaxJSON is how many bytes a file has at most that ReadJSON reads. Those that are written here are far shorter; one
// that somebody else put there must not fill memory.
const MaxJSON = 1 << 20

// DamagedError says that a file does not hold what it should.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// VersionError says that another version of the program wrote a file.
type VersionError struct {
	Path       string
	Have, Want int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has version %d, and this program reads version %d", e.Path, e.Have, e.Want)
}

// ReadJSON reads a file into value; there is false, and nothing read, where there is no file. The error is a
// [DamagedError] where the file is no JSON of the kind, or longer than [MaxJSON].
func ReadJSON(path string, value any) (there bool, err error) {
	data, err := readShort(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return false, &DamagedError{path, err}
	}
	return true, nil
}

// ReadVersioned is ReadJSON for a file that says its version in its member version. The error is a [VersionError]
// where that is another.
func ReadVersioned(path string, version int, value any) (there bool, err error) {
	var v struct {
		Version int `json:"version"`
	}
	if there, err := ReadJSON(path, &v); err != nil || !there {
		return there, err
	}
	if v.Version != version {
		return false, &VersionError{path, v.Version, version}
	}
	return ReadJSON(path, value)
}

func readShort(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, MaxJSON+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(data) > MaxJSON {
		return nil, &DamagedError{path, fmt.Errorf("it is longer than %d bytes", MaxJSON)}
	}
	return data, nil
}

// WriteJSON puts value into the file at path in one step, indented for people.
func WriteJSON(path string, value any, mode fs.FileMode) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	return WriteFile(path, append(data, '\n'), mode)
}
