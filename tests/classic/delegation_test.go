package classic

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/certificate"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
	"kedge/tests/harness"
)

const (
	forum = "https://forum.example.org"
	shop  = "https://shop.example.org"
)

var session = []byte("a session key")

// prepared is a delegation that the laptop has prepared.
func prepared(h *harness.Harness, anchor uint64, laptop *harness.Device, frontend string, ttl *uint64) (user []byte, expiration uint64) {
	h.Helper()
	user, expiration, err := h.Prepare(anchor, laptop, frontend, session, ttl)
	require.NoError(h, err)
	return user, expiration
}

// requireValid requires that the delegation can be fetched, and that the network would take it.
func requireValid(h *harness.Harness, anchor uint64, as *harness.Device, frontend string, user []byte, expiration uint64) {
	h.Helper()
	response, err := h.Delegation(anchor, as, frontend, session, expiration)
	require.NoError(h, err)
	require.Equal(h, kedge.GetDelegationResponseTagSignedDelegation, response.Tag)
	d := response.SignedDelegation
	require.Equal(h, kedge.Delegation{Pubkey: session, Expiration: expiration}, d.Delegation)
	root, err := certificate.ParsePublicKey(h.Net.RootKey())
	require.NoError(h, err)
	signed := request.Delegation{PublicKey: session, Expiration: expiration}
	verifier := signature.Verifier{Root: root}
	require.NoError(h, verifier.Verify(user, signed.SigningPayload(), d.Signature))
}

func requireNone(h *harness.Harness, anchor uint64, as *harness.Device, frontend string, expiration uint64) {
	h.Helper()
	response, err := h.Delegation(anchor, as, frontend, session, expiration)
	require.NoError(h, err)
	require.Equal(h, kedge.GetDelegationResponseTagNoSuchDelegation, response.Tag)
}

