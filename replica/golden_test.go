package replica_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
)

// unpack unpacks an archive of a state directory.
func unpack(t *testing.T, name string) string {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	require.NoError(t, err)
	dir := t.TempDir()
	for archive := tar.NewReader(plain); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		require.NoError(t, err)
		if head.FileInfo().IsDir() {
			continue
		}
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(head.Name)), content, 0o600))
	}
}

// The state of a network that was ended by an earlier version opens, with all that it held. The archive was made
// once, on 2026-11-27, by a network with two canisters of testdata/scenario.wat, and is not made again.
func TestStateOfAnEarlierVersionOpens(t *testing.T) {
	w := newWorld(t, replica.WithTime(time.Unix(1_800_000_000, 0)), replica.WithState(unpack(t, "ended-2026-11.tar.gz")))
	a, err := principal.Parse("bnz7o-iuaaa-aaaaa-qaaaa-cai")
	require.NoError(t, err)
	b, err := principal.Parse("bkyz2-fmaaa-aaaaa-qaaaq-cai")
	require.NoError(t, err)
	require.Equal(t, "0500000000000000"+"0000000000000000"+"0000000000000000", hex.EncodeToString(w.ask(a, "get", nil)))
	require.Equal(t, alice.Bytes(), w.call(b, "whoami", nil))
	require.NoError(t, w.Advance(ctx, time.Hour))
	require.EqualValues(t, 1, w.numbers(b)[1], "the timer was set")
	status, err := w.Status(ctx, a)
	require.NoError(t, err)
	require.Equal(t, []principal.Principal{owner}, status.Settings.Controllers)
}
