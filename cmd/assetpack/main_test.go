package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/assets"
)

const site = `{"files":[{"file":"index.html","paths":["/"],"type":"text/html","cache":"no-cache","frame":"DENY","policy":"default-src 'none'; ` +
	`script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"}]}`

func TestPack(t *testing.T) {
	dir := t.TempDir()
	page, out, note := filepath.Join(dir, "dist"), filepath.Join(dir, "page.pack"), filepath.Join(dir, "page.txt")
	require.NoError(t, os.Mkdir(page, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(page, "site.json"), []byte(site), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(page, "index.html"), []byte("<!doctype html>hello"), 0o600))
	require.NoError(t, run([]string{"-o", out, "-note", note, page}, io.Discard))
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	opened, err := assets.Open(string(text))
	require.NoError(t, err)
	require.True(t, opened.HasPage())
	found := opened.Find("/", true, false)
	require.Equal(t, "<!doctype html>hello", found.Body)
	about, err := os.ReadFile(note)
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	require.Equal(t, hex.EncodeToString(sum[:]), string(about))

	require.NoError(t, run([]string{"-o", out, "-note", note, "-missing"}, io.Discard))
	text, err = os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, assets.Page, string(text))
	about, err = os.ReadFile(note)
	require.NoError(t, err)
	require.Equal(t, "none", string(about))
}

func TestPackRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "page.pack")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "say where the pack goes with -o FILE"},
		{[]string{"-o", out}, "want the folder of the built page, or -missing"},
		{[]string{"-o", out, "-missing", "dist"}, "want the folder of the built page, or -missing"},
		{[]string{"-o", out, "a", "b"}, "want the folder of the built page, or -missing"},
		{[]string{"-o", out, t.TempDir()}, "the folder holds no built page"},
		{[]string{"-o", filepath.Join(out, "no", "folder"), "-missing"}, "no such file or directory"},
		{[]string{"-x"}, "flag provided but not defined: -x"},
	} {
		require.ErrorContains(t, run(c.args, io.Discard), c.want, "%q", c.args)
		require.NoFileExists(t, out)
	}
}
