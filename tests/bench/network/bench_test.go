// Package network measures the local network, by make bench: what it does in a second for clients in
// another process, how soon it is there, and what a canister costs it. The figures go to figures.txt.
package network

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/internal/clients"
	"kedge/replica"
	"kedge/tests/bench/machine"
	"kedge/tests/bench/network/load"
	"kedge/tests/harness"
)

var owner = principal.SelfAuthenticating([]byte("owner"))

// BenchmarkNetwork measures everything and writes figures.txt.
func BenchmarkNetwork(b *testing.B) {
	for b.Loop() {
		t := machine.NewTable()
		generator := program(b, "./tests/bench/network/loadgen")
		throughput(b, t, generator)
		long(b, t, generator)
		rollback(b, t)
		idle(b, t)
		start(b, t)
		require.NoError(b, os.WriteFile("figures.txt", []byte(t.String()), 0o644))
		b.Log("\n" + t.String())
	}
}

// program builds a command of this module.
func program(b *testing.B, pkg string) string {
	out := filepath.Join(b.TempDir(), filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = clients.Root()
	text, err := cmd.CombinedOutput()
	require.NoError(b, err, string(text))
	return out
}

// small deploys the small canister with a heap of so many pages of 64 KiB.
func small(b *testing.B, net *replica.Network, pages uint32) principal.Principal {
	code, err := os.ReadFile("testdata/small.wasm")
	require.NoError(b, err)
	id, err := net.Deploy(b.Context(), owner, code, binary.LittleEndian.AppendUint32(nil, pages))
	require.NoError(b, err)
	return id
}

// throughput is what clients in another process get done.
func throughput(b *testing.B, t *machine.Table, generator string) {
	kinds := []struct {
		name    string
		options []replica.Option
	}{
		{"state in a directory", []replica.Option{replica.WithState(b.TempDir())}},
		{"state in a directory, --sync", []replica.Option{replica.WithState(b.TempDir()), replica.WithSync()}},
		{"state in memory only", nil},
	}
	for i, kind := range kinds {
		net, err := replica.Start(append(kind.options, replica.WithListen("127.0.0.1:0"))...)
		require.NoError(b, err)
		id := small(b, net, 1)
		run := func(clients, requests int, flags ...string) load.Result {
			return generate(b, generator, append(flags, "-url", net.URL(), "-canister", id.Text(),
				"-clients", strconv.Itoa(clients), "-requests", strconv.Itoa(requests))...)
		}
		goal := func(text string, met bool) string {
			if i > 0 {
				return ""
			}
			return machine.Goal(text, met)
		}
		run(16, 1000, "-method", "bump")            // warm
		calls := run(16, 10_000, "-method", "bump") //
		one := run(1, 300, "-method", "bump")       //
		t.Section("%s", kind.name)
		t.Add("signed update calls a second, 16 clients, with certificates", goal("≥ 1,000", calls.PerSecond() >= 1000), "%.0f", calls.PerSecond())
		t.Add("  median and 99th percentile of one of them", "", "%s, %s", short(calls.Median), short(calls.P99))
		t.Add("latency of one call alone, median", goal("≤ 10 ms", one.Median <= 10*time.Millisecond), "%s", short(one.Median))
		t.Add("  99th percentile", "", "%s", short(one.P99))
		if i == 0 {
			queries := run(16, 20_000, "-method", "read", "-query")
			t.Add("signed queries a second, 16 clients", goal("≥ 3,000", queries.PerSecond() >= 3000), "%.0f", queries.PerSecond())
			t.Add("queries for each update call, in the same time", "", "%.1f", queries.PerSecond()/calls.PerSecond())
		}
		require.NoError(b, net.Close())
	}
}

func generate(b *testing.B, generator string, flags ...string) load.Result {
	var out, log bytes.Buffer
	cmd := exec.CommandContext(b.Context(), generator, flags...)
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(b, cmd.Run(), log.String())
	var figures load.Result
	require.NoError(b, json.Unmarshal(out.Bytes(), &figures))
	return figures
}

// rollback measures calls that trap after writing to some pages of a heap, small and large.
func rollback(b *testing.B, t *machine.Table) {
	net, err := replica.Start()
	require.NoError(b, err)
	defer func() { require.NoError(b, net.Close()) }()
	const tiny, large = 1 << 20, 64 << 20 // bytes of heap
	trap := func(heap, dirty uint32) time.Duration {
		id := small(b, net, heap>>16)
		return median(30, func() {
			_, err := net.Call(b.Context(), owner, id, "spoil", binary.LittleEndian.AppendUint32(nil, dirty))
			require.ErrorContains(b, err, "unreachable")
		})
	}
	t.Section("a call that traps, with its rollback; in process, without HTTP")
	few, same, all := trap(tiny, 2), trap(large, 2), trap(large, large>>12)
	t.Add("heap of 1 MiB, 2 pages of 4 KiB written", "", "%s", short(few))
	t.Add("heap of 64 MiB, 2 pages of 4 KiB written", "only they are copied", "%s", short(same))
	t.Add("heap of 64 MiB, every page written", "", "%s", short(all))
	t.Add("64 MiB to 1 MiB of heap, 2 pages written", "about 1", "%.2f", float64(same)/float64(few))
	t.Add("2 pages to every page of 64 MiB", "", "1 : %.0f", float64(all)/float64(same))
}

// median is the median duration of several runs.
func median(runs int, run func()) time.Duration {
	took := make([]time.Duration, runs)
	for i := range took {
		begin := time.Now()
		run()
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[runs/2]
}

// idle measures the memory of canisters that do nothing.
func idle(b *testing.B, t *machine.Table) {
	t.Section("memory of an idle canister, beside the code that canisters share")
	for _, c := range []struct {
		name   string
		deploy func(*replica.Network)
		count  int
	}{
		{"the small canister, heap of 64 KiB", func(net *replica.Network) { small(b, net, 1) }, 200},
		{"Kedge without anchors", func(net *replica.Network) {
			_, err := net.Deploy(b.Context(), owner, harness.Module(b), kedge.EncodeInitArgs(nil))
			require.NoError(b, err)
		}, 20},
	} {
		net, err := replica.Start()
		require.NoError(b, err)
		c.deploy(net)
		before := resident(b)
		for range c.count {
			c.deploy(net)
		}
		after := resident(b)
		t.Add(c.name, "", "%d KiB", (after-before)/c.count>>10)
		require.NoError(b, net.Close())
	}
}

// resident is the memory of this process in bytes, less what Go's heap does not use.
func resident(b *testing.B) int {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("the memory of a process is read from /proc, which Linux has: ", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	require.NoError(b, err)
	return pages * os.Getpagesize()
}

// start measures how soon a network with Kedge on it answers, as its users start it: the command, the
// state directory, and the compiled module in the cache.
func start(b *testing.B, t *machine.Table) {
	kedgeBin := program(b, "./cmd/kedge")
	home, state := b.TempDir(), filepath.Join(b.TempDir(), "state")
	net, err := replica.Start(replica.WithState(state))
	require.NoError(b, err)
	_, err = net.Deploy(b.Context(), owner, harness.Module(b), kedge.EncodeInitArgs(nil))
	require.NoError(b, err)
	require.NoError(b, net.Close())

	compiled := startOnce(b, kedgeBin, home, state)
	var cached []time.Duration
	for range 5 {
		cached = append(cached, startOnce(b, kedgeBin, home, state))
	}
	slices.Sort(cached)
	t.Section("kedge network start, with Kedge deployed in its state directory, until the status says healthy")
	t.Add("compiled and cached, median of 5", machine.Goal("≤ 1 s", cached[2] <= time.Second), "%s", short(cached[2]))
	t.Add("not compiled yet", "", "%s", short(compiled))
	t.Add("cached to not compiled yet", "", "1 : %.1f", float64(compiled)/float64(cached[2]))
}

func startOnce(b *testing.B, program, home, state string) time.Duration {
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "network", "start", "--json", "--port", "0", "--state-dir", state)
	cmd.Dir, cmd.Env = home, append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME="+filepath.Join(home, "cache"))
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	begin := time.Now()
	require.NoError(b, cmd.Start())
	var started struct {
		URL string `json:"url"`
	}
	require.NoError(b, json.NewDecoder(out).Decode(&started), log.String())
	reply, err := http.Get(started.URL + "/api/v2/status")
	require.NoError(b, err)
	took := time.Since(begin)
	require.NoError(b, reply.Body.Close())
	require.Equal(b, http.StatusOK, reply.StatusCode)
	require.NoError(b, cmd.Process.Signal(os.Interrupt))
	require.NoError(b, cmd.Wait(), log.String())
	return took
}

// short is a duration with three digits.
func short(d time.Duration) string {
	digits := time.Duration(1)
	for d/digits >= 1000 {
		digits *= 10
	}
	return fmt.Sprint(d.Round(digits))
}
