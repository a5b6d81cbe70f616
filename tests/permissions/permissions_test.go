package permissions

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

// try is one way to call a method.
type try struct {
	on stage
	do func(h *harness.Harness, sc *scene, as *harness.Device) error
}

const origin = "https://forum.example.org"

var session = []byte("session key")

// tries are the calls by which a row is judged: a role that may is granted all of them, one that may not
// none, and one whose access is limited at least one, and at least one not.
var tries = map[string][]try{
	"create_challenge": {{plain, update("create_challenge", kedge.EncodeCreateChallengeArgs())}},
	"register": {{plain, func(h *harness.Harness, _ *scene, as *harness.Device) error {
		_, err := h.TryRegister(as.Principal(), as, kedge.ChallengeResult{}, nil)
		return err
	}}},
	"add": {{plain, add(harness.NewDevice("new"))}, {guarded, add(harness.NewDevice("new"))}, {plain, add(harness.NewDevice("new").Marked())}},
	"update": {
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Update(sc.anchor, as, phone.Renamed("x"))
		}},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Update(sc.anchor, as, sc.laptop.Renamed("x"))
		}},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Update(sc.anchor, as, phrase.Marked().Renamed("x"))
		}},
	},
	"replace": {
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Replace(sc.anchor, as, phone, harness.NewDevice("new"))
		}},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Replace(sc.anchor, as, sc.laptop, harness.NewDevice("new"))
		}},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Replace(sc.anchor, as, phrase, harness.NewPhrase("new"))
		}},
	},
	"remove": {
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Remove(sc.anchor, as, phone) }},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Remove(sc.anchor, as, sc.laptop)
		}},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Remove(sc.anchor, as, phrase) }},
	},
	"lookup":               {{plain, onAnchor("lookup", kedge.EncodeLookupArgs)}},
	"lookup_by_credential": {{plain, query("lookup_by_credential", kedge.EncodeLookupByCredentialArgs([]byte("id"), nil))}},
	"lookup_caller":        {{plain, query("lookup_caller", kedge.EncodeLookupCallerArgs(nil))}},
	"lookup_caller_identity_by_recovery_phrase": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		_, err := h.Call(as.Principal(), "lookup_caller_identity_by_recovery_phrase", kedge.EncodeLookupCallerIdentityByRecoveryPhraseArgs())
		return err
	}}},
	"whoami":                 {{plain, query("whoami", kedge.EncodeWhoamiArgs())}},
	"lookup_device_key":      {{plain, query("lookup_device_key", kedge.EncodeLookupDeviceKeyArgs([]byte("id")))}},
	"get_anchor_credentials": {{plain, onAnchor("get_anchor_credentials", kedge.EncodeGetAnchorCredentialsArgs)}},
	"get_anchor_info": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		_, err := h.TryInfo(sc.anchor, as)
		return err
	}}},
	"get_principal": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		_, err := h.PrincipalAt(sc.anchor, as, origin)
		return err
	}}},
	"prepare_delegation": {{plain, prepare}, {guarded, prepare}},
	"get_delegation": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		_, expiration, err := h.Prepare(sc.anchor, sc.laptop, origin, session, nil)
		require.NoError(h, err)
		response, err := h.Delegation(sc.anchor, as, origin, session, expiration)
		if err == nil {
			require.Equal(h, kedge.GetDelegationResponseTagSignedDelegation, response.Tag)
		}
		return err
	}}},
	"enter_device_registration_mode": {{plain, enter}, {guarded, enter}},
	"exit_device_registration_mode":  {{open, exit}, {openByPhone, exit}},
	"add_tentative_device": {{open, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		response, err := h.Offer(sc.anchor, as, harness.NewDevice("tentative"))
		if err == nil {
			require.Equal(h, kedge.AddTentativeDeviceResponseTagAddedTentatively, response.Tag)
		}
		return err
	}}},
	"verify_tentative_device": {{offered, verify}, {offeredPhone, verify}},
	"protect":                 {{unmarked, protectItself}, {plain, protectPhone}},
	"unprotect": {
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Unprotect(sc.anchor, as, phone)
		}},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Unprotect(sc.anchor, as, sc.key)
		}},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
			return h.Unprotect(sc.anchor, as, phrase)
		}},
	},
	"guard_set": {
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Guard(sc.anchor, as, true) }},
		{guarded, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Guard(sc.anchor, as, false) }},
	},
	"device_bound_set": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Demand(sc.anchor, as, true) }}},
	"session_limit_set": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		return h.LimitSessions(sc.anchor, as, nil)
	}}},
	"release_consent": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		return h.Consent(sc.anchor, as, 30, phone)
	}}},
	"release_request": {
		{consented, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Ask(sc.anchor, as, phrase) }},
		{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Ask(sc.anchor, as, phrase) }},
	},
	"release_cancel":   {{asked, func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Cancel(sc.anchor, as, phrase) }}},
	"release_complete": {{asked, complete}, {ripe, complete}},
	"contacts_set": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		return h.SetContacts(sc.anchor, as, 1, 30, h.Register(friend))
	}}},
	"contacts_agree": {{named, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		return h.AgreeContacts(sc.anchor, as, true)
	}}},
	"contacts_complete": {{named, completeContacts}, {approved, completeContacts}},
	"contact_accept": asContact(func(h *harness.Harness, sc *scene, as *harness.Device) error {
		return h.AcceptContact(sc.anchor, sc.friend, as)
	}),
	"contact_approve": asContact(func(h *harness.Harness, sc *scene, as *harness.Device) error {
		return h.ApproveContact(sc.anchor, sc.friend, as, harness.NewDevice("new").Principal())
	}),
	"contact_withdraw": asContact(func(h *harness.Harness, sc *scene, as *harness.Device) error {
		return h.WithdrawContact(sc.anchor, sc.friend, as, true)
	}),
	"contact_status": asContact(func(h *harness.Harness, sc *scene, as *harness.Device) error {
		_, err := h.ContactStatus(sc.anchor, &sc.friend, as)
		return err
	}),
	"recovery_report": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		reply, err := h.Query(as.Principal(), "recovery_report", kedge.EncodeRecoveryReportArgs(sc.anchor))
		require.NoError(h, err)
		result, err := kedge.DecodeRecoveryReportResult(reply)
		require.NoError(h, err)
		return refused(result.Tag == kedge.RecoveryReportResultTagErr, result.Err)
	}}},
	"history": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		reply, err := h.Query(as.Principal(), "history", kedge.EncodeHistoryArgs(sc.anchor, nil, 10))
		require.NoError(h, err)
		result, err := kedge.DecodeHistoryResult(reply)
		require.NoError(h, err)
		return refused(result.Tag == kedge.HistoryResultTagErr, result.Err)
	}}},
	"attestation_challenge": {{plain, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		_, err := h.AskChallenge(sc.anchor, as)
		return err
	}}},
	"attest":             {{plain, attest}},
	"stats":              {{plain, query("stats", kedge.EncodeStatsArgs())}},
	"config":             {{plain, query("config", kedge.EncodeConfigArgs())}},
	"http_request":       {{plain, query("http_request", kedge.EncodeHttpRequestArgs(kedge.HttpRequest{Method: "GET", URL: "/metrics"}))}},
	"migration_status":   {{plain, operate("migration_status", kedge.EncodeMigrationStatusArgs())}},
	"migration_step":     {{plain, operate("migration_step", kedge.EncodeMigrationStepArgs(nil, nil))}},
	"migration_pause":    {{plain, operate("migration_pause", kedge.EncodeMigrationPauseArgs())}},
	"migration_resume":   {{plain, operate("migration_resume", kedge.EncodeMigrationResumeArgs())}},
	"finalize_migration": {{plain, operate("finalize_migration", kedge.EncodeFinalizeMigrationArgs(nil))}},
	"fsck": {{plain, func(h *harness.Harness, _ *scene, as *harness.Device) error {
		reply, err := h.Call(as.Principal(), "fsck", kedge.EncodeFsckArgs(nil))
		require.NoError(h, err)
		result, err := kedge.DecodeFsckResult(reply)
		require.NoError(h, err)
		return refused(result.Tag == kedge.FsckResultTagErr, result.Err)
	}}},
}

