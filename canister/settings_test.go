package canister

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/storage"
	"kedge/cdk/cdktest"
	"kedge/migrations/ii/iitest"
	"kedge/migrations/ii/wire"
)

// An imported canister keeps its registration rate and its captcha, over upgrades of Kedge, too; what the
// argument of the upgrade names comes before.
func TestImportKeepsSettings(t *testing.T) {
	seven := uint64(7)
	state := wire.EncodePersistentStateArgs(wire.PersistentState{
		RegistrationRateLimit: &wire.RateLimit{TimePerTokenNs: 5, MaxTokens: 6}, MaxInflightCaptchas: &seven,
	})
	captcha := &kedge.CaptchaConfig{MaxUnsolvedCaptchas: 7, CaptchaTrigger: kedge.CaptchaTrigger{
		Tag: kedge.CaptchaTriggerTagStatic, Static: kedge.CaptchaTriggerStaticCaptchaEnabled}}
	image := func(state []byte) []byte {
		mem := storage.NewRAM(1 << 14)
		iitest.Install(t, mem, 8, iitest.Options{})
		m := iitest.Start(t, mem, iitest.Generations(8)[0])
		m.StopWith(state)
		b := make([]byte, mem.Size()*iitest.Page)
		require.NoError(t, mem.ReadAt(b, 0))
		return b
	}
	upgraded := func(state []byte, init *kedge.KedgeInit) (*cdktest.Network, kedge.KedgeInit) {
		network := cdktest.Install(t)
		network.SetStableImage(image(state))
		require.NoError(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(init)))
		return network, loadSettings(storeOf())
	}
	network, kept := upgraded(state, nil)
	require.Equal(t, kedge.KedgeInit{RegisterRateLimit: &kedge.RateLimitConfig{TimePerTokenNs: 5, MaxTokens: 6}, CaptchaConfig: captcha}, kept)
	network.Upgrade()
	require.NoError(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(nil)))
	require.Equal(t, kept, loadSettings(storeOf()))

	_, kept = upgraded(state, &kedge.KedgeInit{RegisterRateLimit: &kedge.RateLimitConfig{TimePerTokenNs: 1, MaxTokens: 2}})
	require.Equal(t, uint64(2), kept.RegisterRateLimit.MaxTokens)
	require.Equal(t, captcha, kept.CaptchaConfig)

	network, kept = upgraded([]byte("no Candid"), nil)
	require.Equal(t, kedge.KedgeInit{}, kept)
	require.Contains(t, network.Log()[0], "the old module's settings are not kept")
}

func storeOf() *storage.Store { return state.store }
