package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func attested(backupEligible bool) with {
	return func(d *Device) { d.Attestation = Attestation{At: testNow - day, BackupEligible: backupEligible} }
}

func TestProtect(t *testing.T) {
	run(t, []ruleTest{
		{"the first mark by the device itself", early(), who("phrase"), protect("phrase"), 0, func(t *testing.T, a *Anchor) {
			isProtected("phrase", true)(t, a)
			require.Zero(t, a.byKey(key("phrase")).LapsesAt)
			require.Equal(t, []Event{{At: testNow, Kind: EventProtected, By: who("phrase"), Device: who("phrase")}}, a.Events)
		}},
		{"any kind of device", early(), who("laptop"), protect("laptop"), 0, isProtected("laptop", true)},
		{"the first mark by another", early(), who("laptop"), protect("phrase"), ErrNotGranted, nil},
		{"a second mark by the device itself", usual(), who("laptop"), protect("laptop"), ErrNotGranted, nil},
		{"a second mark by a protected device", usual(), who("phrase"), protect("laptop"), 0, isProtected("laptop", true)},
		{"an unproven mark is a mark", stage(device(passkey("laptop"), proven), device(phrase("phrase"), fresh)), who("laptop"), protect("laptop"), ErrNotGranted, nil},
		{"a protected device again, by itself", usual(), who("phrase"), protect("phrase"), 0, func(t *testing.T, a *Anchor) { require.Empty(t, a.Events) }},
		{"a protected device again, by another", usual(), who("laptop"), protect("phrase"), ErrNotGranted, nil},
		{"an unproven mark again does not prolong it", func() *Anchor { a := typing(); a.Devices[2].LapsesAt = testService + 1; return a }(), who("key"), protect("phrase"), 0,
			func(t *testing.T, a *Anchor) { require.Equal(t, testService+1, a.Devices[2].LapsesAt) }},
		{"a device that has never called, by a protected one", stage(device(passkey("laptop")), device(passkey("key"), protected)), who("key"), protect("laptop"), 0,
			func(t *testing.T, a *Anchor) {
				require.Equal(t, testService+LapseAfter, a.Devices[0].LapsesAt)
				require.Equal(t, testService+LapseAfter, a.Events[0].Until)
			}},
		{"nothing", early(), who("phrase"), protect("nothing"), ErrNoSuchDevice, nil},
		{"a temporary key and its device", withTemporary(early()), testTemp, protect("laptop"), ErrTemporaryKey, nil},
		{"a temporary key dies with the mark", withTemporary(early()), who("laptop"), protect("laptop"), 0,
			func(t *testing.T, a *Anchor) { require.Zero(t, a.Devices[0].Temporary) }},
	})
}

func TestUnprotect(t *testing.T) {
	two := func() *Anchor {
		return stage(device(passkey("key"), protected), device(phrase("phrase"), protected))
	}
	run(t, []ruleTest{
		{"by itself", usual().consents(2, Asker{ID: 0}), who("phrase"), unprotect("phrase"), 0, func(t *testing.T, a *Anchor) {
			isProtected("phrase", false)(t, a)
			require.Nil(t, a.Devices[2].Consent, "its consent ends with the mark")
			require.Equal(t, []EventKind{EventUnprotected}, kinds(a))
		}},
		{"by an unprotected device", usual(), who("laptop"), unprotect("phrase"), ErrSelfOnly, nil},
		{"by another protected device", two(), who("key"), unprotect("phrase"), ErrSelfOnly, nil},
		{"an unproven mark by a protected device", typing(), who("key"), unprotect("phrase"), 0, func(t *testing.T, a *Anchor) { require.Zero(t, a.Devices[2].LapsesAt) }},
		{"an unproven mark by an unprotected device", typing(), who("laptop"), unprotect("phrase"), ErrSelfOnly, nil},
		{"an unmarked device", usual(), who("laptop"), unprotect("phone"), 0, func(t *testing.T, a *Anchor) { require.Empty(t, a.Events) }},
		{"the last of a guarded anchor", usual().guarded(), who("phrase"), unprotect("phrase"), ErrGuardNeedsDevice, nil},
		{"not the last of a guarded anchor", two().guarded(), who("phrase"), unprotect("phrase"), 0, nil},
		{"an unproven mark of a guarded anchor", typing().guarded(), who("key"), unprotect("phrase"), 0, nil},
		{"nothing", usual(), who("phrase"), unprotect("nothing"), ErrNoSuchDevice, nil},
		{"by a temporary key", withTemporary(early()), testTemp, unprotect("phone"), ErrTemporaryKey, nil},
	})
}

