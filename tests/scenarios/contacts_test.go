package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

const aDay = 24 * time.Hour

// friends registers three people whose anchors may be contacts.
func friends(h *harness.Harness) (anchors [3]uint64, devices [3]*harness.Device) {
	h.Helper()
	for i := range anchors {
		devices[i] = harness.NewDevice(fmt.Sprint("friend ", i))
		anchors[i] = h.Register(devices[i])
	}
	return anchors, devices
}

// entrusted is an anchor with a laptop, a phone and a protected phrase that has named three friends, two of whom
// must approve after thirty days, and who all have accepted.
func entrusted(h *harness.Harness) (anchor uint64, laptop, phone, words *harness.Device, anchors [3]uint64, devices [3]*harness.Device) {
	h.Helper()
	laptop, phone, words = harness.NewDevice("laptop"), harness.NewDevice("phone"), harness.NewPhrase("words")
	anchor = h.Register(laptop)
	require.NoError(h, h.Add(anchor, laptop, phone))
	require.NoError(h, h.Add(anchor, laptop, words))
	require.NoError(h, h.Protect(anchor, words, words))
	anchors, devices = friends(h)
	require.NoError(h, h.SetContacts(anchor, words, 2, 30, anchors[:]...))
	for i := range anchors {
		require.NoError(h, h.AcceptContact(anchor, anchors[i], devices[i]))
	}
	return anchor, laptop, phone, words, anchors, devices
}

// A fire takes laptop, phone and the paper with the words. Two friends hear the owner's voice, approve his new
// key, and a month later he is back.
func TestEverythingLost(t *testing.T) {
	h := harness.Open(t, nil)
	anchor, _, _, words, anchors, devices := entrusted(h)
	fresh := harness.NewDevice("new phone")
	h.RequireRefused(kedge.ErrorCodeNotApproved, h.CompleteContacts(anchor, fresh))
	require.NoError(t, h.ApproveContact(anchor, anchors[0], devices[0], fresh.Principal()))
	require.NoError(t, h.ApproveContact(anchor, anchors[1], devices[1], fresh.Principal()))

	status, err := h.ContactStatus(anchor, &anchors[2], devices[2])
	require.NoError(t, err)
	require.True(t, *status.Accepted)
	require.Nil(t, status.Approves)
	require.Len(t, status.Approvals, 1)
	require.Equal(t, fresh.Principal(), status.Approvals[0].Key)
	require.EqualValues(t, 2, status.Approvals[0].Count)
	own, err := h.ContactStatus(anchor, nil, fresh)
	require.NoError(t, err)
	require.Equal(t, status.Approvals, own.Approvals)
	_, err = h.ContactStatus(anchor, nil, harness.NewDevice("somebody"))
	h.RequireRefused(kedge.ErrorCodeNotApproved, err)

	h.Pass(29 * aDay)
	h.RequireRefused(kedge.ErrorCodeTooEarly, h.CompleteContacts(anchor, fresh))
	h.Upgrade() // nothing of the wait is lost
	h.Pass(aDay + time.Minute)
	h.RequireRefused(kedge.ErrorCodeNotApproved, h.CompleteContacts(anchor, harness.NewDevice("another")))
	require.NoError(t, h.CompleteContacts(anchor, fresh))
	there, marked := h.Has(anchor, fresh)
	require.True(t, there && marked)
	_, marked = h.Has(anchor, words)
	require.False(t, marked, "released")
	require.NoError(t, h.Remove(anchor, fresh, words), "in case somebody finds the paper")
	require.Nil(t, h.Info(anchor, fresh).Contacts)
}

// A thief holds the unlocked laptop meanwhile. He fills the anchor, plants the new key and its credential id,
// opens registration mode and asks: nothing of it keeps the owner out.
func TestThiefFillsTheAnchorMeanwhile(t *testing.T) {
	h := harness.Open(t, nil)
	anchor, laptop, _, words, anchors, devices := entrusted(h)
	fresh, _ := h.NewPasskey("new phone", true)
	for i := range 2 {
		require.NoError(t, h.ApproveContact(anchor, anchors[i], devices[i], fresh.Principal()))
	}
	planted := *fresh
	planted.Data.CredentialID, planted.Data.Alias = nil, "planted"
	require.NoError(t, h.Add(anchor, laptop, &planted))
	copied := harness.NewDevice("copy")
	copied.Data.CredentialID = fresh.Data.CredentialID
	require.NoError(t, h.Add(anchor, laptop, copied))
	for i := 0; ; i++ {
		filler := harness.NewDevice(fmt.Sprint("filler ", i))
		if err := h.Add(anchor, laptop, filler); err != nil {
			break
		}
	}
	_, err := h.EnterMode(anchor, laptop)
	require.NoError(t, err)
	h.RequireRefused(kedge.ErrorCodeNeedsProtected, h.SetContacts(anchor, laptop, 1, 30))
	h.RequireRefused(kedge.ErrorCodeNotAContact, h.WithdrawContact(anchor, anchor, laptop, true))

	h.Pass(30*aDay + time.Minute)
	require.NoError(t, h.CompleteContacts(anchor, fresh))
	_, marked := h.Has(anchor, fresh)
	require.True(t, marked)
	for _, d := range h.Info(anchor, fresh).Devices {
		if string(d.Pubkey) == string(fresh.Key()) {
			require.Equal(t, fresh.Data.CredentialID, d.CredentialID)
			require.Equal(t, fresh.Data.Alias, d.Alias)
			continue
		}
		require.NotEqual(t, fresh.Data.CredentialID, d.CredentialID)
	}
	require.NoError(t, h.Remove(anchor, fresh, laptop))
	require.NoError(t, h.Remove(anchor, fresh, words))
}

