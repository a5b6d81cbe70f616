package identity

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func synced(d *Device) {
	d.Attestation = Attestation{At: testNow, BackupEligible: true, BackedUp: true}
}
func bound(d *Device)    { d.Attestation = Attestation{At: testNow} }
func recovery(d *Device) { d.Purpose = Recovery }
func roams(d *Device)    { d.KeyType = CrossPlatform }
func browser(d *Device)  { d.KeyType = BrowserStorageKey }
func model(n byte) with  { return func(d *Device) { d.AAGUID = append([]byte{n}, make([]byte, 15)...) } }

// row is what the report says: outcome, subject, devices, next step.
type row struct {
	outcome Outcome
	subject string
	devices []string
	next    Step
}

func rows(r Report) map[Scenario]row {
	out := map[Scenario]row{}
	name := func(k []byte) string { return string(k[len("key of "):]) }
	for _, f := range r.Findings {
		got := row{outcome: f.Outcome, next: f.Next}
		if f.Subject != nil {
			got.subject = name(f.Subject)
		}
		for _, d := range f.Devices {
			got.devices = append(got.devices, name(d))
		}
		out[f.Scenario] = got
	}
	return out
}

func names(n ...string) []string { return n }

func TestReport(t *testing.T) {
	laptop := func(c ...with) Device { return device(passkey("laptop"), append([]with{proven}, c...)...) }
	phone := func(c ...with) Device { return device(passkey("phone"), append([]with{proven}, c...)...) }
	hard := func(c ...with) Device {
		return device(passkey("key"), append([]with{proven, bound, roams, recovery, model(9)}, c...)...)
	}
	paper := func(c ...with) Device { return device(phrase("phrase"), append([]with{proven}, c...)...) }
	for _, c := range []struct {
		name       string
		anchor     *Anchor
		protection Protection
		next       Step
		want       map[Scenario]row
	}{
		{"one laptop and nothing else", stage(laptop()), Unmarked, StepAddPhrase, map[Scenario]row{
			LoseOneDevice:      {LockedOut, "laptop", names("laptop"), StepAddPhrase},
			LoseAllDevices:     {LockedOut, "", names("laptop"), StepAddPhrase},
			ForgottenPasscode:  {LockedOut, "", names("laptop"), StepAddPhrase},
			CloudAccountClosed: {LockedOut, "", names("laptop"), StepAddPhrase},
			EcosystemSwitched:  {LockedOut, "", names("laptop"), StepAddPhrase},
			DomainGone:         {LockedOut, "", names("laptop"), StepAddPhrase},
			LaptopStolen:       {TakenOver, "laptop", names("laptop"), StepAddPhrase},
			ModelBroken:        {LockedOut, "laptop", names("laptop"), StepAddPhrase},
		}},
		{"a synced laptop survives its loss", stage(laptop(synced)), Unmarked, StepAddPhrase, map[Scenario]row{
			LoseOneDevice:      {Survives, "laptop", names("laptop"), StepNone},
			LoseAllDevices:     {Survives, "", names("laptop"), StepNone},
			ForgottenPasscode:  {LockedOut, "", names("laptop"), StepAddPhrase},
			CloudAccountClosed: {LockedOut, "", names("laptop"), StepAddPhrase},
			EcosystemSwitched:  {LockedOut, "", names("laptop"), StepAddPhrase},
			DomainGone:         {LockedOut, "", names("laptop"), StepAddPhrase},
			LaptopStolen:       {TakenOver, "laptop", names("laptop"), StepAddPhrase},
			ModelBroken:        {LockedOut, "laptop", names("laptop"), StepAddPhrase},
		}},
		{"a laptop and an unprotected phrase", stage(laptop(), paper()), Unmarked, StepProtectPhrase, map[Scenario]row{
			LoseOneDevice:      {Survives, "laptop", names("phrase"), StepNone},
			LoseAllDevices:     {Survives, "", names("phrase"), StepNone},
			ForgottenPasscode:  {Survives, "", names("phrase"), StepNone},
			CloudAccountClosed: {Survives, "", names("phrase"), StepNone},
			EcosystemSwitched:  {Survives, "", names("phrase"), StepNone},
			DomainGone:         {Survives, "", names("phrase"), StepNone},
			PhraseCopied:       {TakenOver, "phrase", names("phrase"), StepAddKey},
			LaptopStolen:       {TakenOver, "laptop", names("laptop"), StepAddKey},
			PhraseLost:         {Survives, "", names("laptop"), StepNone},
			ModelBroken:        {Survives, "laptop", names("phrase"), StepNone},
		}},
		{"a laptop and a protected phrase", stage(laptop(), paper(protected)), Marked, StepAddKey, map[Scenario]row{
			LoseOneDevice:      {Survives, "laptop", names("phrase"), StepNone},
			LoseAllDevices:     {Survives, "", names("phrase"), StepNone},
			ForgottenPasscode:  {Survives, "", names("phrase"), StepNone},
			CloudAccountClosed: {Survives, "", names("phrase"), StepNone},
			EcosystemSwitched:  {Survives, "", names("phrase"), StepNone},
			DomainGone:         {Survives, "", names("phrase"), StepNone},
			PhraseCopied:       {TakenOver, "phrase", names("phrase"), StepAddKey},
			LaptopStolen:       {Survives, "laptop", names("phrase"), StepNone},
			PhraseLost:         {Restricted, "", names("phrase"), StepAddKey},
			ModelBroken:        {Survives, "laptop", names("phrase"), StepNone},
		}},
		{"a phrase that consents", stage(laptop(), phone(), paper(protected)).consents(2, Asker{ID: 1}), Marked, StepAddKey, map[Scenario]row{
			LoseOneDevice:      {Survives, "laptop", names("laptop", "phone", "phrase"), StepNone},
			LoseAllDevices:     {Survives, "", names("phrase"), StepNone},
			ForgottenPasscode:  {Survives, "", names("phrase"), StepNone},
			CloudAccountClosed: {Survives, "", names("phrase"), StepNone},
			EcosystemSwitched:  {Survives, "", names("phrase"), StepNone},
			DomainGone:         {Survives, "", names("phrase"), StepNone},
			PhraseCopied:       {TakenOver, "phrase", names("phrase"), StepAddKey},
			LaptopStolen:       {Survives, "laptop", names("phrase"), StepNone},
			PhraseLost:         {Delayed, "", names("phone"), StepAddKey},
			ModelBroken:        {Survives, "laptop", names("phrase"), StepNone},
		}},
		{"a phrase that is not typed back", stage(laptop(), device(phrase("phrase"), fresh)), Unproven, StepCall, map[Scenario]row{
			LoseOneDevice:      {Survives, "laptop", names("phrase"), StepNone},
			LoseAllDevices:     {Survives, "", names("phrase"), StepNone},
			ForgottenPasscode:  {Survives, "", names("phrase"), StepNone},
			CloudAccountClosed: {Survives, "", names("phrase"), StepNone},
			EcosystemSwitched:  {Survives, "", names("phrase"), StepNone},
			DomainGone:         {Survives, "", names("phrase"), StepNone},
			PhraseCopied:       {TakenOver, "phrase", names("phrase"), StepNone},
			LaptopStolen:       {Contested, "laptop", names("laptop"), StepCall},
			PhraseLost:         {Survives, "", names("laptop"), StepNone},
			ModelBroken:        {Survives, "laptop", names("phrase"), StepNone},
		}},
		{"phrase and hardware key protected", stage(laptop(model(1)), hard(protected), paper(protected)), Marked, StepNone, map[Scenario]row{
			LoseOneDevice:      {Survives, "laptop", names("laptop", "key", "phrase"), StepNone},
			LoseAllDevices:     {Survives, "", names("key", "phrase"), StepNone},
			ForgottenPasscode:  {Survives, "", names("key", "phrase"), StepNone},
			CloudAccountClosed: {Survives, "", names("key", "phrase"), StepNone},
			EcosystemSwitched:  {Survives, "", names("key", "phrase"), StepNone},
			DomainGone:         {Survives, "", names("phrase"), StepNone},
			PhraseCopied:       {Contested, "phrase", names("phrase"), StepNone},
			LaptopStolen:       {Survives, "laptop", names("key", "phrase"), StepNone},
			PhraseLost:         {Survives, "", names("laptop", "key"), StepNone},
			ModelBroken:        {Survives, "laptop", names("laptop", "key", "phrase"), StepNone},
		}},
		{"a protected laptop", stage(laptop(protected), phone()), Marked, StepAddPhrase, map[Scenario]row{
			LoseOneDevice:      {Restricted, "laptop", names("laptop"), StepAddPhrase},
			LoseAllDevices:     {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			ForgottenPasscode:  {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			CloudAccountClosed: {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			EcosystemSwitched:  {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			DomainGone:         {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			LaptopStolen:       {TakenOver, "laptop", names("laptop"), StepAddPhrase},
			ModelBroken:        {LockedOut, "laptop", names("laptop", "phone"), StepAddPhrase},
		}},
		{"a key in the browser, and a bound key that stays", stage(device(passkey("laptop"), proven, browser), phone(bound)), Unmarked, StepAddPhrase, map[Scenario]row{
			LoseOneDevice:     {Survives, "laptop", names("laptop", "phone"), StepNone},
			LoseAllDevices:    {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			ForgottenPasscode: {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			EcosystemSwitched: {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			DomainGone:        {LockedOut, "", names("laptop", "phone"), StepAddPhrase},
			LaptopStolen:      {TakenOver, "laptop", names("laptop", "phone"), StepAddPhrase},
			ModelBroken:       {Survives, "phone", names("laptop"), StepNone},
		}},
		{"a phrase alone, protected", stage(paper(protected)), Marked, StepAddKey, map[Scenario]row{
			PhraseCopied: {TakenOver, "phrase", names("phrase"), StepAddKey},
			PhraseLost:   {LockedOut, "", names("phrase"), StepAddKey},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.anchor.Report()
			require.Equal(t, c.protection, got.Protection)
			require.Equal(t, c.want, rows(got))
			require.Equal(t, c.next.String(), got.Next.String())
		})
	}
}

// Two lost protected devices are a way back only for a device that both have named.
func TestReleaseOfEveryLostDevice(t *testing.T) {
	a := stage(device(passkey("laptop"), proven), device(passkey("key"), protected), device(passkey("tablet"), protected))
	r := rows(a.Report())
	require.Equal(t, LockedOut, r[DomainGone].outcome)
	f := a.facts()
	require.Equal(t, Restricted, f.loss(0b110).outcome)
	f[1].askers = 0b001
	require.Equal(t, Restricted, f.loss(0b110).outcome)
	f[2].askers = 0b101
	require.Equal(t, verdict{true, Delayed, 0b001, 0}, f.loss(0b110))
}

func TestReportCapsAndSteps(t *testing.T) {
	full := stage()
	for i := range MaxDevices {
		full.Devices = append(full.Devices, device(passkey(fmt.Sprint(i)), proven))
	}
	require.Equal(t, StepNone, full.Report().Next, "no room to add anything, and no phrase to protect")
	giant := stage()
	for i := range 70 {
		giant.Devices = append(giant.Devices, device(passkey(fmt.Sprint(i)), proven))
	}
	require.Len(t, giant.facts(), 64)
	require.NotEmpty(t, giant.Report().Findings)
	require.Empty(t, (&Anchor{}).Report().Findings)

	// A step that only a protected device can take does not help where there is none.
	unproven := stage(device(passkey("laptop"), proven), device(phrase("phrase"), fresh)).facts()
	require.False(t, unproven.after(StepAddKey, true)[2].protected)
	require.True(t, unproven.after(StepCall, true)[1].protected)
	require.False(t, unproven.after(StepCall, true)[1].unproven)
	require.False(t, unproven.after(StepProtectPhrase, true)[1].protected)
	require.Equal(t, []bool{false, false, true}, []bool{unproven[0].unproven, usual().facts()[2].unproven, unproven[1].unproven})
	require.False(t, stage(device(passkey("laptop"))).facts()[0].unproven, "no mark at all")
	require.False(t, typing().facts().after(StepProtectPhrase, true)[2].protected, "it is marked: calling is what it lacks")
	require.False(t, stage(device(passkey("laptop"), fresh), device(phrase("phrase"), proven)).facts().after(StepProtectPhrase, true)[1].protected)
	require.True(t, typing().facts().after(StepAddKey, true)[3].protected)
	none := early().facts()
	require.True(t, none.after(StepProtectPhrase, true)[2].protected)
	require.False(t, none.after(StepProtectPhrase, true)[0].protected)
	require.True(t, none.after(StepAddKey, true)[3].protected)
	require.Len(t, none.after(StepAddPhrase, true), 3, "one phrase")
	some := usual().facts()
	require.Equal(t, set(0b011), some.after(StepConsent, true)[2].askers)
	require.Zero(t, some.after(StepConsent, true)[0].askers)
	require.Zero(t, some.after(StepAddKey, true)[2].askers)
	require.True(t, some.after(StepAddKey, true)[3].protected)
	phoneOnly := stage(device(passkey("laptop"), protected)).facts()
	require.True(t, phoneOnly.after(StepAddPhrase, true)[1].protected)
	require.Len(t, phoneOnly.after(StepAddPhrase, false), 1)
	require.Len(t, phoneOnly.after(StepAddKey, false), 1)
}

func TestWorst(t *testing.T) {
	later := stage(device(passkey("phone"), proven), device(passkey("laptop"), protected), device(passkey("tablet"), proven))
	require.Equal(t, row{Restricted, "laptop", names("laptop"), StepAddPhrase}, rows(later.Report())[LoseOneDevice])
	first := stage(device(passkey("laptop"), protected), device(passkey("phone"), proven), device(passkey("tablet"), proven))
	require.Equal(t, row{Restricted, "laptop", names("laptop"), StepAddPhrase}, rows(first.Report())[LoseOneDevice])
	thief := stage(device(passkey("laptop"), protected), device(phrase("phrase"), fresh))
	require.Equal(t, TakenOver, rows(thief.Report())[LaptopStolen].outcome, "a thief with protection removes a mark that is not proven")
	only := stage(device(passkey("laptop"), fresh))
	require.Equal(t, StepCall, only.Report().Next)
}

func TestSteps(t *testing.T) {
	var then [Steps][Scenarios]verdict
	then[StepNone][LaptopStolen] = verdict{applies: true, outcome: TakenOver}
	then[StepAddPhrase][LaptopStolen].outcome = Delayed
	then[StepAddKey][LaptopStolen].outcome = Delayed
	for s := range Steps {
		if s < StepAddPhrase || s >= StepNameContacts {
			then[s][LaptopStolen].outcome = TakenOver
		}
	}
	then[StepAddPhrase][PhraseLost].outcome = TakenOver // which could not happen before
	require.Equal(t, int(TakenOver-Delayed), betters(&then, StepAddPhrase))
	require.Equal(t, StepAddPhrase, bestStep(&then, LaptopStolen), "of two that help alike, the easier")
	require.Equal(t, StepAddPhrase, nextStep(Marked, &then))
	then[StepNone][LoseOneDevice] = verdict{applies: true, outcome: LockedOut}
	then[StepAddPhrase][LoseOneDevice].outcome = LockedOut
	require.Equal(t, StepAddKey, bestStep(&then, LaptopStolen), "of two that help alike, the one that helps more elsewhere")
}

func TestWords(t *testing.T) {
	seen := map[string]bool{}
	add := func(words ...string) {
		for _, w := range words {
			require.NotEmpty(t, w)
			require.False(t, seen[w], w)
			seen[w] = true
		}
	}
	for s := range Scenarios {
		add(s.String(), Finding{Scenario: s}.Words())
	}
	for o := range Outcomes {
		add(o.String(), Finding{Outcome: o, Scenario: LaptopStolen}.Words()+" ")
	}
	for s := range Steps {
		add(s.String(), s.Words())
	}
	require.Contains(t, Unmarked.FirstLine(), "whoever comes first wins")
	require.Contains(t, Unproven.FirstLine(), "will lapse")
	require.Equal(t, "if you lose one device, you get back in and keep control", Finding{}.Words())
}

// drawAnchor is any small anchor.
func drawAnchor(t *rapid.T) *Anchor {
	a := stage()
	for i := range rapid.IntRange(1, 4).Draw(t, "devices") {
		data := passkey(fmt.Sprint(i))
		data.KeyType = KeyType(rapid.IntRange(0, 4).Draw(t, "type"))
		data.Purpose = Purpose(rapid.IntRange(0, 1).Draw(t, "purpose"))
		d := device(data, rapid.SampledFrom([]with{proven, protected, fresh}).Draw(t, "mark"))
		rapid.SampledFrom([]with{proven, synced, bound}).Draw(t, "attested")(&d)
		d.Proven = d.LapsesAt == 0
		d.ID = DeviceID(i)
		if d.protected() && rapid.Bool().Draw(t, "agrees") {
			d.AgreesToContacts = true
			a.Contacts = &Contacts{Threshold: 1, Delay: 30 * day, List: []Contact{{Anchor: 10001}}}
		}
		a.Devices = append(a.Devices, d)
	}
	if a.Contacts != nil {
		a.Contacts.List[0].Accepted = rapid.Bool().Draw(t, "accepted")
	}
	return a
}

// Contacts that have accepted are a way back after the delay, for what has agreed to them.
func TestReportCountsContacts(t *testing.T) {
	all := func() *Anchor { // everything everyday, and protected
		a := stage(device(passkey("laptop"), protected), device(passkey("phone"), protected))
		a.Contacts = &Contacts{Threshold: 2, Delay: 30 * day, List: []Contact{{Anchor: 10001, Accepted: true}, {Anchor: 10002, Accepted: true}, {Anchor: 10003}}}
		a.Devices[0].AgreesToContacts, a.Devices[1].AgreesToContacts = true, true
		return a
	}
	a := all()
	require.Equal(t, Delayed, rows(a.Report())[LoseAllDevices].outcome)
	require.Equal(t, Survives, rows(a.Report())[ContactsDeceived].outcome)
	a.Devices[1].AgreesToContacts = false
	require.Equal(t, Restricted, rows(a.Report())[LoseAllDevices].outcome, "one that has not agreed stays")
	a = all()
	a.Contacts.List[1].Accepted = false
	require.Equal(t, LockedOut, rows(a.Report())[LoseAllDevices].outcome, "fewer than the threshold have accepted")
	a.Contacts = nil
	a.Devices[0].AgreesToContacts, a.Devices[1].AgreesToContacts = false, false
	require.Equal(t, LockedOut, rows(a.Report())[LoseAllDevices].outcome)
	require.NotContains(t, rows(a.Report()), ContactsDeceived)

	// The phrase lost, with a passkey that may not ask for its release.
	a = stage(device(passkey("laptop"), proven), device(phrase("phrase"), protected))
	require.Equal(t, Restricted, rows(a.Report())[PhraseLost].outcome)
	a.Contacts = &Contacts{Threshold: 1, Delay: 30 * day, List: []Contact{{Anchor: 10001, Accepted: true}}}
	a.Devices[1].AgreesToContacts = true
	require.Equal(t, Delayed, rows(a.Report())[PhraseLost].outcome)

	// Steps towards contacts, as far as they have not been taken.
	f := all().facts()
	require.Equal(t, f, f.after(StepNameContacts, true))
	a = all()
	a.Devices[1].AgreesToContacts = false
	require.Equal(t, Delayed, a.facts().after(StepAgreeContacts, true).judgeAll()[LoseAllDevices].outcome)
	a = all()
	a.Contacts.List[1].Accepted = false
	require.Equal(t, Delayed, a.facts().after(StepAcceptContacts, true).judgeAll()[LoseAllDevices].outcome)
}

func TestContactWarnings(t *testing.T) {
	a := withContacts().consents(2, Asker{ID: 0})
	a.Contacts.Delay = 31 * day
	friend := func(number uint64, devices ...Device) *Anchor { f := stage(devices...); f.Number = number; return f }
	require.Equal(t, []Warning{
		{Kind: WarnVetoForEver},
		{Kind: WarnNotAgreed, Device: key("key")},
		{Kind: WarnDelay, Device: key("phrase")},
		{Kind: WarnSharedDevice, Anchor: 10002, Device: key("laptop")},
	}, a.ContactWarnings([]*Anchor{friend(10001, device(passkey("theirs"))), friend(10002, device(passkey("theirs")), device(passkey("laptop")))}))

	a = withContacts()
	a.Devices[1].AgreesToContacts = true
	a.Contacts.Threshold = 3
	require.Equal(t, []Warning{{Kind: WarnVetoForEver}, {Kind: WarnThresholdAll}}, a.ContactWarnings(nil))
	a.Contacts.Threshold, a.Contacts.List = 1, a.Contacts.List[:1]
	back := friend(10001, device(passkey("theirs"), protected))
	back.Contacts = &Contacts{Threshold: 1, List: []Contact{{Anchor: a.Number}}}
	require.Equal(t, []Warning{{Kind: WarnVetoForEver}, {Kind: WarnThresholdOne}, {Kind: WarnEachOthersOnly, Anchor: 10001}}, a.ContactWarnings([]*Anchor{back}))
	require.Nil(t, usual().ContactWarnings(nil))
}

// The report's promises: losing less is never worse; the next step of a finding betters it, and a
// finding without one is bettered by none; the next step of all betters more than it worsens.
func TestReportKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAnchor(t)
		f := a.facts()
		all := set(1)<<len(f) - 1
		lost := rapid.Uint64Range(0, all).Draw(t, "lost")
		more := lost | rapid.Uint64Range(0, all).Draw(t, "more")
		if f.loss(lost).outcome > f.loss(more).outcome {
			t.Fatalf("losing %b is worse than losing %b", lost, more)
		}
		report := a.Report()
		for _, finding := range report.Findings {
			for s := StepNone + 1; s < Steps; s++ {
				then := f.after(s, true).judgeAll()[finding.Scenario].outcome
				if next := f.after(finding.Next, true).judgeAll()[finding.Scenario].outcome; then < next {
					t.Fatalf("%s: step %s is better than %s", finding.Words(), s, finding.Next)
				}
				if s == finding.Next && then >= finding.Outcome {
					t.Fatalf("%s: step %s does not help", finding.Words(), s)
				}
			}
		}
		if report.Next == StepNone || report.Protection != Marked {
			return
		}
		balance := 0
		then := f.after(report.Next, true).judgeAll()
		for _, finding := range report.Findings {
			balance += int(finding.Outcome) - int(then[finding.Scenario].outcome)
		}
		require.Positive(t, balance)
	})
}
