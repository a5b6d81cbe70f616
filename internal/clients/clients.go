// Package clients finds the real programs that the tests run against Kedge. `make tools` installs them.
package clients

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Root returns the root folder of the repository.
func Root() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..")
}

// Dir is the folder of the JavaScript clients, whose node_modules `make tools` fills.
func Dir() string { return filepath.Join(Root(), "tests", "clients") }

// ICP returns the path of the real `icp`; a test without it is skipped.
func ICP(tb testing.TB) string { return program(tb, "icp-cli-linux-x64", "icp") }

// ICWasm returns the path of the real `ic-wasm`; a test without it is skipped.
func ICWasm(tb testing.TB) string { return program(tb, "ic-wasm-linux-x64", "ic-wasm") }

func program(tb testing.TB, module, name string) string {
	tb.Helper()
	path := filepath.Join(Dir(), "node_modules", "@icp-sdk", module, "bin", name)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("the real %s is not installed (run make tools): %v", name, err)
	}
	return path
}
