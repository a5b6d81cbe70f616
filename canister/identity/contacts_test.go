package identity

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

const weekSeconds = 7 * 24 * 3600

func given(number uint64) bool { return number >= 10000 && number < 10020 }

func setContacts(threshold uint8, delay uint64, anchors ...uint64) func(*Actor) error {
	return func(c *Actor) error { return c.SetContacts(threshold, delay, anchors, given) }
}

func agree(on bool) func(*Actor) error { return func(c *Actor) error { return c.AgreeToContacts(on) } }

func endContacts(c *Actor) error { return c.EndContacts() }

// withContacts is an anchor of which phrase and key are protected, and phrase has agreed to three contacts that
// have accepted. Sessions end after a day, so that a week is a legal delay.
func withContacts() *Anchor {
	a := stage(device(passkey("laptop"), proven), device(passkey("key"), protected), device(phrase("phrase"), protected))
	a.SessionLimit = day
	a.Contacts = &Contacts{Threshold: 2, Delay: 7 * day, List: []Contact{{Anchor: 10001, Accepted: true}, {Anchor: 10002, Accepted: true}, {Anchor: 10003, Accepted: true}}}
	a.Devices[2].AgreesToContacts = true
	return a
}

// approvedBy has contacts approve a key at times before testService.
func (a *Anchor) approvedBy(p principal.Principal, ago ...uint64) *Anchor {
	for i, t := range ago {
		a.Contacts.List[i].Key, a.Contacts.List[i].ApprovedAt = p, testService-t
	}
	return a
}

func TestSetContacts(t *testing.T) {
	lone := func() *Anchor { a := withContacts(); a.dropContacts(); return a }
	run(t, []ruleTest{
		{"by a protected device", lone(), who("phrase"), setContacts(1, weekSeconds, 10001, 10002), 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, &Contacts{Threshold: 1, Delay: 7 * day, List: []Contact{{Anchor: 10001}, {Anchor: 10002}}}, a.Contacts)
			require.True(t, a.byKey(key("phrase")).AgreesToContacts)
			require.False(t, a.byKey(key("key")).AgreesToContacts)
			require.Equal(t, []Event{{At: testNow, Kind: EventContactsSet, By: who("phrase"), Until: 7 * day}}, a.Events)
		}},
		{"again ends agreements, acceptances and approvals", withContacts(), who("key"), setContacts(2, weekSeconds, 10001, 10002, 10003), 0, func(t *testing.T, a *Anchor) {
			require.False(t, a.byKey(key("phrase")).AgreesToContacts)
			require.True(t, a.byKey(key("key")).AgreesToContacts)
			for _, c := range a.Contacts.List {
				require.Equal(t, Contact{Anchor: c.Anchor}, c)
			}
		}},
		{"by an unprotected device", lone(), who("laptop"), setContacts(1, weekSeconds, 10001), ErrNeedsProtected, nil},
		{"none", lone(), who("key"), setContacts(1, weekSeconds), ErrBadContacts, nil},
		{"eight", lone(), who("key"), setContacts(1, weekSeconds, 10001, 10002, 10003, 10004, 10005, 10006, 10007, 10008), ErrBadContacts, nil},
		{"seven", lone(), who("key"), setContacts(7, weekSeconds, 10001, 10002, 10003, 10004, 10005, 10006, 10007), 0, nil},
		{"itself", lone(), who("key"), setContacts(1, weekSeconds, 10001, 10000), ErrBadContacts, nil},
		{"twice the same", lone(), who("key"), setContacts(1, weekSeconds, 10001, 10001), ErrBadContacts, nil},
		{"one that does not exist", lone(), who("key"), setContacts(1, weekSeconds, 10020), ErrBadContacts, nil},
		{"a threshold of zero", lone(), who("key"), setContacts(0, weekSeconds, 10001), ErrBadContacts, nil},
		{"a threshold above their number", lone(), who("key"), setContacts(2, weekSeconds, 10001), ErrBadContacts, nil},
		{"too short a delay", lone(), who("key"), setContacts(1, weekSeconds-1, 10001), ErrBadDelay, nil},
		{"a year", lone(), who("key"), setContacts(1, 365*24*3600, 10001), 0, nil},
		{"more than a year", lone(), who("key"), setContacts(1, 365*24*3600+1, 10001), ErrBadDelay, nil},
		{"a delay that overflows", lone(), who("key"), setContacts(1, ^uint64(0), 10001), ErrBadDelay, nil},
	})
	a := lone()
	a.SessionLimit = 0 // thirty days
	e := refused(t, a, who("key"), ErrBadDelay, setContacts(1, 30*24*3600-1, 10001))
	require.Equal(t, uint64(30*24*3600), e.Limit)
	granted(t, a, who("key"), setContacts(1, 30*24*3600, 10001))
}