// Two friends are deceived, and approve a stranger's key. The owner signs in with the words once a month: that
// is enough, and puts both off the list. What they heard was the wrong voice, so they learn of it.
func TestTwoDeceivedContacts(t *testing.T) {
	h := harness.Open(t, nil)
	anchor, laptop, _, words, anchors, devices := entrusted(h)
	thief := harness.NewDevice("thief")
	for i := range 2 {
		require.NoError(t, h.ApproveContact(anchor, anchors[i], devices[i], thief.Principal()))
	}
	h.Pass(29 * aDay)
	h.Info(anchor, laptop)
	info, err := h.ContactStatus(anchor, nil, thief)
	require.NoError(t, err)
	require.NotNil(t, info.Approvals[0].CompletesInS, "an unprotected device is no veto")

	seen := h.Info(anchor, laptop).Contacts
	require.Equal(t, thief.Principal(), *seen.Contacts[0].Approves)
	require.NotNil(t, seen.Contacts[0].CompletesInS)
	report := h.Report(anchor, words)
	require.Equal(t, seen, report.Contacts, "a protected device reads the same by a query, which is no sign of life")
	require.NotNil(t, h.Info(anchor, laptop).Contacts.Contacts[0].Approves)
	h.Info(anchor, words) // the veto
	require.Nil(t, h.Info(anchor, laptop).Contacts, "one friend is fewer than two")
	h.Pass(2 * aDay)
	h.RequireRefused(kedge.ErrorCodeNotApproved, h.CompleteContacts(anchor, thief))
	for i := range 2 {
		_, err := h.ContactStatus(anchor, &anchors[i], devices[i])
		h.RequireRefused(kedge.ErrorCodeNotAContact, err)
	}
	require.NoError(t, h.SetContacts(anchor, words, 2, 30, anchors[:]...), "naming the same again is one step")
}

// A friend approves the wrong key, sees that the words differ, and approves the right one: the delay of that
// begins anew. Another's guarded anchor acts by a protected device alone, and a third changes all his devices.
func TestContactsChangeTheirMindsAndDevices(t *testing.T) {
	h := harness.Open(t, nil)
	anchor, _, _, _, anchors, devices := entrusted(h)
	fresh, wrong := harness.NewDevice("new phone"), harness.NewDevice("wrong")

	key := harness.NewDevice("friend's key")
	require.NoError(t, h.Add(anchors[1], devices[1], key))
	require.NoError(t, h.Protect(anchors[1], key, key))
	require.NoError(t, h.Guard(anchors[1], key, true))
	h.RequireRefused(kedge.ErrorCodeGuarded, h.ApproveContact(anchor, anchors[1], devices[1], fresh.Principal()))
	require.NoError(t, h.ApproveContact(anchor, anchors[1], key, fresh.Principal()))
	require.NoError(t, h.Guard(anchors[1], key, false))
	h.RequireRefused(kedge.ErrorCodeNeedsProtected, h.WithdrawContact(anchor, anchors[1], devices[1], false))

	require.NoError(t, h.ApproveContact(anchor, anchors[0], devices[0], wrong.Principal()))
	h.Pass(20 * aDay)
	require.NoError(t, h.ApproveContact(anchor, anchors[0], devices[0], fresh.Principal()))
	h.Pass(11 * aDay)
	h.RequireRefused(kedge.ErrorCodeTooEarly, h.CompleteContacts(anchor, fresh))

	// Once it has changed its devices, the third's anchor is still the contact.
	other := harness.NewDevice("third's new phone")
	require.NoError(t, h.Replace(anchors[2], devices[2], devices[2], other))
	_, err := h.ContactStatus(anchor, &anchors[2], devices[2])
	h.RequireRefused(kedge.ErrorCodeNotADevice, err)
	require.NoError(t, h.ApproveContact(anchor, anchors[2], other, wrong.Principal()))
	require.NoError(t, h.WithdrawContact(anchor, anchors[2], other, false))
	require.NoError(t, h.WithdrawContact(anchor, anchors[2], other, true))
	h.RequireRefused(kedge.ErrorCodeNotAContact, h.AcceptContact(anchor, anchors[2], other))

	h.Pass(20 * aDay)
	require.NoError(t, h.CompleteContacts(anchor, fresh))
}

// The canister stands still for a year in the delay: the time does not count, so nobody was kept from a veto.
func TestOutageInTheDelay(t *testing.T) {
	h := harness.Open(t, nil)
	anchor, _, _, words, anchors, devices := entrusted(h)
	fresh := harness.NewDevice("new phone")
	for i := range 2 {
		require.NoError(t, h.ApproveContact(anchor, anchors[i], devices[i], fresh.Principal()))
	}
	h.Outage(365 * aDay)
	h.RequireRefused(kedge.ErrorCodeTooEarly, h.CompleteContacts(anchor, fresh))
	h.Info(anchor, words)
	h.RequireRefused(kedge.ErrorCodeNotApproved, h.CompleteContacts(anchor, fresh))
}
