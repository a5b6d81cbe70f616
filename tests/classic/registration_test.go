package classic

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

func TestRegistration(t *testing.T) {
	laptop := harness.NewDevice("laptop")

	t.Run("should_register_new_anchor", func(t *testing.T) {
		h := harness.Open(t, nil)
		h.Salt()
		key := passkey("key")
		anchor := h.Register(key)
		require.Equal(t, uint64(10_000), anchor)
		require.Equal(t, key.Data.CredentialID, h.Credentials(anchor).Credentials[0].CredentialID)
		info := h.Info(anchor, key)
		require.Equal(t, key.Key(), info.Devices[0].Pubkey)
		require.NotNil(t, info.Devices[0].LastUsage)
		require.NotNil(t, info.CreatedAt)
		_, err := h.PrincipalAt(anchor, key, "https://example.org")
		require.NoError(t, err)
		require.Equal(t, uint64(1), h.Stats().UsersRegistered)
	})

	t.Run("should_allow_multiple_registrations", func(t *testing.T) {
		h := harness.Open(t, nil)
		require.Equal(t, h.Register(laptop)+1, h.Register(laptop))
	})

	t.Run("should_assign_correct_user_numbers", func(t *testing.T) {
		h := harness.Open(t, &kedge.KedgeInit{AssignedUserNumberRange: &kedge.AnchorRange{F0: 127, F1: 129}})
		require.Equal(t, uint64(127), h.Register(laptop))
		require.Equal(t, uint64(128), h.Register(laptop))
		for range 2 {
			response, err := h.TryRegister(laptop.Principal(), laptop, kedge.ChallengeResult{}, nil)
			require.NoError(t, err)
			require.Equal(t, kedge.RegisterResponseTagCanisterFull, response.Tag)
		}
		require.Equal(t, uint64(2), h.Stats().UsersRegistered)
		h.Info(128, laptop)
	})

	t.Run("registration_with_mismatched_sender_fails", func(t *testing.T) {
		h := harness.Open(t, nil)
		stranger, key := harness.NewDevice("stranger").Principal(), harness.NewDevice("key").Principal()
		_, err := h.TryRegister(stranger, laptop, kedge.ChallengeResult{}, nil)
		h.RequireTrap(fmt.Sprintf("caller %s could not be authenticated against device pubkey %s and no temporary key was sent", stranger, laptop.Principal()), err)
		_, err = h.TryRegister(stranger, laptop, kedge.ChallengeResult{}, &key)
		h.RequireTrap(fmt.Sprintf("caller %s could not be authenticated against device pubkey %s or temporary key %s", stranger, laptop.Principal(), key), err)
		require.Zero(t, h.Stats().UsersRegistered, "a trap leaves no number behind")
	})

	t.Run("should_register_protected_device", func(t *testing.T) {
		h := harness.Open(t, nil)
		anchor := h.Register(harness.NewPhrase("phrase").Marked())
		_, marked := h.Has(anchor, harness.NewPhrase("phrase"))
		require.True(t, marked)
		h.Register(laptop.Marked()) // any kind
		temporary := harness.NewDevice("temporary").Principal()
		_, err := h.TryRegister(temporary, laptop.Marked(), kedge.ChallengeResult{}, &temporary)
		h.RequireTrap("failed to register anchor 10002: a temporary key may not protect a device; sign with the device itself", err)
	})
}

