package replica_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// In which order the management canister judges, what it charges by then, and in which words it refuses: as read in
// production's source (dfinity/ic of 2026-05, rs/execution_environment: canister_manager.rs, execution/install_code.rs,
// execution/install.rs, execution/upgrade.rs, execution/call_or_task.rs).

// consumed is what a canister has paid for instructions.
func (w *world) consumed(id principal.Principal) int64 {
	w.Helper()
	raw, err := w.Query(ctx, owner, principal.Management, "canister_metrics", management.EncodeCanisterMetricsArgs(management.CanisterArg{CanisterID: id}))
	require.NoError(w, err)
	metrics, err := management.DecodeCanisterMetricsResult(raw)
	require.NoError(w, err)
	return metrics.CyclesConsumed.Instructions.Int64()
}

// costs is what a canister pays for instructions while f runs.
func (w *world) costs(id principal.Principal, f func()) int64 {
	w.Helper()
	before := w.consumed(id)
	f()
	return w.consumed(id) - before
}

func (w *world) printed(id principal.Principal) (texts []string) {
	w.Helper()
	logs, err := w.Logs(id)
	require.NoError(w, err)
	for _, entry := range logs {
		texts = append(texts, string(entry.Content))
	}
	return texts
}

func (w *world) set(id principal.Principal, s management.Settings) error {
	_, err := w.Call(ctx, owner, principal.Management, "update_settings",
		management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: id, Settings: s}))
	return err
}

// The prices that do not depend on the module: what any message costs, and what an installation costs beside its code.
const (
	baseFee    = 5_000_000
	installFee = 20_000_000
)

func TestPreUpgradeRunsBeforeCodeThatIsRefused(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	code := []byte("\x00asm nonsense")
	cost := w.costs(id, func() {
		refused(t, w.Upgrade(ctx, owner, id, code, nil), reject.InvalidWasm, "Canister's Wasm module is not valid")
	})
	require.Equal(t, []string{"begun", "leaving"}, w.printed(id))
	least := int64(baseFee + installFee + 6_000*len(code))
	require.Greater(t, cost, least, "pre_upgrade is paid for, too")
	require.Less(t, cost, least+1_000_000, "pages and instructions of pre_upgrade")
}

func TestTimerOfUpgrades(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	w.call(id, "set", nil)
	require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "order"), nil))
	kept := w.ask(id, "get", nil)
	require.EqualValues(t, 0x7ffffffffffffff0, binary.LittleEndian.Uint64(kept), "pre_upgrade finds the timer as it was")
	require.Zero(t, binary.LittleEndian.Uint64(kept[8:]), "post_upgrade finds none, though pre_upgrade has set one")
}

func TestLogOfAReinstallationThatFails(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	refused(t, w.Reinstall(ctx, owner, id, []byte("\x00asm nonsense"), nil), reject.InvalidWasm, "")
	require.Equal(t, []string{"begun"}, w.printed(id), "code that is refused leaves the log alone")
	refused(t, w.Reinstall(ctx, owner, id, module(t, "order"), []byte{1}), reject.Trapped, "unreachable")
	require.Equal(t, 2, len(w.printed(id)), "the log of the code before is gone: %q", w.printed(id))
	require.Equal(t, "begun", w.printed(id)[0])
	require.Contains(t, w.printed(id)[1], "[TRAP]: unreachable")
}

// A module is cheaper the second time only if it was installed before.
func TestCompilingAgain(t *testing.T) {
	w := newWorld(t, stopped)
	id, err := w.Create(ctx, owner, replica.CreateOptions{})
	require.NoError(t, err)
	fails := func() { refused(t, w.Install(ctx, owner, id, module(t, "order"), []byte{1}), reject.Trapped, "") }
	first := w.costs(id, fails)
	require.Equal(t, first, w.costs(id, fails))
	require.NoError(t, w.Install(ctx, owner, id, module(t, "order"), nil))
	again := w.costs(id, func() { require.NoError(t, w.Reinstall(ctx, owner, id, module(t, "order"), nil)) })
	require.Less(t, again, first-500_000)
}

