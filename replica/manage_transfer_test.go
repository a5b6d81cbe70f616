package replica_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/reject"
)

// A snapshot is read piece by piece and uploaded to another canister, which then is the first one's twin.
func TestSnapshotsTravel(t *testing.T) {
	w := newWorld(t)
	from := w.deploy("upgrade")
	require.NoError(t, w.SetStableMemory(from, []byte{10}))
	require.NoError(t, w.Upgrade(ctx, owner, from, module(t, "upgrade"), nil))
	taken, err := management.DecodeTakeCanisterSnapshotResult(w.manage("take_canister_snapshot",
		management.EncodeTakeCanisterSnapshotArgs(management.TakeSnapshotArg{CanisterID: from})))
	require.NoError(t, err)
	meta, err := management.DecodeReadCanisterSnapshotMetadataResult(w.manage("read_canister_snapshot_metadata",
		management.EncodeReadCanisterSnapshotMetadataArgs(management.SnapshotArg{CanisterID: from, SnapshotID: taken.ID})))
	require.NoError(t, err)
	require.Equal(t, management.SnapshotSourceTagTakenFromCanister, meta.Source.Tag)
	require.NotEmpty(t, meta.Globals)

	other := w.deploy("scenario") // another module: all of it is replaced
	made, err := management.DecodeUploadCanisterSnapshotMetadataResult(w.manage("upload_canister_snapshot_metadata",
		management.EncodeUploadCanisterSnapshotMetadataArgs(management.UploadSnapshotMetadataArg{CanisterID: other,
			WasmModuleSize: meta.WasmModuleSize, Globals: meta.Globals, WasmMemorySize: meta.WasmMemorySize,
			StableMemorySize: meta.StableMemorySize, CertifiedData: meta.CertifiedData, GlobalTimer: meta.GlobalTimer})))
	require.NoError(t, err)

	const piece = 50_000
	for part, size := range map[management.SnapshotPartTag]uint64{
		management.SnapshotPartTagWasmModule: meta.WasmModuleSize, management.SnapshotPartTagWasmMemory: meta.WasmMemorySize,
		management.SnapshotPartTagStableMemory: meta.StableMemorySize,
	} {
		for offset := uint64(0); offset < size; offset += piece {
			slice := management.Slice{Offset: offset, Size: min(piece, size-offset)}
			read, err := management.DecodeReadCanisterSnapshotDataResult(w.manage("read_canister_snapshot_data",
				management.EncodeReadCanisterSnapshotDataArgs(management.ReadSnapshotDataArg{CanisterID: from, SnapshotID: taken.ID,
					Kind: management.SnapshotPart{Tag: part, WasmModule: slice, WasmMemory: slice, StableMemory: slice}})))
			require.NoError(t, err)
			place := management.Place{Offset: offset}
			w.manage("upload_canister_snapshot_data", management.EncodeUploadCanisterSnapshotDataArgs(management.UploadSnapshotDataArg{
				CanisterID: other, SnapshotID: made.SnapshotID, Chunk: read.Chunk,
				Kind: management.SnapshotPlace{Tag: placeOf[part], WasmModule: place, WasmMemory: place, StableMemory: place}}))
		}
	}
	w.manage("load_canister_snapshot", management.EncodeLoadCanisterSnapshotArgs(management.LoadSnapshotArg{CanisterID: other, SnapshotID: made.SnapshotID}))
	require.Equal(t, w.upgraded(from), w.upgraded(other))
	require.NoError(t, w.Upgrade(ctx, owner, other, module(t, "upgrade"), nil), "the twin works")
	require.Equal(t, w.upgraded(from)[0]+2, w.upgraded(other)[0])
}

var placeOf = map[management.SnapshotPartTag]management.SnapshotPlaceTag{
	management.SnapshotPartTagWasmModule:   management.SnapshotPlaceTagWasmModule,
	management.SnapshotPartTagWasmMemory:   management.SnapshotPlaceTagWasmMemory,
	management.SnapshotPartTagStableMemory: management.SnapshotPlaceTagStableMemory,
}

func TestSnapshotTransfersAreChecked(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("upgrade")
	try := func(method string, arg []byte) error {
		_, err := w.Call(ctx, owner, principal.Management, method, arg)
		return err
	}
	taken, err := management.DecodeTakeCanisterSnapshotResult(w.manage("take_canister_snapshot",
		management.EncodeTakeCanisterSnapshotArgs(management.TakeSnapshotArg{CanisterID: id})))
	require.NoError(t, err)

	for _, c := range []struct {
		offset, size uint64
		text         string
	}{
		{1 << 40, 1, "Invalid subslice"}, {0, 1_900_000, "Invalid subslice"}, {1<<64 - 1, 2, "Invalid subslice"},
		{0, 2_000_001, "Requested slice too large: 2000001 > 2000000"},
	} {
		err := try("read_canister_snapshot_data", management.EncodeReadCanisterSnapshotDataArgs(management.ReadSnapshotDataArg{CanisterID: id, SnapshotID: taken.ID,
			Kind: management.SnapshotPart{Tag: management.SnapshotPartTagWasmModule, WasmModule: management.Slice{Offset: c.offset, Size: c.size}}}))
		refused(t, err, reject.InvalidManagementPayload, c.text)
	}
	refused(t, try("upload_canister_snapshot_data", management.EncodeUploadCanisterSnapshotDataArgs(
		management.UploadSnapshotDataArg{CanisterID: id, SnapshotID: taken.ID})), reject.SnapshotImmutable, "Only canister snapshots created by metadata upload can be mutated.")
	refused(t, try("upload_canister_snapshot_metadata", management.EncodeUploadCanisterSnapshotMetadataArgs(
		management.UploadSnapshotMetadataArg{CanisterID: id, WasmModuleSize: 8, WasmMemorySize: 1})), reject.InvalidManagementPayload, "Snapshot Metadata contains invalid data: WasmMemoryNotPageAligned")

	// A snapshot whose parts do not fit each other is not loaded, and the canister stays as it is.
	made, err := management.DecodeUploadCanisterSnapshotMetadataResult(w.manage("upload_canister_snapshot_metadata",
		management.EncodeUploadCanisterSnapshotMetadataArgs(management.UploadSnapshotMetadataArg{CanisterID: id, WasmModuleSize: uint64(len(module(t, "upgrade")))})))
	require.NoError(t, err)
	load := management.EncodeLoadCanisterSnapshotArgs(management.LoadSnapshotArg{CanisterID: id, SnapshotID: made.SnapshotID})
	refused(t, try("load_canister_snapshot", load), reject.InvalidWasm, "is not valid")
	w.manage("upload_canister_snapshot_data", management.EncodeUploadCanisterSnapshotDataArgs(management.UploadSnapshotDataArg{
		CanisterID: id, SnapshotID: made.SnapshotID, Chunk: module(t, "upgrade"), Kind: management.SnapshotPlace{Tag: management.SnapshotPlaceTagWasmModule}}))
	refused(t, try("load_canister_snapshot", load), reject.InvalidManagementPayload, "Wasm exported globals of canister module and snapshot metadata do not match.")
	require.NoError(t, w.Upgrade(ctx, owner, id, module(t, "upgrade"), nil))
}