func TestTemporaryKeys(t *testing.T) {
	laptop, key := harness.NewDevice("laptop"), harness.NewDevice("temporary")
	open := harness.Open(t, nil)
	gone := harness.Stranger(key.Principal())

	t.Run("should_register_anchor_with_temp_key", func(t *testing.T) {
		h := open.For(t)
		temporary := key.Principal()
		response, err := h.TryRegister(key.Principal(), laptop, kedge.ChallengeResult{}, &temporary)
		require.NoError(t, err)
		anchor := response.Registered.UserNumber
		info := h.Info(anchor, key)
		require.Equal(t, []string{string(laptop.Key())}, keys(info))
		require.False(t, *info.Devices[0].Proven, "the device itself has not called")
		require.NoError(t, h.Add(anchor, key, harness.NewPhrase("phrase")))
		h.RequireTrap("failed to remove device: a temporary key may not change its own device; sign with the device itself", h.Remove(anchor, key, laptop))
	})

	t.Run("should_expire_temp_key", func(t *testing.T) {
		h := open.For(t)
		anchor := h.RegisterFor(laptop, key)
		h.Pass(10*time.Minute - time.Second)
		h.Info(anchor, key)
		h.Pass(2 * time.Second)
		h.RequireTrap(gone, second(h.TryInfo(anchor, key)))
		h.Info(anchor, laptop)
	})

	t.Run("should_remove_temp_key_on_device_deletion", func(t *testing.T) {
		h := open.For(t)
		anchor := h.RegisterFor(laptop, key)
		phone := harness.NewDevice("phone")
		require.NoError(t, h.Add(anchor, key, phone))
		require.NoError(t, h.Remove(anchor, phone, laptop))
		h.RequireTrap(gone, second(h.TryInfo(anchor, key)))
	})

	t.Run("should_remove_temp_key_on_device_replacement", func(t *testing.T) {
		h := open.For(t)
		anchor := h.RegisterFor(laptop, key)
		require.NoError(t, h.Replace(anchor, laptop, laptop, laptop), "even with the same key")
		h.RequireTrap(gone, second(h.TryInfo(anchor, key)))
	})

	t.Run("should_not_allow_temp_key_to_equal_device_key", func(t *testing.T) {
		h := open.For(t)
		same := laptop.Principal()
		_, err := h.TryRegister(laptop.Principal(), laptop, kedge.ChallengeResult{}, &same)
		h.RequireTrap("temp_key and device key must not be equal", err)
		_, err = h.TryRegister(principal.Anonymous, laptop, kedge.ChallengeResult{}, &principal.Anonymous)
		h.RequireTrap("temp_key must not be the anonymous principal", err)
	})

	t.Run("should_not_allow_temp_key_for_different_anchor", func(t *testing.T) {
		h := open.For(t)
		h.RegisterFor(laptop, key)
		other := h.Register(harness.NewDevice("other"))
		h.RequireTrap(gone, second(h.TryInfo(other, key)))
	})

	t.Run("should_separate_temp_keys_by_anchor_for_same_device", func(t *testing.T) {
		h := open.For(t)
		first := h.RegisterFor(laptop, key)
		other := harness.NewDevice("other temporary")
		h.RegisterFor(laptop, other)
		h.RequireTrap(harness.Stranger(other.Principal()), second(h.TryInfo(first, other)))
		h.Info(first, key)
	})

	t.Run("should_end_with_protection", func(t *testing.T) {
		h := open.For(t)
		anchor := h.RegisterFor(laptop, key)
		require.NoError(t, h.Protect(anchor, laptop, laptop))
		h.RequireTrap(gone, second(h.TryInfo(anchor, key)))
	})

	t.Run("should_survive_upgrades", func(t *testing.T) {
		h := open.For(t)
		anchor := h.RegisterFor(laptop, key)
		h.Upgrade()
		h.Info(anchor, key)
		h.Pass(11 * time.Minute)
		h.RequireTrap(gone, second(h.TryInfo(anchor, key)))
	})
}

// withCaptcha asks for captchas; the answer is always "a", as in the test builds that clients know.
func withCaptcha(unsolved uint64) *kedge.KedgeInit {
	answer := "a"
	pointer := &answer
	return &kedge.KedgeInit{TestCaptcha: &pointer, CaptchaConfig: &kedge.CaptchaConfig{
		MaxUnsolvedCaptchas: unsolved,
		CaptchaTrigger:      kedge.CaptchaTrigger{Tag: kedge.CaptchaTriggerTagStatic, Static: kedge.CaptchaTriggerStaticCaptchaEnabled},
	}}
}

