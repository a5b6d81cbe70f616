package replica_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	net, err := replica.Start(replica.WithLog(os.Stderr))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	code, err := os.ReadFile("exec/testdata/exec.wasm")
	require.NoError(t, err)
	c, err := net.Deploy(ctx, principal.Anonymous, code, nil)
	require.NoError(t, err)
	t.Log(c)
	reply, err := net.Query(ctx, principal.Anonymous, c, "echo", []byte("hi"))
	require.NoError(t, err)
	require.Equal(t, "hi", string(reply))
	reply, err = net.Call(ctx, principal.Anonymous, c, "change", nil)
	t.Log(reply, err)
	r, _ := net.LastReport(c)
	t.Logf("%+v", r)
}