// asContact are two ways to act as a contact: of a caller that is a device of the contact's anchor, and of one
// that is not.
func asContact(do func(h *harness.Harness, sc *scene, as *harness.Device) error) []try {
	return []try{{named, func(h *harness.Harness, sc *scene, as *harness.Device) error {
		require.NoError(h, h.Add(sc.friend, friend, as))
		return do(h, sc, as)
	}}, {named, do}}
}

func completeContacts(h *harness.Harness, sc *scene, as *harness.Device) error {
	return h.CompleteContacts(sc.anchor, as)
}

// update and query call a method that everyone may call.
func update(method string, arg []byte) func(*harness.Harness, *scene, *harness.Device) error {
	return func(h *harness.Harness, _ *scene, as *harness.Device) error {
		_, err := h.Call(as.Principal(), method, arg)
		return err
	}
}

func query(method string, arg []byte) func(*harness.Harness, *scene, *harness.Device) error {
	return func(h *harness.Harness, _ *scene, as *harness.Device) error {
		_, err := h.Query(as.Principal(), method, arg)
		return err
	}
}

func onAnchor(method string, encode func(uint64) []byte) func(*harness.Harness, *scene, *harness.Device) error {
	return func(h *harness.Harness, sc *scene, as *harness.Device) error {
		_, err := h.Query(as.Principal(), method, encode(sc.anchor))
		return err
	}
}

