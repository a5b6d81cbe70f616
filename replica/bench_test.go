package replica_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
)

// BenchmarkCall measures update calls through the Go API, by as many callers as there are processors.
func BenchmarkCall(b *testing.B) {
	net, id := benchNetwork(b)
	var failed atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := net.Call(ctx, alice, id, "whoami", nil); err != nil {
				failed.Add(1)
			}
		}
	})
	require.Zero(b, failed.Load())
}

// BenchmarkQuery measures queries through the Go API.
func BenchmarkQuery(b *testing.B) {
	net, id := benchNetwork(b)
	for b.Loop() {
		_, err := net.Query(ctx, alice, id, "echo", nil)
		require.NoError(b, err)
	}
}

func benchNetwork(b *testing.B) (*replica.Network, principal.Principal) {
	net, err := replica.Start()
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, net.Close()) })
	id, err := net.Deploy(ctx, owner, module(b, "scenario"), nil)
	require.NoError(b, err)
	return net, id
}
