package network

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
	"kedge/replica"
	"kedge/tests/bench/machine"
)

// long measures what others notice of a message of 10 G instructions: how long they wait, as a ratio to an idle
// network. Both are measured in one run, in turns.
func long(b *testing.B, t *machine.Table, generator string) {
	net, err := replica.Start(replica.WithState(b.TempDir()), replica.WithListen("127.0.0.1:0"))
	require.NoError(b, err)
	defer func() { require.NoError(b, net.Close()) }()
	code, err := os.ReadFile(filepath.Join(clients.Root(), "replica", "testdata", "long.wasm"))
	require.NoError(b, err)
	worker, err := net.Deploy(b.Context(), owner, code, nil)
	require.NoError(b, err)
	id := small(b, net, 1)

	type latencies struct{ status, query, update time.Duration }
	measure := func(requests string) (l latencies) {
		l.status = median(200, func() {
			reply, err := http.Get(net.URL() + "/api/v2/status")
			require.NoError(b, err)
			_, err = io.Copy(io.Discard, reply.Body)
			require.NoError(b, err)
			require.NoError(b, reply.Body.Close())
		})
		flags := []string{"-url", net.URL(), "-canister", id.Text(), "-clients", "1", "-requests", requests}
		l.query = generate(b, generator, append(flags, "-method", "read", "-query")...).Median
		l.update = generate(b, generator, append(flags, "-method", "bump")...).Median
		return l
	}
	measure("100") // warm
	idle := measure("200")
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan int, 1)
	go func() { // one message of 10 G instructions after the other
		calls := 0
		for ; ctx.Err() == nil; calls++ {
			_, _ = net.Call(ctx, owner, worker, "work", binary.LittleEndian.AppendUint64(nil, 10_000_000_000))
		}
		ended <- calls
	}()
	require.Eventually(b, func() bool { return net.Executing(worker) }, time.Minute, time.Millisecond)
	busy := measure("200")
	stop()
	<-ended

	t.Section("median latency for others while messages of 10 G instructions run, to that on an idle network")
	ratio := func(name string, idle, busy time.Duration) {
		r := float64(busy) / float64(idle)
		t.Add(name, machine.Goal("≤ 3", r <= 3), "%.1f", r)
	}
	ratio("status request", idle.status, busy.status)
	ratio("signed query", idle.query, busy.query)
	ratio("signed update call of another canister", idle.update, busy.update)
}

// BenchmarkLong measures that alone.
func BenchmarkLong(b *testing.B) {
	for b.Loop() {
		t := machine.NewTable()
		long(b, t, program(b, "./tests/bench/network/loadgen"))
		b.Log("\n" + t.String())
	}
}
