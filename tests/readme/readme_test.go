// Package readme keeps what the README says equal to what the code does.
package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/internal/clients"
)

func read(t *testing.T, name string) string {
	text, err := os.ReadFile(filepath.Join(clients.Root(), name))
	require.NoError(t, err)
	return string(text)
}

// section returns what stands between the markers of a generated section.
func section(t *testing.T, name string) string {
	text := read(t, "README.md")
	_, rest, ok := strings.Cut(text, "<!-- "+name)
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "-->\n")
	require.True(t, ok)
	body, _, ok := strings.Cut(rest, "<!-- end of "+name)
	require.True(t, ok)
	return body
}

func TestPermissions(t *testing.T) {
	require.Equal(t, identity.PermissionsTable(), section(t, "permissions"))
}

func TestDifferences(t *testing.T) {
	_, table, ok := strings.Cut(read(t, "tests/classic/DIFFERENCES.md"), "\n\n| Methods")
	require.True(t, ok)
	require.Equal(t, "| Methods"+table, section(t, "differences"))
}

// Links to files lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	for _, name := range []string{"README.md", "docs/migration.md", "docs/scale.md", "docs/limitations.md"} {
		for _, match := range link.FindAllStringSubmatch(read(t, name), -1) {
			if !strings.Contains(match[1], "://") {
				require.FileExists(t, filepath.Join(clients.Root(), filepath.Dir(name), match[1]), "in %s", name)
			}
		}
	}
}

// What people read says "recovery phrase".
func TestWording(t *testing.T) {
	for _, name := range []string{"README.md", "docs/migration.md", "docs/scale.md", "docs/limitations.md", "RATIONALE.md"} {
		require.NotContains(t, strings.ToLower(read(t, name)), "seed phrase", name)
	}
	operators := read(t, "docs/migration.md")
	require.Equal(t, 1, strings.Count(strings.ToLower(operators), "reinstall"), "the word stands once, with what it destroys")
}
