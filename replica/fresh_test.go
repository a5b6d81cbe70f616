package replica_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica/reject"
)

// TestInstancesAreFresh runs messages that drop segments, and requires that later messages find them again:
// production instantiates the module anew for each message, and keeps its memories and globals alone.
func TestInstancesAreFresh(t *testing.T) {
	for _, spend := range []struct {
		method string
		query  bool
		traps  bool
		kept   byte // what the global is afterwards
	}{
		{method: "spend", kept: 1},
		{method: "spend_and_trap", traps: true},
		{method: "spend_in_query", query: true},
		{method: "spend_and_trap_in_query", query: true, traps: true},
	} {
		t.Run(spend.method, func(t *testing.T) {
			w := newWorld(t)
			id := w.deploy("fresh")
			untouched := []byte{'c', 'd', 0}
			require.Equal(t, untouched, w.call(id, "use", nil))
			require.Equal(t, untouched, w.ask(id, "ask", nil))

			run := w.Call
			if spend.query {
				run = w.Query
			}
			_, err := run(ctx, alice, id, spend.method, nil)
			if spend.traps {
				refused(t, err, reject.CalledTrap, "")
			} else {
				require.NoError(t, err)
			}

			want := []byte{'c', 'd', spend.kept}
			require.Equal(t, want, w.call(id, "use", nil))
			require.Equal(t, want, w.ask(id, "ask", nil))
		})
	}

	t.Run("within a message", func(t *testing.T) {
		w := newWorld(t)
		id := w.deploy("fresh")
		_, err := w.Call(ctx, alice, id, "spend_then_use", nil)
		refused(t, err, reject.Trapped, "")
		require.Equal(t, []byte{'c', 'd', 0}, w.call(id, "use", nil))
	})
}
