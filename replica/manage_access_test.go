package replica_test

import (
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/internal/vectors"
	"kedge/replica/reject"
)

// Who may call a method of the management canister.
type callers uint8

const (
	anyone callers = iota
	controllers
	canisters
	statusReaders
	logReaders
	operators   // controllers, as production lets admins of its subnets do the same
	shotReaders // who may see snapshots
	nobody      // the network does not have what it would need
)

// managementCase is a method and an argument about a canister.
type managementCase struct {
	who callers
	arg []byte
}

// managementCases are all methods of the Interface Specification.
func managementCases(id principal.Principal) map[string]managementCase {
	about := management.CanisterArg{CanisterID: id}
	versioned := management.VersionedCanisterArg{CanisterID: id}
	shot := management.SnapshotArg{CanisterID: id}
	cases := map[string]managementCase{
		"provisional_create_canister_with_cycles": {anyone, management.EncodeProvisionalCreateCanisterWithCyclesArgs(management.ProvisionalCreateArg{})},
		"provisional_top_up_canister":             {anyone, management.EncodeProvisionalTopUpCanisterArgs(management.ProvisionalTopUpArg{CanisterID: id, Amount: big.NewInt(1)})},

		"update_settings":      {controllers, management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: id})},
		"upload_chunk":         {controllers, management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: id})},
		"clear_chunk_store":    {controllers, management.EncodeClearChunkStoreArgs(about)},
		"stored_chunks":        {controllers, management.EncodeStoredChunksArgs(about)},
		"install_code":         {controllers, management.EncodeInstallCodeArgs(management.InstallArg{CanisterID: id})},
		"install_chunked_code": {controllers, management.EncodeInstallChunkedCodeArgs(management.InstallChunkedArg{TargetCanister: id})},
		"uninstall_code":       {operators, management.EncodeUninstallCodeArgs(versioned)},
		"start_canister":       {operators, management.EncodeStartCanisterArgs(about)},
		"stop_canister":        {operators, management.EncodeStopCanisterArgs(about)},
		"delete_canister":      {operators, management.EncodeDeleteCanisterArgs(about)},
		"canister_metrics":     {operators, management.EncodeCanisterMetricsArgs(about)},

		"take_canister_snapshot":            {controllers, management.EncodeTakeCanisterSnapshotArgs(management.TakeSnapshotArg{CanisterID: id})},
		"load_canister_snapshot":            {controllers, management.EncodeLoadCanisterSnapshotArgs(management.LoadSnapshotArg{CanisterID: id})},
		"list_canister_snapshots":           {shotReaders, management.EncodeListCanisterSnapshotsArgs(about)},
		"delete_canister_snapshot":          {controllers, management.EncodeDeleteCanisterSnapshotArgs(shot)},
		"read_canister_snapshot_metadata":   {shotReaders, management.EncodeReadCanisterSnapshotMetadataArgs(shot)},
		"read_canister_snapshot_data":       {shotReaders, management.EncodeReadCanisterSnapshotDataArgs(management.ReadSnapshotDataArg{CanisterID: id})},
		"upload_canister_snapshot_metadata": {controllers, management.EncodeUploadCanisterSnapshotMetadataArgs(management.UploadSnapshotMetadataArg{CanisterID: id})},
		"upload_canister_snapshot_data":     {controllers, management.EncodeUploadCanisterSnapshotDataArgs(management.UploadSnapshotDataArg{CanisterID: id})},

		"create_canister":   {canisters, management.EncodeCreateCanisterArgs(management.CreateArg{})},
		"deposit_cycles":    {canisters, management.EncodeDepositCyclesArgs(about)},
		"canister_info":     {canisters, management.EncodeCanisterInfoArgs(management.InfoArg{CanisterID: id})},
		"canister_metadata": {canisters, management.EncodeCanisterMetadataArgs(management.MetadataArg{CanisterID: id})},
		"raw_rand":          {canisters, management.EncodeRawRandArgs()},
		"subnet_info":       {canisters, management.EncodeSubnetInfoArgs(management.SubnetInfoArg{})},

		"canister_status":     {statusReaders, management.EncodeCanisterStatusArgs(about)},
		"fetch_canister_logs": {logReaders, management.EncodeFetchCanisterLogsArgs(management.LogsArg{CanisterID: id})},
	}
	for _, name := range []string{"http_request", "ecdsa_public_key", "sign_with_ecdsa", "schnorr_public_key", "sign_with_schnorr",
		"vetkd_public_key", "vetkd_derive_key", "node_metrics_history", "bitcoin_get_balance", "bitcoin_get_utxos", "bitcoin_send_transaction",
		"bitcoin_get_current_fee_percentiles", "bitcoin_get_block_headers", "list_canisters"} {
		cases[name] = managementCase{nobody, []byte("DIDL\x01\x6c\x00\x01\x00")} // a record without fields
	}
	return cases
}

