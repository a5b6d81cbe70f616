package replica_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/reject"
)

func nat(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
func ptr[T any](v T) *T     { return &v }

// manage calls the management canister as the owner.
func (w *world) manage(method string, arg []byte) []byte {
	w.Helper()
	reply, err := w.Call(ctx, owner, principal.Management, method, arg)
	require.NoError(w, err)
	return reply
}

func TestStatusHasEveryField(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("scenario")
	raw := w.manage("canister_status", management.EncodeCanisterStatusArgs(management.CanisterArg{CanisterID: id}))
	s, err := management.DecodeCanisterStatusResult(raw)
	require.NoError(t, err)
	code := module(t, "scenario")
	hash := sha256.Sum256(code)
	require.Equal(t, management.RunStateRunning, s.Status)
	require.Equal(t, hash[:], s.ModuleHash)
	require.Equal(t, []principal.Principal{owner}, s.Settings.Controllers)
	require.EqualValues(t, 2_592_000, s.Settings.FreezingThreshold.Uint64())
	require.EqualValues(t, 3<<30, s.Settings.WasmMemoryLimit.Uint64())
	require.EqualValues(t, len(code), s.MemoryMetrics.WasmBinarySize.Uint64())
	require.EqualValues(t, 4*65536, s.MemoryMetrics.WasmMemorySize.Uint64())
	require.Positive(t, s.IdleCyclesBurnedPerDay.Sign())

	_, err = w.Call(ctx, alice, principal.Management, "canister_status", management.EncodeCanisterStatusArgs(management.CanisterArg{CanisterID: id}))
	refused(t, err, reject.CanisterStatusAccessDenied, "is not allowed")
}

func TestChunkedInstall(t *testing.T) {
	w := newWorld(t)
	id, err := w.Create(ctx, owner, replica.CreateOptions{})
	require.NoError(t, err)
	code := module(t, "scenario")
	var list []management.ChunkHash
	for _, part := range [][]byte{code[:700], code[700:]} {
		reply := w.manage("upload_chunk", management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: id, Chunk: part}))
		hash, err := management.DecodeUploadChunkResult(reply)
		require.NoError(t, err)
		sum := sha256.Sum256(part)
		require.Equal(t, sum[:], hash.Hash)
		list = append(list, management.ChunkHash{Hash: sum[:]})
	}
	stored, err := management.DecodeStoredChunksResult(w.manage("stored_chunks", management.EncodeStoredChunksArgs(management.CanisterArg{CanisterID: id})))
	require.NoError(t, err)
	require.ElementsMatch(t, list, stored)
	require.True(t, slices.IsSortedFunc(stored, func(a, b management.ChunkHash) int { return bytes.Compare(a.Hash, b.Hash) }))

	sum := sha256.Sum256(code)
	install := func(hash []byte, list []management.ChunkHash) error {
		_, err := w.Call(ctx, owner, principal.Management, "install_chunked_code", management.EncodeInstallChunkedCodeArgs(
			management.InstallChunkedArg{TargetCanister: id, ChunkHashesList: list, WasmModuleHash: hash}))
		return err
	}
	refused(t, install(sum[1:], list), reject.ContractViolation, "Invalid wasm hash [")
	other := sha256.Sum256(nil)
	refused(t, install(other[:], list), reject.ContractViolation, "does not match given hash WasmHash([227, 176, 196, ")
	refused(t, install(sum[:], []management.ChunkHash{{Hash: other[:]}}), reject.ContractViolation, "Error from Wasm chunk store: Chunk hash [227, 176, 196, ")
	require.NoError(t, install(sum[:], list))
	require.Equal(t, "hi", string(w.ask(id, "echo", []byte("hi"))))
	w.manage("clear_chunk_store", management.EncodeClearChunkStoreArgs(management.CanisterArg{CanisterID: id}))
	_, err = w.Call(ctx, owner, principal.Management, "upload_chunk", management.EncodeUploadChunkArgs(
		management.UploadChunkArg{CanisterID: id, Chunk: make([]byte, 1<<20+1)}))
	refused(t, err, reject.ContractViolation, "exceeds the maximum chunk size")
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	id, reader := w.deploy("scenario"), w.deploy("scenario")
	require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "scenario"), nil))
	control(w, id, alice)
	arg := string(management.EncodeCanisterInfoArgs(management.InfoArg{CanisterID: id, NumRequestedChanges: ptr(uint64(10))}))
	_, err := w.Call(ctx, owner, principal.Management, "canister_info", []byte(arg))
	refused(t, err, reject.CanisterRejectedMessage, "Only canisters can call ic00 method canister_info")
	info, err := management.DecodeCanisterInfoResult(w.call(reader, "forward", to(principal.Management, "canister_info", arg)))
	require.NoError(t, err)
	require.EqualValues(t, 4, info.TotalNumChanges)
	var kinds []string
	for _, c := range info.RecentChanges {
		kinds = append(kinds, c.Details.Tag.String())
		require.Equal(t, owner, c.Origin.FromUser.UserID)
	}
	require.Equal(t, []string{"creation", "code_deployment", "code_deployment", "controllers_change"}, kinds)
	require.Equal(t, management.DeploymentModeUpgrade, info.RecentChanges[2].Details.CodeDeployment.Mode)
	require.Equal(t, []principal.Principal{alice, owner}, info.Controllers)
}

