package badinput

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/candid/wire"
	"kedge/tests/harness"
)

// Arguments that do not decode: the trap says which argument, what was expected, and where.
func TestArgumentsThatDoNotDecode(t *testing.T) {
	shared := harness.Open(t, nil)
	key := []byte("key")
	for _, c := range []struct {
		method string
		arg    []byte
		text   string
	}{
		{"add", nil, `the message does not begin with "DIDL" at offset 0`},
		{"add", []byte("DIDL"), "the message ends too early at offset 4"},
		{"add", []byte("DIDL\x00\x00"), "argument 1: missing argument at offset 6"},
		{"add", []byte("DIDL\x00\x01\x71\x05hello"), "argument 1: expected nat64, got text at offset 7"},
		{"remove", []byte("DIDL\x00\x02\x78\x7d\x10\x27\x00\x00\x00\x00\x00\x00\x01"), "argument 2: expected blob, got nat at offset 16"},
		{"lookup", []byte("DIDL\x00\x01\x7d\x01"), "argument 1: expected nat64, got nat at offset 7"},
		{"register", kedge.EncodeLookupArgs(1), "argument 1: expected record, got nat64 at offset 7"},
		{"protect", []byte("DIDL\x00\x01\x78\x10\x27\x00\x00\x00\x00\x00\x00"), "argument 2: missing argument at offset 15"},
		{"guard_set", kedge.EncodeRemoveArgs(1, key), "argument 2: expected bool, got blob at offset 18"},
		{"history", kedge.EncodeLookupArgs(1), "argument 3: missing argument at offset 15"},
		{"attest", kedge.EncodeRemoveArgs(1, key), "argument 2: expected record, got blob at offset 18"},
	} {
		t.Run(fmt.Sprintf("%s %x", c.method, c.arg), func(t *testing.T) {
			h := shared.For(t)
			call := h.Call
			for _, m := range kedge.Methods {
				if m.Name == c.method && m.Mode == wire.Query {
					call = h.Query
				}
			}
			_, err := call(stranger, c.method, c.arg)
			h.RequireTrap(c.text, err)
		})
	}
}

// stranger has a key on no anchor: the anonymous caller would be refused before any argument is decoded.
var stranger = harness.NewDevice("stranger").Principal()

// own are Kedge's own methods that concern an anchor, as a caller uses them.
var own = map[string]func(h *harness.Harness, anchor uint64, as *harness.Device) error{
	"protect":   func(h *harness.Harness, n uint64, as *harness.Device) error { return h.Protect(n, as, as) },
	"unprotect": func(h *harness.Harness, n uint64, as *harness.Device) error { return h.Unprotect(n, as, as) },
	"guard_set": func(h *harness.Harness, n uint64, as *harness.Device) error { return h.Guard(n, as, true) },
	"device_bound_set": func(h *harness.Harness, n uint64, as *harness.Device) error {
		return h.Demand(n, as, true)
	},
	"session_limit_set": func(h *harness.Harness, n uint64, as *harness.Device) error { return h.LimitSessions(n, as, nil) },
	"release_consent":   func(h *harness.Harness, n uint64, as *harness.Device) error { return h.Consent(n, as, 30, as) },
	"release_request":   func(h *harness.Harness, n uint64, as *harness.Device) error { return h.Ask(n, as, as) },
	"release_cancel":    func(h *harness.Harness, n uint64, as *harness.Device) error { return h.Cancel(n, as, as) },
	"release_complete":  func(h *harness.Harness, n uint64, as *harness.Device) error { return h.Complete(n, as, as) },
	"attestation_challenge": func(h *harness.Harness, n uint64, as *harness.Device) error {
		_, err := h.AskChallenge(n, as)
		return err
	},
	"attest": func(h *harness.Harness, n uint64, as *harness.Device) error {
		_, err := h.Attest(n, as, kedge.Assertion{})
		return err
	},
	"recovery_report": func(h *harness.Harness, n uint64, as *harness.Device) error {
		reply, err := h.Query(as.Principal(), "recovery_report", kedge.EncodeRecoveryReportArgs(n))
		require.NoError(h, err)
		result, err := kedge.DecodeRecoveryReportResult(reply)
		require.NoError(h, err)
		return refused(result.Tag == kedge.RecoveryReportResultTagErr, result.Err)
	},
	"history": func(h *harness.Harness, n uint64, as *harness.Device) error {
		_, err := history(h, n, as, nil, 10)
		return err
	},
}

func refused(no bool, reason kedge.Error) error {
	if no {
		return &harness.Refused{Reason: reason}
	}
	return nil
}

func history(h *harness.Harness, anchor uint64, as *harness.Device, from *uint64, most uint32) (kedge.History, error) {
	h.Helper()
	reply, err := h.Query(as.Principal(), "history", kedge.EncodeHistoryArgs(anchor, from, most))
	require.NoError(h, err)
	result, err := kedge.DecodeHistoryResult(reply)
	require.NoError(h, err)
	return result.Ok, refused(result.Tag == kedge.HistoryResultTagErr, result.Err)
}

// Kedge's own methods answer strangers and callers of anchors that are not there with a code and a sentence.
func TestOwnMethodsAnswerWithAnError(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, stranger := harness.NewDevice("laptop"), harness.NewDevice("stranger")
	anchor := h.Register(laptop)
	for name, call := range own {
		t.Run(name, func(t *testing.T) {
			h := h.For(t)
			err := call(h, anchor, stranger)
			h.RequireRefused(kedge.ErrorCodeNotADevice, err)
			require.EqualError(t, err, harness.Stranger(stranger.Principal()))
			err = call(h, 20_000, laptop)
			h.RequireRefused(kedge.ErrorCodeNoSuchAnchor, err)
			require.EqualError(t, err, "failed to read device data of user 20000: bad Identity Anchor 20000; check the number")
			err = call(h, 5, laptop)
			h.RequireRefused(kedge.ErrorCodeNoSuchAnchor, err)
			require.ErrorContains(t, err, "Identity Anchor 5 is out of range")
		})
	}
}

