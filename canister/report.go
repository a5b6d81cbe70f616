package main

import (
	"kedge/candid"
	"kedge/canister/identity"
	"kedge/cdk"
)

func recoveryReport() {
	number, err := candid.DecodeRecoveryReportArgs(argument())
	must(err)
	a, err := inspect(number)
	if err != nil {
		cdk.Reply(candid.AppendRecoveryReportResult(answer(), candid.RecoveryReportResult{Tag: candid.RecoveryReportResultTagErr, Err: refusal(err)}))
		return
	}
	report := a.Report()
	protection := protections[report.Protection]
	result := candid.RecoveryReport{
		Protection: &protection,
		Headline:   report.Protection.FirstLine(),
		Findings:   make([]candid.Finding, len(report.Findings)),
		NextStep:   adviceTo(report.Next),
		Advice:     report.Next.Words(),
	}
	for i, f := range report.Findings {
		scenario, outcome := scenarios[f.Scenario], outcomes[f.Outcome]
		result.Findings[i] = candid.Finding{
			Scenario:    &scenario,
			Subject:     f.Subject,
			Outcome:     &outcome,
			Devices:     f.Devices,
			Description: f.Words(),
			NextStep:    adviceTo(f.Next),
		}
	}
	cdk.Reply(candid.AppendRecoveryReportResult(answer(), candid.RecoveryReportResult{Tag: candid.RecoveryReportResultTagOk, Ok: result}))
}

func adviceTo(s identity.Step) *candid.Advice {
	if advice, ok := advices[s]; ok {
		return &advice
	}
	return nil
}

var protections = [...]candid.ProtectionState{
	identity.Unmarked: candid.ProtectionStateUnmarked,
	identity.Unproven: candid.ProtectionStateUnproven,
	identity.Marked:   candid.ProtectionStateMarked,
}

var scenarios = [...]candid.Scenario{
	identity.LoseOneDevice:      candid.ScenarioLoseOneDevice,
	identity.LoseAllDevices:     candid.ScenarioLoseAllDevices,
	identity.ForgottenPasscode:  candid.ScenarioForgottenPasscode,
	identity.CloudAccountClosed: candid.ScenarioCloudAccountClosed,
	identity.EcosystemSwitched:  candid.ScenarioEcosystemSwitched,
	identity.DomainGone:         candid.ScenarioDomainGone,
	identity.PhraseCopied:       candid.ScenarioPhraseCopied,
	identity.LaptopStolen:       candid.ScenarioLaptopStolen,
	identity.PhraseLost:         candid.ScenarioPhraseLost,
	identity.ModelBroken:        candid.ScenarioModelBroken,
}

var outcomes = [...]candid.Outcome{
	identity.Survives:   candid.OutcomeSurvives,
	identity.Delayed:    candid.OutcomeDelayed,
	identity.Restricted: candid.OutcomeRestricted,
	identity.Contested:  candid.OutcomeContested,
	identity.LockedOut:  candid.OutcomeLockedOut,
	identity.TakenOver:  candid.OutcomeTakenOver,
}

var advices = map[identity.Step]candid.Advice{
	identity.StepCall:          candid.AdviceProveDevice,
	identity.StepProtectPhrase: candid.AdviceProtectPhrase,
	identity.StepConsent:       candid.AdviceConsentToRelease,
	identity.StepAddPhrase:     candid.AdviceAddPhrase,
	identity.StepAddKey:        candid.AdviceAddHardwareKey,
}
