package cli_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/ic/principal"
	"kedge/migrations"
	"kedge/migrations/ii/iitest"
	"kedge/replica"
	"kedge/tests/harness"
)

// newOperator is an operator of a network of its own, with files of an old module and of Kedge's.
func newOperator(t *testing.T) (o deployer, network *replica.Network, old, module string) {
	t.Helper()
	network, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(moduleCache(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	o = newDeployer(t, network.URL())
	dir := t.TempDir()
	old, module = filepath.Join(dir, "old.wasm.gz"), filepath.Join(dir, "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(old, harness.Whoami(t), 0o600))
	require.NoError(t, os.WriteFile(module, harness.Module(t), 0o600))
	return o, network, old, module
}

// setOldState gives a canister the memory of an Internet Identity of 2023 with one anchor.
func setOldState(t *testing.T, network *replica.Network, canister string) {
	t.Helper()
	mem := storage.NewRAM(0)
	iitest.Install(t, mem, 7, iitest.Options{BucketPages: 128})
	before := iitest.Start(t, mem, iitest.From2023Apr)
	before.Register(iitest.Passkey("first"), iitest.Phrase("phrase of first", true))
	before.Stop()
	require.NoError(t, network.SetStableMemory(principal.MustParse(canister), mem.Bytes()))
}

// An operator comes from Internet Identity and goes back with the commands alone: both are upgrades, so the canister
// is stopped around them and runs afterwards.
func TestThereAndBackByCommands(t *testing.T) {
	o, network, old, module := newOperator(t)
	sum := sha256.Sum256(harness.Whoami(t))
	oldHash := hex.EncodeToString(sum[:])

	code, _, stderr := run(t, nil, o.env, "deploy", old)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "is not a module of Kedge: its metadata candid:service lacks prepare_delegation, protect, guard_set, migration_status")
	first := o.deploy(old, "--force-module")
	require.Equal(t, oldHash, first.ModuleHash)

	setOldState(t, network, first.Canister)

	d := o.deploy(module)
	require.Equal(t, "upgrade", d.Mode)
	require.NotEmpty(t, d.Snapshot)
	require.Contains(t, o.must("migrate", "status"), "trial")
	require.Contains(t, o.must("canister", "status"), "anchors             1 of the range")

	code, _, stderr = run(t, nil, o.env, "migrate", "rollback", old)
	require.Equal(t, 5, code)
	require.Contains(t, stderr, "--confirm "+first.Canister)
	back := o.must("migrate", "rollback", old, "--confirm", first.Canister)
	require.Contains(t, back, "runs the old module")
	snapshots := o.must("canister", "snapshot", "list", "--json")
	require.NotContains(t, snapshots, d.Snapshot, "in the place of the deployment's")
	var list []struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(snapshots), &list))
	require.Len(t, list, 1)
	require.Contains(t, back, "kedge canister snapshot restore "+list[0].ID)
	status := o.must("canister", "status", "--json")
	require.Contains(t, status, oldHash)
	require.Contains(t, status, `"status":"running"`)

	// And there again, by the snapshot, by the module, and back once more without a snapshot.
	o.must("canister", "snapshot", "restore", list[0].ID, "--yes")
	require.Contains(t, o.must("migrate", "status"), "trial")
	o.must("migrate", "rollback", old, "--confirm", first.Canister)
	o.deploy(module)
	require.Contains(t, o.must("migrate", "status"), "trial")
	snapshots = o.must("canister", "snapshot", "list", "--json")
	require.NotContains(t, o.must("migrate", "rollback", old, "--confirm", first.Canister, "--no-snapshot", "--json"), "snapshot")
	require.Equal(t, snapshots, o.must("canister", "snapshot", "list", "--json"))

	// There for good.
	o.deploy(module)
	o.must("migrate", "finalize", "--confirm", first.Canister, "--json")
	require.Contains(t, o.must("migrate", "status"), "settled")
	code, _, stderr = run(t, nil, o.env, "migrate", "rollback", old, "--confirm", first.Canister)
	require.NotZero(t, code)
	require.Contains(t, stderr, "the canister is not on trial")
}

// A change of layout that is paused stays where it is until it is resumed. The memory comes paused: a running change of
// a few anchors is over before a command could pause it.
func TestPauseAndResumeByCommands(t *testing.T) {
	network, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(moduleCache(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	memory, err := os.ReadFile("../canister/storage/testdata/v1.mem.gz")
	require.NoError(t, err)
	o := newDeployer(t, network.URL())
	dir := t.TempDir()
	other, module := filepath.Join(dir, "other.wasm.gz"), filepath.Join(dir, "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(other, harness.Whoami(t), 0o600))
	require.NoError(t, os.WriteFile(module, harness.Module(t), 0o600))
	first := o.deploy(other, "--force-module")
	unzip, err := gzip.NewReader(bytes.NewReader(memory))
	require.NoError(t, err)
	image, err := io.ReadAll(unzip)
	require.NoError(t, err)
	mem := storage.RAMOf(image)
	store, err := storage.Open(mem)
	require.NoError(t, err)
	require.NoError(t, store.SetConfig(nil)) // the sample's is none of a canister
	require.NoError(t, migrations.Start(store))
	require.NoError(t, migrations.SetPaused(store, true))
	require.NoError(t, network.SetStableMemory(principal.MustParse(first.Canister), mem.Bytes()))
	o.deploy(module)

	for _, verb := range []string{"status", "pause"} { // pausing again changes nothing
		require.Contains(t, o.must("migrate", verb, "--json"), `"state":"paused","step":{"from":"kedge 1","to":"kedge 2","done":0,"total":4}`)
	}
	require.Regexp(t, `^layout kedge 2, paused\n(.*\n)*.*0 of 4`, o.must("migrate", "pause"))
	code, _, stderr := run(t, nil, o.env, "migrate", "step", "--json")
	require.Equal(t, 4, code)
	require.Contains(t, stderr, "the migration is paused")
	require.Contains(t, stderr, "kedge migrate resume")
	require.NotContains(t, o.must("migrate", "resume", "--json"), "paused")
	o.must("migrate", "step") // works off what the timer has not
	require.Contains(t, o.must("migrate", "status", "--json"), `"layout":"kedge 3","state":"settled"`)
	for _, verb := range []string{"pause", "resume"} {
		code, _, stderr := run(t, nil, o.env, "migrate", verb)
		require.Equal(t, 4, code)
		require.Contains(t, stderr, "no migration is under way")
	}
}
