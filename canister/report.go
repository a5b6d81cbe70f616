package canister

import (
	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/cdk"
)

func recoveryReport() {
	number, err := kedge.DecodeRecoveryReportArgs(argument())
	must(err)
	a, err := recognise(number)
	if err != nil {
		cdk.Reply(kedge.AppendRecoveryReportResult(answer(), kedge.RecoveryReportResult{Tag: kedge.RecoveryReportResultTagErr, Err: refusal(err)}))
		return
	}
	report := a.Report()
	protection := protections[report.Protection]
	result := kedge.RecoveryReport{
		Protection: &protection,
		Headline:   report.Protection.FirstLine(),
		Findings:   make([]kedge.Finding, len(report.Findings)),
		NextStep:   adviceTo(report.Next),
		Advice:     report.Next.Words(),
	}
	for i, f := range report.Findings {
		scenario, outcome := scenarios[f.Scenario], outcomes[f.Outcome]
		result.Findings[i] = kedge.Finding{
			Scenario:    &scenario,
			Subject:     f.Subject,
			Outcome:     &outcome,
			Devices:     f.Devices,
			Description: f.Words(),
			NextStep:    adviceTo(f.Next),
		}
	}
	if a.HasContacts() {
		result.Warnings = warnings(a)
	}
	cdk.Reply(kedge.AppendRecoveryReportResult(answer(), kedge.RecoveryReportResult{Tag: kedge.RecoveryReportResultTagOk, Ok: result}))
}

func adviceTo(s identity.Step) *kedge.Advice {
	if advice, ok := advices[s]; ok {
		return &advice
	}
	return nil
}

var protections = [...]kedge.ProtectionState{
	identity.Unmarked: kedge.ProtectionStateUnmarked,
	identity.Unproven: kedge.ProtectionStateUnproven,
	identity.Marked:   kedge.ProtectionStateMarked,
}

var scenarios = [...]kedge.Scenario{
	identity.LoseOneDevice:      kedge.ScenarioLoseOneDevice,
	identity.LoseAllDevices:     kedge.ScenarioLoseAllDevices,
	identity.ForgottenPasscode:  kedge.ScenarioForgottenPasscode,
	identity.CloudAccountClosed: kedge.ScenarioCloudAccountClosed,
	identity.EcosystemSwitched:  kedge.ScenarioEcosystemSwitched,
	identity.DomainGone:         kedge.ScenarioDomainGone,
	identity.PhraseCopied:       kedge.ScenarioPhraseCopied,
	identity.LaptopStolen:       kedge.ScenarioLaptopStolen,
	identity.PhraseLost:         kedge.ScenarioPhraseLost,
	identity.ModelBroken:        kedge.ScenarioModelBroken,
	identity.ContactsDeceived:   kedge.ScenarioContactsDeceived,
}

var outcomes = [...]kedge.Outcome{
	identity.Survives:   kedge.OutcomeSurvives,
	identity.Delayed:    kedge.OutcomeDelayed,
	identity.Restricted: kedge.OutcomeRestricted,
	identity.Contested:  kedge.OutcomeContested,
	identity.LockedOut:  kedge.OutcomeLockedOut,
	identity.TakenOver:  kedge.OutcomeTakenOver,
}

var advices = map[identity.Step]kedge.Advice{
	identity.StepCall:          kedge.AdviceProveDevice,
	identity.StepProtectPhrase: kedge.AdviceProtectPhrase,
	identity.StepConsent:       kedge.AdviceConsentToRelease,
	identity.StepAddPhrase:     kedge.AdviceAddPhrase,
	identity.StepAddKey:        kedge.AdviceAddHardwareKey,

	identity.StepNameContacts:   kedge.AdviceNameContacts,
	identity.StepAgreeContacts:  kedge.AdviceAgreeToContacts,
	identity.StepAcceptContacts: kedge.AdviceHaveContactsAccept,
}

// warnings are what is to be said of the anchor's contacts. Those about the contacts' own anchors take a look at
// them, seven at most; one that cannot be read is passed over.
func warnings(a *identity.Anchor) []kedge.Warning {
	var friends []*identity.Anchor
	for _, contact := range a.RecoveryContacts().List {
		if friend, err := state.store.Read(contact.Anchor); err == nil {
			friends = append(friends, friend)
		}
	}
	found := a.ContactWarnings(friends)
	out := make([]kedge.Warning, len(found))
	for i, w := range found {
		kind := warningKinds[w.Kind]
		out[i] = kedge.Warning{Kind: &kind, Anchor: timestamp(&found[i].Anchor), Device: w.Device, Description: w.Words()}
	}
	return out
}

var warningKinds = [...]kedge.WarningKind{
	identity.WarnVetoForEver:    kedge.WarningKindVetoForEver,
	identity.WarnThresholdOne:   kedge.WarningKindThresholdOfOne,
	identity.WarnThresholdAll:   kedge.WarningKindThresholdOfAll,
	identity.WarnDelay:          kedge.WarningKindDelayLongerThanRelease,
	identity.WarnNotAgreed:      kedge.WarningKindNotAgreed,
	identity.WarnSharedDevice:   kedge.WarningKindSharedDevice,
	identity.WarnEachOthersOnly: kedge.WarningKindEachOthersOnly,
}
