package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every change that a list names can be made: one that cannot would make the command fail after a long run.
func TestListsNameWhatIsThere(t *testing.T) {
	there := map[string]bool{}
	for _, dir := range packages {
		paths, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, paths, dir)
		m := &mutator{}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			source, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = m.rewrite(path, string(source))
			require.NoError(t, err)
		}
		m.dir = dir
		m.count()
		for _, mu := range m.mutants {
			there[mu.key()] = true
		}
	}
	for _, list := range []map[string]bool{unnoticed, keysOf(equivalents)} {
		for key := range list {
			if !there[key] {
				t.Errorf("no change is called %q", key)
			}
		}
	}
	for key := range unnoticed {
		require.NotContains(t, equivalents, key, "on both lists")
	}
}
