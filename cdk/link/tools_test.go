package link

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
)

// validate compiles the module with wazero, which validates it.
func validate(t testing.TB, module []byte) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	_, err := r.CompileModule(ctx, module)
	require.NoError(t, err)
}

// tool runs a program that looks at a module, and skips the test if this machine lacks it.
func tool(t testing.TB, path string, args ...string) string {
	t.Helper()
	if path == "" {
		t.Skip("the program is not on this machine: see make tools")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	require.NoError(t, err, "%s %q: %s", path, args, out)
	return string(out)
}

// wasmValidate is wabt's validator, or empty.
func wasmValidate() string {
	path, _ := exec.LookPath("wasm-validate")
	return path
}

// icWasm is the tool of the dfinity toolchain that edits canister modules: $KEDGE_IC_WASM, on the
// PATH, or as npm installs @icp-sdk/ic-wasm-linux-x64 in this directory, one
// above it, or for tests/clients.
func icWasm() string {
	if path := os.Getenv("KEDGE_IC_WASM"); path != "" {
		return path
	}
	if path, err := exec.LookPath("ic-wasm"); err == nil {
		return path
	}
	dir, err := os.Getwd()
	for err == nil {
		for _, modules := range []string{"node_modules", "tests/clients/node_modules"} {
			found, _ := filepath.Glob(filepath.Join(dir, modules, "@icp-sdk", "ic-wasm-linux-x64", "*", "ic-wasm"))
			if len(found) > 0 {
				return found[0]
			}
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		break
	}
	return ""
}

func writeModule(t testing.TB, module []byte) string {
	path := filepath.Join(t.TempDir(), "module.wasm")
	require.NoError(t, os.WriteFile(path, module, 0o600))
	return path
}

// For the tests of package link_test.
var (
	Tool         = tool
	WasmValidate = wasmValidate
	ICWasm       = icWasm
	WriteModule  = writeModule
)
