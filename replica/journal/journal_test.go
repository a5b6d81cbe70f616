package journal_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica/journal"
)

func open(t *testing.T, dir string) (*journal.Dir, *journal.Recovered) {
	t.Helper()
	d, r, err := journal.Open(dir, false)
	require.NoError(t, err)
	return d, r
}

func texts(records [][]byte) (out []string) {
	for _, r := range records {
		out = append(out, string(r))
	}
	return out
}

func TestRecordsAndCheckpoints(t *testing.T) {
	dir := t.TempDir()
	d, r := open(t, dir)
	require.Nil(t, r.Checkpoint)
	require.Empty(t, r.Records)
	require.NoError(t, d.Append([]byte("one")))
	require.NoError(t, d.Append(nil))
	_, _, err := journal.Open(dir, false)
	require.ErrorContains(t, err, "in use by another network")
	require.NoError(t, d.Close())

	d, r = open(t, dir)
	require.Equal(t, []string{"one", ""}, texts(r.Records))
	require.NoError(t, d.Append([]byte("two")))
	failure := errors.New("no more")
	require.ErrorIs(t, d.Checkpoint(func(io.Writer) error { return failure }), failure)
	require.NoError(t, d.Append([]byte("three")), "a failed checkpoint changes nothing")
	require.NoError(t, d.Close())

	d, r = open(t, dir)
	require.Equal(t, []string{"one", "", "two", "three"}, texts(r.Records))
	require.NoError(t, d.Checkpoint(func(w io.Writer) error { _, err := io.WriteString(w, "state"); return err }))
	require.NoError(t, d.Append([]byte("four")))
	require.NoError(t, d.Close())

	d, r = open(t, dir)
	require.Equal(t, "state", string(r.Checkpoint))
	require.Equal(t, []string{"four"}, texts(r.Records))
	require.NoError(t, d.Close())
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, names, 4, "old generations and failed checkpoints are gone: %q", names)
}

// TestEveryPrefix cuts a log at every byte: what was complete is there, the rest is dropped and counted,
// and the log goes on.
func TestEveryPrefix(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	ends := []int64{d.LogSize()}
	for i := range 4 {
		require.NoError(t, d.Append([]byte(fmt.Sprintf("record %d", i))))
		ends = append(ends, d.LogSize())
	}
	require.NoError(t, d.Close())
	whole, err := os.ReadFile(filepath.Join(dir, "log-0"))
	require.NoError(t, err)
	for cut := 0; cut <= len(whole); cut++ {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "log-0"), whole[:cut], 0o600))
		acknowledged := int64(0) // the count that the process left: at most what is complete
		for acknowledged < 4 && ends[acknowledged+1] <= int64(cut) {
			acknowledged++
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "count-0"), binary.LittleEndian.AppendUint64(nil, uint64(acknowledged)), 0o600))
		complete := 0
		for complete < 4 && ends[complete+1] <= int64(cut) {
			complete++
		}
		d, r := open(t, dir)
		require.Len(t, r.Records, complete, "cut at %d", cut)
		if int64(cut) >= ends[0] {
			require.Equal(t, int64(cut)-ends[complete], r.Dropped)
		}
		require.NoError(t, d.Append([]byte("next")))
		require.NoError(t, d.Close())
		d, r = open(t, dir)
		require.Equal(t, "next", string(r.Records[complete]))
		require.NoError(t, d.Close())
	}
}

// TestEveryFlippedBit damages each byte of a log and of a checkpoint in turn: it is named, never read.
func TestEveryFlippedBit(t *testing.T) {
	for _, name := range []string{"log-1", "checkpoint-1"} {
		dir := t.TempDir()
		d, _ := open(t, dir)
		require.NoError(t, d.Checkpoint(func(w io.Writer) error { _, err := io.WriteString(w, "state"); return err }))
		require.NoError(t, d.Append([]byte("first record")))
		require.NoError(t, d.Append([]byte("second record")))
		require.NoError(t, d.Close())
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		for at := range whole {
			damaged := append([]byte(nil), whole...)
			damaged[at] ^= 0x10
			require.NoError(t, os.WriteFile(path, damaged, 0o600))
			_, _, err := journal.Open(dir, false)
			var damage *journal.DamageError
			require.ErrorAs(t, err, &damage, "byte %d of %s", at, name)
			require.Equal(t, path, damage.File)
		}
	}
}

// A log that lacks records that were acknowledged is damaged, wherever it is cut: also between two records.
func TestLostRecordsAreNoticed(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	var ends []int64
	for i := range 4 {
		require.NoError(t, d.Append([]byte(fmt.Sprintf("record %d", i))))
		ends = append(ends, d.LogSize())
	}
	require.NoError(t, d.Close())
	path := filepath.Join(dir, "log-0")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := range whole {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		_, _, err := journal.Open(dir, false)
		var damage *journal.DamageError
		require.ErrorAs(t, err, &damage, "cut at %d", cut)
		require.ErrorContains(t, err, "of the 4 records that were acknowledged")
	}
	require.NoError(t, os.WriteFile(path, append(whole[:ends[0]:ends[0]], whole[ends[1]:]...), 0o600))
	_, _, err = journal.Open(dir, false)
	require.ErrorContains(t, err, "record 2 stands where record 1 belongs")
}

// A directory whose first log is gone is not an empty network.
func TestMissingFirstLog(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	require.NoError(t, d.Append([]byte("one")))
	require.NoError(t, d.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "log-0")))
	for range 2 { // asking changes nothing
		_, _, err := journal.Open(dir, false)
		require.ErrorContains(t, err, "files are missing")
	}
}

func TestMissingCheckpoint(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	require.NoError(t, d.Checkpoint(func(io.Writer) error { return nil }))
	require.NoError(t, d.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "checkpoint-1")))
	_, _, err := journal.Open(dir, false)
	require.ErrorContains(t, err, "files are missing")
}
