package replica_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

func stopArgument(id principal.Principal) string {
	return string(management.EncodeStopCanisterArgs(management.CanisterArg{CanisterID: id}))
}

// control makes controllers the controllers of a canister.
func control(w *world, id principal.Principal, controllers ...principal.Principal) {
	w.Helper()
	_, err := w.Call(ctx, owner, principal.Management, "update_settings", management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{
		CanisterID: id, Settings: management.Settings{Controllers: append(controllers, owner)}}))
	require.NoError(w, err)
}

// upgraded is what the upgrade canister tells: upgrades counted in stable memory, and a number in its heap.
func (w *world) upgraded(id principal.Principal) [2]byte {
	raw := w.ask(id, "get", nil)
	return [2]byte{raw[0], raw[1]}
}

func TestUpgradeIsAtomic(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("upgrade")
	code := module(t, "upgrade")
	require.Equal(t, [2]byte{0, 0}, w.upgraded(id))

	require.NoError(t, w.Upgrade(ctx, owner, id, code, nil))
	require.Equal(t, [2]byte{2, 0}, w.upgraded(id), "both hooks wrote to stable memory; the heap is new")

	require.Error(t, w.Upgrade(ctx, owner, id, code, []byte("post_upgrade traps")))
	require.Equal(t, [2]byte{2, 0}, w.upgraded(id), "stable memory and heap are as before: pre_upgrade is undone")

	w.call(id, "arm", nil)
	err := w.Upgrade(ctx, owner, id, code, nil)
	refused(t, err, reject.Trapped, "Canister trapped: unreachable")
	require.Equal(t, [2]byte{2, 0}, w.upgraded(id))

	skip := true
	_, err = w.Call(ctx, owner, principal.Management, "install_code", management.EncodeInstallCodeArgs(management.InstallArg{
		CanisterID: id, WasmModule: code, Mode: management.InstallMode{Tag: management.InstallModeTagUpgrade,
			Upgrade: &management.UpgradeOptions{SkipPreUpgrade: &skip}}}))
	require.NoError(t, err)
	require.Equal(t, [2]byte{3, 0}, w.upgraded(id), "pre_upgrade was skipped")

	require.NoError(t, w.Reinstall(ctx, owner, id, code, nil))
	require.Equal(t, [2]byte{0, 0}, w.upgraded(id), "reinstalling forgets stable memory")
}

func TestInstallModes(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("upgrade")
	code := module(t, "upgrade")
	refused(t, w.Install(ctx, owner, id, code, nil), reject.NonEmpty, "cannot be installed because the canister is not empty")
	refused(t, w.Upgrade(ctx, alice, id, code, nil), reject.InvalidController, "Only controllers of canister "+id.String()+" can call ic00 method install_code")
	empty, err := w.Create(ctx, owner, replica.CreateOptions{})
	require.NoError(t, err)
	refused(t, w.Upgrade(ctx, owner, empty, code, nil), reject.WasmModuleNotFound, "contains no Wasm module")
	refused(t, w.Install(ctx, owner, empty, []byte("not wasm"), nil), reject.InvalidWasm, "Canister's Wasm module is not valid")
	refused(t, w.Install(ctx, owner, empty, code, []byte("init traps")), reject.Trapped, "unreachable")
	_, err = w.Query(ctx, alice, empty, "get", nil)
	refused(t, err, reject.WasmModuleNotFound, "Please install code to this canister before calling it")
	require.NoError(t, w.Install(ctx, owner, empty, code, nil))
}

