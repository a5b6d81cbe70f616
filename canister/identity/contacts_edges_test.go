package identity

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

// What ends by time ends before a contact, or the new key, is judged: each call of theirs settles the anchor first.
func TestCallsOfContactsSettle(t *testing.T) {
	friend := Helper{10001, false}
	for name, do := range map[string]func(*Anchor, Call) error{
		"accept":        func(a *Anchor, c Call) error { return a.AcceptContact(c, friend) },
		"approve":       func(a *Anchor, c Call) error { return a.ApproveKey(c, friend, who("new")) },
		"withdraw":      func(a *Anchor, c Call) error { return a.WithdrawApproval(c, friend) },
		"resign":        func(a *Anchor, c Call) error { return a.ResignContact(c, friend) },
		"status":        func(a *Anchor, c Call) error { _, err := a.StatusForContact(c, friend); return err },
		"status of key": func(a *Anchor, c Call) error { c.Caller = who("x"); _, err := a.StatusForKey(c); return err },
		"complete": func(a *Anchor, c Call) error {
			c.Caller = who("x")
			return a.CompleteContacts(c, passkey("x"), false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := withContacts().approvedBy(who("x"), 20*day, 20*day)
			a.Devices[0].Protected, a.Devices[0].Proven, a.Devices[0].LapsesAt = true, false, testService
			require.NoError(t, do(a, callBy(testStranger)))
			require.False(t, a.byKey(key("laptop")).Protected, "its mark has lapsed")
			require.Equal(t, EventLapsed, a.Events[0].Kind)
		})
	}
}

// The first act of a contact after a sign of life is an entry, whichever it is; what changes nothing is none.
func TestWhatContactsDoIsNoted(t *testing.T) {
	friend := Helper{10001, false}
	call := callBy(testStranger)
	entry := []Event{{At: testNow, Kind: EventContactActed, Until: 10001}}

	a := withContacts()
	require.NoError(t, a.ApproveKey(call, friend, who("new")))
	require.Equal(t, entry, a.Events)
	require.True(t, a.Contacts.List[0].Noted)

	a = withContacts().approvedBy(who("new"), day)
	require.NoError(t, a.WithdrawApproval(call, friend))
	require.Equal(t, entry, a.Events)

	a = withContacts()
	require.NoError(t, a.ResignContact(call, friend))
	require.Equal(t, entry, a.Events)

	a = withContacts()
	require.NoError(t, a.AcceptContact(call, friend), "again")
	require.NoError(t, a.WithdrawApproval(call, friend), "nothing")
	require.Equal(t, withContacts(), a)

	a = withContacts()
	granted(t, a, who("key"), endContacts)
	require.Equal(t, []Event{{At: testNow, Kind: EventContactsEnded, By: who("key")}}, a.Events)
	require.Equal(t, "anchors", refused(t, withContacts(), who("key"), ErrBadContacts, setContacts(1, weekSeconds)).Field)
}

func TestApprovalsCount(t *testing.T) {
	a := withContacts().approvedBy(who("new"), 7*day-1, 20*day)
	require.Equal(t, testService+1, a.Contacts.ApprovalsOf(who("new")).CompletesAt, "from the second oldest on, whatever the order of the list")
	require.Zero(t, a.Contacts.ApprovalsOf(principal.Principal{}).Count, "who approves no key approves none")
	require.Len(t, a.Contacts.Approvals(), 1)

	e := func(a *Anchor) *Error { return completes(t, a, passkey("new"), false).(*Error) }
	require.Equal(t, []uint64{1, 2}, []uint64{e(withContacts().approvedBy(who("new"), day)).Length, e(withContacts().approvedBy(who("new"), day)).Limit})
	require.Equal(t, []uint64{0, 0}, []uint64{e(withContacts()).Length, e(withContacts()).Limit})
}

// A device that the newcomer's key was before keeps its place in look-ups if its credential id stays.
func TestNewcomerKeepsItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		planted []byte
		added   uint64
	}{
		"the same credential id": {passkey("new").CredentialID, testNow - 3*day},
		"another":                {[]byte("another"), testNow},
	} {
		a := withContacts().approvedBy(who("new"), 20*day, 7*day)
		a.Devices = append(a.Devices, Device{Data: Data{PublicKey: key("new"), CredentialID: c.planted}, ID: 3, Principal: who("new"), AddedAt: testNow - 3*day})
		require.NoError(t, completes(t, a, passkey("new"), false))
		require.Equal(t, c.added, a.byKey(key("new")).AddedAt, name)
	}
	a := withContacts().approvedBy(who("new"), 20*day, 7*day)
	require.NoError(t, completes(t, a, Data{PublicKey: key("new")}, false), "without a credential id")
	require.Equal(t, testNow, a.byKey(key("new")).AddedAt)
}

