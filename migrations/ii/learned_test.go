package ii

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
)

// registerKedge registers an anchor in Kedge and returns its number.
func registerKedge(t *testing.T, s *storage.Store, devices ...identity.Device) uint64 {
	t.Helper()
	number, err := s.Allocate()
	require.NoError(t, err)
	require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: devices}))
	return number
}

func browserKey(key string) identity.Device {
	d := newDevice(key, 0)
	d.KeyType = identity.BrowserStorageKey
	return d
}

// An anchor that is registered before anything is imported is written with the newest table of the last records, so
// that the old module has its key types.
func TestLastRecordsTellTheTableOfTheFirstRegistration(t *testing.T) {
	for _, c := range []struct {
		name     string
		register []iitest.Generation // of the builds that registered the anchors
		want     string              // key type under a build that knows all five
	}{
		{"the last build knows it", []iitest.Generation{iitest.From2023Apr, iitest.From2023Aug}, "browser_storage_key"},
		{"an earlier build after it", []iitest.Generation{iitest.From2023Aug, iitest.From2023Apr}, "browser_storage_key"},
		{"the fourth from the end", []iitest.Generation{iitest.From2023Aug, iitest.From2023Apr, iitest.From2023Apr, iitest.From2023Apr}, "browser_storage_key"},
		{"no build knew it", []iitest.Generation{iitest.From2023Apr, iitest.From2023Apr}, "unknown"},
		{"no anchor", nil, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := build(t, 7)
			start(t, mem).Stop()
			for i, g := range c.register {
				o := iitest.Start(t, mem, g)
				o.Register(passkey(fmt.Sprint("key ", i)))
				o.Stop()
			}
			s, err := Upgrade(mem)
			require.NoError(t, err)
			number := registerKedge(t, s, browserKey("of kedge"))
			require.Equal(t, c.want, iitest.Start(t, mem, iitest.From2023Aug).Device(number, "of kedge").KeyType)
		})
	}
}

// What the import met is remembered, also where the last records do not tell it.
func TestImportRemembersTheNewestTable(t *testing.T) {
	mem := build(t, 7)
	o := iitest.Start(t, mem, iitest.From2023Aug)
	o.Register(passkey("first"))
	o.Stop()
	o = iitest.Start(t, mem, iitest.From2023Apr)
	for i := range 6 {
		o.Register(passkey(fmt.Sprint("key ", i)))
	}
	o.SetEntry(o.Register(), nil) // registered, never written
	o.Stop()
	s := upgrade(t, mem, 2)
	require.Equal(t, uint16(devicesOfLayout8), TrialOf(s).Generation)
	number := registerKedge(t, s, browserKey("of kedge"))
	require.Equal(t, "browser_storage_key", iitest.Start(t, mem, iitest.From2023Aug).Device(number, "of kedge").KeyType)
}

// A layout 1 module knows protection once one of its records says so, whatever the others say, and over messages.
func TestProtectionOnceMetIsRemembered(t *testing.T) {
	for n := 1; n <= 3; n++ {
		mem := build(t, 1)
		o := start(t, mem)
		o.Register(passkey("first"))
		o.Stop()
		o = iitest.Start(t, mem, noProtection)
		for i := range 6 {
			o.Register(passkey(fmt.Sprint("key ", i)))
		}
		s := upgrade(t, mem, n)
		require.True(t, TrialOf(s).KnowsProtection)
		number := registerKedge(t, s, protectedDevice("phrase", 0, identity.SeedPhrase))
		require.True(t, start(t, mem).Device(number, "phrase").Protected)
	}
}

// From layout 3 on every old module knows protection, before any record says so.
func TestLaterLayoutsKnowProtection(t *testing.T) {
	for _, layout := range layouts {
		mem := build(t, layout)
		start(t, mem).Stop()
		s, err := Upgrade(mem)
		require.NoError(t, err)
		require.Equal(t, layout >= 3, TrialOf(s).KnowsProtection)
		number := registerKedge(t, s, protectedDevice("phrase", 0, identity.SeedPhrase))
		require.Equal(t, layout >= 3, start(t, mem).Device(number, "phrase").Protected, "layout %d", layout)
	}
}

// The old module may raise its layout while on trial, where home stays in its place.
func TestLayoutRaisedOnTrial(t *testing.T) {
	for from, to := range map[uint8]uint8{5: 6, 7: 8} {
		mem, s := trialWith(t, from, latest(from), func(*identity.Anchor) {})
		require.Equal(t, from, TrialOf(s).Layout)
		require.NoError(t, mem.WriteAt([]byte{to}, 3))
		s = upgrade(t, mem, 3)
		require.Equal(t, to, TrialOf(s).Layout)
		require.NoError(t, Finalize(s, false))
		require.Empty(t, fsck(t, s))
	}
}
