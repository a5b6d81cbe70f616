package e2e

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/internal/vectors"
	"kedge/replica"
	"kedge/tests/harness"
)

// A canister of Internet Identity is upgraded in place to Kedge: real memory images, at the canister id of
// the published vector. Every anchor is there, with the same principal; then the trial is finalised.
func TestUpgradeFromInternetIdentity(t *testing.T) {
	for _, layout := range []string{"genesis_v1", "genesis_v5", "genesis_v7"} {
		t.Run(layout, func(t *testing.T) {
			h := harness.Found(t, principal.Canister(0), image(t, layout))
			info := func() kedge.IdentityAnchorInfo {
				for _, device := range h.Lookup(10_030) {
					owner := principal.SelfAuthenticating(device.Pubkey)
					reply, err := h.Call(owner, "get_anchor_info", kedge.EncodeGetAnchorInfoArgs(10_030))
					require.NoError(t, err)
					result, err := kedge.DecodeGetAnchorInfoResult(reply)
					require.NoError(t, err)
					return result
				}
				t.Fatal("anchor 10030 has no device")
				return kedge.IdentityAnchorInfo{}
			}
			before := info()
			require.NotEmpty(t, before.Devices)
			for _, anchor := range []uint64{10_000, 10_002, 10_029} {
				require.NotEmpty(t, h.Lookup(anchor), "anchor %d", anchor)
			}

			// The same principal as Internet Identity gave.
			owner := principal.SelfAuthenticating(before.Devices[0].Pubkey)
			reply, err := h.Query(owner, "get_principal", kedge.EncodeGetPrincipalArgs(10_030, "example.com"))
			require.NoError(t, err)
			at, err := kedge.DecodeGetPrincipalResult(reply)
			require.NoError(t, err)
			require.Equal(t, "jvplt-hyvwy-olw3k-yun2d-pdpmn-25ax2-zjdfc-72dh6-4smh2-q3jjl-5qe", at.Text())

			// The timer settles the anchors; a controller sees it, others do not.
			h.Pass(time.Hour)
			status := migration(t, h, h.Operator, "migration_status", kedge.EncodeMigrationStatusArgs())
			require.Equal(t, kedge.MigrationStateTrial, *status.State)
			require.Equal(t, kedge.LayoutFamilyInternetIdentity, status.Layout.Family)
			reply, err = h.Query(owner, "migration_status", kedge.EncodeMigrationStatusArgs())
			require.NoError(t, err)
			refused, err := kedge.DecodeMigrationStatusResult(reply)
			require.NoError(t, err)
			require.Equal(t, kedge.ErrorCodeNotController, *refused.Err.Code)

			// Life goes on, over upgrades too.
			anchor := h.Register(harness.NewDevice("newcomer"))
			h.Upgrade()
			require.Len(t, h.Lookup(anchor), 1)
			h.Pass(time.Hour)

			status = migration(t, h, h.Operator, "finalize_migration",
				kedge.EncodeFinalizeMigrationArgs(&kedge.FinalizeOptions{AnchorsWithoutDevices: true}))
			require.Equal(t, kedge.MigrationStateSettled, *status.State)
			require.Equal(t, kedge.LayoutFamilyKedge, status.Layout.Family)
			require.Equal(t, len(before.Devices), len(info().Devices))
			h.Upgrade()
			require.Equal(t, len(before.Devices), len(info().Devices))
			require.Len(t, h.Lookup(anchor), 1)
		})
	}
}

// What is neither Kedge's nor Internet Identity's is left as it is, and so is the module.
func TestUpgradeOverForeignMemoryIsRefused(t *testing.T) {
	net, err := replica.Start(replica.WithTime(harness.Start))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	owner := principal.SelfAuthenticating([]byte("owner"))
	canister, err := net.Deploy(t.Context(), owner, harness.Whoami(t), nil)
	require.NoError(t, err)
	foreign := bytes.Repeat([]byte("not ours"), 64<<10/8)
	require.NoError(t, net.SetStableMemory(canister, foreign))

	err = net.Upgrade(t.Context(), owner, canister, harness.Module(t), kedge.EncodeInitArgs(nil))
	require.ErrorContains(t, err, "it is as it was, and so is the module")
	memory, err := net.StableMemory(canister)
	require.NoError(t, err)
	require.Equal(t, foreign, memory)
	_, err = net.Query(t.Context(), owner, canister, "whoami", []byte("DIDL\x00\x00"))
	require.NoError(t, err)
}

func migration(t *testing.T, h *harness.Harness, as principal.Principal, method string, arg []byte) kedge.MigrationStatus {
	t.Helper()
	call := h.Call
	if method == "migration_status" {
		call = h.Query
	}
	reply, err := call(as, method, arg)
	require.NoError(t, err)
	result, err := kedge.DecodeMigrationStatusResult(reply)
	require.NoError(t, err)
	require.Equal(t, kedge.MigrationStatusResultTagOk, result.Tag, result.Err.Message)
	return result.Ok
}

func image(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.Open(filepath.Join(vectors.Dir(t, "ii"), name+".bin.gz"))
	require.NoError(t, err)
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	require.NoError(t, err)
	memory, err := io.ReadAll(unzip)
	require.NoError(t, err)
	return memory
}