func TestSettingsAreChecked(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("scenario")
	many := make([]principal.Principal, 11)
	for name, test := range map[string]struct {
		settings management.Settings
		code     reject.ErrorCode
		text     string
	}{
		"compute":     {management.Settings{ComputeAllocation: ptr(nat(101))}, reject.ContractViolation, "ComputeAllocation expected to be in the range [0..100], got 101"},
		"controllers": {management.Settings{Controllers: many}, reject.InvalidManagementPayload, "exceeds maximum allowed 10"},
		"log":         {management.Settings{LogMemoryLimit: ptr(nat(2<<20 + 1))}, reject.CanisterRejectedMessage, "The canister log memory limit 2097153 is too high. It must be at most 2097152."},
		"freezing":    {management.Settings{FreezingThreshold: ptr(new(big.Int).Lsh(nat(1), 64))}, reject.ContractViolation, "Freezing threshold expected to be in the range of [0..2^64-1], got 18_446_744_073_709_551_616"},
		"reserved":    {management.Settings{ReservedCyclesLimit: ptr(new(big.Int).Lsh(nat(1), 128))}, reject.ContractViolation, "Reserved cycles limit expected to be in the range of [0..2^128-1]"},
		"memory":      {management.Settings{MemoryAllocation: ptr(nat(1 << 60))}, reject.SubnetOversubscribed, "Try moving to another subnet."},
		"variables": {management.Settings{EnvironmentVariables: []management.Variable{{Name: "a"}, {Name: "a", Value: "b"}}}, reject.InvalidManagementPayload,
			"Duplicate environment variables"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Call(ctx, owner, principal.Management, "update_settings",
				management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: id, Settings: test.settings}))
			refused(t, err, test.code, test.text)
		})
	}
}

func TestLogsAreForThoseWhoMaySee(t *testing.T) {
	w := newWorld(t)
	a, b := w.deploy("scenario"), w.deploy("scenario")
	_, err := w.Call(ctx, alice, a, "forward_trap", to(b, "echo", ""))
	require.Error(t, err)
	arg := management.EncodeFetchCanisterLogsArgs(management.LogsArg{CanisterID: a})
	raw, err := w.Query(ctx, owner, principal.Management, "fetch_canister_logs", arg)
	require.NoError(t, err)
	logs, err := management.DecodeFetchCanisterLogsResult(raw)
	require.NoError(t, err)
	require.Len(t, logs.CanisterLogRecords, 2)
	require.EqualValues(t, 1, logs.CanisterLogRecords[1].Idx)
	_, err = w.Query(ctx, alice, principal.Management, "fetch_canister_logs", arg)
	refused(t, err, reject.CanisterRejectedMessage, "is not allowed to access canister logs")
	_, err = w.Call(ctx, owner, principal.Management, "fetch_canister_logs", arg)
	refused(t, err, reject.CanisterRejectedMessage, "is not accessible via ingress in replicated mode")
}

