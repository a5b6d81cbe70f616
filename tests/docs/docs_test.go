// Package docs keeps what the documents say equal to what the code does.
package docs

import (
	"flag"
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

// pages are the documents that people read, as paths in the repository.
func pages(t *testing.T) []string {
	var found []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md", "examples/*/*.md", "frontend-shim/*.md"} {
		paths, err := filepath.Glob(filepath.Join(clients.Root(), pattern))
		require.NoError(t, err)
		for _, path := range paths {
			name, err := filepath.Rel(clients.Root(), path)
			require.NoError(t, err)
			found = append(found, name)
		}
	}
	require.Contains(t, found, "README.md")
	return found
}

// section returns what stands between the markers of a generated section.
func section(t *testing.T, page, name string) string {
	_, rest, ok := strings.Cut(read(t, page), "<!-- "+name)
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "-->\n")
	require.True(t, ok)
	body, _, ok := strings.Cut(rest, "<!-- end of "+name)
	require.True(t, ok)
	return body
}

var write = flag.Bool("write", false, "write the tables of the pages anew")

func TestPermissions(t *testing.T) {
	const page = "docs/permissions.md"
	want, got := identity.PermissionsTable(), section(t, page, "permissions")
	if *write {
		text := strings.Replace(read(t, page), got, want, 1)
		require.NoError(t, os.WriteFile(filepath.Join(clients.Root(), page), []byte(text), 0o644))
		return
	}
	require.Equal(t, want, got, "run go test ./tests/docs -run TestPermissions -write")
}

// Links to files lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for _, name := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, name), -1) {
			if !strings.Contains(match[1], "://") {
				_, err := os.Stat(filepath.Join(clients.Root(), filepath.Dir(name), match[1]))
				require.NoError(t, err, "in %s", name)
			}
		}
	}
}

// Every page of docs is reached from the README, by links of pages that are reached.
func TestPagesAreLinked(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+\.md)[)#]`)
	reached := map[string]bool{}
	var follow func(page string)
	follow = func(page string) {
		if reached[page] {
			return
		}
		reached[page] = true
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			follow(filepath.Join(filepath.Dir(page), m[1]))
		}
	}
	follow("README.md")
	for _, name := range pages(t) {
		if strings.HasPrefix(name, "docs/") {
			require.True(t, reached[name], "no page that the README leads to has a link to %s", name)
		}
	}
}

// What people read says "recovery phrase".
func TestWording(t *testing.T) {
	for _, name := range pages(t) {
		require.NotContains(t, strings.ToLower(read(t, name)), "seed phrase", name)
	}
	operators := read(t, "docs/migration.md")
	require.Equal(t, 1, strings.Count(strings.ToLower(operators), "reinstall"), "the word stands once, with what it destroys")
}

// The picture of the imports has every package, by its folder.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	text := read(t, "docs/architecture.md")
	var missing []string
	seen := map[string]bool{}
	for _, name := range tracked(t, "*.go") {
		dir := filepath.ToSlash(filepath.Dir(name))
		if seen[dir] || strings.Contains(dir, "testdata") {
			continue
		}
		seen[dir] = true
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(filepath.Base(dir)) + `\b`).MatchString(text) {
			missing = append(missing, dir)
		}
	}
	require.Empty(t, missing)
}
