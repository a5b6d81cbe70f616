package exec

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

// TestSystemInterfaceIsComplete holds the system calls against the table that modules are checked by:
// what a module may import is there, with the same types.
func TestSystemInterfaceIsComplete(t *testing.T) {
	have := make(map[string]syscall)
	for _, call := range syscalls() {
		require.NotContains(t, have, call.name)
		have[call.name] = call
	}
	for name, want := range wasm.SystemAPI() {
		call, ok := have[name]
		if !ok {
			t.Errorf("ic0.%s is missing", name)
			continue
		}
		require.Equal(t, len(want.Params), len(call.params), name)
		for i, p := range want.Params {
			require.EqualValues(t, p, call.params[i], "%s parameter %d", name, i)
		}
		require.Equal(t, len(want.Results), len(call.results), name)
		for i, r := range want.Results {
			require.EqualValues(t, r, call.results[i], "%s result", name)
		}
		delete(have, name)
	}
	require.Empty(t, have, "system calls that no module can import")
}
