// Package journal keeps the state of a network in a directory, so that it survives the death of the process
// at any instant: a checkpoint, and a log of what happened after it.
//
//	lock             held while the directory is open
//	checkpoint-<n>   the state at the beginning of generation n; there is none of generation 0
//	log-<n>          what happened in generation n, a record for each round
//
// A checkpoint is written beside, synced, and renamed; then a new generation begins and the old files go.
// So the newest checkpoint and the log of its generation are always the whole truth.
package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kedge/internal/fileio"
)

// Dir is an open directory. It is for one goroutine at a time.
type Dir struct {
	path       string
	sync       bool
	lock       *fileio.Lock
	log        *logFile
	generation uint64
}

// Recovered is what a directory held when it was opened.
type Recovered struct {
	Checkpoint []byte   // nil if there is none
	Records    [][]byte // of the log, oldest first
	// Dropped is the number of bytes at the end of the log that were the beginning of a record: the process
	// died while it wrote them, so nothing of it was ever acknowledged.
	Dropped int64
}

// Open opens a directory, making it if need be, and returns what it holds. With sync every record is on
// the disk, not only with the operating system, when Append returns.
func Open(path string, sync bool) (*Dir, *Recovered, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the state directory: %w", err)
	}
	d := &Dir{path: path, sync: sync}
	lock, locked, err := fileio.TryLockFile(filepath.Join(path, "lock"))
	switch {
	case err != nil:
		return nil, nil, err
	case !locked:
		return nil, nil, fmt.Errorf("the state directory %q is in use by another network", path)
	}
	d.lock = lock
	recovered, err := d.recover()
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return d, recovered, nil
}

// recover reads the newest checkpoint and its log.
func (d *Dir) recover() (*Recovered, error) {
	generations, err := d.list("checkpoint-")
	if err != nil {
		return nil, err
	}
	r := &Recovered{}
	if len(generations) > 0 {
		d.generation = generations[len(generations)-1]
		if r.Checkpoint, err = readCheckpoint(d.file("checkpoint-")); err != nil {
			return nil, err
		}
	}
	logs, err := d.list("log-")
	if err != nil {
		return nil, err
	}
	if len(logs) > 0 && logs[len(logs)-1] > d.generation {
		return nil, fmt.Errorf("%s has the log of generation %d but not its checkpoint: files are missing", d.path, logs[len(logs)-1])
	}
	d.log, r.Records, r.Dropped, err = openLog(d.file("log-"), d.generation)
	if err != nil {
		return nil, err
	}
	return r, d.removeOld()
}

// list returns the generations of which there is a file with the prefix, in order.
func (d *Dir) list(prefix string) ([]uint64, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("read the state directory: %w", err)
	}
	var out []uint64
	for _, e := range entries {
		if number, ok := strings.CutPrefix(e.Name(), prefix); ok {
			if n, err := strconv.ParseUint(number, 10, 64); err == nil {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// file is the path of this generation's file with the prefix.
func (d *Dir) file(prefix string) string {
	return filepath.Join(d.path, prefix+strconv.FormatUint(d.generation, 10))
}

// Append adds a record to the log. When it returns, the record survives the death of the process.
func (d *Dir) Append(record []byte) error { return d.log.append(record, d.sync) }

// LogSize is the size of the log in bytes.
func (d *Dir) LogSize() int64 { return d.log.size }

// Checkpoint replaces checkpoint and log by a new checkpoint, which write writes.
func (d *Dir) Checkpoint(write func(io.Writer) error) error {
	old := *d
	d.generation++
	if err := writeCheckpoint(d.file("checkpoint-"), write); err != nil {
		d.generation--
		return err
	}
	fresh, _, _, err := openLog(d.file("log-"), d.generation)
	if err != nil {
		return fmt.Errorf("begin a new log: %w", err)
	}
	d.log = fresh
	return errors.Join(fileio.SyncDir(d.path), old.log.close(), d.removeOld())
}

// removeOld removes the files of older generations.
func (d *Dir) removeOld() error {
	var errs []error
	for _, prefix := range []string{"checkpoint-", "log-"} {
		generations, err := d.list(prefix)
		errs = append(errs, err)
		for _, g := range generations {
			if g < d.generation {
				errs = append(errs, os.Remove(filepath.Join(d.path, prefix+strconv.FormatUint(g, 10))))
			}
		}
	}
	return errors.Join(errs...)
}

// Close closes the directory.
func (d *Dir) Close() error {
	var err error
	if d.log != nil {
		err = d.log.close()
	}
	return errors.Join(err, d.lock.Unlock())
}
