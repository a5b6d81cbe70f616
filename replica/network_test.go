package replica_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/reject"
)

var (
	owner = principal.SelfAuthenticating([]byte("owner"))
	alice = principal.SelfAuthenticating([]byte("alice"))
	ctx   = context.Background()
)

// world is a network with what tests ask of it.
type world struct {
	*testing.T
	*replica.Network
}

func newWorld(t *testing.T, opts ...replica.Option) *world {
	t.Helper()
	net, err := replica.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	return &world{t, net}
}

// stopped is a fixed time for networks whose clock the test moves.
var stopped = replica.WithTime(time.Unix(1_700_000_000, 0))

// module returns a module of testdata.
func module(t testing.TB, name string) []byte {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	require.NoError(t, err)
	return code
}

func (w *world) deploy(name string) principal.Principal {
	w.Helper()
	id, err := w.Deploy(ctx, owner, module(w.T, name), nil)
	require.NoError(w, err)
	return id
}

func (w *world) call(canister principal.Principal, method string, arg []byte) []byte {
	w.Helper()
	reply, err := w.Call(ctx, alice, canister, method, arg)
	require.NoError(w, err)
	return reply
}

func (w *world) ask(canister principal.Principal, method string, arg []byte) []byte {
	w.Helper()
	reply, err := w.Query(ctx, alice, canister, method, arg)
	require.NoError(w, err)
	return reply
}

// refused requires a refusal with a code and a text.
func refused(t testing.TB, err error, code reject.ErrorCode, text string) {
	t.Helper()
	var refusal *reject.Error
	require.True(t, errors.As(err, &refusal), "want a refusal, got %v", err)
	require.Equal(t, code, refusal.Code, refusal.Message)
	require.Contains(t, refusal.Message, text)
}

// numbers are the three numbers of the scenario canister: n, timers, cleanups.
func (w *world) numbers(canister principal.Principal) [3]uint64 {
	w.Helper()
	raw := w.ask(canister, "get", nil)
	return [3]uint64{binary.LittleEndian.Uint64(raw), binary.LittleEndian.Uint64(raw[8:]), binary.LittleEndian.Uint64(raw[16:])}
}

// to is the argument of the forward methods.
func to(callee principal.Principal, method, payload string) []byte {
	arg := append([]byte{byte(callee.Len())}, callee.Bytes()...)
	arg = append(append(arg, byte(len(method))), method...)
	return append(arg, payload...)
}

// TestModulesAreAssembled keeps the .wasm files of testdata equal to their .wat files.
func TestModulesAreAssembled(t *testing.T) {
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm is not installed (Debian package wabt)")
	}
	sources, err := filepath.Glob("testdata/*.wat")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		out := filepath.Join(t.TempDir(), "out.wasm")
		text, err := exec.Command(tool, source, "-o", out).CombinedOutput()
		require.NoError(t, err, string(text))
		want, err := os.ReadFile(out)
		require.NoError(t, err)
		require.Equal(t, want, module(t, strings.TrimSuffix(filepath.Base(source), ".wat")), "%s changed: assemble it again with wat2wasm", source)
	}
}

// TestKnowsNothingOfKedge holds the package against the design: it runs any canister.
func TestKnowsNothingOfKedge(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./...").Output()
	require.NoError(t, err)
	for _, dep := range strings.Fields(string(out)) {
		for _, room := range []string{"kedge/canister", "kedge/migrations", "kedge/device", "kedge/cli", "kedge/cdk"} {
			require.False(t, dep == room || strings.HasPrefix(dep, room+"/"), "replica imports %s", dep)
		}
		require.NotEqual(t, "kedge/candid/kedge", dep, "replica imports Kedge's own interface")
	}
}