// Joining chunks costs an instruction a byte, of whole chunks; what is wrong with them is found out after that.
func TestChunksArePaidFor(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	code := module(t, "order")
	var list []management.ChunkHash
	for _, part := range [][]byte{code[:100], code[100:]} {
		cost := w.costs(id, func() {
			w.manage("upload_chunk", management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: id, Chunk: part}))
		})
		require.EqualValues(t, 200_000_000, cost)
		sum := sha256.Sum256(part)
		list = append(list, management.ChunkHash{Hash: sum[:]})
	}
	install := func(by principal.Principal, store *principal.Principal, hash []byte, list []management.ChunkHash) error {
		_, err := w.Call(ctx, by, principal.Management, "install_chunked_code", management.EncodeInstallChunkedCodeArgs(management.InstallChunkedArg{
			Mode: management.InstallMode{Tag: management.InstallModeTagReinstall}, TargetCanister: id, StoreCanister: store, ChunkHashesList: list, WasmModuleHash: hash}))
		return err
	}
	sum := sha256.Sum256(code)
	plain := w.costs(id, func() { require.NoError(t, w.Reinstall(ctx, owner, id, code, nil)) })
	joined := w.costs(id, func() { require.NoError(t, install(owner, nil, sum[:], list)) })
	require.EqualValues(t, 2<<20, joined-plain)
	wrong := w.costs(id, func() {
		refused(t, install(owner, nil, sum[:], list[:1]), reject.ContractViolation, "Error from Wasm chunk store: Wasm module hash [")
	})
	require.EqualValues(t, baseFee+1<<20, wrong)
	wrong = w.costs(id, func() {
		refused(t, install(owner, nil, sum[:], []management.ChunkHash{{Hash: []byte{1}}}), reject.ContractViolation,
			"Error from Wasm chunk store: Chunk hash is invalid. The length is not 32.\nUse the `stored_chunks` API")
	})
	require.EqualValues(t, baseFee+1<<20, wrong)
	refused(t, install(owner, nil, sum[:], make([]management.ChunkHash, 101)), reject.ContractViolation,
		"InstallChunkedCode Error: chunk_hashes_list length 101 exceeds the maximum of 100 chunks")
	gone := principal.Canister(0x8000_0000_00ff_0000)
	refused(t, install(owner, &gone, sum[:], list), reject.CanisterNotFound, "InstallChunkedCode Error: Store canister "+gone.Text()+" was not found on subnet ")
	others, err := w.Create(ctx, alice, replica.CreateOptions{})
	require.NoError(t, err)
	refused(t, install(owner, &others, sum[:], list), reject.InvalidController, "Only the controllers of the canister "+others.Text()+" can control it.")

	// What is refused is charged all the same, what is there already needs no memory.
	cost := w.costs(id, func() {
		_, err := w.Call(ctx, owner, principal.Management, "upload_chunk", management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: id, Chunk: make([]byte, 1<<20+1)}))
		refused(t, err, reject.ContractViolation, "Error from Wasm chunk store: Wasm chunk size 1048577 exceeds the maximum chunk size of 1048576.")
	})
	require.EqualValues(t, 200_000_000, cost)
	// A canister reads its own store, though it does not control itself.
	w.call(w.deploy("scenario"), "echo", nil)
	self := w.deploy("scenario")
	w.call(self, "forward", to(principal.Management, "stored_chunks", string(management.EncodeStoredChunksArgs(management.CanisterArg{CanisterID: self}))))
}

// Refusals before the code is looked at cost what any message costs; that the canister is not empty is found first.
func TestRefusedInstallationsArePaidFor(t *testing.T) {
	w := newWorld(t, stopped, replica.WithRateLimit())
	id := w.deploy("long")
	require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "long"), spin(5_000_000_000)))
	cost := w.costs(id, func() {
		refused(t, w.Install(ctx, owner, id, module(t, "long"), nil), reject.NonEmpty, "is not empty")
	})
	require.EqualValues(t, baseFee, cost)
	cost = w.costs(id, func() {
		refused(t, w.Reinstall(ctx, owner, id, module(t, "long"), nil), reject.InstallCodeRateLimited, "is rate limited")
	})
	require.EqualValues(t, baseFee, cost)
}

