package fileio

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriteFileReplacesTheWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("a longer old text"), 0o644))
	require.NoError(t, WriteFile(path, []byte("new"), 0o600))

	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestReplaceLeavesTheOldFileWhenWritingFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	full := errors.New("no space left on device")
	err := Replace(path, 0o600, func(w io.Writer) error {
		_, err := w.Write([]byte("half"))
		require.NoError(t, err)
		return full
	})
	require.ErrorIs(t, err, full)

	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "something was left beside the file")
}

func TestWriteFileNamesAMissingFolder(t *testing.T) {
	err := WriteFile(filepath.Join(t.TempDir(), "none", "file"), nil, 0o600)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestLockIsHeldOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := LockFile(path)
	require.NoError(t, err)
	_, locked, err := TryLockFile(path)
	require.NoError(t, err)
	require.False(t, locked)

	require.NoError(t, first.Unlock())
	again, locked, err := TryLockFile(path)
	require.NoError(t, err)
	require.True(t, locked)
	require.NoError(t, again.Unlock())
}