// Values beyond what is allowed: the error names what was given, and the nearest that is allowed.
func TestValuesOutOfRange(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone := harness.NewDevice("laptop"), harness.NewDevice("phone")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))
	require.NoError(t, h.Protect(anchor, laptop, laptop))
	number := func(n uint64) *uint64 { return &n }
	const day = 24 * 3600
	for name, c := range map[string]struct {
		err           error
		code          kedge.ErrorCode
		length, limit *uint64
	}{
		"a session limit of a second":        {h.LimitSessions(anchor, laptop, number(1)), kedge.ErrorCodeBadLimit, number(1), number(60)},
		"a session limit of a year":          {h.LimitSessions(anchor, laptop, number(365*day)), kedge.ErrorCodeBadLimit, number(365 * day), number(30 * day)},
		"a session limit beyond all":         {h.LimitSessions(anchor, laptop, number(^uint64(0))), kedge.ErrorCodeBadLimit, number(^uint64(0)), number(30 * day)},
		"a release after 29 days":            {h.Consent(anchor, laptop, 29, phone), kedge.ErrorCodeBadDelay, number(29 * day), number(30 * day)},
		"a release after 366 days":           {h.Consent(anchor, laptop, 366, phone), kedge.ErrorCodeBadDelay, number(366 * day), number(365 * day)},
		"a release that nobody may ask":      {h.ConsentTo(anchor, laptop, 30, nil), kedge.ErrorCodeBadAskers, number(0), number(9)},
		"a release that one asks of oneself": {h.Consent(anchor, laptop, 30, laptop), kedge.ErrorCodeBadAskers, nil, nil},
		"a release for a stranger":           {h.Consent(anchor, laptop, 30, harness.NewDevice("stranger")), kedge.ErrorCodeNoSuchDevice, nil, nil},
		"protecting an unknown device":       {h.Protect(anchor, laptop, harness.NewDevice("stranger")), kedge.ErrorCodeNoSuchDevice, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h.For(t).RequireRefused(c.code, c.err)
			var r *harness.Refused
			require.ErrorAs(t, c.err, &r)
			require.Equal(t, c.length, r.Reason.Length)
			require.Equal(t, c.limit, r.Reason.Limit)
			require.NotEmpty(t, r.Reason.Message)
		})
	}
	require.Nil(t, h.Info(anchor, laptop).SessionLimitS, "nothing of it was taken")
	require.Nil(t, h.Info(anchor, laptop).Devices[0].Release)
}

// History comes in parts of at most 100, wherever one begins.
func TestHistoryInParts(t *testing.T) {
	h := harness.Open(t, nil)
	laptop := harness.NewDevice("laptop")
	anchor := h.Register(laptop)
	const updates = 120
	for i := range updates {
		require.NoError(t, h.Update(anchor, laptop, laptop.Renamed(fmt.Sprint(i))))
	}
	all, err := history(h, anchor, laptop, nil, 1_000_000)
	require.NoError(t, err)
	require.LessOrEqual(t, len(all.Entries), 100)
	kept := uint64(1+updates) - all.DroppedRoutine - all.DroppedSecurity
	var got uint64
	var from *uint64
	for {
		part, err := history(h, anchor, laptop, from, 7)
		require.NoError(t, err)
		require.LessOrEqual(t, len(part.Entries), 7)
		got += uint64(len(part.Entries))
		if from = part.Next; from == nil {
			break
		}
	}
	require.Equal(t, kept, got, "every entry once")
	far := ^uint64(0)
	part, err := history(h, anchor, laptop, &far, 10)
	require.NoError(t, err)
	require.Empty(t, part.Entries)
	part, err = history(h, anchor, laptop, nil, 0)
	require.NoError(t, err)
	require.Empty(t, part.Entries)
}

// A damaged record is told by its anchor, and every other anchor works. Upgrading does not stumble over it.
func TestDamagedRecord(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, victim := harness.NewDevice("laptop"), harness.NewDevice("a very particular name")
	before := h.Register(laptop)
	damaged := h.Register(victim)
	after := h.Register(laptop)

	stable, err := h.Net.StableMemory(h.Canister)
	require.NoError(t, err)
	at := bytes.Index(stable, victim.Key())
	require.Positive(t, at)
	stable[at] ^= 1
	require.NoError(t, h.Net.SetStableMemory(h.Canister, stable))
	h.Upgrade()

	_, err = h.TryInfo(damaged, victim)
	require.ErrorContains(t, err, fmt.Sprintf("failed to read device data of user %d: ", damaged))
	h.RequireRefused(kedge.ErrorCodeCorrupted, h.Protect(damaged, victim, victim))
	require.ErrorContains(t, h.Protect(damaged, victim, victim), "other anchors are not affected")
	h.Info(before, laptop)
	require.NoError(t, h.Add(after, laptop, harness.NewDevice("phone")))
	require.Equal(t, after+1, h.Register(laptop))

	reply, err := h.Call(h.Operator, "fsck", kedge.EncodeFsckArgs(nil))
	require.NoError(t, err)
	result, err := kedge.DecodeFsckResult(reply)
	require.NoError(t, err)
	require.NotEmpty(t, result.Ok.Problems)
	require.Contains(t, fmt.Sprint(result.Ok.Problems), fmt.Sprint(damaged))
}
