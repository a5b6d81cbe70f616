package replica_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica"
)

// A listener that was handed over is closed, too, if the network cannot start.
func TestStartThatFailsClosesTheListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = replica.Start(replica.WithListener(l), replica.WithState(file))
	require.ErrorContains(t, err, file)
	require.ErrorIs(t, l.Close(), net.ErrClosed)
}
