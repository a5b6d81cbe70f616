package project

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A project that was cloned cannot have files written through symbolic links.
func TestLinksInAProjectFolder(t *testing.T) {
	for _, name := range []string{"network.lock", "network.log", "deployer.pem", "network.json", "config.json", "network/log-1", "sessions/x.json"} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			mine := filepath.Join(t.TempDir(), "mine")
			require.NoError(t, os.WriteFile(mine, []byte("mine"), 0o600))
			path := filepath.Join(folderName, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.Symlink(mine, path))

			require.ErrorContains(t, Check(), "symbolic link")
			_, _, err := HoldNetwork()
			require.ErrorContains(t, err, "symbolic link")
			got, err := os.ReadFile(mine)
			require.NoError(t, err)
			require.Equal(t, "mine", string(got))
		})
	}
}

func TestALinkIsNoProjectFolder(t *testing.T) {
	for name, target := range map[string]string{"to a folder": t.TempDir(), "to nothing": filepath.Join(t.TempDir(), "none")} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			require.NoError(t, os.Symlink(target, folderName))
			require.ErrorContains(t, Check(), "symbolic link")
			require.ErrorContains(t, Make(), "symbolic link")
		})
	}
}

func TestProjectFolderOfTheUser(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, Check())
	require.NoError(t, Make())
	require.NoError(t, os.MkdirAll(filepath.Join(folderName, "network"), 0o700))
	require.NoError(t, Check())
}
