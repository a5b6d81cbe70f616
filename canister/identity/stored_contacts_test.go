package identity

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

// unread are contacts that have not been taken apart; it counts how often they are.
type unread struct {
	contacts Contacts
	idle     bool
	taken    int
}

func (u *unread) Contacts() *Contacts { u.taken++; c := u.contacts; return &c }
func (u *unread) Idle() bool          { return u.idle }
func (u *unread) AppendTo(b []byte) []byte {
	return append(b, "as they are"...)
}

// Whatever an actor does, it comes to the same whether the contacts have been taken apart before or not; and who
// only signs in does not pay for it.
func TestContactsAreTakenApartWhenTheyMatter(t *testing.T) {
	friend := Helper{anchor: 10001}
	onAnchor := func(do func(a *Anchor) error) func(*Actor) error {
		return func(c *Actor) error { return do(c.anchor) }
	}
	nothing := func(*Actor) error { return nil }
	approving := func() *Anchor { return withContacts().approvedBy(testStranger, 3*day, 8*day) }
	noting := func() *Anchor { a := withContacts(); a.Contacts.List[1].Noted = true; return a }
	for _, tt := range []struct {
		name   string
		anchor func() *Anchor
		by     principal.Principal
		do     func(*Actor) error
		reads  bool
	}{
		{"an unprotected device signs in", approving, who("laptop"), func(c *Actor) error { c.PrepareSession(nil); return nil }, false},
		{"a protected one, with nothing to end", withContacts, who("key"), nothing, false},
		{"a protected one vetoes", approving, who("key"), nothing, true},
		{"a protected one, with a note to end", noting, who("key"), nothing, true},
		{"guard", withContacts, who("key"), guard(true), false},
		{"unprotect", withContacts, who("phrase"), unprotect("phrase"), true},
		{"remove", withContacts, who("phrase"), remove("phrase"), true},
		{"replace", withContacts, who("phrase"), replace("phrase", marked(phrase("phrase"))), true},
		{"set", approving, who("key"), setContacts(1, weekSeconds, 10001, 10002), true},
		{"end", withContacts, who("key"), endContacts, false},
		{"agree", withContacts, who("key"), agree(true), true},
		{"disagree", withContacts, who("phrase"), agree(false), true},
		{"accept", withContacts, who("laptop"), onAnchor(func(a *Anchor) error { return a.AcceptContact(callBy(testStranger), friend) }), true},
		{"approve", withContacts, who("laptop"), onAnchor(func(a *Anchor) error { return a.ApproveKey(callBy(testStranger), friend, testStranger) }), true},
		{"withdraw", approving, who("laptop"), onAnchor(func(a *Anchor) error { return a.WithdrawApproval(callBy(testStranger), friend) }), true},
		{"resign", withContacts, who("laptop"), onAnchor(func(a *Anchor) error { return a.ResignContact(callBy(testStranger), friend) }), true},
		{"complete", approving, who("laptop"), onAnchor(func(a *Anchor) error {
			return a.CompleteContacts(Call{Caller: who("newcomer"), Now: testNow, Service: testService}, passkey("newcomer"), false)
		}), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want, got := tt.anchor(), tt.anchor()
			stored := &unread{contacts: *got.Contacts, idle: !tt.reads}
			got.Contacts, got.Stored = nil, stored
			require.True(t, got.HasContacts())
			result := func(a *Anchor) string {
				actor, err := a.Authenticate(callBy(tt.by))
				require.NoError(t, err)
				if err = tt.do(actor); err != nil {
					return err.Error()
				}
				return ""
			}
			require.Equal(t, result(want), result(got))
			require.Equal(t, want.HasContacts(), got.HasContacts())
			require.Equal(t, tt.reads, stored.taken > 0, "taken apart")
			got.RecoveryContacts()
			require.LessOrEqual(t, stored.taken, 1)
			require.Equal(t, want, got)
		})
	}

	a := withContacts()
	a.Stored, a.Contacts = &unread{contacts: *a.Contacts}, nil
	b := withContacts()
	b.Devices[2].Consent, a.Devices[2].Consent = &Consent{Delay: day}, &Consent{Delay: day}
	require.Equal(t, b.ContactWarnings(nil), a.ContactWarnings(nil))
	require.Equal(t, b.Report(), a.Report())
}
