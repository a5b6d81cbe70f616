package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keyWithSeed makes a key store with a security key on it.
func keyWithSeed(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase\n"), 0o600))
	env := map[string]string{"KEDGE_KEYS": filepath.Join(dir, "keys.age"), "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase")}
	code, _, stderr := run(t, nil, env, "key", "init", "laptop")
	require.Zero(t, code, stderr)
	return env
}

var numberedWord = regexp.MustCompile(`[ \n](\d+) ([a-z]{3,8}) `)

// sheetOnScreen returns the words that stand on the alternate screen, by their numbers.
func sheetOnScreen(s *screen) map[string]string {
	words := map[string]string{}
	for _, m := range numberedWord.FindAllStringSubmatch(s.text(), -1) {
		words[m[1]] = m[2]
	}
	return words
}

// The words of a key stand on the alternate screen alone, in a window of any size, and are read back
// without being shown.
func TestExportLeavesNoTrace(t *testing.T) {
	for _, window := range [][2]uint16{{24, 80}, {10, 20}} {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			s := openScreen(t, window[0], window[1])
			s.start(keyWithSeed(t), "key", "export", "laptop")
			for page := 1; ; page++ {
				next := fmt.Sprintf("page %d of", page)
				s.await(func() bool {
					return strings.Contains(s.text(), next) || strings.Contains(s.text(), "when you are done")
				})
				last := strings.Contains(s.text(), "when you are done")
				s.typeKeys("\r")
				if last {
					break
				}
			}
			words := sheetOnScreen(s)
			require.Len(t, words, 24)
			asked := regexp.MustCompile(`word (\d+), from the paper: `)
			for n := range 3 {
				s.await(func() bool { return len(asked.FindAllString(s.text(), -1)) > n })
				s.typeKeys(words[asked.FindAllStringSubmatch(s.text(), -1)[n][1]] + "\r")
			}
			code, output := s.wait()
			require.Zero(t, code, "%s\n%s", output, s)
			require.Contains(t, output, "the words are on paper; next, with the paper: kedge key check laptop")
			s.requireRestored()
			left := alternate.ReplaceAllString(s.text(), "")
			for number, w := range words {
				require.NotContains(t, left, number+" "+w)
				require.NotContains(t, output, number+" "+w)
			}
		})
	}
}

// Breaking off at a question leaves the terminal as it was; the key knows that its words were shown.
func TestExportInterrupted(t *testing.T) {
	env := keyWithSeed(t)
	s := openScreen(t, 24, 80)
	s.start(env, "key", "export", "laptop", "--shares")
	s.expect("share 1 of 5")
	s.typeKeys("\r")
	s.expect("from the paper: ")
	s.typeKeys("half\x03")
	code, output := s.wait()
	require.Equal(t, 130, code, output)
	s.requireRestored()
	s.requireNotShown("half")
	code, stdout, stderr := run(t, nil, env, "key", "status", "laptop", "--json")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `"state":"exported"`)
}

// Words that are pasted on several lines are taken whole and not shown.
func TestRestoreFromPastedWords(t *testing.T) {
	const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art"
	for name, keys := range map[string]string{
		"one line": words + "\r", "two lines": strings.Replace(words, "abandon abandon ", "abandon abandon\r", 1) + "\r",
		"a paste": "\x1b[200~" + strings.ReplaceAll(words, " ", "\n") + "\nrm -rf precious\n\x1b[201~",
	} {
		t.Run(name, func(t *testing.T) {
			env := keyWithSeed(t)
			s := openScreen(t, 24, 80)
			s.start(env, "key", "restore", "paper")
			s.expect("words of the seed")
			s.typeKeys(keys)
			code, output := s.wait()
			require.Zero(t, code, "%s\n%s", output, s)
			require.Contains(t, output, "security key paper has the seed ")
			s.requireRestored()
			s.requireNotShown("abandon")
		})
	}
}
