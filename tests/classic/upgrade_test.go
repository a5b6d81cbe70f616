package classic

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

func inRange(lo, hi uint64) *kedge.KedgeInit {
	return &kedge.KedgeInit{AssignedUserNumberRange: &kedge.AnchorRange{F0: lo, F1: hi}}
}

func TestAnchorRangeOnUpgrade(t *testing.T) {
	laptop := harness.NewDevice("laptop")
	const lo, hi = 10_000, 10_100
	for _, c := range []struct {
		name string
		init *kedge.KedgeInit
		want string // nothing: accepted
	}{
		{"should_retain_anchor_on_user_range_change", nil, ""},
		{"the same range", inRange(lo, hi), ""},
		{"should_allow_change_of_user_range_on_upgrade", inRange(lo, 20_000), ""},
		{"a smaller one that holds all anchors", inRange(lo, lo+3), ""},
		{"should_not_allow_fewer_users_than_existing_on_user_range_change", inRange(lo, lo+2),
			"specified range [10000, 10002) does not accommodate all 3 anchors"},
		{"should_not_affect_existing_anchors_on_user_range_change", inRange(9_999, hi),
			"specified range [9999, 10100) does not start from the same number (10000) as the existing range thus would make existing anchors invalid"},
		{"should_not_allow_user_range_exceeding_capacity", inRange(lo, 1<<40),
			"specified range [10000, 1099511627776) is too large for this canister (max 67108864 entries)"},
		{"a range that ends before it begins", inRange(lo, lo-1), "improper Identity Anchor range [10000, 9999)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := harness.Open(t, inRange(lo, hi))
			for range 3 {
				h.Register(laptop)
			}
			err := h.UpgradeWith(c.init)
			want := kedge.AnchorRange{F0: lo, F1: hi}
			if c.want != "" {
				h.RequireTrap("set_anchor_number_range: "+c.want, err)
			} else {
				require.NoError(t, err)
				if c.init != nil {
					want = *c.init.AssignedUserNumberRange
				}
			}
			// Whatever became of the upgrade, the anchors are there.
			require.Equal(t, want, h.Stats().AssignedUserNumberRange)
			require.Equal(t, want, *h.Config().AssignedUserNumberRange)
			require.Equal(t, uint64(3), h.Stats().UsersRegistered)
			for n := uint64(lo); n < lo+3; n++ {
				require.Len(t, h.Info(n, laptop).Devices, 1)
			}
			response, err := h.TryRegister(laptop.Principal(), laptop, kedge.ChallengeResult{}, nil)
			require.NoError(t, err)
			require.Equal(t, want.F1 == lo+3, response.Tag == kedge.RegisterResponseTagCanisterFull)
		})
	}
	t.Run("an empty canister may begin anywhere", func(t *testing.T) {
		h := harness.Open(t, inRange(lo, hi))
		require.NoError(t, h.UpgradeWith(inRange(5, 8)))
		require.Equal(t, uint64(5), h.Register(laptop))
	})
}

// ii_upgrade_works, ii_upgrade_retains_anchors, should_add_additional_device_after_ii_upgrade,
// should_remove_device_after_ii_upgrade, should_get_valid_delegation_for_old_anchor_after_ii_upgrade,
// should_issue_same_principal_…: everything that an anchor has outlives upgrades.
func TestAnchorsOutliveUpgrades(t *testing.T) {
	h := harness.Open(t, nil)
	h.Salt()
	laptop, phone, phrase := passkey("laptop"), harness.NewDevice("phone"), harness.NewPhrase("phrase")
	origin := "https://example.org"
	laptop.Data.Origin, laptop.Data.Aaguid = &origin, make([]byte, 16)
	laptop.Data.Metadata = kedge.MetadataMap{{F0: "a", F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagMap,
		Map: kedge.MetadataMap{{F0: "b", F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagBytes, Bytes: []byte{1, 2}}}}}}}
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Add(anchor, laptop, phone))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Guard(anchor, phrase, true))
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))
	require.NoError(t, h.Ask(anchor, laptop, phrase))
	who, err := h.PrincipalAt(anchor, laptop, forum)
	require.NoError(t, err)

	before := h.Info(anchor, laptop)
	for range 3 {
		h.Upgrade()
	}
	after := h.Info(anchor, laptop)
	require.Less(t, *before.Devices[0].LastUsage, *after.Devices[0].LastUsage)
	after.Devices[0].LastUsage = before.Devices[0].LastUsage
	require.Equal(t, before, after)
	same, err := h.PrincipalAt(anchor, laptop, forum)
	require.NoError(t, err)
	require.Equal(t, who, same)
	user, expiration := prepared(h, anchor, laptop, forum, nil)
	requireValid(h, anchor, laptop, forum, user, expiration)
	h.RequireTrap("failed to remove device: "+locked(phrase, laptop), h.Remove(anchor, laptop, phrase))
	require.NoError(t, h.Add(anchor, phrase, harness.NewDevice("new")))
	require.NoError(t, h.Remove(anchor, phrase, phone))
	require.Equal(t, anchor+1, h.Register(laptop), "numbers go on")
}

