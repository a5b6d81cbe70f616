package classic

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
)

// differencesFile is where the table is published.
const differencesFile = "../../docs/differences.md"

var write = flag.Bool("write", false, "write docs/differences.md from the table")

// The file is the table.
func TestDifferencesFile(t *testing.T) {
	if *write {
		require.NoError(t, os.WriteFile(differencesFile, []byte(Markdown()), 0o644))
	}
	text, err := os.ReadFile(differencesFile)
	require.NoError(t, err)
	require.Equal(t, Markdown(), string(text), "run: go test ./tests/classic -run TestDifferencesFile -write")
}

// Every line names methods that are there, and a test that is there.
func TestDifferencesAreShown(t *testing.T) {
	var tests string
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		tests += string(text)
	}
	known := map[string]bool{"(upgrade)": true}
	for _, m := range kedge.Methods {
		known[m.Name] = true
	}
	for _, name := range absent {
		require.False(t, known[name], "%s is not absent", name)
		known[name] = true
	}
	for _, d := range Differences {
		for _, method := range d.Methods {
			require.True(t, known[method], method)
		}
		inCode := `"` + d.Test + `"`
		if len(d.Test) > 4 && d.Test[:4] == "Test" {
			inCode = "func " + d.Test + "("
		}
		require.Contains(t, tests, inCode, "no such test")
	}
}
