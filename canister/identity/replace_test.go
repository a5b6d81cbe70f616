package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplace(t *testing.T) {
	lone := func() *Anchor { return stage(device(passkey("laptop"), proven)) }
	run(t, []ruleTest{
		{"a protected device replaces itself: the new one is unproven", usual(), who("phrase"), replace("phrase", marked(phrase("new"))), 0, func(t *testing.T, a *Anchor) {
			has("laptop", "phone", "new")(t, a)
			d := a.byKey(key("new"))
			require.True(t, d.Protected)
			require.False(t, d.Proven)
			require.Equal(t, testService+LapseAfter, d.LapsesAt)
			require.Equal(t, []Event{
				{At: testNow, Kind: EventReplaced, By: who("phrase"), Device: who("phrase"), Other: who("new")},
				{At: testNow, Kind: EventProtected, By: who("phrase"), Device: who("new"), Until: d.LapsesAt},
			}, a.Events)
		}},
		{"with its own key it is proven by the call", usual(), who("phrase"), replace("phrase", marked(phrase("phrase"))), 0, func(t *testing.T, a *Anchor) {
			isProtected("phrase", true)(t, a)
			require.Zero(t, a.byKey(key("phrase")).LapsesAt)
			require.Equal(t, testNow, a.byKey(key("phrase")).LastUsed)
		}},
		{"with its own key it may leave its mark behind", usual(), who("phrase"), replace("phrase", phrase("phrase")), 0, isProtected("phrase", false)},
		{"the first mark by replacing itself with its own key", early(), who("laptop"), replace("laptop", marked(passkey("laptop"))), 0, isProtected("laptop", true)},
		{"no first mark for another key", early(), who("laptop"), replace("laptop", marked(passkey("tablet"))), ErrNotGranted, nil},
		{"no first mark for another device", early(), who("laptop"), replace("phone", marked(passkey("tablet"))), ErrNotGranted, nil},
		{"no mark by an unprotected device beside marks", usual(), who("laptop"), replace("laptop", marked(passkey("laptop"))), ErrNotGranted, nil},
		{"another's protected device", usual(), who("laptop"), replace("phrase", phrase("phrase")), ErrSelfOnly, nil},
		{"an unproven mark, by an unprotected device", typing(), who("laptop"), replace("phrase", phrase("phrase")), ErrSelfOnly, nil},
		{"an unproven mark, by a protected device", typing(), who("key"), replace("phrase", phrase("other")), 0, has("laptop", "key", "other")},
		{"itself, on a guarded anchor", usual().guarded(), who("laptop"), replace("laptop", passkey("tablet")), ErrGuarded, nil},
		{"another, on a guarded anchor", usual().guarded(), who("laptop"), replace("phone", passkey("tablet")), ErrGuarded, nil},
		{"another, on a guarded anchor, by a protected device", usual().guarded(), who("phrase"), replace("phone", passkey("tablet")), 0, nil},
		{"the last protected device of a guarded anchor by an unproven one", usual().guarded(), who("phrase"), replace("phrase", marked(phrase("new"))), ErrGuardNeedsDevice, nil},
		{"the last protected device of a guarded anchor by itself unmarked", usual().guarded(), who("phrase"), replace("phrase", phrase("phrase")), ErrGuardNeedsDevice, nil},
		{"the last protected device of a guarded anchor by itself marked", usual().guarded(), who("phrase"), replace("phrase", marked(phrase("phrase"))), 0, isProtected("phrase", true)},
		{"by a key that is there", usual(), who("laptop"), replace("laptop", passkey("phone")), ErrDeviceExists, nil},
		{"by a second phrase", early(), who("laptop"), replace("laptop", phrase("second")), ErrSecondPhrase, nil},
		{"a phrase by a phrase", early(), who("laptop"), replace("phrase", phrase("second")), 0, has("laptop", "phone", "second")},
		{"the only device", lone(), who("laptop"), replace("laptop", passkey("tablet")), 0, has("tablet")},
		{"by a credential id of another", early(), who("laptop"), replace("laptop", func() Data { d := passkey("x"); d.CredentialID = passkey("phone").CredentialID; return d }()), ErrCredentialExists, nil},
		{"by the credential id that goes", early(), who("laptop"), replace("laptop", func() Data { d := passkey("x"); d.CredentialID = passkey("laptop").CredentialID; return d }()), 0, nil},
		{"a temporary key and its own device", withTemporary(early()), testTemp, replace("laptop", passkey("tablet")), ErrTemporaryKey, nil},
		{"a temporary key and another device", withTemporary(early()), testTemp, replace("phone", passkey("tablet")), 0, nil},
		{"a temporary key does not prove its own key", withTemporary(early()), testTemp, replace("phone", Data{PublicKey: []byte("a temporary key")}), 0, func(t *testing.T, a *Anchor) {
			require.False(t, a.Devices[2].Proven)
			require.Zero(t, a.Devices[2].LastUsed)
		}},
		{"nothing", usual(), who("laptop"), replace("nothing", passkey("tablet")), ErrNoSuchDevice, nil},
	})
}

