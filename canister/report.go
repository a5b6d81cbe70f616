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
	result := kedge.RecoveryReport{
		Protection: &protections[report.Protection],
		Headline:   report.Protection.FirstLine(),
		Findings:   make([]kedge.Finding, len(report.Findings)),
		NextStep:   adviceTo(report.Next),
		Advice:     report.Next.Words(),
	}
	for i, f := range report.Findings {
		result.Findings[i] = kedge.Finding{
			Scenario:    &scenarios[f.Scenario],
			Subject:     f.Subject,
			Outcome:     &outcomes[f.Outcome],
			Devices:     f.Devices,
			Description: f.Words(),
			NextStep:    adviceTo(f.Next),
		}
	}
	if a.HasContacts() {
		result.Warnings = warnings(a)
		result.Contacts = contactsTo(a.RecoveryContacts(), call().Service)
	}
	cdk.Reply(kedge.AppendRecoveryReportResult(answer(), kedge.RecoveryReportResult{Tag: kedge.RecoveryReportResultTagOk, Ok: result}))
}

func adviceTo(s identity.Step) *kedge.Advice {
	if s == identity.StepNone {
		return nil
	}
	return &advices[s]
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
		out[i] = kedge.Warning{Kind: &warningKinds[w.Kind], Anchor: timestamp(&found[i].Anchor), Device: w.Device, Description: w.Words()}
	}
	return out
}
