// Package journal keeps the state of a network in a directory, so that it survives the death of the process
// at any instant: a checkpoint, and a log of what happened after it.
//
//	lock             held while the directory is open
//	checkpoint-<n>   the state at the beginning of generation n; there is none of generation 0
//	log-<n>          what happened in generation n, a record for each round
//	count-<n>        how many records of log-<n> were acknowledged, as u64, little-endian
//
// A checkpoint is written to a new file, synced, and renamed; then a new generation begins and the old files go.
// So the newest checkpoint and the log of its generation are always the whole truth. The count tells a log whose end
// was never acknowledged from one that has lost records.
package journal

import (
	"encoding/binary"
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
	count      *os.File
	generation uint64
	used       bool // a network had the directory before
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
	_, statErr := os.Stat(filepath.Join(path, "lock"))
	d := &Dir{path: path, sync: sync, used: statErr == nil}
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
	if len(generations) == 0 && len(logs) == 0 && d.used {
		return nil, fmt.Errorf("%s belonged to a network, but has neither its first log nor a checkpoint: files are missing; "+
			"put them back, or remove the directory to begin with an empty network", d.path)
	}
	d.log, r.Records, r.Dropped, err = openLog(d.file("log-"), d.generation)
	if err != nil {
		return nil, err
	}
	if err := d.openCount(len(r.Records)); err != nil {
		return nil, err
	}
	return r, d.removeOld()
}

// openCount opens the count of acknowledged records, and compares it with those that are there.
func (d *Dir) openCount(found int) (err error) {
	path := d.file("count-")
	if d.count, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return fmt.Errorf("open the count of records: %w", err)
	}
	var raw [8]byte
	if n, err := d.count.ReadAt(raw[:], 0); n == len(raw) && (err == nil || errors.Is(err, io.EOF)) {
		if acknowledged := binary.LittleEndian.Uint64(raw[:]); acknowledged > uint64(found) {
			return &DamageError{d.file("log-"), 0, fmt.Sprintf("it has %d of the %d records that were acknowledged; "+
				"put the whole file back, or remove %s to go on without the others", found, acknowledged, filepath.Base(path))}
		}
	}
	return d.writeCount()
}

// writeCount notes that all records of the log are acknowledged.
func (d *Dir) writeCount() error {
	if _, err := d.count.WriteAt(binary.LittleEndian.AppendUint64(nil, d.log.next), 0); err != nil {
		return fmt.Errorf("write the count of records: %w", err)
	}
	return nil
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
func (d *Dir) Append(record []byte) error {
	if err := d.log.append(record, d.sync); err != nil {
		return err
	}
	return d.writeCount()
}

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
	return errors.Join(d.openCount(0), fileio.SyncDir(d.path), old.log.close(), old.count.Close(), d.removeOld())
}

// removeOld removes the files of older generations.
func (d *Dir) removeOld() error {
	var errs []error
	for _, prefix := range []string{"checkpoint-", "log-", "count-"} {
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
	if d.count != nil {
		err = errors.Join(err, d.count.Close())
	}
	return errors.Join(err, d.lock.Unlock())
}