func TestCaptchas(t *testing.T) {
	laptop := harness.NewDevice("laptop")
	answer := func(h *harness.Harness, key, chars string) kedge.RegisterResponseTag {
		h.Helper()
		response, err := h.TryRegister(laptop.Principal(), laptop, kedge.ChallengeResult{Key: key, Chars: chars}, nil)
		require.NoError(h, err)
		return response.Tag
	}
	const registered, bad = kedge.RegisterResponseTagRegistered, kedge.RegisterResponseTagBadChallenge

	t.Run("should_be_off_where_nothing_is_configured", func(t *testing.T) {
		h := harness.Open(t, nil)
		require.Equal(t, registered, answer(h, "", ""))
		h.Challenge() // a classic client asks all the same
	})

	t.Run("should_not_allow_wrong_captcha", func(t *testing.T) {
		h := harness.Open(t, withCaptcha(500))
		challenge := h.Challenge()
		picture, err := base64.StdEncoding.DecodeString(challenge.PngBase64)
		require.NoError(t, err)
		require.Equal(t, "\x89PNG", string(picture[:4]))
		require.Len(t, challenge.ChallengeKey, 10)

		require.Equal(t, bad, answer(h, challenge.ChallengeKey, "wrong"))
		require.Equal(t, bad, answer(h, challenge.ChallengeKey, "a"), "the wrong answer has spent it")
		require.Equal(t, bad, answer(h, "unknown", "a"))
		require.Equal(t, bad, answer(h, "", ""))
		challenge = h.Challenge()
		require.Equal(t, registered, answer(h, challenge.ChallengeKey, "a"))
		require.Equal(t, bad, answer(h, challenge.ChallengeKey, "a"), "and so has the right one")
		require.Equal(t, uint64(1), h.Stats().UsersRegistered)
	})

	t.Run("should_not_allow_expired_captcha", func(t *testing.T) {
		h := harness.Open(t, withCaptcha(500))
		early, late := h.Challenge(), h.Challenge()
		h.Pass(5*time.Minute - time.Second)
		require.Equal(t, registered, answer(h, early.ChallengeKey, "a"))
		h.Pass(2 * time.Second)
		require.Equal(t, bad, answer(h, late.ChallengeKey, "a"))
	})

	t.Run("should_give_captcha_back_when_registration_traps", func(t *testing.T) {
		h := harness.Open(t, withCaptcha(500))
		challenge := h.Challenge()
		_, err := h.TryRegister(harness.NewDevice("stranger").Principal(), laptop, kedge.ChallengeResult{Key: challenge.ChallengeKey, Chars: "a"}, nil)
		require.ErrorContains(t, err, "could not be authenticated against device pubkey")
		require.Equal(t, registered, answer(h, challenge.ChallengeKey, "a"))
	})

	// In Internet Identity whoever holds all the captchas keeps everybody out: "too many inflight captchas".
	t.Run("should_limit_captcha_creation", func(t *testing.T) {
		h := harness.Open(t, withCaptcha(3))
		first := h.Challenge()
		for range 10 { // somebody fills every place, again and again
			h.Challenge()
		}
		require.Equal(t, bad, answer(h, first.ChallengeKey, "a"), "the oldest gives way")
		mine := h.Challenge()
		h.Challenge()
		h.Challenge()
		require.Equal(t, registered, answer(h, mine.ChallengeKey, "a"), "never the newcomer")
	})

	t.Run("should_forget_captchas_on_upgrade", func(t *testing.T) {
		h := harness.Open(t, withCaptcha(500))
		challenge := h.Challenge()
		h.Upgrade()
		require.Equal(t, bad, answer(h, challenge.ChallengeKey, "a"))
		require.Equal(t, registered, answer(h, h.Challenge().ChallengeKey, "a"))
	})

	t.Run("should_draw_an_unknown_text_without_test_captcha", func(t *testing.T) {
		init := withCaptcha(500)
		init.TestCaptcha = nil
		h := harness.Open(t, init)
		first, second := h.Challenge(), h.Challenge()
		require.NotEqual(t, first.PngBase64, second.PngBase64)
		require.Equal(t, bad, answer(h, first.ChallengeKey, "a"))
	})
}

