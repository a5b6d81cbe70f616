package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A checkpoint file:
//
//	"kedgestate"  10 bytes
//	content
//	SHA-256       of all before it

const checkpointMagic = "kedgestate"

// writeCheckpoint writes a checkpoint so that there is the whole file or none.
func writeCheckpoint(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return fmt.Errorf("make a checkpoint: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	buffered, hash := bufio.NewWriterSize(file, 1<<20), sha256.New()
	both := io.MultiWriter(buffered, hash)
	if _, err := io.WriteString(both, checkpointMagic); err != nil {
		return fmt.Errorf("begin a checkpoint: %w", err)
	}
	if err := write(both); err != nil {
		return fmt.Errorf("write a checkpoint: %w", err)
	}
	if _, err := buffered.Write(hash.Sum(nil)); err != nil {
		return fmt.Errorf("end a checkpoint: %w", err)
	}
	if err := errors.Join(buffered.Flush(), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("finish a checkpoint: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("put a checkpoint in its place: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// readCheckpoint returns the content of a checkpoint.
func readCheckpoint(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	body := len(raw) - sha256.Size
	if body < len(checkpointMagic) || !bytes.HasPrefix(raw, []byte(checkpointMagic)) {
		return nil, &DamageError{path, 0, "it does not begin as a checkpoint"}
	}
	if sum := sha256.Sum256(raw[:body]); !bytes.Equal(sum[:], raw[body:]) {
		return nil, &DamageError{path, int64(body), "the checkpoint has the wrong checksum"}
	}
	return raw[len(checkpointMagic):body], nil
}

// syncDir makes renames in a directory last.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync the state directory: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