// Updates, and they alone, are refused while the heap is larger than the limit; so is an installation, at its end.
func TestWasmMemoryLimit(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	require.NoError(t, w.set(id, management.Settings{WasmMemoryLimit: ptr(nat(65_536))}))
	w.call(id, "ok", nil)
	_, err := w.Call(ctx, alice, id, "grow", nil)
	refused(t, err, reject.WasmMemoryLimitExceeded, "The peak Wasm memory usage was 131072 bytes.")
	require.Equal(t, []byte{255, 255, 255, 255}, w.call(id, "far", nil), "what the memory cannot have fails by itself")
	require.NoError(t, w.set(id, management.Settings{WasmMemoryLimit: ptr(nat(0))}))
	w.call(id, "grow", nil)
	require.NoError(t, w.set(id, management.Settings{WasmMemoryLimit: ptr(nat(65_536))}))
	cost := w.costs(id, func() {
		_, err := w.Call(ctx, alice, id, "ok", nil)
		refused(t, err, reject.WasmMemoryLimitExceeded, "Canister exceeded its current Wasm memory limit of 65536 bytes. The peak Wasm memory usage was 131072 bytes.")
	})
	require.EqualValues(t, baseFee, cost)
	w.call(id, "get", nil) // a query method as an update
	require.NoError(t, w.set(id, management.Settings{WasmMemoryLimit: ptr(nat(1))}))
	refused(t, w.Upgrade(ctx, owner, id, module(t, "order"), nil), reject.WasmMemoryLimitExceeded, "memory limit of 1 bytes. The peak Wasm memory usage was 65536 bytes.")
	require.Equal(t, "leaving", w.printed(id)[len(w.printed(id))-1])
}

// A query method called as an update may use what queries may, and needs no more cycles than that in advance.
func TestReplicatedQueriesAreQueries(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	status, err := w.Status(ctx, id)
	require.NoError(t, err)
	seconds := new(big.Int).Sub(status.Cycles, big.NewInt(20_000_000_000))
	seconds.Mul(seconds, big.NewInt(86_400)).Div(seconds, status.IdleCyclesBurnedPerDay)
	require.NoError(t, w.set(id, management.Settings{FreezingThreshold: &seconds}))
	w.call(id, "get", nil)
	_, err = w.Call(ctx, owner, id, "ok", nil)
	refused(t, err, reject.OutOfCycles, "is out of cycles: please top up")
}

