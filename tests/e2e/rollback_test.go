package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/storage"
	"kedge/ic/principal"
	"kedge/migrations/ii/iitest"
	"kedge/tests/harness"
)

// The module on trial over an old build's memory: after a sign of life, a registration with a browser's key and
// a removal, the old build still reads every anchor, and the controller is told what virtual memory 16 has not
// followed.
func TestOldBuildReadsTheMemoryAfterATrial(t *testing.T) {
	for name, c := range map[string]struct {
		layout uint8
		build  iitest.Generation
		pages  uint16
		dual   bool
	}{
		"layout 7 of April 2023":             {7, iitest.From2023Apr, 128, false},
		"layout 9 with buckets of 8 extents": {9, iitest.From2023Aug, 1024, false},
		"layout 9 with two stores":           {9, iitest.From2025Oct, 128, true},
	} {
		t.Run(name, func(t *testing.T) {
			mem := storage.NewRAM(0)
			iitest.Install(t, mem, c.layout, iitest.Options{BucketPages: c.pages})
			old := iitest.Start(t, mem, c.build)
			for _, key := range []string{"first", "second"} {
				old.Register(iitest.Passkey(key), iitest.Phrase("phrase of "+key, true))
			}
			if c.dual {
				old.Dual()
			}
			old.Stop()
			h := harness.Found(t, principal.Canister(0), mem.Bytes())
			as := func(key string) principal.Principal { return principal.SelfAuthenticating([]byte(key)) }
			_, err := h.Call(as("first"), "get_anchor_info", kedge.EncodeGetAnchorInfoArgs(10_000))
			require.NoError(t, err)
			_, err = h.Call(as("phrase of second"), "remove", kedge.EncodeRemoveArgs(10_001, []byte("second")))
			require.NoError(t, err)
			newcomer := harness.NewDevice("newcomer")
			newcomer.Data.KeyType = kedge.KeyTypeBrowserStorageKey
			anchor := h.Register(newcomer)
			h.Pass(time.Hour)

			status := migration(t, h, h.Operator, "migration_status", kedge.EncodeMigrationStatusArgs())
			require.Equal(t, kedge.MigrationStateTrial, *status.State)
			require.True(t, status.OutdatedComplete)
			if c.dual {
				require.Equal(t, []uint64{10_001, anchor}, status.Outdated)
			} else {
				require.Empty(t, status.Outdated)
			}

			memory, err := h.Net.StableMemory(h.Canister)
			require.NoError(t, err)
			old = iitest.Start(t, storage.RAMOf(memory), c.build)
			require.Equal(t, []string{"first", "phrase of first"}, old.Keys(10_000))
			require.NotNil(t, old.Device(10_000, "first").LastUsed)
			require.Equal(t, []string{"phrase of second"}, old.Keys(10_001))
			require.True(t, old.Device(10_001, "phrase of second").Protected)
			kind := "unknown" // has no word for it
			if c.build >= iitest.From2023Aug {
				kind = "browser_storage_key"
			}
			require.Equal(t, kind, old.Devices(anchor)[0].KeyType)
			if c.dual {
				require.NotContains(t, old.Map(), anchor)
				require.Len(t, old.Map()[10_001].Devices, 2, "the map has not followed the removal")
			}
		})
	}
}
