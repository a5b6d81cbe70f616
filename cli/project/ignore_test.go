package project

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever .gitignore a folder came with, git ignores the secrets once kedge has made something in it; one that keeps
// them out already, and one that has public files in the repository, stay as they are.
func TestGitIgnoresSecrets(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	run := func(args ...string) error {
		cmd := exec.Command(git, args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		return cmd.Run()
	}
	for name, c := range map[string]struct {
		there string
		kept  bool
	}{
		"none":                   {"", false},
		"kedge's own":            {"*\n", true},
		"without a line's end":   {"*", true},
		"public files":           {"*\n!.gitignore\n!config.json\r\n!/canisters.json\n", true},
		"public files, no end":   {"!/config.json\n*\n!config.json", true},
		"the secrets by name":    {"# mine\n/deployer.pem\n/sessions/\n", true},
		"nothing":                {"\n", false},
		"another name":           {"network\n", false},
		"a secret taken back":    {"*\n!deployer.pem\n", false},
		"all taken back":         {"*\n!*\n", false},
		"by a pattern":           {"*\n!**/*.pem\n", false},
		"one of the two":         {"/deployer.pem\n", false},
		"sessions taken back":    {"/deployer.pem\n/sessions/\n!/sessions/\n", false},
		"a comment and a blank":  {"# *\n*.log", false},
		"an escaped exclamation": {"\\!*\n", false},
		"blanks at the end":      {"*  \r\n", true},
		"names that end oddly":   {"*\r\r\n", false},
		"a return and a blank":   {"*\r \n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			require.NoError(t, run("init", "-q"))
			sessions := filepath.Join(folderName, "sessions")
			require.NoError(t, os.MkdirAll(sessions, 0o700))
			ignore := filepath.Join(folderName, ".gitignore")
			if c.there != "" {
				require.NoError(t, os.WriteFile(ignore, []byte(c.there), 0o644))
			}
			require.NoError(t, os.WriteFile(filepath.Join(sessions, ".gitignore"), []byte("!*\n"), 0o644), "planted, too")
			require.NoError(t, Make())
			text, err := os.ReadFile(ignore)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(string(text), c.there), "what was there stays")
			require.Equal(t, c.kept, string(text) == c.there)
			for _, secret := range []string{"deployer.pem", "sessions/app.example.pem", "sessions/app.example.json"} {
				require.NoError(t, run("check-ignore", "-q", filepath.Join(folderName, secret)), "%s with %q", secret, text)
			}
			require.NoError(t, Make())
			again, err := os.ReadFile(ignore)
			require.NoError(t, err)
			require.Equal(t, string(text), string(again), "once is enough")
		})
	}
}
