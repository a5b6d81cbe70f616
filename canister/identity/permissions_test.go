package identity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

// TestPermissions walks every cell of the rows that are rules: what is refused is refused on every
// stage, what is allowed is granted on every stage, and what is limited is both somewhere.
func TestPermissions(t *testing.T) {
	hour := uint64(3600)
	open := func(a *Anchor, opener DeviceID) *Anchor {
		tablet := passkey("tablet")
		a.Registration = &Registration{Opener: opener, ExpiresAt: testNow + day, Tentative: &tablet, Code: 42}
		return a
	}
	base := func() *Anchor {
		return stage(device(passkey("laptop"), proven, temporary), device(passkey("key"), protected), device(passkey("phone"), proven), device(phrase("phrase"), protected))
	}
	// Each caller tries each call on each of these.
	stages := map[string]func() *Anchor{
		"plain":   base,
		"guarded": func() *Anchor { return base().guarded() },
		"release": func() *Anchor { return base().consents(3, Asker{ID: 0}, Asker{ID: 1}) },
		"ripe": func() *Anchor {
			return base().consents(3, Asker{ID: 0, CompletesAt: testService}, Asker{ID: 1, CompletesAt: testService}, Asker{ID: 2, CompletesAt: testService})
		},
		"opened by another": func() *Anchor { return open(base(), 2) },
		"opened by oneself": func() *Anchor { return open(base(), 0) },
		"unmarked": func() *Anchor {
			a := base()
			a.Devices[1].Protected, a.Devices[3].Protected = false, false
			return a
		},
	}
	renamedKey := func(c *Actor) error {
		return c.Update(key("key"), renamed(marked(passkey("key"))))
	}
	calls := map[string][]func(*Actor) error{
		"add":                            {add(passkey("another"))},
		"update":                         {update("laptop", moved(passkey("laptop"))), update("phone", moved(passkey("phone"))), renamedKey, update("phrase", marked(phrase("phrase")))},
		"replace":                        {replace("laptop", passkey("another")), replace("phone", passkey("another")), replace("phrase", phrase("another"))},
		"remove":                         {remove("laptop"), remove("phone"), remove("key"), remove("phrase")},
		"enter_device_registration_mode": {enter},
		"exit_device_registration_mode":  {exit},
		"verify_tentative_device":        {verify},
		"protect":                        {protect("laptop"), protect("key")},
		"unprotect":                      {unprotect("laptop"), unprotect("key"), unprotect("phrase")},
		"guard_set":                      {guard(true)},
		"device_bound_set":               {demand(true)},
		"session_limit_set":              {limit(&hour)},
		"release_consent":                {consent(monthSeconds, "phone"), withdraw},
		"release_request":                {request("phrase")},
		"release_cancel":                 {cancel("phrase")},
		"release_complete":               {complete("phrase")},
		"attestation_challenge":          {func(c *Actor) error { _, err := c.NewChallenge([16]byte{}); return err }},
		"attest":                         {func(c *Actor) error { return c.RecordAttestation(Assertion{}) }},
		"prepare_delegation":             {func(c *Actor) error { c.PrepareSession(nil); return nil }},
		"get_anchor_info":                {func(c *Actor) error { return nil }},
	}
	callers := map[Role]principal.Principal{RoleTemporary: testTemp, RoleUnprotected: who("laptop"), RoleProtected: who("key")}
	// On these stages the role has another meaning, or the call nothing to act on.
	skip := func(stage string, role Role, method string) bool {
		return stage == "unmarked" && role == RoleProtected ||
			method == "release_cancel" && stage != "ripe" && role == RoleProtected
	}
	for _, row := range Permissions {
		if len(calls[row.Method]) == 0 {
			continue // the canister's to walk, not the rules'
		}
		for role, by := range callers {
			results := map[bool]int{}
			for name, stage := range stages {
				if skip(name, role, row.Method) {
					continue
				}
				for _, call := range calls[row.Method] {
					a := stage()
					results[call(a.by(t, by)) == nil]++
				}
			}
			cell := row.Cells[role]
			where := row.Method + " by " + role.String()
			switch cell {
			case Refused:
				require.Zero(t, results[true], where)
			case Allowed:
				require.Zero(t, results[false], where)
			case Limited:
				require.NotZero(t, results[true], where)
				require.NotZero(t, results[false], where)
				require.NotEmpty(t, row.Note, where)
			}
		}
	}
	for method := range calls {
		_, known := PermissionOf(method)
		require.True(t, known, method)
	}
	_, known := PermissionOf("nothing")
	require.False(t, known)
}

// A stranger is refused before any rule is asked.
func TestStrangersMayNothing(t *testing.T) {
	actor, err := usual().Authenticate(callBy(testStranger))
	require.Nil(t, actor)
	require.Equal(t, ErrNotADevice, CodeOf(err))
}

func TestPermissionsTable(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(PermissionsTable()), "\n")
	require.Len(t, lines, 2+len(Permissions))
	require.Equal(t, "| method | anyone | temporary key | unprotected device | protected device | controller | limits |", lines[0])
	require.Equal(t, "|---|---|---|---|---|---|---|", lines[1])
	require.Contains(t, lines, "| `guard_set` | – | – | – | yes | – |  |")
	require.Contains(t, lines, "| `add` | – | limited | limited | yes | – | "+noteAdd+" |")
	require.Equal(t, "controller", RoleController.String())
}

func TestSecurityEvents(t *testing.T) {
	for k := EventRegistered; k <= EventDropped; k++ {
		routine := k == EventRegistered || k == EventAdded || k == EventUpdated || k == EventAttested ||
			k == EventRegistrationOpened || k == EventRegistrationClosed
		require.Equal(t, !routine, k.Security(), "kind %d", k)
	}
}
