package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kedge/internal/fileio"
)

// secrets are what must never get into a repository, as lines of .gitignore: the key that deploys, and sessions.
var secrets = []string{"/deployer.pem", "/sessions/"}

// public are the names in the project folder that a project may well keep in git.
var public = []string{".gitignore", "canisters.json", "config.json"}

// ignoreFile has git ignore what is in the project folder. A file .gitignore that is there already stays as it is,
// unless it may let a secret through: somebody else may have written it, and a cloned folder must not have the next
// commit publish a session. Then the secrets are named at its end, where nothing takes them back.
func ignoreFile() error {
	path := filepath.Join(Folder(), ".gitignore")
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = []byte("*\n")
	case err != nil:
		return fmt.Errorf("reading what git ignores: %w", err)
	case ignoresSecrets(string(text)):
		return nil
	default:
		if len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		text = append(text, "# Secrets, added by kedge.\n"+strings.Join(secrets, "\n")+"\n"...)
	}
	if err := fileio.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("having git ignore the project folder: %w", err)
	}
	return nil
}

// ignoresSecrets reports whether a .gitignore certainly keeps every secret out. The last line that matches a name
// decides (gitignore(5)); a line that takes names back, other than one of the public files, is taken to match.
func ignoresSecrets(text string) bool {
	ignored := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), " ") // as git does: one return, then blanks
		back, takesBack := strings.CutPrefix(line, "!")
		switch {
		case takesBack && !slices.Contains(public, strings.TrimPrefix(back, "/")):
			clear(ignored)
		case line == "*":
			for _, s := range secrets {
				ignored[s] = true
			}
		case slices.Contains(secrets, line):
			ignored[line] = true
		}
	}
	return len(ignored) == len(secrets)
}
