package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
)

// make install puts everything in a prefix, below another root if that is asked for; make uninstall leaves
// nothing of it.
func TestMakeInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed, so make install was not tried")
	}
	root, built := t.TempDir(), t.TempDir()
	make := func(target string) {
		cmd := exec.Command("make", "-s", target, "DESTDIR="+root, "PREFIX=/usr", "VERSION=v9.8.7", "PROGRAM="+filepath.Join(built, "kedge"))
		cmd.Dir = clients.Root()
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	make("install")
	out, err := exec.Command(filepath.Join(root, "usr/bin/kedge"), "--version").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "kedge v9.8.7 (")
	page, err := os.ReadFile(filepath.Join(root, "usr/share/man/man1/kedge.1"))
	require.NoError(t, err)
	require.Contains(t, string(page), `"kedge v9.8.7"`)
	for _, place := range places {
		require.FileExists(t, filepath.Join(root, "usr/share", place))
	}
	if _, err := exec.LookPath("man"); err == nil {
		cmd := exec.Command("man", "-M", filepath.Join(root, "usr/share/man"), "kedge-device-add")
		cmd.Env = append(os.Environ(), "MANPAGER=cat")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "kedge device add NAME")
	}
	make("uninstall")
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		require.True(t, err != nil || e.IsDir(), path)
		return err
	}))
}