func TestSnapshots(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("upgrade")
	require.NoError(t, w.SetStableMemory(id, []byte{10}))
	taken, err := management.DecodeTakeCanisterSnapshotResult(w.manage("take_canister_snapshot",
		management.EncodeTakeCanisterSnapshotArgs(management.TakeSnapshotArg{CanisterID: id})))
	require.NoError(t, err)
	require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "upgrade"), nil))
	require.Equal(t, byte(12), w.upgraded(id)[0])
	w.manage("load_canister_snapshot", management.EncodeLoadCanisterSnapshotArgs(management.LoadSnapshotArg{CanisterID: id, SnapshotID: taken.ID}))
	require.Equal(t, byte(10), w.upgraded(id)[0])
	require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "upgrade"), nil), "the restored canister works")
	list, err := management.DecodeListCanisterSnapshotsResult(w.manage("list_canister_snapshots",
		management.EncodeListCanisterSnapshotsArgs(management.CanisterArg{CanisterID: id})))
	require.NoError(t, err)
	require.Equal(t, []management.SnapshotInfo{taken}, list)
	w.manage("delete_canister_snapshot", management.EncodeDeleteCanisterSnapshotArgs(management.SnapshotArg{CanisterID: id, SnapshotID: taken.ID}))
	_, err = w.Call(ctx, owner, principal.Management, "load_canister_snapshot",
		management.EncodeLoadCanisterSnapshotArgs(management.LoadSnapshotArg{CanisterID: id, SnapshotID: taken.ID}))
	refused(t, err, reject.SnapshotNotFound, "Could not find the snapshot")
}

func snapshotArgument(id principal.Principal) []byte {
	return management.EncodeTakeCanisterSnapshotArgs(management.TakeSnapshotArg{CanisterID: id})
}

func TestManagementIsAboutTheEffectiveCanister(t *testing.T) {
	w := newWorld(t)
	a := w.deploy("scenario")
	_, err := w.Call(ctx, owner, principal.Management, "start_canister", management.EncodeStartCanisterArgs(management.CanisterArg{CanisterID: a}))
	require.NoError(t, err)
	_, err = w.Call(ctx, owner, principal.Management, "start_canister", []byte("not candid"))
	refused(t, err, reject.InvalidManagementPayload, "Error decoding candid")
	_, err = w.Call(ctx, owner, principal.Management, "start_canister",
		management.EncodeStartCanisterArgs(management.CanisterArg{CanisterID: principal.Canister(99)}))
	refused(t, err, reject.CanisterNotFound, "not found")
	for method, want := range map[string]reject.ErrorCode{
		"raw_rand": reject.CanisterRejectedMessage, "sign_with_ecdsa": reject.CanisterRejectedMessage,
		"bitcoin_get_balance": reject.CanisterRejectedMessage, "nonsense": reject.MethodNotFound,
	} {
		_, err = w.Call(ctx, owner, principal.Management, method, []byte("DIDL\x00\x00"))
		refused(t, err, want, method)
	}
}

// A canister that states its version must state the right one; users have none.
func TestSenderVersionIsChecked(t *testing.T) {
	w := newWorld(t)
	a := w.deploy("scenario")
	target := w.deploy("scenario")
	control(w, target, a)
	try := func(version uint64) error {
		_, err := w.Call(ctx, alice, a, "forward", to(principal.Management, "update_settings", string(management.EncodeUpdateSettingsArgs(
			management.UpdateSettingsArg{CanisterID: target, SenderCanisterVersion: &version}))))
		return err
	}
	status, err := w.Status(ctx, a)
	require.NoError(t, err)
	refused(t, try(status.Version+1), reject.CanisterRejectedMessage, fmt.Sprintf(
		"5IC0504: Management canister call payload includes sender canister version %d that does not match the actual sender canister version %d.",
		status.Version+1, status.Version))
	status, err = w.Status(ctx, a)
	require.NoError(t, err)
	require.NoError(t, try(status.Version))
	wrong := uint64(99)
	w.manage("update_settings", management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: target, SenderCanisterVersion: &wrong}))
}

