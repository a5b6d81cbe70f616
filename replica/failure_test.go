package replica

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

// A state that cannot be written any more, as on a full disk, ends the network with a sentence; what was acknowledged
// is there again.
func TestFullDiskEndsWithASentence(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	n, err := Start(WithState(dir), WithListen("127.0.0.1:0"))
	require.NoError(t, err)
	kept, err := n.Create(ctx, principal.Anonymous, CreateOptions{})
	require.NoError(t, err)
	n.lock.Lock()
	require.NoError(t, n.journal.dir.Close()) // writes fail from now on
	n.lock.Unlock()

	_, err = n.Create(ctx, principal.Anonymous, CreateOptions{})
	require.ErrorContains(t, err, "the network was closed")
	failure := <-n.Failed()
	require.ErrorContains(t, failure, "the state could not be written to "+dir)
	require.ErrorContains(t, failure, "make room and start it again")
	_ = n.Close()

	again, err := Start(WithState(dir))
	require.NoError(t, err)
	_, err = again.Status(ctx, kept)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}
