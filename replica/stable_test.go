package replica

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

// What a log could not take is refused, and the network goes on.
func TestStableMemoryLargerThanTheLogTakes(t *testing.T) {
	net, err := Start(WithState(t.TempDir()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	code, err := os.ReadFile("testdata/count.wasm")
	require.NoError(t, err)
	owner := principal.SelfAuthenticating([]byte("owner"))
	id, err := net.Deploy(t.Context(), owner, code, nil)
	require.NoError(t, err)

	huge := make([]byte, maxLogged+1) // never touched, so it takes no memory
	require.ErrorContains(t, net.SetStableMemory(id, huge), "start the network without one")
	require.NoError(t, net.SetStableMemory(id, []byte{41}))
	reply, err := net.Call(t.Context(), owner, id, "count", nil)
	require.NoError(t, err)
	require.Equal(t, []byte{42, 0, 0, 0}, reply)
}
