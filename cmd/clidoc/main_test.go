package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1790000000")
	one, two := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, two} {
		require.NoError(t, run("markdown", filepath.Join(dir, "cli.md")))
		require.NoError(t, run("man", filepath.Join(dir, "share", "man")))
		require.NoError(t, run("completion", filepath.Join(dir, "share")))
	}
	for _, name := range []string{
		"cli.md", "share/man/man1/kedge.1", "share/man/man1/kedge-device-add.1", "share/man/man7/kedge-words.7",
		"share/bash-completion/completions/kedge", "share/zsh/site-functions/_kedge", "share/fish/vendor_completions.d/kedge.fish", "share/kedge/completion.ps1",
	} {
		a, err := os.ReadFile(filepath.Join(one, name))
		require.NoError(t, err)
		require.NotEmpty(t, a)
		b, err := os.ReadFile(filepath.Join(two, name))
		require.NoError(t, err)
		require.True(t, string(a) == string(b), "%s is the same again", name)
	}
	require.ErrorContains(t, run("poem", one), "poem")
	t.Setenv("SOURCE_DATE_EPOCH", "today")
	require.ErrorContains(t, run("man", one), "SOURCE_DATE_EPOCH")
}

func TestDateOf(t *testing.T) {
	now := time.Unix(5, 0)
	d, err := dateOf("", now)
	require.NoError(t, err)
	require.Equal(t, now.UTC(), d)
}