func TestAgreements(t *testing.T) {
	run(t, []ruleTest{
		{"another agrees", withContacts(), who("key"), agree(true), 0, func(t *testing.T, a *Anchor) {
			require.True(t, a.byKey(key("key")).AgreesToContacts)
			require.Equal(t, []EventKind{EventContactsAgreed}, kinds(a))
		}},
		{"again", withContacts(), who("phrase"), agree(true), 0, func(t *testing.T, a *Anchor) { require.Empty(t, a.Events) }},
		{"the last one withdraws", withContacts(), who("phrase"), agree(false), 0, func(t *testing.T, a *Anchor) {
			require.Nil(t, a.Contacts)
			require.Equal(t, []EventKind{EventContactsDisagreed, EventContactsEnded}, kinds(a))
		}},
		{"an unprotected device", withContacts(), who("laptop"), agree(true), ErrNeedsProtected, nil},
		{"to none", usual(), who("phrase"), agree(true), ErrNoContacts, nil},
		{"any protected device ends them", withContacts(), who("key"), endContacts, 0, func(t *testing.T, a *Anchor) {
			require.Nil(t, a.Contacts)
			require.False(t, a.byKey(key("phrase")).AgreesToContacts)
		}},
		{"there are none to end", usual(), who("phrase"), endContacts, 0, func(t *testing.T, a *Anchor) { require.Empty(t, a.Events) }},
		{"an unprotected device does not", withContacts(), who("laptop"), endContacts, ErrNeedsProtected, nil},
	})

	// However the device that agreed stops being protected, its agreement ends, and with the last one the contacts.
	for name, do := range map[string]func(*Actor) error{
		"unprotect": unprotect("phrase"), "update": update("phrase", phrase("phrase")), "remove": remove("phrase"),
		"replace": replace("phrase", marked(phrase("phrase"))), "by another": replace("phrase", marked(phrase("new"))),
	} {
		t.Run(name, func(t *testing.T) {
			a := withContacts()
			granted(t, a, who("phrase"), do)
			require.Nil(t, a.Contacts)

			a = withContacts()
			a.Devices[1].AgreesToContacts = true
			granted(t, a, who("phrase"), do)
			require.NotNil(t, a.Contacts, "the other still agrees")
		})
	}
	t.Run("release", func(t *testing.T) {
		a := withContacts().consents(2, Asker{ID: 0, CompletesAt: testService})
		granted(t, a, who("laptop"), complete("phrase"))
		require.Nil(t, a.Contacts)
	})
}

