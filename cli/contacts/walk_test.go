//go:build unix

package contacts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A thief names his device. Whoever copies the command that removes it into a shell that knows no comments (zsh, where
// a person types) does nothing else by it.
func TestANameIsNoCommand(t *testing.T) {
	dir := t.TempDir()
	for _, alias := range []string{"phone", "x; touch made", "x\ntouch made", "$(touch made)", "`touch made`", "a' ; touch made; '", "x | touch made", "x > made", "\\"} {
		line := removal([]byte("key"), "--anchor 10000 --as mine", alias)
		require.Equal(t, 1, strings.Count(line, "#"), alias)
		run := exec.Command("sh", "-c", "kedge() { :; }; "+strings.Replace(line, "#", "", 1))
		run.Dir = dir
		out, err := run.CombinedOutput()
		require.NoError(t, err, "%s: %s", line, out)
		_, err = os.Stat(filepath.Join(dir, "made"))
		require.ErrorIs(t, err, os.ErrNotExist, line)
	}
	require.True(t, strings.HasSuffix(removal([]byte("key"), "--as mine", "phone"), "   # phone, unless it is in your hands"))
}
