package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"kedge/internal/fileio"
)

// A checkpoint file:
//
//	"kedgestate"  10 bytes
//	content
//	SHA-256       of all before it

const checkpointMagic = "kedgestate"

// writeCheckpoint writes a checkpoint so that there is the whole file or none.
func writeCheckpoint(path string, write func(io.Writer) error) error {
	err := fileio.Replace(path, 0o600, func(file io.Writer) error {
		buffered, hash := bufio.NewWriterSize(file, 1<<20), sha256.New()
		both := io.MultiWriter(buffered, hash)
		if _, err := io.WriteString(both, checkpointMagic); err != nil {
			return err
		}
		if err := write(both); err != nil {
			return err
		}
		if _, err := buffered.Write(hash.Sum(nil)); err != nil {
			return err
		}
		return buffered.Flush()
	})
	if err != nil {
		return fmt.Errorf("write a checkpoint: %w", err)
	}
	return nil
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
