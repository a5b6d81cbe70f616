package localsocket

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A path is one process's until it gives it back, whether it listens yet or not, and whatever socket was left there.
func TestClaim(t *testing.T) {
	dir, err := os.MkdirTemp("", "kedge")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "made", "below", "socket")
	first, err := NewClaim(path)
	require.NoError(t, err)
	info, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	_, err = NewClaim(path)
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, path)

	listener, err := first.Listen()
	require.NoError(t, err)
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.ModeSocket|0o600, info.Mode())
	_, err = NewClaim(path)
	require.ErrorIs(t, err, ErrInUse)
	conn, err := net.Dial("unix", path)
	require.NoError(t, err)
	server, err := listener.AcceptUnix()
	require.NoError(t, err)
	uid, err := PeerUID(server)
	require.NoError(t, err)
	require.Equal(t, os.Getuid(), uid)
	require.NoError(t, conn.Close())
	require.NoError(t, server.Close())

	listener.SetUnlinkOnClose(false) // as if it were killed
	require.NoError(t, listener.Close())
	require.NoError(t, first.Release())
	second, err := NewClaim(path)
	require.NoError(t, err)
	listener, err = second.Listen()
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	require.NoFileExists(t, path)

	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err = second.Listen()
	require.ErrorContains(t, err, "is there and is no socket")
	require.NoError(t, second.Release())
}

func TestFolders(t *testing.T) {
	above := t.TempDir()
	folder := filepath.Join(above, "folder")
	require.ErrorIs(t, CheckFolder(folder), os.ErrNotExist)
	require.NoError(t, os.Mkdir(folder, 0o700))
	require.NoError(t, CheckFolder(folder))
	var refused *FolderError
	for mode, want := range map[os.FileMode]string{0o710: "it has mode 0710", 0o701: "it has mode 0701", 0o755: "chmod 700"} {
		require.NoError(t, os.Chmod(folder, mode))
		require.ErrorAs(t, CheckFolder(folder), &refused)
		require.Equal(t, folder, refused.Path)
		require.Contains(t, refused.Why, want)
	}
	require.NoError(t, os.Chmod(folder, 0o700))
	for mode, want := range map[os.FileMode]string{0o770: "others can write to it", 0o702: "others can write to it", os.ModeSticky | 0o777: ""} {
		require.NoError(t, os.Chmod(above, mode))
		if err := CheckFolder(folder); want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorAs(t, err, &refused)
			require.Equal(t, above, refused.Path)
		}
	}
	require.NoError(t, os.Chmod(above, 0o700))
	link := filepath.Join(above, "link")
	require.NoError(t, os.Symlink(folder, link))
	require.ErrorContains(t, CheckFolder(link), "it is a symbolic link")
	require.NoError(t, os.WriteFile(filepath.Join(above, "file"), nil, 0o600))
	_, err := NewClaim(filepath.Join(above, "file", "socket"))
	require.ErrorContains(t, err, "it is no folder")
}
