package browser

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
)

// What the page computes, without a browser: origins, keys, phrases, messages, Candid.
func TestPageUnits(t *testing.T) {
	path := node(t)
	dir := filepath.Join(clients.Root(), "frontend-shim")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "esbuild")); err != nil {
		unable(t, "what builds the page is not installed (make page): %v", err)
	}
	run := exec.Command(path, "--test", "test/")
	run.Dir = dir
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// The page is the same, byte for byte, from whatever folder it is built, and so is what is packed into the module.
// That the module is the same, too, is tested where it is built: cmd/icbuild.
func TestPageBuildIsReproducible(t *testing.T) {
	path := node(t)
	source := filepath.Join(clients.Root(), "frontend-shim")
	installed := filepath.Join(source, "node_modules")
	if _, err := os.Stat(filepath.Join(installed, "esbuild")); err != nil {
		unable(t, "what builds the page is not installed (make page): %v", err)
	}
	built := func(dir string) (files map[string]string, pack string) {
		for _, name := range []string{"src", "build.mjs", "package.json", "tsconfig.json"} {
			out, err := exec.Command("cp", "-R", filepath.Join(source, name), filepath.Join(dir, name)).CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
		out, err := exec.Command("cp", "-R", installed, filepath.Join(dir, "node_modules")).CombinedOutput()
		require.NoError(t, err, "%s", out)
		run := exec.Command(path, "build.mjs")
		run.Dir = dir
		out, err = run.CombinedOutput()
		require.NoError(t, err, "%s", out)

		files = map[string]string{}
		dist := filepath.Join(dir, "dist")
		require.NoError(t, filepath.WalkDir(dist, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(name)
			files[strings.TrimPrefix(name, dist)] = string(content)
			return err
		}))
		packed := filepath.Join(dir, "page.pack")
		run = exec.Command("go", "run", "./cmd/assetpack", "-o", packed, dist)
		run.Dir = clients.Root()
		out, err = run.CombinedOutput()
		require.NoError(t, err, "%s", out)
		content, err := os.ReadFile(packed)
		require.NoError(t, err)
		return files, string(content)
	}
	here := t.TempDir()
	there := filepath.Join(t.TempDir(), "another folder", "deeper", "frontend")
	require.NoError(t, os.MkdirAll(there, 0o755))
	files, pack := built(here)
	require.Contains(t, files, "/site.json")
	require.Greater(t, len(files), 5)
	again, packedAgain := built(there)
	for name, content := range files {
		require.NotContains(t, content, here, "%s names the folder in which it was built", name)
		require.True(t, content == again[name], "%s is another from another folder", name)
	}
	require.Len(t, again, len(files))
	require.True(t, pack == packedAgain, "the pack is another from another folder")
}