func TestDelegations(t *testing.T) {
	laptop := harness.NewDevice("laptop")
	open := harness.Open(t, nil)
	open.Salt()
	run := func(name string, test func(h *harness.Harness, anchor uint64)) {
		t.Run(name, func(t *testing.T) {
			h := open.For(t)
			test(h, h.Register(laptop))
		})
	}
	lasts := func(h *harness.Harness, anchor uint64, ttl *uint64) time.Duration {
		h.Helper()
		now := h.Now()
		_, expiration := prepared(h, anchor, laptop, forum, ttl)
		return time.Duration(expiration - now).Round(time.Microsecond)
	}
	ns := func(d time.Duration) *uint64 { n := uint64(d); return &n }
	const month = 30 * 24 * time.Hour

	run("should_get_valid_delegation", func(h *harness.Harness, anchor uint64) {
		user, expiration := prepared(h, anchor, laptop, forum, nil)
		requireValid(h, anchor, laptop, forum, user, expiration)
		requireNone(h, anchor, laptop, shop, expiration)
		requireNone(h, anchor, laptop, forum, expiration+1)
	})
	run("should_get_valid_delegation_with_custom_expiration", func(h *harness.Harness, anchor uint64) {
		user, expiration := prepared(h, anchor, laptop, forum, ns(time.Hour))
		requireValid(h, anchor, laptop, forum, user, expiration)
		require.Equal(h, 30*time.Minute, lasts(h, anchor, nil))
		require.Equal(h, time.Hour, lasts(h, anchor, ns(time.Hour)))
		require.Equal(h, month, lasts(h, anchor, ns(month)))
		require.Zero(h, lasts(h, anchor, ns(0)), "no time at all is accepted")
	})
	run("should_shorten_expiration_greater_max_ttl", func(h *harness.Harness, anchor uint64) {
		require.Equal(h, month, lasts(h, anchor, ns(month+1)))
		forever := ^uint64(0)
		require.Equal(h, month, lasts(h, anchor, &forever))
	})
	run("should_shorten_expiration_to_session_limit", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Protect(anchor, laptop, laptop))
		limit := uint64(600)
		_, err := h.Call(laptop.Principal(), "session_limit_set", kedge.EncodeSessionLimitSetArgs(anchor, &limit))
		require.NoError(h, err)
		require.Equal(h, 10*time.Minute, lasts(h, anchor, nil))
		require.Equal(h, 10*time.Minute, lasts(h, anchor, ns(time.Hour)))
		require.Equal(h, time.Minute, lasts(h, anchor, ns(time.Minute)))
		h.Upgrade()
		require.Equal(h, 10*time.Minute, lasts(h, anchor, nil))
		require.Equal(h, limit, *h.Info(anchor, laptop).SessionLimitS)
	})
	run("should_get_multiple_valid_delegations", func(h *harness.Harness, anchor uint64) {
		before := h.Metric("signature_count")
		user, expiration := prepared(h, anchor, laptop, forum, nil)
		other, later := prepared(h, anchor, laptop, shop, ns(time.Hour))
		again, third := prepared(h, anchor, laptop, forum, ns(time.Hour))
		require.Equal(h, user, again)
		requireValid(h, anchor, laptop, forum, user, expiration)
		requireValid(h, anchor, laptop, shop, other, later)
		requireValid(h, anchor, laptop, forum, user, third)
		require.Equal(h, before+3, h.Metric("signature_count"))
	})
	run("should_not_get_delegation_after_expiration", func(h *harness.Harness, anchor uint64) {
		user, expiration := prepared(h, anchor, laptop, forum, nil)
		h.Pass(59 * time.Second)
		requireValid(h, anchor, laptop, forum, user, expiration)
		require.NoError(h, h.Net.StopCanister(h.Context(), h.Operator, h.Canister)) // nothing is pruned meanwhile
		require.NoError(h, h.Net.Advance(h.Context(), 2*time.Second))
		require.NoError(h, h.Net.StartCanister(h.Context(), h.Operator, h.Canister))
		requireNone(h, anchor, laptop, forum, expiration)
		h.Pass(time.Minute)
		require.Zero(h, h.Metric("signature_count"), "the timer prunes")
	})
	run("should_not_get_prepared_delegation_after_ii_upgrade", func(h *harness.Harness, anchor uint64) {
		user, expiration := prepared(h, anchor, laptop, forum, nil)
		h.Upgrade()
		requireNone(h, anchor, laptop, forum, expiration)
		again, expiration := prepared(h, anchor, laptop, forum, nil)
		require.Equal(h, user, again)
		requireValid(h, anchor, laptop, forum, user, expiration)
	})
	run("should_not_get_delegation_of_removed_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, harness.NewDevice("phone")))
		_, expiration := prepared(h, anchor, laptop, forum, nil)
		require.NoError(h, h.Remove(anchor, harness.NewDevice("phone"), laptop))
		_, err := h.Delegation(anchor, laptop, forum, session, expiration)
		h.RequireTrap(harness.Stranger(laptop.Principal()), err)
		_, _, err = h.Prepare(anchor, laptop, forum, session, nil)
		h.RequireTrap(harness.Stranger(laptop.Principal()), err)
	})
	run("can_not_…_for_different_user", func(h *harness.Harness, anchor uint64) {
		other := harness.NewDevice("other")
		h.Register(other)
		_, expiration := prepared(h, anchor, laptop, forum, nil)
		for _, err := range []error{
			third(h.Prepare(anchor, other, forum, session, nil)),
			second(h.Delegation(anchor, other, forum, session, expiration)),
			second(h.PrincipalAt(anchor, other, forum)),
		} {
			h.RequireTrap(harness.Stranger(other.Principal()), err)
		}
	})
	run("get_principal_should_match_prepare_delegation", func(h *harness.Harness, anchor uint64) {
		user, _ := prepared(h, anchor, laptop, forum, nil)
		who, err := h.PrincipalAt(anchor, laptop, forum)
		require.NoError(h, err)
		require.Equal(h, principal.SelfAuthenticating(user), who)
	})
	run("should_return_different_principals_for_different_{frontends,users}", func(h *harness.Harness, anchor uint64) {
		users := map[string]bool{}
		for _, anchor := range []uint64{anchor, h.Register(laptop)} {
			for _, frontend := range []string{forum, shop, forum + "/", ""} {
				user, _ := prepared(h, anchor, laptop, frontend, nil)
				users[string(user)] = true
			}
		}
		require.Len(h, users, 8)
	})
	run("should_refuse_long_frontends_and_session_keys", func(h *harness.Harness, anchor uint64) {
		_, _, err := h.Prepare(anchor, laptop, strings.Repeat("x", 255), bytes.Repeat([]byte{1}, 300), nil)
		require.NoError(h, err)
		_, _, err = h.Prepare(anchor, laptop, strings.Repeat("x", 256), session, nil)
		h.RequireTrap("frontend hostname 256 exceeds the limit of 255 bytes", err)
		_, err = h.PrincipalAt(anchor, laptop, strings.Repeat("x", 256))
		h.RequireTrap("frontend hostname 256 exceeds the limit of 255 bytes", err)
		long := bytes.Repeat([]byte{1}, 301)
		_, _, err = h.Prepare(anchor, laptop, forum, long, nil)
		h.RequireTrap("session key limit exceeded: length 301, limit 300", err)
		_, err = h.Delegation(anchor, laptop, forum, long, 1)
		h.RequireTrap("session key limit exceeded: length 301, limit 300", err)
	})
	run("should_set_last_usage_on_prepare_delegation", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, harness.NewDevice("phone")))
		h.Pass(time.Second)
		now := h.Now()
		_, expiration := prepared(h, anchor, laptop, forum, nil)
		device := h.Info(anchor, harness.NewDevice("phone")).Devices[0]
		require.GreaterOrEqual(h, *device.LastUsage, now)
		require.Equal(h, expiration, *device.SessionsUntil)
	})
}

