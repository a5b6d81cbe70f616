package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const monthSeconds = MinReleaseDelay / second

func TestConsent(t *testing.T) {
	eleven := stage(device(phrase("phrase"), protected))
	names := []string{}
	for _, n := range "abcdefghij" {
		eleven.Devices = append(eleven.Devices, device(passkey(string(n))))
		eleven.Devices[len(names)+1].ID = DeviceID(len(names) + 1)
		names = append(names, string(n))
	}
	run(t, []ruleTest{
		{"a month", usual(), who("phrase"), consent(monthSeconds, "phone", "laptop", "phone"), 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, &Consent{Delay: 30 * day, Askers: []Asker{{ID: 1}, {ID: 0}}}, a.Devices[2].Consent)
			require.Equal(t, []Event{{At: testNow, Kind: EventConsented, By: who("phrase"), Device: who("phrase"), Until: 30 * day}}, a.Events)
		}},
		{"a year", usual(), who("phrase"), consent(MaxReleaseDelay/second, "phone"), 0, nil},
		{"less than a month", usual(), who("phrase"), consent(monthSeconds-1, "phone"), ErrBadDelay, nil},
		{"more than a year", usual(), who("phrase"), consent(MaxReleaseDelay/second+1, "phone"), ErrBadDelay, nil},
		{"nobody", usual(), who("phrase"), consent(monthSeconds), ErrBadAskers, nil},
		{"itself", usual(), who("phrase"), consent(monthSeconds, "phone", "phrase"), ErrBadAskers, nil},
		{"a stranger", usual(), who("phrase"), consent(monthSeconds, "nobody"), ErrNoSuchDevice, nil},
		{"nine askers", clone(eleven), who("phrase"), consent(monthSeconds, names[:9]...), 0, nil},
		{"ten askers", clone(eleven), who("phrase"), consent(monthSeconds, names...), ErrBadAskers, nil},
		{"a new one takes the place of the old", usual().consents(2, Asker{ID: 0}), who("phrase"), consent(monthSeconds, "phone"), 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, []Asker{{ID: 1}}, a.Devices[2].Consent.Askers)
		}},
		{"withdraw", usual().consents(2, Asker{ID: 0}), who("phrase"), withdraw, 0, func(t *testing.T, a *Anchor) {
			require.Nil(t, a.Devices[2].Consent)
			require.Equal(t, []EventKind{EventConsentWithdrawn}, kinds(a))
		}},
		{"withdraw nothing", usual(), who("phrase"), withdraw, 0, func(t *testing.T, a *Anchor) { require.Empty(t, a.Events) }},
	})
	e := refused(t, usual(), who("phrase"), ErrBadDelay, consent(5, "phone"))
	require.Equal(t, []uint64{5, monthSeconds}, []uint64{e.Length, e.Limit})
}

