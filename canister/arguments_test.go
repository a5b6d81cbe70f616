package canister

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cdk/cdktest"
)

// What a method expects first, and what it says to a bool instead. Methods that take nothing ignore it,
// and so do those whose argument is opt: Candid has it so.
func TestWrongArgumentsTrapWithWhereAndWhat(t *testing.T) {
	expected := map[string]string{
		"http_request":         "record",
		"register":             "record",
		"lookup_by_credential": "blob",
		"lookup_device_key":    "blob",
	}
	for _, name := range []string{"config", "create_challenge", "finalize_migration", "fsck", "init_salt",
		"lookup_caller", "lookup_caller_identity_by_recovery_phrase", "migration_pause", "migration_resume", "migration_status", "migration_step", "stats", "whoami"} {
		expected[name] = ""
	}
	aBool := []byte("DIDL\x00\x01\x7e\x01")
	for _, m := range kedge.Methods {
		want, listed := expected[m.Name]
		if !listed {
			want = "nat64" // the anchor
		}
		if want == "" {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			_, err := send(installed(t), m, aBool)
			require.Equal(t, &cdktest.Trap{Message: "argument 1: expected " + want + ", got bool at offset 7"}, err)
		})
	}
}

// Every method refuses bytes that are not Candid, and Candid that ends too early.
func TestGarbageTraps(t *testing.T) {
	for _, m := range kedge.Methods {
		t.Run(m.Name, func(t *testing.T) {
			_, err := send(installed(t), m, []byte("DIDM"))
			require.Equal(t, &cdktest.Trap{Message: `the message does not begin with "DIDL" at offset 0`}, err)
			_, err = send(installed(t), m, []byte("DIDL\x00"))
			require.Equal(t, &cdktest.Trap{Message: "the message ends too early at offset 5"}, err)
		})
	}
}

// The init argument, too.
func TestGarbageDoesNotInstall(t *testing.T) {
	network := cdktest.Install(t)
	require.ErrorContains(t, network.Deliver(exportInit, []byte("DIDL\x00")), "at offset 5")
	require.Empty(t, network.StableImage())
	require.NoError(t, network.Deliver(exportInit, []byte("DIDL\x00\x00")), "no argument at all is no settings")
	image := network.StableImage()
	network.Upgrade()
	require.ErrorContains(t, network.Deliver(exportPostUpgrade, []byte("DIDL\x00")), "at offset 5")
	require.True(t, string(image) == string(network.StableImage()))
	require.NoError(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(nil)))
}

// A setting that makes no sense is refused by its name, with what to do.
func TestSettingsThatMakeNoSense(t *testing.T) {
	captcha := func(unsolved uint64, tag kedge.CaptchaTriggerTag) *kedge.KedgeInit {
		return &kedge.KedgeInit{CaptchaConfig: &kedge.CaptchaConfig{MaxUnsolvedCaptchas: unsolved,
			CaptchaTrigger: kedge.CaptchaTrigger{Tag: tag}}}
	}
	for name, c := range map[string]struct {
		init *kedge.KedgeInit
		want string
	}{
		"range that ends before it begins": {&kedge.KedgeInit{AssignedUserNumberRange: &kedge.AnchorRange{F0: 20, F1: 10}}, "[20, 10)"},
		"bucket without tokens":            {&kedge.KedgeInit{RegisterRateLimit: &kedge.RateLimitConfig{TimePerTokenNs: 1}}, "register_rate_limit: max_tokens must be at least 1"},
		"dynamic captchas":                 {captcha(10, kedge.CaptchaTriggerTagDynamic), "captcha_config: the trigger Dynamic is not supported; choose Static"},
		"no captchas":                      {captcha(0, kedge.CaptchaTriggerTagStatic), "captcha_config: max_unsolved_captchas must be 1 to 500, got 0"},
		"too many captchas":                {captcha(501, kedge.CaptchaTriggerTagStatic), "captcha_config: max_unsolved_captchas must be 1 to 500, got 501"},
	} {
		t.Run(name, func(t *testing.T) {
			err := cdktest.Install(t).Deliver(exportInit, kedge.EncodeInitArgs(c.init))
			require.ErrorContains(t, err, c.want)

			network := installed(t)
			network.Upgrade()
			require.ErrorContains(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(c.init)), c.want)
		})
	}
}

// An upgrade of what is no memory of Kedge says so and changes nothing.
func TestUpgradeOfForeignMemory(t *testing.T) {
	network := cdktest.Install(t)
	network.SetStableImage([]byte(strings.Repeat("not ours ", 1000)))
	image := network.StableImage()
	require.ErrorContains(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(nil)), "it is as it was")
	require.True(t, string(image) == string(network.StableImage()))
}