// Queries cannot draw the salt, so they trap until somebody has; preparing a delegation draws it.
func TestSalt(t *testing.T) {
	h := harness.Open(t, nil)
	laptop := harness.NewDevice("laptop")
	anchor := h.Register(laptop)
	missing := "Salt is not set. Try calling init_salt() to set it"
	_, err := h.PrincipalAt(anchor, laptop, forum)
	h.RequireTrap(missing, err)
	_, err = h.Delegation(anchor, laptop, forum, session, 1)
	h.RequireTrap(missing, err)

	// A stranger draws nothing, nor does a call that fails in any case.
	_, _, err = h.Prepare(anchor, harness.NewDevice("stranger"), forum, session, nil)
	h.RequireTrap(harness.Stranger(harness.NewDevice("stranger").Principal()), err)
	_, _, err = h.Prepare(anchor, laptop, strings.Repeat("x", 256), session, nil)
	h.RequireTrap("frontend hostname 256 exceeds the limit of 255 bytes", err)
	_, err = h.PrincipalAt(anchor, laptop, forum)
	h.RequireTrap(missing, err)

	user, expiration, err := h.Prepare(anchor, laptop, forum, session, nil)
	require.NoError(t, err)
	before, err := h.PrincipalAt(anchor, laptop, forum)
	require.NoError(t, err)
	require.Equal(t, principal.SelfAuthenticating(user), before)
	response, err := h.Delegation(anchor, laptop, forum, session, expiration)
	require.NoError(t, err)
	require.Equal(t, kedge.GetDelegationResponseTagSignedDelegation, response.Tag)

	_, err = h.Call(principal.Anonymous, "init_salt", kedge.EncodeInitSaltArgs())
	h.RequireTrap("Salt already set", err)
	h.Upgrade()
	after, err := h.PrincipalAt(anchor, laptop, forum)
	require.NoError(t, err)
	require.Equal(t, before, after)

	// Another canister draws another salt.
	other := harness.Open(t, nil)
	other.Salt()
	otherAnchor := other.Register(laptop)
	there, err := other.PrincipalAt(otherAnchor, laptop, forum)
	require.NoError(t, err)
	require.Equal(t, anchor, otherAnchor)
	require.NotEqual(t, before, there)
}
