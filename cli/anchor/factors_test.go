package anchor

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/device"
)

func ref[T any](v T) *T { return &v }

func TestKeysOfOneFileAreOneFactor(t *testing.T) {
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	keys := new(device.Keys)
	var devices []kedge.DeviceWithUsage
	for _, name := range []string{"laptop", "safe"} {
		root, err := device.NewRoot(rand.Reader)
		require.NoError(t, err)
		k, err := keys.AddKey(name, root, now)
		require.NoError(t, err)
		c, err := k.Create(device.CreateRequest{Kind: device.Discoverable, RPID: "id.example", User: device.User{ID: []byte(name)}}, rand.Reader, now)
		require.NoError(t, err)
		devices = append(devices, kedge.DeviceWithUsage{Pubkey: c.PublicKey(), Alias: name})
	}
	require.Empty(t, factorsOf(devices[:1], keys), "one device is one device")
	elsewhere := kedge.DeviceWithUsage{Pubkey: []byte("elsewhere"), Alias: "phone"}
	factors := factorsOf(append(devices, elsewhere), keys)
	require.Len(t, factors, 1)
	require.Equal(t, [][]byte{devices[0].Pubkey, devices[1].Pubkey}, factors[0].keys)
	require.Empty(t, copiesOf(devices, keys))

	safe, err := keys.Key("safe")
	require.NoError(t, err)
	phrase := kedge.DeviceWithUsage{Pubkey: safe.RecoveryPhraseKey(), Alias: "Recovery phrase", KeyType: kedge.KeyTypeSeedPhrase}
	factors = factorsOf([]kedge.DeviceWithUsage{devices[0], phrase}, keys)
	require.Len(t, factors, 1)
	require.Contains(t, factors[0].Why, `the recovery phrase is the seed of "safe"`)

	factors = factorsOf(devices, keys)
	one := kedge.Finding{Scenario: ref(kedge.ScenarioLoseOneDevice), Subject: devices[0].Pubkey, Outcome: ref(kedge.OutcomeSurvives), Devices: [][]byte{devices[1].Pubkey}}
	all := kedge.Finding{Scenario: ref(kedge.ScenarioLoseAllDevices), Outcome: ref(kedge.OutcomeLockedOut), Devices: [][]byte{devices[0].Pubkey, devices[1].Pubkey}}
	corrected, changed := asOneFactor([]kedge.Finding{one, all}, factors)
	require.Equal(t, []bool{true, false}, changed)
	require.Equal(t, kedge.OutcomeLockedOut, *corrected[0].Outcome)
	require.Equal(t, kedge.OutcomeSurvives, *one.Outcome, "the canister's answer is not written over")

	one.Devices = [][]byte{elsewhere.Pubkey}
	_, changed = asOneFactor([]kedge.Finding{one, all}, factors)
	require.Equal(t, []bool{false, false}, changed, "what is elsewhere brings the owner back")
	_, changed = asOneFactor([]kedge.Finding{one, all}, nil)
	require.Equal(t, []bool{false, false}, changed)
}

func TestCopiesAreNamed(t *testing.T) {
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	root, err := device.NewRoot(rand.Reader)
	require.NoError(t, err)
	keys := new(device.Keys)
	k, err := keys.Restore("laptop", root, "", now)
	require.NoError(t, err)
	c, err := k.Create(device.CreateRequest{Kind: device.Discoverable, RPID: "id.example"}, rand.Reader, now)
	require.NoError(t, err)
	lines := copiesOf([]kedge.DeviceWithUsage{{Pubkey: c.PublicKey(), Alias: "laptop"}}, keys)
	require.Len(t, lines, 1)
	require.Contains(t, lines[0], "its seed was restored here")
}