func TestSpecifiedID(t *testing.T) {
	w := newWorld(t)
	want := principal.Canister(7)
	id, err := w.Create(ctx, owner, replica.CreateOptions{ID: want})
	require.NoError(t, err)
	require.Equal(t, want, id)
	_, err = w.Create(ctx, owner, replica.CreateOptions{ID: want})
	refused(t, err, reject.AlreadyInstalled, "already")
	_, err = w.Create(ctx, owner, replica.CreateOptions{ID: alice})
	refused(t, err, reject.CanisterNotHostedBySubnet, "not hosted")
	other, err := w.Create(ctx, owner, replica.CreateOptions{Cycles: cycles.Trillion(3)})
	require.NoError(t, err)
	balance, err := w.Balance(ctx, other)
	require.NoError(t, err)
	require.Equal(t, cycles.Trillion(3), balance)
}

func TestStopAndStart(t *testing.T) {
	w := newWorld(t)
	a := w.deploy("scenario")
	require.NoError(t, w.StopCanister(ctx, owner, a))
	_, err := w.Call(ctx, alice, a, "whoami", nil)
	refused(t, err, reject.Stopped, "Canister "+a.String()+" is stopped")
	_, err = w.Query(ctx, alice, a, "echo", nil)
	refused(t, err, reject.Stopped, "is stopped and therefore does not have a CallContextManager")
	b := w.deploy("scenario")
	_, err = w.Call(ctx, alice, b, "forward", to(a, "echo", ""))
	refused(t, err, reject.CanisterRejectedMessage, "5Canister "+a.String()+" is stopped")
	require.NoError(t, w.StartCanister(ctx, owner, a))
	require.Equal(t, alice.Bytes(), w.call(a, "whoami", nil))

	_, err = w.Call(ctx, owner, principal.Management, "delete_canister", []byte(stopArgument(a)))
	refused(t, err, reject.NotStopped, "must be stopped before it is deleted")
	require.NoError(t, w.StopCanister(ctx, owner, a))
	_, err = w.Call(ctx, owner, principal.Management, "delete_canister", []byte(stopArgument(a)))
	require.NoError(t, err)
	_, err = w.Query(ctx, alice, a, "echo", nil)
	refused(t, err, reject.CanisterNotFound, "Canister "+a.String()+" not found")
	_, err = w.Create(ctx, owner, replica.CreateOptions{ID: a})
	refused(t, err, reject.AlreadyInstalled, "")
}

// TestStoppingWaits has a canister that cannot stop because it waits for its own stopping: the request
// times out, and starting it again cancels another.
func TestStoppingWaits(t *testing.T) {
	w := newWorld(t, stopped)
	a := w.deploy("scenario")
	control(w, a, a)
	waiting, cancelled := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := w.Call(ctx, alice, a, "forward", to(principal.Management, "stop_canister", stopArgument(a)))
		waiting <- err
	}()
	stopping := func() bool {
		status, err := w.Status(ctx, a)
		require.NoError(t, err)
		return status.Status == management.RunStateStopping
	}
	require.Eventually(t, stopping, 10*time.Second, time.Millisecond)
	_, err := w.Call(ctx, alice, a, "whoami", nil)
	refused(t, err, reject.Stopping, "is stopping")
	go func() { cancelled <- w.StopCanister(ctx, owner, a) }()
	time.Sleep(5 * time.Millisecond)
	require.NoError(t, w.StartCanister(ctx, owner, a))
	refused(t, <-waiting, reject.CanisterRejectedMessage, "5Canister "+a.String()+"'s stop request was cancelled.")
	if err := <-cancelled; err != nil { // it may have come after the start; then it just stopped the canister
		refused(t, err, reject.StoppingCancelled, "stop request was cancelled")
	}
}

func TestUninstallRejectsWhatWaits(t *testing.T) {
	w := newWorld(t)
	a := w.deploy("scenario")
	control(w, a, a)
	_, err := w.Call(ctx, alice, a, "forward", to(principal.Management, "uninstall_code",
		string(management.EncodeUninstallCodeArgs(management.VersionedCanisterArg{CanisterID: a}))))
	refused(t, err, reject.CanisterRejectedMessage, "Canister has been uninstalled.")
	_, err = w.Query(ctx, alice, a, "get", nil)
	refused(t, err, reject.WasmModuleNotFound, "")
	_, err = w.StableMemory(a)
	require.ErrorContains(t, err, "no code")
}