func TestContactsAct(t *testing.T) {
	friend, guardedFriend := Helper{10001, false}, Helper{10001, true}
	call := callBy(testStranger)
	k, other := who("new"), who("another")

	a := withContacts()
	a.Contacts.List[0].Accepted = false
	require.Equal(t, ErrNotAccepted, CodeOf(a.ApproveKey(call, friend, k)))
	require.NoError(t, a.AcceptContact(call, friend))
	require.True(t, a.Contacts.List[0].Accepted)
	require.NoError(t, a.AcceptContact(call, friend))
	require.Equal(t, []Event{{At: testNow, Kind: EventContactActed, Until: 10001}}, a.Events)

	require.NoError(t, a.ApproveKey(call, friend, k))
	require.Equal(t, Contact{Anchor: 10001, Accepted: true, Key: k, ApprovedAt: testService, Noted: true}, a.Contacts.List[0])
	later := call
	later.Service += day
	require.NoError(t, a.ApproveKey(later, friend, k))
	require.Equal(t, testService, a.Contacts.List[0].ApprovedAt, "the same key again changes nothing")
	require.NoError(t, a.ApproveKey(later, guardedFriend, k))
	require.False(t, a.Contacts.List[0].ByProtected)
	require.NoError(t, a.ApproveKey(later, guardedFriend, other))
	require.Equal(t, Contact{Anchor: 10001, Accepted: true, Key: other, ApprovedAt: testService + day, ByProtected: true, Noted: true}, a.Contacts.List[0])

	// What a protected device approved only a protected one changes.
	require.Equal(t, ErrNeedsProtected, CodeOf(a.ApproveKey(later, friend, k)))
	require.NoError(t, a.ApproveKey(later, friend, other), "the same again is no change")
	require.Equal(t, ErrNeedsProtected, CodeOf(a.WithdrawApproval(later, friend)))
	require.Equal(t, ErrNeedsProtected, CodeOf(a.ResignContact(later, friend)))
	require.NoError(t, a.WithdrawApproval(later, guardedFriend))
	require.Equal(t, Contact{Anchor: 10001, Accepted: true, Noted: true}, a.Contacts.List[0])
	require.NoError(t, a.WithdrawApproval(later, friend), "nothing to withdraw")
	require.Len(t, a.Events, 1, "one entry between two signs of life")

	require.NoError(t, a.ResignContact(later, friend))
	require.Len(t, a.Contacts.List, 2)
	require.NoError(t, a.ResignContact(later, Helper{10002, false}))
	require.Nil(t, a.Contacts, "below the threshold the contacts end")

	for name, key := range map[string]principal.Principal{"anonymous": principal.Anonymous, "a canister": testCanister, "nobody": {}} {
		require.Equal(t, ErrBadArgument, CodeOf(withContacts().ApproveKey(call, friend, key)), name)
	}

	// To everybody else the answer is the same whether there are contacts or not.
	stranger := Helper{10009, true}
	for name, do := range map[string]func(*Anchor) error{
		"accept":   func(a *Anchor) error { return a.AcceptContact(call, stranger) },
		"approve":  func(a *Anchor) error { return a.ApproveKey(call, stranger, k) },
		"withdraw": func(a *Anchor) error { return a.WithdrawApproval(call, stranger) },
		"resign":   func(a *Anchor) error { return a.ResignContact(call, stranger) },
		"status":   func(a *Anchor) error { _, err := a.StatusForContact(call, stranger); return err },
		"of key":   func(a *Anchor) error { _, err := a.StatusForKey(call); return err },
		"complete": func(a *Anchor) error { return a.CompleteContacts(callBy(k), passkey("new"), false) },
	} {
		with, without := do(withContacts().approvedBy(who("x"), day)), do(usual())
		require.Equal(t, without, with, name)
		require.Error(t, with, name)
	}
}

func TestAsContact(t *testing.T) {
	helper := func(a *Anchor, p principal.Principal) (Helper, error) { return a.by(t, p).AsContact() }
	h, err := helper(usual(), who("laptop"))
	require.NoError(t, err)
	require.Equal(t, Helper{10000, false}, h)
	h, err = helper(usual().guarded(), who("phrase"))
	require.NoError(t, err)
	require.Equal(t, Helper{10000, true}, h)
	_, err = helper(usual().guarded(), who("laptop"))
	require.Equal(t, ErrGuarded, CodeOf(err))
	_, err = helper(withTemporary(usual()), testTemp)
	require.Equal(t, ErrTemporaryKey, CodeOf(err))
}

func TestSignOfLifeVetoesContacts(t *testing.T) {
	approved := func() *Anchor {
		a := withContacts().approvedBy(who("new"), 3*day)
		a.Contacts.List[1].Noted = true
		return a
	}
	for _, name := range []string{"phrase", "key"} {
		a := approved()
		_, err := a.Authenticate(callBy(who(name)))
		require.NoError(t, err)
		require.Equal(t, []Contact{{Anchor: 10002, Accepted: true}, {Anchor: 10003, Accepted: true}}, a.Contacts.List)
		require.Equal(t, []Event{{At: testNow, Kind: EventContactVetoed, By: who(name), Until: 10001, Other: who("new")}}, a.Events)
	}
	a := approved()
	a.by(t, who("laptop"))
	require.Len(t, a.Contacts.List, 3, "an unprotected device vetoes nothing")
	_, err := a.Recognise(callBy(who("phrase")))
	require.NoError(t, err)
	require.Len(t, a.Contacts.List, 3, "nor does a query")

	a = withContacts().approvedBy(who("new"), 3*day, 2*day)
	a.by(t, who("phrase"))
	require.Nil(t, a.Contacts, "fewer than the threshold are left")

	// A mark that its device's first call proves counts.
	a = approved()
	a.Devices[1].Proven, a.Devices[1].LapsesAt = false, testService+day
	a.by(t, who("key"))
	require.Len(t, a.Contacts.List, 2)
}