func TestSettingsAreForProtectedDevices(t *testing.T) {
	hour := uint64(3600)
	for name, do := range map[string]func(*Actor) error{
		"guard": guard(true), "demand": demand(true), "limit": limit(&hour),
		"consent": consent(MinReleaseDelay/second, "laptop"), "withdraw": withdraw,
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, usual(), who("laptop"), ErrNeedsProtected, do)
			refused(t, early(), who("laptop"), ErrNeedsProtected, do)
			refused(t, withTemporary(usual()), testTemp, ErrTemporaryKey, do)
			granted(t, usual(), who("phrase"), do)
			granted(t, typing(), who("phrase"), do) // its call proves it
		})
	}
}

func TestSwitches(t *testing.T) {
	a := usual()
	granted(t, a, who("phrase"), guard(true))
	require.True(t, a.Guard)
	require.Equal(t, []EventKind{EventGuardOn}, kinds(a))
	granted(t, a, who("phrase"), guard(true))
	require.Empty(t, a.Events)
	granted(t, a, who("phrase"), guard(false))
	require.False(t, a.Guard)
	require.Equal(t, []EventKind{EventGuardOff}, kinds(a))

	granted(t, a, who("phrase"), demand(true))
	require.True(t, a.DeviceBound)
	require.Equal(t, []EventKind{EventDeviceBoundOn}, kinds(a))
	granted(t, a, who("phrase"), demand(true))
	require.Empty(t, a.Events)
	granted(t, a, who("phrase"), demand(false))
	require.False(t, a.DeviceBound)
	require.Equal(t, []EventKind{EventDeviceBoundOff}, kinds(a))
}

func TestSessionLimit(t *testing.T) {
	for _, c := range []struct {
		seconds, nearest uint64
		ok               bool
	}{
		{59, 60, false}, {60, 0, true}, {3600, 0, true}, {30 * 24 * 3600, 0, true}, {30*24*3600 + 1, 30 * 24 * 3600, false},
	} {
		a := usual()
		if !c.ok {
			e := refused(t, a, who("phrase"), ErrBadLimit, limit(&c.seconds))
			require.Equal(t, c.seconds, e.Length)
			require.Equal(t, c.nearest, e.Limit)
			continue
		}
		granted(t, a, who("phrase"), limit(&c.seconds))
		require.Equal(t, c.seconds*second, a.SessionLimit)
		require.Equal(t, c.seconds*second, a.LongestSession())
		require.Equal(t, c.seconds*second, a.Events[0].Until)
		granted(t, a, who("phrase"), limit(&c.seconds))
		require.Empty(t, a.Events)
		granted(t, a, who("phrase"), limit(nil))
		require.Zero(t, a.SessionLimit)
		require.Equal(t, MaxSession, a.LongestSession())
	}
}

// The demand for device-bound passkeys (rule 9) is checked by protect, register, add, update and
// replace, never lifts a mark, and does not concern phrases.
func TestDeviceBound(t *testing.T) {
	demanding := func(devices ...Device) *Anchor {
		a := stage(append(devices, device(phrase("phrase"), protected))...)
		a.DeviceBound = true
		return a
	}
	run(t, []ruleTest{
		{"not attested", demanding(device(passkey("laptop"), proven)), who("phrase"), protect("laptop"), ErrNotDeviceBound, nil},
		{"attested as synced", demanding(device(passkey("laptop"), proven, attested(true))), who("phrase"), protect("laptop"), ErrNotDeviceBound, nil},
		{"attested as device-bound", demanding(device(passkey("laptop"), proven, attested(false))), who("phrase"), protect("laptop"), 0, isProtected("laptop", true)},
		{"update", demanding(device(passkey("laptop"), proven)), who("phrase"), update("laptop", marked(passkey("laptop"))), ErrNotDeviceBound, nil},
		{"add", demanding(device(passkey("laptop"), proven)), who("phrase"), add(marked(passkey("tablet"))), ErrNotDeviceBound, nil},
		{"replace", demanding(device(passkey("laptop"), proven, attested(false))), who("phrase"), replace("laptop", marked(passkey("tablet"))), ErrNotDeviceBound, nil},
		{"replace with its own key inherits no attestation", demanding(device(passkey("key"), protected, attested(false))), who("key"), replace("key", marked(passkey("key"))), ErrNotDeviceBound, nil},
		{"no mark, no demand", demanding(device(passkey("laptop"), proven)), who("phrase"), add(passkey("tablet")), 0, nil},
		{"a phrase is not concerned", demanding(device(passkey("laptop"), proven)), who("phrase"), replace("phrase", marked(phrase("new"))), 0, nil},
		{"a mark that is there stays", demanding(device(passkey("key"), protected)), who("key"), update("key", renamed(marked(passkey("key")))), 0, isProtected("key", true)},
		{"never by a release", demanding(device(passkey("laptop"), proven)).consents(1, Asker{ID: 0, CompletesAt: testService}), who("laptop"), complete("phrase"), 0, isProtected("laptop", true)},
	})
}