// After an expensive installation a canister refuses others for as many rounds as production does, if it was asked for.
func TestInstallationsAreRateLimited(t *testing.T) {
	for _, limited := range []bool{false, true} {
		options := []replica.Option{stopped}
		if limited {
			options = append(options, replica.WithRateLimit())
		}
		w := newWorld(t, options...)
		id := w.deploy("long")
		other := w.deploy("scenario")
		require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "long"), spin(5_000_000_000)))
		refusals := 0
		for w.Upgrade(ctx, owner, id, module(t, "long"), spin(1)) != nil {
			require.Less(t, refusals, 10)
			refusals++
		}
		require.NoError(t, w.Upgrade(ctx, owner, other, module(t, "scenario"), nil), "others are not concerned")
		if !limited {
			require.Zero(t, refusals)
			continue
		}
		require.Equal(t, 2, refusals, "5 G instructions and each round, that of the installation too, forgives 2 G")
		for range 5 { // pre_upgrade was expensive, too
			w.Tick(ctx)
		}
		require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "long"), spin(5_000_000_000)))
		refused(t, w.Upgrade(ctx, owner, id, module(t, "long"), nil), reject.InstallCodeRateLimited, "is rate limited because it executed too many instructions")
	}
}

// Memory does not grow beyond what the balance can carry for the freezing threshold: by code, by an installation, by
// chunks, by snapshots.
func TestGrowthMustBeAffordable(t *testing.T) {
	w := newWorld(t, stopped)
	id := w.deploy("long")
	w.call(id, "short", nil)
	set := func(s management.Settings) error {
		_, err := w.Call(ctx, owner, principal.Management, "update_settings",
			management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: id, Settings: s}))
		return err
	}
	before := w.ask(id, "get", nil)
	status, err := w.Status(ctx, id)
	require.NoError(t, err)
	// The threshold that leaves 60 G cycles above the reserve: enough for a message, too little for two pages more.
	spare := big.NewInt(60_000_000_000)
	seconds := new(big.Int).Sub(status.Cycles, spare)
	seconds.Mul(seconds, big.NewInt(86_400)).Div(seconds, status.IdleCyclesBurnedPerDay)
	require.NoError(t, set(management.Settings{FreezingThreshold: &seconds}))
	_, err = w.Call(ctx, alice, id, "short", nil)
	refused(t, err, reject.InsufficientCyclesInMemoryGrow, "Canister cannot grow memory by 65536 bytes due to insufficient cycles..\nTry topping up the canister.")
	_, err = w.Call(ctx, owner, id, "short", nil)
	refused(t, err, reject.InsufficientCyclesInMemoryGrow, "Canister cannot grow memory by 65536 bytes due to insufficient cycles. At least ")
	require.Equal(t, before, w.ask(id, "get", nil))
	refused(t, set(management.Settings{ComputeAllocation: ptr(nat(1))}), reject.InsufficientCyclesInComputeAllocation, "Cannot increase compute allocation to 1% due to insufficient cycles. At least ")
	refused(t, set(management.Settings{MemoryAllocation: ptr(nat(1 << 30))}), reject.InsufficientCyclesInMemoryAllocation, "Cannot increase memory allocation to 1024.00 MiB due to insufficient cycles. At least ")
	_, err = w.Call(ctx, owner, principal.Management, "upload_chunk", management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: id, Chunk: []byte("x")}))
	refused(t, err, reject.InsufficientCyclesInMemoryGrow, "Canister cannot grow memory by 1048576 bytes")
	_, err = w.Call(ctx, owner, principal.Management, "take_canister_snapshot", management.EncodeTakeCanisterSnapshotArgs(management.TakeSnapshotArg{CanisterID: id}))
	refused(t, err, reject.InsufficientCyclesInMemoryGrow, "Canister cannot grow memory by ")
	require.NoError(t, set(management.Settings{FreezingThreshold: ptr(nat(0))}))
	w.call(id, "short", nil)
}