func TestRateLimit(t *testing.T) {
	laptop := harness.NewDevice("laptop")
	h := harness.Open(t, &kedge.KedgeInit{RegisterRateLimit: &kedge.RateLimitConfig{TimePerTokenNs: uint64(time.Second), MaxTokens: 3}})
	limited := func() {
		_, err := h.TryRegister(laptop.Principal(), laptop, kedge.ChallengeResult{}, nil)
		h.RequireTrap("rate limit reached, try again later", err)
	}
	// should_rate_limit_register_calls
	for range 3 {
		h.Register(laptop)
	}
	limited()
	h.Pass(1500 * time.Millisecond)
	h.Register(laptop)
	limited()
	// should_not_allow_more_than_max_tokens_calls_on_rate_limit
	h.Pass(time.Hour)
	for range 3 {
		h.Register(laptop)
	}
	limited()
	require.NoError(t, h.Add(10_000, laptop, harness.NewDevice("phone")), "nothing else is limited")

	// The bucket is full after an upgrade, as in Internet Identity, and the limit stays.
	h.Upgrade()
	for range 3 {
		h.Register(laptop)
	}
	limited()
	require.NoError(t, h.UpgradeWith(&kedge.KedgeInit{RegisterRateLimit: &kedge.RateLimitConfig{MaxTokens: 1}}), "no time between tokens: no limit")
	for range 5 {
		h.Register(laptop)
	}
}

// One person fills everything that others share, and another completes every flow.
func TestNobodyIsKeptOut(t *testing.T) {
	h := harness.Open(t, withCaptcha(2))
	register := func(d *harness.Device) uint64 {
		challenge := h.Challenge()
		response, err := h.TryRegister(d.Principal(), d, kedge.ChallengeResult{Key: challenge.ChallengeKey, Chars: "a"}, nil)
		require.NoError(t, err)
		return response.Registered.UserNumber
	}
	greedy, owner := passkey("greedy"), passkey("owner")
	for range 20 { // captchas, anchors in registration mode with a tentative device, and the owner's credential id
		h.Challenge()
		anchor := register(greedy)
		_, err := h.EnterMode(anchor, greedy)
		require.NoError(t, err)
		copied := passkey("owner")
		copied.Data.Pubkey = harness.KeyOf("planted by " + greedy.Name)
		require.NoError(t, h.Add(anchor, greedy, copied))
		response, err := h.Offer(anchor, greedy, harness.NewDevice("tentative"))
		require.NoError(t, err)
		require.Equal(t, kedge.AddTentativeDeviceResponseTagAddedTentatively, response.Tag)
	}

	anchor := register(owner)
	_, err := h.EnterMode(anchor, owner)
	require.NoError(t, err)
	phone := harness.NewDevice("phone")
	response, err := h.Offer(anchor, phone, phone)
	require.NoError(t, err)
	verified, err := h.Verify(anchor, owner, response.AddedTentatively.VerificationCode)
	require.NoError(t, err)
	require.Equal(t, kedge.VerifyTentativeDeviceResponseTagVerified, verified.Tag)
	h.Info(anchor, phone)

	// Sixteen anchors that only claim the credential id do not hide the one whose device has proved it.
	reply, err := h.Query(principal.Anonymous, "lookup_by_credential", kedge.EncodeLookupByCredentialArgs(owner.Data.CredentialID, nil))
	require.NoError(t, err)
	matches, _, err := kedge.DecodeLookupByCredentialResult(reply)
	require.NoError(t, err)
	require.Len(t, matches, 16)
	require.Equal(t, kedge.CredentialMatch{Anchor: anchor, Pubkey: owner.Key(), Proven: true}, matches[0])
}
