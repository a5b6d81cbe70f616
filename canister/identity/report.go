package identity

// Scenario is a disaster that the recovery report looks at (docs/glossary.md).
type Scenario uint8

// The scenarios, in the order of the report.
const (
	LoseOneDevice      Scenario = iota // the one whose loss hurts most
	LoseAllDevices                     // all everyday devices; what a cloud has backed up comes back
	ForgottenPasscode                  // the same, and the cloud does not open either
	CloudAccountClosed                 // synced passkeys are gone, and those that nobody knows to be device-bound
	EcosystemSwitched                  // only device-bound keys that roam come along
	DomainGone                         // the web address to which every passkey is bound
	PhraseCopied                       // a thief has read the recovery phrase
	LaptopStolen                       // unlocked: a thief holds the everyday device whose theft hurts most
	PhraseLost
	ModelBroken      // one authenticator model fails; keys of unknown model count as one
	ContactsDeceived // recovery contacts collude, or approve a stranger's key
	Scenarios        // how many there are
)

var scenarioNames = [Scenarios]string{
	"lose_one_device", "lose_all_devices", "forgotten_passcode", "cloud_account_closed", "ecosystem_switched",
	"domain_gone", "phrase_copied", "laptop_stolen", "phrase_lost", "model_broken", "contacts_deceived",
}

// String returns the stable snake_case name, which is the Candid variant tag.
func (s Scenario) String() string { return scenarioNames[s] }

// Outcome is what a scenario does to the owner, the better the smaller.
type Outcome uint8

// The outcomes.
const (
	Survives   Outcome = iota // the owner can return the anchor to his own devices
	Delayed                   // so too, once a release or a recovery by contacts that was agreed to in advance has run
	Restricted                // the owner signs in, but lost protected devices stay, and nothing is protected again
	Contested                 // owner and thief both hold on, and neither can put the other out at once
	LockedOut                 // the owner holds nothing
	TakenOver                 // a thief can put the owner out
	Outcomes                  // how many there are
)

var outcomeNames = [Outcomes]string{"survives", "delayed", "restricted", "contested", "locked_out", "taken_over"}

// String returns the stable snake_case name, which is the Candid variant tag.
func (o Outcome) String() string { return outcomeNames[o] }

// Step is something that the owner can do next.
type Step uint8

// The steps, the easier first.
const (
	StepNone          Step = iota
	StepCall               // sign a call with the protected device that never has; for a phrase, type its words
	StepProtectPhrase      // protect the recovery phrase, signing with it
	StepConsent            // let the protected devices consent to their release, naming the others
	StepAddPhrase          // add a recovery phrase, type it back and protect it
	StepAddKey             // add a device-bound hardware key of another model, kept elsewhere, and protect it

	// Steps towards recovery contacts: those who name nobody they trust do without, so they are advised where no
	// other step does as much.
	StepNameContacts   // name recovery contacts, agree, and have them accept
	StepAgreeContacts  // let every protected device agree to the contacts
	StepAcceptContacts // have the contacts accept
	Steps              // how many there are
)

var stepNames = [Steps]string{"none", "prove_device", "protect_phrase", "consent_to_release", "add_phrase", "add_hardware_key",
	"name_contacts", "agree_to_contacts", "have_contacts_accept"}

// String returns the stable snake_case name, which is the Candid variant tag.
func (s Step) String() string { return stepNames[s] }

// Finding is one line of the report.
type Finding struct {
	Scenario Scenario
	Subject  []byte // public key of the device that is lost, stolen or copied; nil where it is not one device
	Outcome  Outcome
	// Devices are the public keys that bring the owner back, if the outcome is Survives or Delayed;
	// otherwise those whose loss or theft does the harm.
	Devices [][]byte
	Next    Step // what would help most here; StepNone if nothing of the list would
}

// Protection sums up the marks of an anchor, for the first line of the report.
type Protection uint8

// The summaries.
const (
	// Unmarked: no device is marked, so whoever comes first, owner or thief, protects a device and wins.
	Unmarked Protection = iota
	// Unproven: the only marks are on devices that have never called, and will lapse.
	Unproven
	// Marked: some device is protected.
	Marked
	Protections // how many there are
)

// FirstLine is what the report says first.
func (p Protection) FirstLine() string {
	return [...]string{
		"No device is protected: whoever comes first wins. Protect a recovery phrase now.",
		"The only protected device has never signed a call here, so its protection will lapse: sign one with it now.",
		"Some device is protected.",
	}[p]
}

// Report says what an anchor survives. It never gives a percentage: that would hide the rows that
// matter.
type Report struct {
	Protection Protection
	Findings   []Finding // one for each scenario that applies, in order
	Next       Step      // the first thing to do; StepNone if nothing of the list would help
}

// Report is a pure function of the refreshed anchor. It counts on nothing that the canister does not
// know: a passkey that has not been attested may be synced and may be bound to one machine.
func (a *Anchor) Report() Report {
	facts := a.facts()
	report := Report{Protection: Unmarked}
	switch {
	case a.protectedBeside(^DeviceID(0)):
		report.Protection = Marked
	case a.marked():
		report.Protection = Unproven
	}
	now := facts.judgeAll()
	var then [Steps][Scenarios]verdict
	for s := StepNone; s < Steps; s++ {
		then[s] = facts.after(s, len(a.Devices) < MaxDevices).judgeAll()
	}
	for s := range Scenarios {
		if !now[s].applies {
			continue
		}
		finding := Finding{Scenario: s, Outcome: now[s].outcome, Next: bestStep(&then, s)}
		for i := range facts {
			if now[s].devices&(1<<i) != 0 {
				finding.Devices = append(finding.Devices, a.Devices[i].PublicKey)
			}
			if now[s].subject == 1<<i {
				finding.Subject = a.Devices[i].PublicKey
			}
		}
		report.Findings = append(report.Findings, finding)
	}
	report.Next = nextStep(report.Protection, &then)
	return report
}

// nextStep is the first thing to do: get the protection that the first line misses, then what betters
// most.
func nextStep(protection Protection, then *[Steps][Scenarios]verdict) Step {
	switch {
	case protection == Unproven:
		return StepCall
	case protection == Unmarked && then[StepNone][PhraseLost].applies:
		return StepProtectPhrase
	}
	best := StepNone
	for step := StepNone + 1; step < Steps; step++ {
		if step >= StepNameContacts && best > StepNone && best < StepNameContacts {
			break
		}
		if betters(then, step) > betters(then, best) {
			best = step
		}
	}
	return best
}

// betters weighs what the step improves against what it makes worse.
func betters(then *[Steps][Scenarios]verdict, step Step) (n int) {
	for s := range Scenarios {
		if was := then[StepNone][s]; was.applies { // no harm to what is there already
			n += int(was.outcome) - int(then[step][s].outcome)
		}
	}
	return n
}

// bestStep is the step that leaves the scenario best off, then the one that betters most of all, then
// the easiest.
func bestStep(then *[Steps][Scenarios]verdict, s Scenario) Step {
	best := StepNone
	for step := StepNone + 1; step < Steps; step++ {
		is, was := then[step][s].outcome, then[best][s].outcome
		if is < was || step < StepNameContacts && best != StepNone && is == was && betters(then, step) > betters(then, best) {
			best = step
		}
	}
	return best
}