func TestRelease(t *testing.T) {
	named := func() *Anchor { return usual().consents(2, Asker{ID: 0}, Asker{ID: 1}) }
	asked := func(at uint64) *Anchor { return usual().consents(2, Asker{ID: 0, CompletesAt: at}, Asker{ID: 1}) }
	two := func() *Anchor {
		return stage(device(passkey("laptop"), proven), device(passkey("key"), protected), device(phrase("phrase"), protected)).
			consents(2, Asker{ID: 0, CompletesAt: testService})
	}
	run(t, []ruleTest{
		{"a named device asks", named(), who("laptop"), request("phrase"), 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, []Asker{{ID: 0, CompletesAt: testService + 30*day}, {ID: 1}}, a.Devices[2].Consent.Askers)
			require.Equal(t, []Event{{At: testNow, Kind: EventRequested, By: who("laptop"), Device: who("phrase"), Other: who("laptop"), Until: testService + 30*day}}, a.Events)
		}},
		{"guard or not", named().guarded(), who("laptop"), request("phrase"), 0, nil},
		{"another asks too", asked(testService + 1), who("phone"), request("phrase"), 0, nil},
		{"twice", asked(testService + 1), who("laptop"), request("phrase"), ErrAlreadyAsked, nil},
		{"not named", usual().consents(2, Asker{ID: 0}), who("phone"), request("phrase"), ErrNoConsent, nil},
		{"no consent", usual(), who("phone"), request("phrase"), ErrNoConsent, nil},
		{"nothing", named(), who("laptop"), request("nothing"), ErrNoSuchDevice, nil},
		{"the device itself", named(), who("phrase"), request("phrase"), ErrNoConsent, nil},
		{"a temporary key", withTemporary(named()), testTemp, request("phrase"), ErrTemporaryKey, nil},

		{"too early", asked(testService + 1), who("laptop"), complete("phrase"), ErrTooEarly, nil},
		{"in time", asked(testService), who("laptop"), complete("phrase"), 0, func(t *testing.T, a *Anchor) {
			isProtected("phrase", false)(t, a)
			isProtected("laptop", true)(t, a)
			require.Nil(t, a.Devices[2].Consent)
			require.Equal(t, []EventKind{EventReleased, EventProtected}, kinds(a))
		}},
		{"the asker's temporary key dies with its mark", withTemporary(asked(testService)), who("laptop"), complete("phrase"), 0, func(t *testing.T, a *Anchor) {
			require.Zero(t, a.Devices[0].Temporary)
		}},
		{"a guarded anchor keeps its guard", asked(testService).guarded(), who("laptop"), complete("phrase"), 0, func(t *testing.T, a *Anchor) { require.True(t, a.Guard) }},
		{"the asker is not protected beside another protected device", two(), who("laptop"), complete("phrase"), 0, func(t *testing.T, a *Anchor) {
			isProtected("laptop", false)(t, a)
			isProtected("phrase", false)(t, a)
		}},
		{"by another asker, who has not asked", asked(testService), who("phone"), complete("phrase"), ErrNotAsked, nil},
		{"by a device that is not named", two(), who("key"), complete("phrase"), ErrNoConsent, nil},
		{"completing before asking", named(), who("laptop"), complete("phrase"), ErrNotAsked, nil},
		{"complete by a temporary key", withTemporary(asked(testService)), testTemp, complete("phrase"), ErrTemporaryKey, nil},

		{"cancel by another protected device", two(), who("key"), cancel("phrase"), 0, func(t *testing.T, a *Anchor) {
			require.Nil(t, a.Devices[2].Consent, "nobody is left on the list")
			require.Equal(t, []Event{{At: testNow, Kind: EventCancelled, By: who("key"), Device: who("phrase"), Other: who("laptop")}}, a.Events)
		}},
		{"cancel nothing of another, after one's own", two().consents(1, Asker{ID: 0, CompletesAt: testService + 1}).withdrawn(2), who("key"), cancel("phrase"), ErrNotAsked, nil},
		{"a temporary key cancels for its own device, of which nobody asks", withTemporary(usual()), testTemp, cancel("laptop"), ErrNotAsked, nil},
		{"cancel nothing", named(), who("phrase"), cancel("phrase"), ErrNotAsked, nil},
		{"cancel without consent", usual(), who("phrase"), cancel("laptop"), ErrNotAsked, nil},
		{"cancel by an unprotected device", asked(testService), who("phone"), cancel("phrase"), ErrNeedsProtected, nil},
		{"cancel by a temporary key", withTemporary(asked(testService)), testTemp, cancel("phrase"), ErrTemporaryKey, nil},
		{"cancel for an unknown device", named(), who("phrase"), cancel("nothing"), ErrNoSuchDevice, nil},
		{"an unprotected device cancels its own, which is nothing", usual(), who("laptop"), cancel("laptop"), ErrNotAsked, nil},
	})
	e := refused(t, asked(testService+1), who("laptop"), ErrTooEarly, complete("phrase"))
	require.Equal(t, testService+1, e.At)
	require.Contains(t, e.Message, ": 1 s of service time")
	e = refused(t, asked(testService+3*second), who("laptop"), ErrTooEarly, complete("phrase"))
	require.Contains(t, e.Message, ": 3 s of service time")
	e = refused(t, asked(testService+1), who("laptop"), ErrAlreadyAsked, request("phrase"))
	require.Equal(t, testService+1, e.At)
}

// Any update call that the device itself signs is its sign of life, whatever the call; one that is
// refused with a reply too.
func TestSignOfLife(t *testing.T) {
	a := usual().consents(2, Asker{ID: 0, CompletesAt: testService + 1}, Asker{ID: 1})
	actor, err := a.Authenticate(callBy(who("phrase")))
	require.NoError(t, err)
	require.Equal(t, []Asker{{ID: 1}}, a.Devices[2].Consent.Askers)
	require.Equal(t, []Event{{At: testNow, Kind: EventCancelled, By: who("phrase"), Device: who("phrase"), Other: who("laptop")}}, a.Events)
	require.NoError(t, actor.CancelRelease(key("phrase")), "its call has cancelled already")

	refused(t, a, who("laptop"), ErrNoConsent, request("phrase")) // ask, veto, ask again
	granted(t, a, who("phone"), request("phrase"))

	a = usual().consents(2, Asker{ID: 0, CompletesAt: testService + 1})
	a.Witness(callBy(who("phrase"))) // so too a call that is open to all
	require.Nil(t, a.Devices[2].Consent)

	a = usual().consents(2, Asker{ID: 0, CompletesAt: testService + 1})
	a.Witness(callBy(testStranger))
	_, err = a.Recognise(callBy(who("phrase"))) // a query is none
	require.NoError(t, err)
	require.NotNil(t, a.Devices[2].Consent)
}