// completes has the new key complete.
func completes(t *testing.T, a *Anchor, data Data, inPlace bool) error {
	t.Helper()
	a.Events = nil
	return a.CompleteContacts(callBy(principal.SelfAuthenticating(data.PublicKey)), data, inPlace)
}

func TestCompleteContacts(t *testing.T) {
	ripe := func() *Anchor { return withContacts().approvedBy(who("new"), 20*day, 7*day) }
	a := ripe()
	require.NoError(t, completes(t, a, passkey("new"), false))
	has("laptop", "key", "phrase", "new")(t, a)
	isProtected("phrase", false)(t, a)
	isProtected("key", true)(t, a)
	require.Equal(t, Device{Data: marked(passkey("new")), ID: 3, Principal: who("new"), Proven: true, LastUsed: testNow, AddedAt: testNow}, a.Devices[3])
	require.Nil(t, a.Contacts)
	require.Equal(t, []Event{
		{At: testNow, Kind: EventReleased, Device: who("phrase")},
		{At: testNow, Kind: EventRecovered, By: who("new"), Device: who("new")},
	}, a.Events)

	for _, c := range []struct {
		name   string
		anchor *Anchor
		by     string
		data   Data
		want   Code
	}{
		{"the delay runs from the threshold-th oldest approval on", withContacts().approvedBy(who("new"), 20*day, 7*day-1), "new", passkey("new"), ErrTooEarly},
		{"a third approval does not matter", withContacts().approvedBy(who("new"), 20*day, 7*day, 1), "new", passkey("new"), 0},
		{"too few", withContacts().approvedBy(who("new"), 20*day), "new", passkey("new"), ErrNotApproved},
		{"another key", ripe(), "another", passkey("another"), ErrNotApproved},
		{"another's call", ripe(), "another", passkey("new"), ErrCallerMismatch},
		{"a phrase", ripe(), "new", phrase("new"), ErrPhraseNewcomer},
		{"too long a field", ripe(), "new", func() Data { d := passkey("new"); d.Alias = string(make([]byte, 65)); return d }(), ErrFieldTooLong},
		{"too many bytes", ripe(), "new", func() Data {
			d := passkey("new")
			d.Metadata = Metadata{{Key: "k", Kind: MetadataBytes, Bytes: make([]byte, 2500)}}
			return d
		}(), ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := clone(c.anchor)
			err := c.anchor.CompleteContacts(callBy(who(c.by)), c.data, false)
			require.Equal(t, c.want.String(), CodeOf(err).String())
			if c.want != 0 {
				require.Equal(t, before.Devices, c.anchor.Devices)
			}
		})
	}

	// A protected device cannot complete: its call is a veto.
	a = withContacts().approvedBy(who("key"), 20*day, 7*day, day)
	require.Equal(t, ErrAlreadyProtected, CodeOf(completes(t, a, passkey("key"), false)))
	require.Nil(t, a.Contacts)
}