// All settings of a call count together, and at creation as later.
func TestSettingsAreAffordedTogether(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	refused(t, w.set(id, management.Settings{ComputeAllocation: ptr(nat(60))}), reject.InsufficientCyclesInComputeAllocation, "Cannot increase compute allocation to 60%")
	require.NoError(t, w.set(id, management.Settings{ComputeAllocation: ptr(nat(60)), FreezingThreshold: ptr(nat(0))}))
	refused(t, w.set(id, management.Settings{MemoryAllocation: ptr(nat(1 << 30)), FreezingThreshold: ptr(nat(1 << 40))}),
		reject.InsufficientCyclesInMemoryAllocation, "Cannot increase memory allocation to 1024.00 MiB")
	refused(t, w.set(id, management.Settings{ComputeAllocation: ptr(nat(61)), MemoryAllocation: ptr(nat(1 << 30)), FreezingThreshold: ptr(nat(1 << 40))}),
		reject.InsufficientCyclesInComputeAllocation, "Cannot increase compute allocation to 61%")
	refused(t, w.set(id, management.Settings{EnvironmentVariables: make([]management.Variable, 21)}), reject.InvalidManagementPayload, "Duplicate environment variables are not allowed")

	create := func(s management.Settings, amount int64) (management.CanisterId, error) {
		raw, err := w.Call(ctx, owner, principal.Management, "provisional_create_canister_with_cycles",
			management.EncodeProvisionalCreateCanisterWithCyclesArgs(management.ProvisionalCreateArg{Amount: ptr(big.NewInt(amount)), Settings: &s}))
		if err != nil {
			return management.CanisterId{}, err
		}
		return management.DecodeProvisionalCreateCanisterWithCyclesResult(raw)
	}
	first, err := create(management.Settings{}, 0)
	require.NoError(t, err)
	_, err = create(management.Settings{ComputeAllocation: ptr(nat(1))}, 1)
	// 1 % for 30 days: 10,000,000 × 2,592,000, less the one cycle.
	refused(t, err, reject.InsufficientCyclesInComputeAllocation, "Cannot increase compute allocation to 1% due to insufficient cycles. At least 25_919_999_999_999 additional cycles are required.")
	_, err = create(management.Settings{MemoryAllocation: ptr(nat(1 << 30)), FreezingThreshold: ptr(nat(86_400))}, 1)
	refused(t, err, reject.InsufficientCyclesInMemoryAllocation, "Cannot increase memory allocation to 1024.00 MiB due to insufficient cycles.")
	_, err = create(management.Settings{ComputeAllocation: ptr(nat(90)), FreezingThreshold: ptr(nat(0))}, 1)
	refused(t, err, reject.SubnetOversubscribed, "Canister requested a compute allocation of 90% which cannot be satisfied because the Subnet's remaining compute capacity is 89%.\nTry moving to another subnet.")
	second, err := create(management.Settings{}, 0)
	require.NoError(t, err)
	a, _ := first.CanisterID.CanisterIndex()
	b, _ := second.CanisterID.CanisterIndex()
	require.Equal(t, a+1, b, "a creation that fails uses no id up")
}

// Snapshots: who may load them, and what is charged when something is wrong.
func TestSnapshotsAreJudged(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("order")
	empty, err := w.Create(ctx, owner, replica.CreateOptions{})
	require.NoError(t, err)
	theirs, err := w.Deploy(ctx, alice, module(t, "order"), nil)
	require.NoError(t, err)
	take := func(by, id principal.Principal) ([]byte, error) {
		raw, err := w.Call(ctx, by, principal.Management, "take_canister_snapshot", snapshotArgument(id))
		if err != nil {
			return nil, err
		}
		info, err := management.DecodeTakeCanisterSnapshotResult(raw)
		return info.ID, err
	}
	load := func(shot []byte) error {
		_, err := w.Call(ctx, owner, principal.Management, "load_canister_snapshot",
			management.EncodeLoadCanisterSnapshotArgs(management.LoadSnapshotArg{CanisterID: id, SnapshotID: shot}))
		return err
	}
	cost := w.costs(empty, func() {
		_, err := take(owner, empty)
		refused(t, err, reject.CanisterRejectedMessage, "Failed to create snapshot for empty canister "+empty.Text()+":")
	})
	require.Zero(t, cost)
	shot, err := take(alice, theirs)
	require.NoError(t, err)
	refused(t, load(shot), reject.CanisterRejectedMessage, "Only a controller of the canister that snapshot "+theirs.Text()+"-0 belongs to can load it on canister "+
		id.Text()+". Sender: "+owner.Text()+".\nMake sure you are a controller of the canister that the snapshot belongs to. See documentation: canister-snapshot-not-controller")
	unknown := bytes.Clone(shot)
	unknown[7] = 9
	refused(t, load(unknown), reject.SnapshotNotFound, "Could not find the snapshot ID "+theirs.Text()+"-9 for canister "+theirs.Text()+".")
	for range 10 {
		_, err := take(owner, id)
		require.NoError(t, err)
	}
	_, err = take(owner, id)
	refused(t, err, reject.CanisterRejectedMessage, "Canister "+id.Text()+" has reached the maximum number of snapshots allowed: 10.\n"+
		"Consider deleting an unnecessary snapshot of the specified canister before creating a new one. See documentation: canister-snapshot-limit-exceeded")
}