// operate calls a controller's method. That there is no migration to act on is no refusal.
func operate(method string, arg []byte) func(*harness.Harness, *scene, *harness.Device) error {
	return func(h *harness.Harness, _ *scene, as *harness.Device) error {
		call := h.Call
		if method == "migration_status" {
			call = h.Query
		}
		reply, err := call(as.Principal(), method, arg)
		require.NoError(h, err)
		result, err := kedge.DecodeMigrationStatusResult(reply)
		require.NoError(h, err)
		no := result.Tag == kedge.MigrationStatusResultTagErr
		return refused(no && *result.Err.Code != kedge.ErrorCodeBadArgument, result.Err)
	}
}

func refused(no bool, reason kedge.Error) error {
	if no {
		return &harness.Refused{Reason: reason}
	}
	return nil
}

func add(d *harness.Device) func(*harness.Harness, *scene, *harness.Device) error {
	return func(h *harness.Harness, sc *scene, as *harness.Device) error { return h.Add(sc.anchor, as, d) }
}

func prepare(h *harness.Harness, sc *scene, as *harness.Device) error {
	_, _, err := h.Prepare(sc.anchor, as, origin, session, nil)
	return err
}

func enter(h *harness.Harness, sc *scene, as *harness.Device) error {
	_, err := h.EnterMode(sc.anchor, as)
	return err
}

func exit(h *harness.Harness, sc *scene, as *harness.Device) error { return h.ExitMode(sc.anchor, as) }

func verify(h *harness.Harness, sc *scene, as *harness.Device) error {
	response, err := h.Verify(sc.anchor, as, sc.code)
	if err == nil {
		require.Equal(h, kedge.VerifyTentativeDeviceResponseTagVerified, response.Tag)
	}
	return err
}

func protectItself(h *harness.Harness, sc *scene, as *harness.Device) error {
	return h.Protect(sc.anchor, as, sc.of(as))
}

func protectPhone(h *harness.Harness, sc *scene, as *harness.Device) error {
	return h.Protect(sc.anchor, as, phone)
}

func complete(h *harness.Harness, sc *scene, as *harness.Device) error {
	return h.Complete(sc.anchor, as, phrase)
}

// attest answers a challenge of the caller's device, for whom the laptop stands if it is none.
func attest(h *harness.Harness, sc *scene, as *harness.Device) error {
	device := sc.of(as)
	_, key := h.NewPasskey(device.Name, true)
	challenge, err := h.AskChallenge(sc.anchor, device)
	require.NoError(h, err)
	_, err = h.Attest(sc.anchor, as, h.AssertionBy(key, challenge.Challenge))
	return err
}

