//go:build unix

package project

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// In a working folder that everybody can write to, such as /tmp, another user may have made the project folder.
func TestProjectFolderOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a folder to another user")
	}
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir(folderName, 0o755))
	require.NoError(t, os.Chown(folderName, 12345, 12345))
	require.ErrorContains(t, Check(), "another user")
	require.ErrorContains(t, Make(), "another user")
}