// The new device inherits nothing, even with the same key: all that named the old one dies.
func TestReplaceInheritsNothing(t *testing.T) {
	make := func() *Anchor {
		a := stage(device(passkey("laptop"), proven, temporary), device(passkey("key"), protected), device(phrase("phrase"), protected))
		a.consents(1, Asker{ID: 0, CompletesAt: testService + day}, Asker{ID: 2}).consents(2, Asker{ID: 0})
		a.Registration = &Registration{Opener: 0, ExpiresAt: testNow + second}
		d := &a.Devices[0]
		d.SessionsUntil, d.Attestation, d.Challenge = testNow+day, Attestation{At: 1}, Challenge{ExpiresAt: testNow + day}
		return a
	}
	a := make()
	granted(t, a, who("laptop"), replace("laptop", passkey("laptop")))
	require.Equal(t, Device{Data: passkey("laptop"), ID: 0, Principal: who("laptop"), Proven: true, LastUsed: testNow, AddedAt: testNow - 100*day,
		AddedUnprotected: true}, a.Devices[2])
	require.Equal(t, []Asker{{ID: 2}}, a.byKey(key("key")).Consent.Askers)
	require.Nil(t, a.byKey(key("phrase")).Consent)
	require.Nil(t, a.Registration)
	require.Equal(t, testNow+day, a.Events[0].Until)

	a = make() // the opener stays, so the mode does
	granted(t, a, who("phrase"), remove("phrase"))
	require.NotNil(t, a.Registration)
	require.Equal(t, []Asker{{ID: 0, CompletesAt: testService + day}}, a.byKey(key("key")).Consent.Askers)
}

func TestRemoveTellsHowLongSessionsRun(t *testing.T) {
	a := usual()
	a.Devices[1].SessionsUntil = testNow + day
	until, err := a.as(t, "laptop").Remove(key("phone"))
	require.NoError(t, err)
	require.Equal(t, testNow+day, until)
	require.Equal(t, []Event{{At: testNow, Kind: EventRemoved, By: who("laptop"), Device: who("phone"), Until: until}}, a.Events)
}

// Records that share a key count as one device: the copies go with it.
func TestCopies(t *testing.T) {
	make := func() *Anchor {
		a := early()
		a.Copies = []Data{renamed(passkey("phone")), renamed(passkey("laptop")), moved(passkey("phone"))}
		return a
	}
	for name, c := range map[string]struct {
		do   func(*Actor) error
		left int
	}{
		"remove":           {remove("phone"), 1},
		"update":           {update("phone", passkey("phone")), 1},
		"replace":          {replace("phone", passkey("tablet")), 1},
		"protect":          {protect("laptop"), 3},
		"remove the other": {remove("laptop"), 2},
	} {
		t.Run(name, func(t *testing.T) {
			a := make()
			granted(t, a, who("laptop"), c.do)
			require.Len(t, a.Copies, c.left)
		})
	}
	a := make()
	data := passkey("tablet")
	a.Copies[0].CredentialID = []byte("of the copy")
	data.CredentialID = []byte("of the copy")
	refused(t, a, who("laptop"), ErrCredentialExists, add(data))
	granted(t, a, who("laptop"), replace("phone", data))
}