// Nothing that others did stands in the newcomer's way.
func TestNothingStandsInTheNewcomersWay(t *testing.T) {
	ripe := func() *Anchor { return withContacts().approvedBy(who("new"), 20*day, 7*day) }
	t.Run("its key is on the anchor", func(t *testing.T) {
		for name, planted := range map[string]Data{"as a passkey": passkey("new"), "as a phrase": {PublicKey: key("new"), KeyType: SeedPhrase}} {
			a := ripe()
			a.Devices = append(a.Devices, Device{Data: planted, ID: 3, Principal: who("new"), AddedAt: testNow, Temporary: TemporaryKey{testTemp, testNow + day}})
			a.Devices[1].Consent = &Consent{Delay: 30 * day, Askers: []Asker{{ID: 0}, {ID: 3, CompletesAt: testService}}}
			a.Registration = &Registration{Opener: 3, ExpiresAt: testNow + day}
			require.NoError(t, completes(t, a, passkey("new"), false), name)
			has("laptop", "key", "phrase", "new")(t, a)
			d := a.byKey(key("new"))
			require.Equal(t, marked(passkey("new")), d.Data)
			require.Zero(t, d.Temporary)
			require.Equal(t, []Asker{{ID: 0}}, a.byKey(key("key")).Consent.Askers, "it inherits no request")
			require.Nil(t, a.Registration)
		}
	})
	t.Run("its credential id is on another device", func(t *testing.T) {
		a := ripe()
		a.Devices[0].CredentialID = passkey("new").CredentialID
		a.Copies = []Data{{PublicKey: key("phone"), CredentialID: passkey("new").CredentialID}}
		require.NoError(t, completes(t, a, passkey("new"), false))
		require.Nil(t, a.Devices[0].CredentialID)
		require.Nil(t, a.Copies[0].CredentialID)
		require.Equal(t, passkey("new").CredentialID, a.byKey(key("new")).CredentialID)

		a = ripe()
		a.Devices[2].CredentialID = passkey("new").CredentialID // it has agreed, so it is released
		require.NoError(t, completes(t, a, passkey("new"), false))
		require.Nil(t, a.Devices[2].CredentialID)

		a = ripe()
		a.Devices[1].CredentialID = passkey("new").CredentialID
		require.Equal(t, ErrCredentialExists, CodeOf(completes(t, a, passkey("new"), false)), "a device that stays protected keeps it")
	})
	full := func(devices int) *Anchor {
		a := ripe()
		for len(a.Devices) < devices {
			n := byte(len(a.Devices))
			d := device(Data{PublicKey: bytes.Repeat([]byte{n}, 150)}, proven)
			d.ID = DeviceID(n)
			a.Devices = append(a.Devices, d)
		}
		return a
	}
	t.Run("the anchor is full", func(t *testing.T) {
		a := full(MaxDevices)
		a.Devices[3].Alias = string(make([]byte, MaxVariableBytes-a.VariableBytes()))
		data := passkey("new")
		data.Metadata = Metadata{{Key: "k", Kind: MetadataBytes, Bytes: make([]byte, MaxVariableBytes-data.VariableBytes()-6)}}
		require.NoError(t, completes(t, a, data, false))
		require.Len(t, a.Devices, MaxDevices+1)
		require.NotNil(t, a.byKey(key("phrase")))
	})
	t.Run("it exceeds the limits already", func(t *testing.T) {
		a := full(MaxDevices + 1)
		require.NoError(t, completes(t, a, passkey("new"), false))
		require.Len(t, a.Devices, MaxDevices+1)
		require.Nil(t, a.byKey(key("phrase")), "the newcomer takes the place of the first released device")
	})
	t.Run("there is no room for one more", func(t *testing.T) {
		a := ripe()
		a.Devices[1].AgreesToContacts = true
		require.NoError(t, completes(t, a, passkey("new"), true))
		has("laptop", "phrase", "new")(t, a)
		isProtected("phrase", false)(t, a)
	})
	t.Run("the guard and the demand", func(t *testing.T) {
		a := ripe().guarded()
		a.DeviceBound = true
		a.Devices[1].AgreesToContacts = true
		require.NoError(t, completes(t, a, passkey("new"), false))
		require.True(t, a.Guard, "stays as it was")
		a.Refresh(callBy(testStranger))
		require.True(t, a.Guard)
	})
	t.Run("a key that is a canister signature", func(t *testing.T) {
		own := append([]byte{0x30, byte(19 + 1 + testCanister.Len()), 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02, 0x03, byte(2 + testCanister.Len()), 0, byte(testCanister.Len())}, testCanister.Bytes()...)
		own[1] = byte(len(own) - 2)
		a := withContacts().approvedBy(principal.SelfAuthenticating(own), 20*day, 20*day)
		require.Equal(t, ErrOwnSignature, CodeOf(completes(t, a, Data{PublicKey: own}, false)))
	})
}

func TestApprovals(t *testing.T) {
	a := withContacts().approvedBy(who("new"), 3*day, day)
	a.Contacts.List[2].Key, a.Contacts.List[2].ApprovedAt = who("other"), testService
	all := a.Contacts.Approvals()
	require.Equal(t, []Approvals{
		{Key: who("new"), Count: 2, CompletesAt: testService - day + 7*day},
		{Key: who("other"), Count: 1},
	}, all)
	status, err := a.StatusForContact(callBy(testStranger), Helper{10003, false})
	require.NoError(t, err)
	require.Equal(t, who("other"), status.Key)
	require.Equal(t, all, status.Approvals)
	status, err = a.StatusForKey(callBy(who("other")))
	require.NoError(t, err)
	require.Equal(t, ContactStatus{Approvals: all[1:]}, status)
	require.Empty(t, (*Contacts)(nil).Approvals())
}