// Only an anchor that exceeds a limit already, and to which the newcomer would add, gives up a place for it.
func TestOverfull(t *testing.T) {
	filled := func(devices, bytes int) *Anchor { // with so many variable bytes
		a := stage()
		for i := range devices {
			a.Devices = append(a.Devices, Device{Data: Data{PublicKey: []byte{byte(i)}}, ID: DeviceID(i)})
		}
		a.Devices[0].Alias = string(make([]byte, bytes-a.VariableBytes()))
		return a
	}
	newcomer := func(bytes int) *Data { return &Data{PublicKey: make([]byte, bytes)} }
	for _, c := range []struct {
		name   string
		anchor *Anchor
		data   *Data
		same   bool // the last device, of one byte, has the newcomer's key
		want   bool
	}{
		{"neither", filled(MaxDevices, MaxVariableBytes), newcomer(500), false, false},
		{"devices", filled(MaxDevices+1, 100), newcomer(1), false, true},
		{"a device of no bytes", filled(MaxDevices+1, 100), newcomer(0), false, true},
		{"bytes", filled(3, MaxVariableBytes+1), newcomer(1), false, true},
		{"nothing more", filled(3, MaxVariableBytes+1), newcomer(1), true, false},
		{"a byte more", filled(3, MaxVariableBytes+1), newcomer(2), true, true},
		{"less, and as many", filled(MaxDevices+1, 100), newcomer(0), true, false},
		{"a byte more in too many", filled(MaxDevices+1, 100), newcomer(2), true, true},
		{"no device more but bytes, which are within the limit", filled(MaxDevices, 100), newcomer(2), true, false},
	} {
		var same *Device
		if c.same {
			same = &c.anchor.Devices[len(c.anchor.Devices)-1]
		}
		require.Equal(t, c.want, c.anchor.overfull(c.data, same), c.name)
	}
	a := filled(3, MaxVariableBytes+1)
	a.Copies = []Data{{PublicKey: []byte{2}, Alias: "copy"}}
	require.False(t, a.overfull(newcomer(1+5), &a.Devices[2]), "its copies go with it")
	require.True(t, a.overfull(newcomer(1+6), &a.Devices[2]))
}

func TestCredentialOfTheNewcomer(t *testing.T) {
	id := passkey("key").CredentialID
	a := withContacts()
	require.Equal(t, key("key"), a.keepsCredential(id, key("new")).PublicKey)
	require.Nil(t, a.keepsCredential(id, key("key")), "its own")
	require.Nil(t, a.keepsCredential(passkey("laptop").CredentialID, key("new")), "not protected")
	a.Devices[1].CredentialID = nil
	require.Nil(t, a.keepsCredential(nil, key("new")), "none is nobody's")

	// A copy counts as its device: it is changed no more than that by a recovery to which the device has not agreed.
	for name, kept := range map[string]bool{"key": true, "phrase": false, "laptop": false} { // phrase agrees
		a = withContacts().approvedBy(who("new"), 20*day, 7*day)
		a.Copies = []Data{{PublicKey: key(name), CredentialID: []byte("of the copy")}}
		data := passkey("new")
		data.CredentialID = []byte("of the copy")
		err := completes(t, a, data, false)
		if kept {
			require.Equal(t, ErrCredentialExists, err.(*Error).Code)
			require.Equal(t, key(name), err.(*Error).Key)
			continue
		}
		require.NoError(t, err, name)
		require.Nil(t, a.Copies[0].CredentialID)
	}

	a = withContacts()
	a.Devices[0].CredentialID = []byte{}
	a.Copies = []Data{{PublicKey: key("laptop"), CredentialID: []byte("kept")}, {PublicKey: key("laptop"), CredentialID: []byte{}}}
	a.leaveCredential(nil)
	require.NotNil(t, a.Devices[0].CredentialID)
	require.NotNil(t, a.Copies[1].CredentialID)
	a.leaveCredential([]byte("another"))
	require.Equal(t, id, a.Devices[1].CredentialID)
	require.Equal(t, []byte("kept"), a.Copies[0].CredentialID)
}

func TestWhatIsBroughtInPassing(t *testing.T) {
	// Replaced by another key, a device begins anew, whatever else stays.
	a := usual()
	data := passkey("other")
	data.CredentialID, data.KeyType = a.byKey(key("laptop")).CredentialID, a.byKey(key("laptop")).KeyType
	granted(t, a, who("laptop"), replace("laptop", data))
	require.Equal(t, testNow, a.byKey(key("other")).AddedAt)

	// What a protected device brings, by replacing too, was not brought by an unprotected one.
	for name, want := range map[string]bool{"phrase": false, "laptop": true} {
		a = usual()
		granted(t, a, who(name), replace("laptop", passkey("new")))
		require.Equal(t, want, a.byKey(key("new")).AddedUnprotected, name)
	}

	c := usual().as(t, "laptop")
	require.True(t, c.shortLived(&Device{AddedUnprotected: true, AddedAt: testNow}))
	require.False(t, c.shortLived(&Device{AddedUnprotected: true, AddedAt: testNow, Data: Data{Protected: true}}))
	require.False(t, IsOwnSignature([]byte("no key at all"), principal.Principal{}))
}
