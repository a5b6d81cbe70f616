package help

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli/project"
	"kedge/internal/clients"
)

// The words of kedge help are those of the page, each once, with the page's text. The page is read here by
// other means than in the program.
func TestWordsAreThoseOfThePage(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(clients.Root(), "docs", "glossary.md"))
	require.NoError(t, err)
	page := string(data)
	terms := regexp.MustCompile(`(?m)^- \*\*(.+?)\*\*`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(terms), 30)
	words := Glossary()
	require.Len(t, words, len(terms))
	bare := strings.NewReplacer("*", "", "`", "", "\n", " ")
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	rest := squeeze(bare.Replace(regexp.MustCompile(`\]\([^)]*\)|\[`).ReplaceAllString(page, "")))
	text := squeeze(wordsText(words))
	seen := map[string]bool{}
	for i, w := range words {
		require.Equal(t, terms[i][1], w.Term)
		require.False(t, seen[strings.ToLower(w.Term)], "%s is defined twice", w.Term)
		seen[strings.ToLower(w.Term)] = true
		require.Contains(t, page, "\n## "+w.Section+"\n")
		require.NotEmpty(t, w.Definition)
		require.Contains(t, rest, w.Definition)
		require.Contains(t, text, w.Definition)
	}
}

func TestParseGlossary(t *testing.T) {
	words := parseGlossary("# Title\n\nText.\n\n## One\n\n- **A b**: first [page](p.md)\n  and *more* of `it`.\n- **C** (d): e.\n\nNot this.\n  Nor this.\n\n## Two\n- **F**: g\n")
	require.Equal(t, []Word{
		{"A b", "first page and more of it.", "One"}, {"C", "(d): e.", "One"}, {"F", "g", "Two"},
	}, words)
	require.Empty(t, parseGlossary(""))
}

func TestHelpFitsATerminal(t *testing.T) {
	for _, topic := range Topics() {
		for line := range strings.SplitSeq(topic.Text, "\n") {
			require.LessOrEqual(t, len([]rune(line)), textWidth, "topic %s: %q", topic.Name, line)
		}
	}
}

func TestWrap(t *testing.T) {
	require.Equal(t, "  a b\n  c\n", wrap("a b c", "  ", 5))
	require.Equal(t, "  abcdef\n  g\n", wrap("abcdef g", "  ", 5), "a word that is too long has a line of its own")
	require.Equal(t, "  \n", wrap("", "  ", 5))
	require.Equal(t, "ää ää\n", wrap("ää ää", "", 5), "letters count, not bytes")
}

// The topic on the environment has every variable that the program reads, and no other.
func TestEnvironmentIsWhatIsRead(t *testing.T) {
	read := map[string]bool{}
	use := regexp.MustCompile(`(?:Getenv|LookupEnv|Setting|Value)\([^)]*?"((?:KEDGE_)[A-Z_]+|BROWSER|TERM|NO_COLOR|COLUMNS|LC_ALL|LANG)"`)
	require.NoError(t, filepath.WalkDir(filepath.Join(clients.Root(), "cli"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range use.FindAllStringSubmatch(string(text), -1) {
			read[m[1]] = true
		}
		return err
	}))
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  ([A-Z_]{4,})(?:  +|$)`).FindAllStringSubmatch(environmentText, -1) {
		documented[m[1]] = true
	}
	require.Contains(t, environmentText, "\n  LC_ALL, LC_CTYPE, LANG\n")
	require.Equal(t, read, documented, "environmentText in cli/help/topics.go lists the variables that cli reads")
	require.Contains(t, documented, "KEDGE_PASSPHRASE_FILE")
}

func TestFilesAreThoseOfTheProject(t *testing.T) {
	for _, path := range []string{project.CanistersPath(), project.NetworkPath(), project.Folder() + "/sessions", project.Folder() + "/deployer.pem", project.Folder() + "/config.json"} {
		path, err := filepath.Rel(project.Root(), path)
		require.NoError(t, err)
		require.Contains(t, filesText, "  "+filepath.ToSlash(path)+" ")
	}
}

func TestFind(t *testing.T) {
	topic, ok := Find("Exit-Codes")
	require.True(t, ok)
	require.Contains(t, topic.Text, "130")
	_, ok = Find("bogus")
	require.False(t, ok)
}
