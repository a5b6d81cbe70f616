package replica_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica"
	"kedge/replica/reject"
)

// TestGoCanister runs a canister written in Go: a runtime with its own heap, start function and callbacks,
// built as every Kedge module is.
func TestGoCanister(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and compiles a Go canister")
	}
	out := filepath.Join(t.TempDir(), "test.wasm")
	build := exec.Command("go", "run", "./cmd/icbuild", "-o", out, "./cdk/internal/testcanister")
	build.Dir = ".."
	text, err := build.CombinedOutput()
	require.NoError(t, err, string(text))
	code, err := os.ReadFile(out)
	require.NoError(t, err)

	dir, cache := t.TempDir(), replica.WithCache(t.TempDir())
	w := newWorld(t, cache, stopped, replica.WithState(dir)) // its heartbeats come with rounds alone
	id, err := w.Deploy(ctx, owner, code, nil)
	require.NoError(t, err)

	// It takes nothing but greet from users, so another canister calls the rest.
	require.Equal(t, "hello you", string(w.call(id, "greet", []byte("you"))))
	_, err = w.Call(ctx, alice, id, "seed", nil)
	refused(t, err, reject.CanisterRejectedMessage, "Canister rejected the message")
	other := w.deploy("scenario")
	call := func(method, arg string) string { return string(w.call(other, "forward", to(id, method, arg))) }
	fails := func(method, arg, text string) {
		t.Helper()
		_, err := w.Call(ctx, alice, other, "forward", to(id, method, arg))
		refused(t, err, reject.CanisterRejectedMessage, text)
	}

	require.Equal(t, "hello self", call("call", ""), "it calls itself")
	fails("call", "trap", "in the callback")
	require.Contains(t, string(w.ask(id, "lines", nil)), "cleanup")

	fails("random", "", "5IC0503: Error from Canister "+id.String())
	call("seed", "")
	fails("random_then_trap", "", "undone")
	require.NotEqual(t, call("random", ""), call("random", ""))
	require.Equal(t, "true", call("sign", "message"))
	for _, how := range []string{"trap", "string", "error", "index", "nil", "divide", "goroutine", "sleep", "deadlock", "exit"} {
		fails("die", how, "5IC0503: Error from Canister "+id.String()+": Canister called `ic0.trap` with message: '")
	}
	// One by the callback that returned; those that trapped were undone.
	require.Equal(t, "\x02\x00\x00\x00\x00\x00\x00\x00", call("increment", "")[:8])

	pages := func() uint64 {
		status, err := w.Status(ctx, id)
		require.NoError(t, err)
		return status.MemoryMetrics.WasmMemorySize.Uint64()
	}
	before := pages()
	for range 3 {
		w.ask(id, "garbage_in_query", nil)
		require.Equal(t, before, pages(), "a query that grew the heap is undone")
	}
	call("garbage", "")
	require.NoError(t, w.Upgrade(ctx, owner, id, code, nil))
	require.NotEmpty(t, w.ask(id, "maps", nil))

	// Executed again from the log, it takes the same instructions to the same end.
	again := newWorld(t, cache, replica.WithTime(w.Time()), replica.WithState(copyDir(t, dir)))
	require.Equal(t, w.ask(id, "lines", nil), again.ask(id, "lines", nil))
	require.Equal(t, everything(t, w, id), everything(t, again, id))
}