func TestTimers(t *testing.T) {
	w := newWorld(t, stopped)
	a := w.deploy("scenario")
	due := binary.LittleEndian.AppendUint64(nil, uint64(w.Time().Add(time.Hour).UnixNano()))
	require.Zero(t, binary.LittleEndian.Uint64(w.call(a, "set_timer", due)))
	require.Equal(t, due, w.call(a, "set_timer", due), "the timer that was set before")
	require.NoError(t, w.Advance(ctx, 59*time.Minute))
	require.Zero(t, w.numbers(a)[1])
	require.NoError(t, w.Advance(ctx, 2*time.Minute))
	require.EqualValues(t, 1, w.numbers(a)[1])
	require.NoError(t, w.Advance(ctx, time.Hour))
	require.EqualValues(t, 1, w.numbers(a)[1], "it comes once")
	require.Error(t, w.SetTime(ctx, time.Unix(0, 0)))

	w.call(a, "set_timer", binary.LittleEndian.AppendUint64(nil, uint64(w.Time().Add(time.Hour).UnixNano())))
	require.NoError(t, w.Upgrade(ctx, owner, a, module(t, "scenario"), nil))
	require.NoError(t, w.Advance(ctx, 2*time.Hour))
	require.Zero(t, w.numbers(a)[1], "new code begins without a timer")
}

func TestTimerComesByItself(t *testing.T) {
	w := newWorld(t)
	a := w.deploy("scenario")
	w.call(a, "set_timer", binary.LittleEndian.AppendUint64(nil, uint64(time.Now().Add(20*time.Millisecond).UnixNano())))
	require.Eventually(t, func() bool { return w.numbers(a)[1] == 1 }, 20*time.Second, 5*time.Millisecond)
}

func TestHooks(t *testing.T) {
	w := newWorld(t, stopped)
	h := w.deploy("hooks")
	hooks := func() []byte { return w.ask(h, "get", nil) }
	before := hooks()
	require.Zero(t, before[2], "a query is not replicated")
	w.Tick(ctx)
	require.Equal(t, before[0]+1, hooks()[0], "a heartbeat a round")

	w.call(h, "ok", nil)
	_, err := w.Call(ctx, alice, h, "ok", []byte("no"))
	refused(t, err, reject.CanisterRejectedMessage, "Canister rejected the message")
	_, err = w.Call(ctx, alice, h, "ok", []byte("!"))
	refused(t, err, reject.Trapped, "Canister trapped: unreachable")

	limit, threshold := nat(4*65536), nat(65536*2)
	_, err = w.Call(ctx, owner, principal.Management, "update_settings", management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{
		CanisterID: h, Settings: management.Settings{WasmMemoryLimit: &limit, WasmMemoryThreshold: &threshold}}))
	require.NoError(t, err)
	w.call(h, "grow", nil)
	require.Zero(t, hooks()[1], "two of four pages are free")
	w.call(h, "grow", nil)
	require.EqualValues(t, 1, hooks()[1], "one is")
	w.call(h, "grow", nil)
	require.EqualValues(t, 1, hooks()[1], "the hook runs once")
	_, err = w.Call(ctx, alice, h, "grow", nil)
	refused(t, err, reject.WasmMemoryLimitExceeded, "Canister exceeded its current Wasm memory limit of 262144 bytes. The peak Wasm memory usage was 327680 bytes.")
}

