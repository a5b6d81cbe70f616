package ui_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli/ui"
)

const published = "legal winner thank year wave sausage worth useful legal winner thank yellow" // BIP-39's own test vector

func TestRedact(t *testing.T) {
	words := strings.Fields(published)
	for _, separator := range []string{" ", "\n", ",", "\", \"", "  \t", "-", ";", " 7. ", "_", "…"} {
		phrase := strings.Join(words, separator)
		for _, text := range []string{phrase, strings.ToUpper(phrase), `no device "` + phrase + `" in the key store`, "reading: open " + phrase + ": no such file or directory"} {
			got := strings.ToLower(ui.Redact(text))
			for _, w := range words {
				require.NotContains(t, got, w, "%q", text)
			}
			require.Contains(t, got, "[words of a recovery phrase]")
		}
	}
	require.NotContains(t, ui.Redact("lega winn than year wave saus wort usef"), "winn")
	typos := ui.Redact("legal winer thank year wave sausage worht useful legal winner thank yellow")
	require.NotContains(t, typos, "legal")
	require.NotContains(t, typos, "winer")
	require.NotContains(t, typos, "yellow")
	for _, plain := range []string{
		"", "unknown flag: --nope", "only the protected device itself may do that; for a recovery phrase add --as phrase",
		"kedge device add phone", `device "laptop" belongs to anchor 10000 now, but the key store could not note it: disk full`,
		"this device is not one of the anchor's; --as names another signer, kedge anchor show lists the devices",
	} {
		require.Equal(t, plain, ui.Redact(plain))
	}
}

// No sentence of the command line, or of the rules that it passes on, is taken for a phrase.
func TestRedactLeavesOurOwnSentencesAlone(t *testing.T) {
	for _, root := range []string{"..", "../../canister", "../../device", "../../migrations"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && !strings.Contains(text.Value, "\n") { // help and examples have more lines
					require.Equal(t, text.Value, ui.Redact(text.Value), path)
				}
				return true
			})
			return nil
		}))
	}
}

func TestNoMessageHasAPhraseInIt(t *testing.T) {
	var out bytes.Buffer
	u := &ui.UI{System: ui.System{Stderr: &out}}
	u.Fail(ui.Failure{Message: "x: " + published, Hint: published})
	u.Note("%s", published)
	u.Warn("%q", published)
	require.NotContains(t, out.String(), "winner")
	require.Equal(t, 4, strings.Count(out.String(), "kedge: "))
}
