package exec

import (
	_ "embed"
	"strings"
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

// specifiedContexts is the table "Overview of imports" of the Interface Specification 0.66, in its own
// letters: * is everywhere but the start function, s is the start function. The tests of package replica
// go through all of it on a running network.
//
//go:embed testdata/contexts.txt
var specifiedContexts string

func TestContextsAreThoseOfTheSpecification(t *testing.T) {
	letters := map[string]Kind{"I": Init, "G": PreUpgrade, "U": Update, "RQ": ReplicatedQuery, "NRQ": Query, "TQ": Transform,
		"CQ": CompositeQuery, "Ry": ReplyCallback, "Rt": RejectCallback, "CRy": CompositeReply, "CRt": CompositeReject,
		"C": Cleanup, "CC": CompositeCleanup, "F": Inspect, "T": Heartbeat | Timer | LowMemory, "s": Start}
	var all Kind
	for letter, kind := range letters {
		if letter != "s" {
			all |= kind
		}
	}
	letters["*"] = all
	want := make(map[string]Kind)
	for line := range strings.Lines(strings.TrimSpace(specifiedContexts)) {
		names, contexts, _ := strings.Cut(strings.TrimSpace(line), " : ")
		var set Kind
		for _, letter := range strings.Fields(contexts) {
			require.Contains(t, letters, letter)
			set |= letters[letter]
		}
		for _, name := range strings.Fields(names) {
			want[name] = set
		}
	}
	for _, call := range syscalls() {
		require.Contains(t, want, call.name)
		require.Equal(t, want[call.name], call.contexts, "%s is legal in %b, the specification says %b", call.name, call.contexts, want[call.name])
	}
}