// of is the caller's device on the anchor, or the laptop.
func (sc *scene) of(as *harness.Device) *harness.Device {
	if as == sc.key {
		return sc.key
	}
	return sc.laptop
}

// lacking are the refusals for want of standing. Any other refusal, of a bad argument say, would prove
// nothing about who may.
var lacking = regexp.MustCompile("could not be authenticated|only a controller of this canister|a temporary key may not|" +
	"only a protected device|first protection of an anchor|Device is locked|the anchor is guarded|" +
	"was opened by another device|has not consented that this one asks|the delay has not passed|" +
	"is not approved by enough recovery contacts|has vetoed the recovery")

// Every cell of the table. The salt is drawn once, so each role draws it on a harness of its own.
func TestEveryCell(t *testing.T) {
	for role := range identity.Role(identity.Roles) {
		t.Run("init_salt by "+role.String(), func(t *testing.T) {
			row, ok := identity.PermissionOf("init_salt")
			require.True(t, ok)
			require.Equal(t, identity.Allowed, row.Cells[role])
			h := harness.Open(t, nil)
			_, err := h.Call(build(h, plain).caller(role).Principal(), "init_salt", kedge.EncodeInitSaltArgs())
			require.NoError(t, err)
		})
	}

	shared := harness.Open(t, harness.Attesting())
	shared.Salt()
	ripened := ripen(shared)
	walked := 0
	for _, row := range identity.Permissions {
		if row.Method == "init_salt" {
			continue
		}
		require.NotEmpty(t, tries[row.Method], "%s is not tried", row.Method)
		for role, cell := range row.Cells {
			walked++
			role := identity.Role(role)
			t.Run(row.Method+" by "+role.String(), func(t *testing.T) {
				h := shared.For(t)
				granted, denied := 0, 0
				for _, call := range tries[row.Method] {
					var sc *scene
					if ofRole := ripened[call.on]; ofRole != nil {
						sc = ofRole[role]
					} else {
						sc = build(h, call.on)
					}
					if err := call.do(h, sc, sc.caller(role)); err == nil {
						granted++
					} else {
						require.Regexp(t, lacking, err.Error())
						denied++
					}
				}
				switch cell {
				case identity.Allowed:
					require.Zero(t, denied)
				case identity.Refused:
					require.Zero(t, granted)
				case identity.Limited:
					require.NotZero(t, granted)
					require.NotZero(t, denied)
				}
			})
		}
	}
	require.Equal(t, (len(kedge.Methods)-1)*identity.Roles, walked)
}

// Public look-ups show no field that Internet Identity does not show, but proven: an anchor with everything
// on it looks to strangers like any other.
func TestStrangersSeeNothingElse(t *testing.T) {
	h := harness.Open(t, nil)
	sc := build(h, asked)
	require.NoError(t, h.Guard(sc.anchor, sc.key, true))
	var got []kedge.LookupDevice
	for _, d := range h.Lookup(sc.anchor) {
		require.NotNil(t, d.Proven)
		got = append(got, d)
	}
	require.Len(t, got, 4)
	for _, d := range got {
		require.Equal(t, kedge.LookupDevice{Pubkey: d.Pubkey, CredentialID: d.CredentialID, Purpose: d.Purpose, KeyType: d.KeyType,
			Protection: d.Protection, Proven: d.Proven}, d)
	}
	reply, err := h.Query(principal.Anonymous, "lookup_caller", kedge.EncodeLookupCallerArgs(nil))
	require.NoError(t, err)
	numbers, _, err := kedge.DecodeLookupCallerResult(reply)
	require.NoError(t, err)
	require.Empty(t, numbers)
	reply, err = h.Query(phone.Principal(), "lookup_caller", kedge.EncodeLookupCallerArgs(nil))
	require.NoError(t, err)
	numbers, _, err = kedge.DecodeLookupCallerResult(reply)
	require.NoError(t, err)
	require.Equal(t, []uint64{sc.anchor}, numbers)
}
