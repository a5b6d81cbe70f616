package replica_test

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/reject"
)

// spin is the argument of the methods of testdata/long.wat: about how many instructions they run.
func spin(instructions uint64) []byte { return binary.LittleEndian.AppendUint64(nil, instructions) }

// long is for about a second.
const long = 8_000_000_000

// inBackground makes a call and returns what comes of it.
func (w *world) inBackground(canister principal.Principal, method string, arg []byte) <-chan error {
	ended := make(chan error, 1)
	go func() {
		_, err := w.Call(ctx, alice, canister, method, arg)
		ended <- err
	}()
	return ended
}

// awaitExecution waits until a canister executes a message that outlasted its round: then its messages wait.
func (w *world) awaitExecution(canister principal.Principal) {
	w.Helper()
	require.Eventually(w, func() bool { return w.Executing(canister) }, 20*time.Second, time.Millisecond)
}

// While three canisters run for long, everything else goes on: others are called, all are queried,
// and those that run are as they were before.
func TestLongMessagesStopNothing(t *testing.T) {
	w := newWorld(t, stopped)
	other := w.deploy("scenario")
	var busy []principal.Principal
	var ends []<-chan error
	for range 3 {
		id := w.deploy("long")
		w.call(id, "short", nil)
		busy = append(busy, id)
		ends = append(ends, w.inBackground(id, "work", spin(long)))
	}
	var waiting []<-chan error
	for _, id := range busy {
		w.awaitExecution(id)
		require.Equal(t, "0100000000000000"+"0100000000000000"+"03000000", hex.EncodeToString(w.ask(id, "get", nil)), "queries see the state before")
		stable, err := w.StableMemory(id)
		require.NoError(t, err)
		require.Len(t, stable, 65536)
		status, err := w.Status(ctx, id)
		require.NoError(t, err)
		require.EqualValues(t, 3*65536, status.MemoryMetrics.WasmMemorySize.Uint64())
		waiting = append(waiting, w.inBackground(id, "short", nil))
	}
	require.Equal(t, alice.Bytes(), w.call(other, "whoami", nil))
	w.deploy("count")
	require.True(t, w.Executing(busy[2]), "the long message has not ended yet")
	require.Empty(t, waiting[2], "its canister's messages wait for it")
	for i, id := range busy {
		require.NoError(t, <-ends[i])
		require.NoError(t, <-waiting[i])
		require.Equal(t, "0300000000000000"+"0300000000000000"+"05000000", hex.EncodeToString(w.ask(id, "get", nil)))
	}
}

// Long messages that succeed, trap, upgrade: each leaves what it would leave if it were short.
func TestLongMessagesLeaveWhatShortOnesDo(t *testing.T) {
	state := func(t *testing.T, work uint64) string {
		w := newWorld(t, stopped)
		id := w.deploy("long")
		w.call(id, "work", spin(work))
		_, err := w.Call(ctx, alice, id, "work_then_trap", spin(work))
		refused(t, err, reject.Trapped, "unreachable")
		require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "long"), spin(work)))
		w.call(id, "work", spin(work))
		_, err = w.Call(ctx, owner, principal.Management, "install_code", management.EncodeInstallCodeArgs(management.InstallArg{
			CanisterID: id, WasmModule: module(t, "upgrade"), Arg: append(spin(work), "post_upgrade traps"...),
			Mode: management.InstallMode{Tag: management.InstallModeTagUpgrade}}))
		require.Error(t, err)
		get, err := w.Query(ctx, alice, id, "get", nil)
		require.NoError(t, err)
		stable, err := w.StableMemory(id)
		require.NoError(t, err)
		status, err := w.Status(ctx, id)
		require.NoError(t, err)
		return hex.EncodeToString(get) + hex.EncodeToString(stable[:8]) + status.MemorySize.String() + " " + hex.EncodeToString(binary.BigEndian.AppendUint64(nil, status.Version))
	}
	require.Equal(t, state(t, 1_000), state(t, 200_000_000))
}

// A network that is closed, or killed, while a message runs executes the message again.
func TestLongMessagesSurvive(t *testing.T) {
	dir := t.TempDir()
	net, err := replica.Start(stopped, replica.WithState(dir))
	require.NoError(t, err)
	w := &world{t, net}
	id, other := w.deploy("long"), w.deploy("scenario")
	w.call(id, "short", nil)
	_ = w.inBackground(id, "work", spin(2_000_000_000))
	w.awaitExecution(id)
	_, err = w.Submit(ctx, alice, id, "short", nil)
	require.NoError(t, err)
	w.call(other, "whoami", nil) // a round that takes both in
	killed := copyDir(t, dir)
	require.NoError(t, net.Close())

	for name, state := range map[string]string{"killed": killed, "closed": dir} {
		t.Run(name, func(t *testing.T) {
			again := newWorld(t, replica.WithTime(w.Time()), replica.WithState(state))
			again.Tick(ctx)
			require.Equal(t, "0300000000000000"+"0300000000000000"+"05000000", hex.EncodeToString(again.ask(id, "get", nil)))
			afterwards := copyDir(t, state)
			last := newWorld(t, replica.WithTime(again.Time()), replica.WithState(afterwards))
			require.Equal(t, everything(t, again, id, other), everything(t, last, id, other), "the log gives the same")
		})
	}
}
