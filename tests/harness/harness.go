// Package harness starts the whole product for a test: the real module on a local network, and people who
// hold devices. Stories read in terms of people; what they call goes through Candid like any client's.
package harness

import (
	"context"
	"errors"
	"os"
	goexec "os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/internal/clients"
	"kedge/replica"
	"kedge/replica/exec"
)

// Module returns the canister's module, gzipped: the file that KEDGE_WASM names (make sets it), or a fresh
// build.
func Module(tb testing.TB) []byte {
	tb.Helper()
	module, err := build("cmd/canister", "-candid", "candid/kedge/kedge.did", "-args", "(opt KedgeInit)")
	require.NoError(tb, err)
	return module
}

// Whoami returns the module of a canister whose query whoami answers with its caller.
func Whoami(tb testing.TB) []byte {
	tb.Helper()
	module, err := build("tests/whoami", "-candid", "tests/whoami/whoami.did")
	require.NoError(tb, err)
	return module
}

var builds sync.Map // from package to func() ([]byte, error)

func build(pkg string, flags ...string) ([]byte, error) {
	once, _ := builds.LoadOrStore(pkg, sync.OnceValues(func() ([]byte, error) {
		if file := os.Getenv("KEDGE_WASM"); file != "" && pkg == "cmd/canister" {
			return os.ReadFile(file)
		}
		dir, err := os.MkdirTemp("", "kedge-harness-*")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		out := filepath.Join(dir, "module.wasm.gz")
		cmd := goexec.Command("go", append(append([]string{"run", "./cmd/icbuild", "-o", out}, flags...), "./"+pkg)...)
		cmd.Dir = clients.Root()
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, errors.New(string(text))
		}
		return os.ReadFile(out)
	}))
	return once.(func() ([]byte, error))()
}

// Harness is a network with Kedge on it.
type Harness struct {
	testing.TB
	Net      *replica.Network
	Canister principal.Principal
	Operator principal.Principal // controls the canister
	Install  exec.Report         // what installing it cost
}

// Start is the time at which every harness starts.
var Start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Open starts a network with a clock that only the test moves, and deploys Kedge with the init argument.
func Open(tb testing.TB, init *kedge.KedgeInit, options ...replica.Option) *Harness {
	tb.Helper()
	net, err := replica.Start(append([]replica.Option{replica.WithTime(Start), replica.WithCache(cacheDir())}, options...)...)
	require.NoError(tb, err)
	h := deploy(tb, net, init)
	// The first tick draws randomness.
	h.Pass(time.Second)
	return h
}

// deploy deploys Kedge.
func deploy(tb testing.TB, net *replica.Network, init *kedge.KedgeInit) *Harness {
	tb.Helper()
	tb.Cleanup(func() { require.NoError(tb, net.Close()) })
	h := &Harness{TB: tb, Net: net, Operator: principal.SelfAuthenticating([]byte("the operator"))}
	var err error
	h.Canister, err = net.Deploy(tb.Context(), h.Operator, Module(tb), kedge.EncodeInitArgs(init))
	require.NoError(tb, err)
	h.Install, err = net.LastReport(h.Canister)
	require.NoError(tb, err)
	return h
}

// Found upgrades to Kedge a canister with a certain id that another module left with this stable memory.
func Found(tb testing.TB, id principal.Principal, memory []byte) *Harness {
	tb.Helper()
	net, err := replica.Start(replica.WithTime(Start), replica.WithCache(cacheDir()))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, net.Close()) })
	h := &Harness{TB: tb, Net: net, Operator: principal.SelfAuthenticating([]byte("the operator"))}
	h.Canister, err = net.Create(tb.Context(), h.Operator, replica.CreateOptions{ID: id})
	require.NoError(tb, err)
	require.NoError(tb, net.Install(tb.Context(), h.Operator, h.Canister, Whoami(tb), nil))
	require.NoError(tb, net.SetStableMemory(h.Canister, memory))
	h.Upgrade()
	h.Pass(time.Second)
	return h
}

// OpenLive is Open with a real clock and HTTP, for real clients.
func OpenLive(tb testing.TB, init *kedge.KedgeInit) *Harness {
	tb.Helper()
	net, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(cacheDir()))
	require.NoError(tb, err)
	return deploy(tb, net, init)
}

// cacheDir keeps compiled modules from run to run.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "kedge", "modules")
}

// Pass lets time go by in which the canister can answer: its timer runs every half hour.
func (h *Harness) Pass(d time.Duration) {
	h.Helper()
	const step = 30 * time.Minute
	for ; d > 0; d -= step {
		require.NoError(h, h.Net.Advance(h.Context(), min(d, step)))
	}
}

// Outage lets time go by in which the canister is stopped, and starts it again.
func (h *Harness) Outage(d time.Duration) {
	h.Helper()
	require.NoError(h, h.Net.StopCanister(h.Context(), h.Operator, h.Canister))
	require.NoError(h, h.Net.Advance(h.Context(), d))
	require.NoError(h, h.Net.StartCanister(h.Context(), h.Operator, h.Canister))
}

// Upgrade installs the same module again, keeping stable memory.
func (h *Harness) Upgrade() {
	h.Helper()
	require.NoError(h, h.Net.Upgrade(h.Context(), h.Operator, h.Canister, Module(h), kedge.EncodeInitArgs(nil)))
}

// Call calls an update method as anyone.
func (h *Harness) Call(sender principal.Principal, method string, arg []byte) ([]byte, error) {
	return h.Net.Call(context.Background(), sender, h.Canister, method, arg)
}

// Query calls a query method as anyone.
func (h *Harness) Query(sender principal.Principal, method string, arg []byte) ([]byte, error) {
	return h.Net.Query(context.Background(), sender, h.Canister, method, arg)
}