// A canister that cannot pay for what it holds loses it: code, snapshots, history, allocations, and its last cycles.
func TestWhatACanisterLosesThatCannotPay(t *testing.T) {
	w := newWorld(t, stopped)
	id, err := w.Create(ctx, owner, replica.CreateOptions{Cycles: cycles.New(340_000_000_000)})
	require.NoError(t, err)
	require.NoError(t, w.Install(ctx, owner, id, module(t, "order"), nil))
	_, err = w.Call(ctx, owner, principal.Management, "take_canister_snapshot", snapshotArgument(id))
	require.NoError(t, err)
	require.NoError(t, w.set(id, management.Settings{ComputeAllocation: ptr(nat(1)), FreezingThreshold: ptr(nat(0))}))
	before, err := w.Status(ctx, id)
	require.NoError(t, err)
	require.NoError(t, w.Advance(ctx, 24*time.Hour)) // 1 % costs 864 G
	after, err := w.Status(ctx, id)
	require.NoError(t, err)
	require.Empty(t, after.ModuleHash)
	require.Zero(t, after.Cycles.Sign())
	require.Zero(t, after.Settings.ComputeAllocation.Sign())
	require.Zero(t, after.MemoryMetrics.SnapshotsSize.Sign())
	require.Zero(t, after.MemoryMetrics.CanisterHistorySize.Sign())
	require.Equal(t, before.Version+1, after.Version)
	raw, err := w.Query(ctx, owner, principal.Management, "canister_metrics", management.EncodeCanisterMetricsArgs(management.CanisterArg{CanisterID: id}))
	require.NoError(t, err)
	metrics, err := management.DecodeCanisterMetricsResult(raw)
	require.NoError(t, err)
	require.Positive(t, metrics.CyclesConsumed.Uninstall.Sign())
	require.Zero(t, metrics.CyclesConsumed.ComputeAllocation.Sign())
}

// A callback runs though its canister has been frozen since the call: it was paid for with the call.
func TestCallbacksOfFrozenCanisters(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("scenario")
	control(w, id, id)
	freeze := management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: id, Settings: management.Settings{FreezingThreshold: ptr(nat(1 << 50))}})
	w.call(id, "forward", to(principal.Management, "update_settings", string(freeze)))
	_, err := w.Call(ctx, alice, id, "whoami", nil)
	refused(t, err, reject.OutOfCycles, "is out of cycles")
}

// A timer that is due while its canister is frozen fires when it is not any more.
func TestTimersOfFrozenCanisters(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("scenario")
	w.call(id, "set_timer", binary.LittleEndian.AppendUint64(nil, uint64(w.Time().Add(time.Hour).UnixNano())))
	require.NoError(t, w.set(id, management.Settings{FreezingThreshold: ptr(nat(1 << 50))}))
	require.NoError(t, w.Advance(ctx, 2*time.Hour))
	require.NoError(t, w.set(id, management.Settings{FreezingThreshold: ptr(nat(0))}))
	require.NoError(t, w.Advance(ctx, time.Second))
	require.EqualValues(t, 1, w.numbers(id)[1])
}

// Every call of stop_canister raises the version, and a canister is told that it cannot delete itself before it is
// asked whether it controls itself.
func TestStoppingAgainAndDeletingItself(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("scenario")
	version := func() uint64 {
		s, err := w.Status(ctx, id)
		require.NoError(t, err)
		return s.Version
	}
	before := version()
	for range 2 {
		w.manage("stop_canister", []byte(stopArgument(id)))
	}
	require.Equal(t, before+3, version(), "to stopping, to stopped, and once more for nothing")
	w.manage("start_canister", management.EncodeStartCanisterArgs(management.CanisterArg{CanisterID: id}))
	_, err := w.Call(ctx, alice, id, "forward", to(principal.Management, "delete_canister", string(management.EncodeDeleteCanisterArgs(management.CanisterArg{CanisterID: id}))))
	refused(t, err, reject.CanisterRejectedMessage, "5Canister "+id.Text()+" cannot delete itself.")
}
