package device

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A disk that is full in the middle of writing, for which the limit on a file's size stands in: the store
// stays as it was, also one of version 1 that would have been converted, and nothing is left beside it.
func TestStoreOnAFullDisk(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", "keys-v1.age"))
	require.NoError(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.age")
	require.NoError(t, os.WriteFile(path, old, 0o600))
	s := testStore(t, path, "kedge test store")
	_, err = s.Load()
	require.NoError(t, err)

	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	for _, room := range []uint64{0, 1, 100, uint64(len(old))} {
		full := limit
		full.Cur = room
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
		err = s.Change(func(k *Keys) error {
			_, err := k.AddKey("new", phraseRoot(t, allWords), testTime)
			return err
		})
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
		require.ErrorContains(t, err, "writing the key store, which is as it was: ")
		require.ErrorIs(t, err, syscall.EFBIG)

		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, old, now)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 2, "the store and its lock")
	}
	keys, err := s.Load()
	require.NoError(t, err)
	require.Len(t, keys.SecurityKeys(), 1, "the failed change is not remembered either")
}