func TestConfig(t *testing.T) {
	answer := "a"
	text := &answer
	var random *string
	limit := &kedge.RateLimitConfig{TimePerTokenNs: 5, MaxTokens: 6}
	captcha := withCaptcha(7).CaptchaConfig
	all := &kedge.KedgeInit{
		AssignedUserNumberRange: &kedge.AnchorRange{F0: 1, F1: 100},
		RegisterRateLimit:       limit,
		CaptchaConfig:           captcha,
		TestCaptcha:             &text,
		RelatedOrigins:          []string{"https://a.example", "https://b.example"},
		RelyingParties:          []string{"a.example"},
	}

	t.Run("should_init_default", func(t *testing.T) {
		h := harness.Open(t, nil)
		config := h.Config()
		require.Equal(t, uint64(10_000), config.AssignedUserNumberRange.F0)
		config.AssignedUserNumberRange = nil
		require.Equal(t, kedge.KedgeInit{}, config)
	})
	t.Run("should_init_config and should_retain_config", func(t *testing.T) {
		h := harness.Open(t, all)
		require.Equal(t, *all, h.Config())
		h.Upgrade()
		require.Equal(t, *all, h.Config())
		require.NoError(t, h.UpgradeWith(&kedge.KedgeInit{}))
		require.Equal(t, *all, h.Config(), "what is null stays")
	})
	t.Run("should_update_config", func(t *testing.T) {
		h := harness.Open(t, all)
		require.NoError(t, h.UpgradeWith(&kedge.KedgeInit{RelyingParties: []string{"c.example"}}))
		want := *all
		want.RelyingParties = []string{"c.example"}
		require.Equal(t, want, h.Config(), "the others stay")
		require.NoError(t, h.UpgradeWith(&kedge.KedgeInit{TestCaptcha: &random, RelatedOrigins: []string{}}))
		config := h.Config()
		require.True(t, config.TestCaptcha == nil || *config.TestCaptcha == nil, "opt null clears it")
		require.Empty(t, config.RelatedOrigins)
	})
	t.Run("should_keep_config_when_upgrade_is_refused", func(t *testing.T) {
		h := harness.Open(t, all)
		bad := &kedge.KedgeInit{RelyingParties: []string{"c.example"}, CaptchaConfig: &kedge.CaptchaConfig{}}
		require.Error(t, h.UpgradeWith(bad))
		require.Equal(t, *all, h.Config())
	})
}

func TestMetrics(t *testing.T) {
	h := harness.Open(t, inRange(10_000, 20_000))
	h.Salt()
	laptop := harness.NewDevice("laptop")
	require.Zero(t, h.Metric("user_count"))
	require.Equal(t, uint64(10_000), h.Metric("min_user_number"))
	require.Equal(t, uint64(19_999), h.Metric("max_user_number"))
	require.Equal(t, uint64(h.Stats().StorageLayoutVersion), h.Metric("storage_layout_version"))

	// metrics_user_count_should_increase_after_register
	anchor := h.Register(laptop)
	require.Equal(t, uint64(1), h.Metric("user_count"))

	// metrics_signature_and_delegation_count
	require.Zero(t, h.Metric("signature_count"))
	prepared(h, anchor, laptop, forum, nil)
	require.Equal(t, uint64(1), h.Metric("signature_count"))

	// metrics_last_upgrade_timestamp_should_update_after_upgrade
	was := h.Metric("last_upgrade_timestamp")
	h.Pass(5 * time.Minute)
	h.Upgrade()
	require.GreaterOrEqual(t, h.Metric("last_upgrade_timestamp"), was+uint64(5*time.Minute))

	// metrics_stable_memory_pages_should_increase_with_more_users
	pages := h.Metric("stable_memory_pages")
	for i := range 300 {
		d := harness.NewDevice(fmt.Sprint(i))
		d.Data.Metadata = kedge.MetadataMap{{F0: "k", F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagBytes, Bytes: make([]byte, 2000)}}}
		h.Register(d)
	}
	require.GreaterOrEqual(t, h.Metric("stable_memory_pages"), pages)
	memory, err := h.Net.StableMemory(h.Canister)
	require.NoError(t, err)
	require.Equal(t, uint64(len(memory)/65536), h.Metric("stable_memory_pages"))
}

func TestHTTP(t *testing.T) {
	h := harness.Open(t, nil)
	for _, c := range []struct {
		method, url string
		status      uint16
		body        string
	}{
		{"GET", "/metrics", 200, "# HELP internet_identity_user_count Number of users registered in this canister.\n# TYPE internet_identity_user_count gauge\ninternet_identity_user_count 0 "},
		{"GET", "/metrics?a=b", 200, "# HELP"},
		{"HEAD", "/metrics", 200, ""},
		{"POST", "/metrics", 405, "method not allowed: use GET"},
		{"GET", "/no-such-page", 404, "There is nothing at this address."},
	} {
		t.Run(c.method+" "+c.url, func(t *testing.T) {
			response := h.For(t).Get(c.method, c.url)
			require.Equal(t, c.status, response.StatusCode)
			require.Contains(t, string(response.Body), c.body)
		})
	}
}

// The classic figures of which Kedge has none are there, and empty.
func TestStats(t *testing.T) {
	h := harness.Open(t, inRange(10_000, 20_000))
	h.Register(harness.NewDevice("laptop"))
	stats := h.Stats()
	require.Equal(t, uint64(1), stats.UsersRegistered)
	require.Equal(t, kedge.AnchorRange{F0: 10_000, F1: 20_000}, stats.AssignedUserNumberRange)
	require.Equal(t, kedge.ArchiveInfo{}, stats.ArchiveInfo)
	require.Zero(t, stats.CanisterCreationCyclesCost)
	require.Empty(t, stats.EventAggregations)
}

// What Internet Identity has and Kedge has not is refused: to users before the message is let in, to canisters
// and in queries by the network, which says that there is no such method.
func TestMethodsThatKedgeDoesNotHave(t *testing.T) {
	h := harness.Open(t, nil)
	for _, method := range absent {
		t.Run(method, func(t *testing.T) {
			_, err := h.Call(principal.Anonymous, method, []byte("DIDL\x00\x00"))
			require.ErrorContains(t, err, "IC0406")
			_, err = h.Query(principal.Anonymous, method, []byte("DIDL\x00\x00"))
			require.ErrorContains(t, err, "has no query method '"+method+"'")
		})
	}
}