func TestCertifiedData(t *testing.T) {
	w := newWorld(t)
	a := w.deploy("scenario")
	_, err := w.Call(ctx, alice, a, "certificate", nil)
	refused(t, err, reject.CanisterRejectedMessage, "trap")
	for _, data := range []string{"first", "second"} {
		w.call(a, "certify", []byte(data))
		encoded := w.ask(a, "certificate", nil)
		cert, err := certificate.Decode(encoded)
		require.NoError(t, err)
		root, err := certificate.ParsePublicKey(w.RootKey())
		require.NoError(t, err)
		require.NoError(t, cert.VerifyCanister(root, a))
		got, status := cert.Tree.Lookup([]byte("canister"), a.Bytes(), []byte("certified_data"))
		require.Equal(t, hashtree.Found, status)
		require.Equal(t, data, string(got))
	}
	_, err = w.Call(ctx, alice, a, "certify", make([]byte, 33))
	refused(t, err, reject.ContractViolation, "no larger than 32 bytes")
}

func TestStableMemory(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("upgrade")
	require.NoError(t, w.SetStableMemory(id, []byte{41, 2, 3}))
	require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "upgrade"), nil))
	content, err := w.StableMemory(id)
	require.NoError(t, err)
	require.Len(t, content, 65536)
	require.Equal(t, []byte{43, 2, 3, 0}, content[:4])
	_, err = w.StableMemory(alice)
	refused(t, err, reject.CanisterNotFound, "")
}

func TestOutOfCycles(t *testing.T) {
	w := newWorld(t, stopped)
	id, err := w.Create(ctx, owner, replica.CreateOptions{Cycles: cycles.New(340_000_000_000)})
	require.NoError(t, err)
	require.NoError(t, w.Install(ctx, owner, id, module(t, "scenario"), nil))
	_, err = w.Call(ctx, owner, principal.Management, "update_settings", management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{
		CanisterID: id, Settings: management.Settings{FreezingThreshold: ptr(nat(1 << 50))}}))
	require.NoError(t, err)
	_, err = w.Call(ctx, alice, id, "whoami", nil)
	refused(t, err, reject.OutOfCycles, "is out of cycles")
	_, err = w.Query(ctx, alice, id, "echo", nil)
	refused(t, err, reject.OutOfCycles, "is unable to process query calls because it's frozen")
	require.NoError(t, w.TopUp(ctx, id, cycles.Max))
	w.call(id, "whoami", nil)
}

func TestEndlessRounds(t *testing.T) {
	w := newWorld(t)
	a, b := w.deploy("scenario"), w.deploy("scenario")
	results := make(chan error, 20)
	for range cap(results) {
		go func() {
			_, err := w.Call(ctx, alice, a, "forward", to(b, "forward", string(to(a, "echo", "x"))))
			results <- err
		}()
	}
	for range cap(results) {
		require.NoError(t, <-results)
	}
}

func TestCallsEndWithTheNetwork(t *testing.T) {
	net, err := replica.Start()
	require.NoError(t, err)
	w := &world{t, net}
	a := w.deploy("scenario")
	control(w, a, a)
	waiting := make(chan error, 1)
	go func() { // it waits for its own stopping, which never comes
		_, err := net.Call(ctx, alice, a, "forward", to(principal.Management, "stop_canister", stopArgument(a)))
		waiting <- err
	}()
	require.Eventually(t, func() bool {
		status, err := net.Status(ctx, a)
		return err == nil && status.Status == management.RunStateStopping
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, net.Close())
	require.ErrorContains(t, <-waiting, "the network was closed")
	require.NoError(t, net.Close(), "closing twice is closing once")
}

// A timer that a message sets to d from its own time fires within Advance(d), however many rounds came before, and
// though the canister has heartbeats to take turns with.
func TestAdvanceFiresTimersThatAreJustDue(t *testing.T) {
	w := newWorld(t, stopped)
	a := w.deploy("scenario")
	w.deploy("hooks")
	for range 5 {
		w.call(a, "whoami", nil)
	}
	before := w.numbers(a)[1]
	w.call(a, "set_timer", binary.LittleEndian.AppendUint64(nil, uint64(w.Time().Add(time.Minute).UnixNano())))
	require.NoError(t, w.Advance(ctx, time.Minute))
	require.Equal(t, before+1, w.numbers(a)[1])
}
