package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// betterBy lets steps better one scenario by so much, of a report in which nothing else is bettered.
func betterBy(by map[Step]Outcome) *[Steps][Scenarios]verdict {
	var then [Steps][Scenarios]verdict
	for s := range Steps {
		then[s][LaptopStolen] = verdict{applies: true, outcome: TakenOver - by[s]}
	}
	return &then
}

// Steps towards contacts are advised where no other step helps, and then the one of them that helps most.
func TestStepsTowardsContacts(t *testing.T) {
	require.Equal(t, StepAddPhrase, nextStep(Marked, betterBy(map[Step]Outcome{StepAddPhrase: 1, StepNameContacts: 3})))
	require.Equal(t, StepAddPhrase, nextStep(Marked, betterBy(map[Step]Outcome{StepAddPhrase: 1, StepAcceptContacts: 3})))
	require.Equal(t, StepNameContacts, nextStep(Marked, betterBy(map[Step]Outcome{StepNameContacts: 1})))
	require.Equal(t, StepAcceptContacts, nextStep(Marked, betterBy(map[Step]Outcome{StepNameContacts: 1, StepAgreeContacts: 2, StepAcceptContacts: 3})))
	require.Equal(t, StepAgreeContacts, nextStep(Marked, betterBy(map[Step]Outcome{StepAgreeContacts: 1})))

	then := betterBy(map[Step]Outcome{StepAddPhrase: 1, StepNameContacts: 1})
	for s := range Steps {
		then[s][LoseOneDevice] = verdict{applies: true, outcome: LockedOut}
	}
	then[StepNameContacts][LoseOneDevice].outcome = Survives
	require.Equal(t, StepAddPhrase, bestStep(then, LaptopStolen), "contacts that help as much, and more elsewhere")
	require.Equal(t, StepNameContacts, bestStep(then, LoseOneDevice))
}

func TestReportNamesWhatContactsLeave(t *testing.T) {
	a := stage(device(passkey("laptop"), protected), device(passkey("phone"), protected), device(passkey("tablet"), proven))
	a.Contacts = &Contacts{Threshold: 1, Delay: 30 * day, List: []Contact{{Anchor: 10001, Accepted: true}}}
	a.Devices[0].AgreesToContacts = true
	report := rows(a.Report())
	require.Equal(t, names("phone"), report[LoseAllDevices].devices, "what has not agreed stays")
	require.Contains(t, report, ContactsDeceived)
	require.Equal(t, names("laptop", "phone"), report[ContactsDeceived].devices)
	require.Equal(t, "if your recovery contacts collude or are deceived, you keep control as long as one of your protected devices signs a call within the delay",
		Finding{Scenario: ContactsDeceived}.Words())

	// Contacts bring nothing back for a device that is not protected.
	accepted := contactFacts{true, true}
	require.Equal(t, LockedOut, facts{{agrees: true, contacts: accepted}}.loss(1).outcome)
	require.Equal(t, Delayed, facts{{agrees: true, contacts: accepted, protected: true}}.loss(1).outcome)
}

// Each step towards contacts does what it says, to protected devices, and nothing where it does not apply.
func TestAfterStepsTowardsContacts(t *testing.T) {
	unnamed := facts{{protected: true}, {}}
	named := facts{{protected: true, contacts: contactFacts{named: true}}, {contacts: contactFacts{named: true}}}
	require.Equal(t, facts{{protected: true, agrees: true, contacts: contactFacts{true, true}}, {}}, unnamed.after(StepNameContacts, true))
	require.Equal(t, named, named.after(StepNameContacts, true))
	require.Equal(t, unnamed, unnamed.after(StepAgreeContacts, true))
	require.Equal(t, facts{{protected: true, agrees: true, contacts: contactFacts{named: true}}, {contacts: contactFacts{named: true}}}, named.after(StepAgreeContacts, true))
	require.Equal(t, unnamed, unnamed.after(StepAcceptContacts, true))
	require.Equal(t, facts{{protected: true, contacts: contactFacts{true, true}}, {contacts: contactFacts{true, true}}}, named.after(StepAcceptContacts, true))
	for _, f := range []facts{unnamed, named} {
		require.Equal(t, f, f.after(StepNone, true))
		require.Equal(t, f, f.after(StepCall, true))
		require.Equal(t, f, f.after(StepProtectPhrase, true))
	}
}

func TestContactWarningsAtTheirLimits(t *testing.T) {
	kinds := func(a *Anchor, friends ...*Anchor) (out []WarningKind) {
		for _, w := range a.ContactWarnings(friends) {
			out = append(out, w.Kind)
		}
		return out
	}
	a := withContacts().consents(2, Asker{ID: 0})
	a.Devices[1].AgreesToContacts = true
	a.Contacts.Delay = a.Devices[2].Consent.Delay
	require.Equal(t, []WarningKind{WarnVetoForEver}, kinds(a), "as long as a release is not longer")
	a.Contacts.Delay--
	require.Equal(t, []WarningKind{WarnVetoForEver}, kinds(a))

	with := func(list ...uint64) *Anchor {
		f := stage(device(passkey("theirs"), protected))
		f.Number = 10001
		if len(list) > 0 {
			f.Contacts = &Contacts{Threshold: 1}
		}
		for _, n := range list {
			f.Contacts.List = append(f.Contacts.List, Contact{Anchor: n})
		}
		return f
	}
	one, two := withContacts(), withContacts()
	one.Devices[1].AgreesToContacts, two.Devices[1].AgreesToContacts = true, true
	one.Contacts.Threshold, one.Contacts.List = 1, one.Contacts.List[:1]
	for name, c := range map[string]struct {
		anchor, friend *Anchor
		want           bool
	}{
		"each other's only":         {one, with(one.Number), true},
		"this one has others":       {two, with(two.Number), false},
		"that one has none":         {one, with(), false},
		"neither":                   {two, with(), false},
		"that one has others":       {one, with(one.Number, 10005), false},
		"that one has another only": {one, with(10005), false},
	} {
		require.Equal(t, c.want, len(kinds(c.anchor, c.friend)) > len(kinds(c.anchor)), name)
	}
}
