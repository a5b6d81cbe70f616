// Package vectors finds the test data that lives beside the repository and is never copied into it.
package vectors

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir returns the folder sub of shared/vectors, which lies beside the root of the repository and not in it. A test or
// benchmark that needs the folder is skipped, with the path as the reason, where it is missing.
func Dir(tb testing.TB, sub string) string {
	tb.Helper()
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "vectors", filepath.FromSlash(sub))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		tb.Skipf("shared vectors are not here: %s", filepath.Clean(dir))
	}
	return dir
}