// The table knows every method of the official interface, and no other.
func TestManagementMethodsAreThoseOfTheSpecification(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(vectors.Dir(t, "ic"), "ic.did"))
	require.NoError(t, err)
	file, err := did.Parse(string(text))
	require.NoError(t, err)
	cases := managementCases(principal.Management)
	for _, m := range file.Service.(did.Service).Methods {
		require.Contains(t, cases, m.Name)
		delete(cases, m.Name)
	}
	require.Empty(t, cases)
}

// Strangers, users and canisters, are refused in the words of the production replica, and nothing changes.
func TestManagementRefusesStrangers(t *testing.T) {
	w := newWorld(t)
	id, stranger := w.deploy("scenario"), w.deploy("scenario")
	before, err := w.Status(ctx, id)
	require.NoError(t, err)
	for method, c := range managementCases(id) {
		t.Run(method, func(t *testing.T) {
			_, asUser := w.Call(ctx, alice, principal.Management, method, c.arg)
			_, asCanister := w.Call(ctx, alice, stranger, "forward", to(principal.Management, method, string(c.arg)))
			switch c.who {
			case anyone:
				require.NoError(t, asUser)
			case controllers:
				refused(t, asUser, reject.InvalidController, "Only controllers of canister "+id.Text()+" can call ic00 method "+method)
				refused(t, asCanister, reject.CanisterRejectedMessage, "5Only the controllers of the canister "+id.Text()+
					" can control it.\nCanister's controllers: "+owner.Text()+"\nSender's ID: "+stranger.Text())
			case operators:
				refused(t, asUser, reject.InvalidController, "Only the controllers of the canister "+id.Text()+
					" can control it.\nCanister's controllers: "+owner.Text()+"\nSender's ID: "+alice.Text())
				refused(t, asCanister, reject.CanisterRejectedMessage, "5Only the controllers of the canister "+id.Text()+" can control it.")
			case shotReaders:
				refused(t, asUser, reject.CanisterRejectedMessage, "Caller "+alice.Text()+" is not allowed to call "+method)
				refused(t, asCanister, reject.CanisterRejectedMessage, "4Caller "+stranger.Text()+" is not allowed to call ")
			case statusReaders:
				refused(t, asUser, reject.CanisterStatusAccessDenied, "is not allowed")
				refused(t, asCanister, reject.CanisterRejectedMessage, "5")
			case logReaders:
				refused(t, asUser, reject.CanisterRejectedMessage, "fetch_canister_logs API is not accessible via ingress in replicated mode")
				refused(t, asCanister, reject.CanisterRejectedMessage, "is not allowed to access canister logs")
			case canisters:
				refused(t, asUser, reject.CanisterRejectedMessage, "Only canisters can call ic00 method "+method)
			case nobody:
				refused(t, asCanister, reject.CanisterRejectedMessage, `the management method "`+method+`" is not available`)
				if method == "list_canisters" {
					refused(t, asUser, reject.CanisterRejectedMessage, "is not available")
				} else {
					refused(t, asUser, reject.CanisterRejectedMessage, "Only canisters can call ic00 method "+method)
				}
			}
		})
	}
	after, err := w.Status(ctx, id)
	require.NoError(t, err)
	require.Equal(t, before.Version, after.Version)
	require.Equal(t, before.Settings, after.Settings)
	require.Equal(t, before.ModuleHash, after.ModuleHash)

	_, err = w.Call(ctx, owner, principal.Management, "no_such_method", nil)
	refused(t, err, reject.MethodNotFound, "Management canister has no method 'no_such_method'")
	_, err = w.Query(ctx, owner, principal.Management, "start_canister", managementCases(id)["start_canister"].arg)
	refused(t, err, reject.MethodNotFound, "start_canister")
}

// What does not decode, and what is about a canister that is not there.
func TestManagementRefusesNonsense(t *testing.T) {
	w := newWorld(t)
	gone := principal.Canister(0x8000_0000_00ff_0000)
	for method, c := range managementCases(gone) {
		if c.who != controllers && c.who != operators && c.who != shotReaders {
			continue
		}
		_, err := w.Call(ctx, owner, principal.Management, method, c.arg)
		refused(t, err, reject.CanisterNotFound, "Canister "+gone.Text()+" not found")
		_, err = w.Call(ctx, owner, principal.Management, method, []byte("nonsense"))
		refused(t, err, reject.InvalidManagementPayload, "Error decoding candid")
	}
}
