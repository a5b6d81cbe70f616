package anchor

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
)

type reportView struct {
	Anchor     uint64        `json:"anchor"`
	Protection string        `json:"protection"`
	Headline   string        `json:"headline"`
	Findings   []findingView `json:"findings"`
	Factors    []factor      `json:"factors"` // devices that are one, as far as the key store knows
}

type findingView struct {
	Scenario string   `json:"scenario"`
	Outcome  string   `json:"outcome"`
	Devices  []string `json:"devices"` // public keys
	NextStep string   `json:"next_step,omitempty"`
	// AsOneFactor says that the outcome is worse than the canister's, because devices are one factor.
	AsOneFactor bool `json:"as_one_factor,omitempty"`
}

// scenarioTexts put the scenarios into words.
var scenarioTexts = map[kedge.Scenario]string{
	kedge.ScenarioLoseOneDevice:      "the device that would be missed most is lost",
	kedge.ScenarioLoseAllDevices:     "all everyday devices are lost",
	kedge.ScenarioForgottenPasscode:  "all everyday devices are lost and the cloud does not open",
	kedge.ScenarioCloudAccountClosed: "the cloud account is closed",
	kedge.ScenarioEcosystemSwitched:  "a change to other makers' devices",
	kedge.ScenarioDomainGone:         "the web address of the passkeys is gone",
	kedge.ScenarioPhraseCopied:       "a thief has read the recovery phrase",
	kedge.ScenarioLaptopStolen:       "a thief holds an unlocked device",
	kedge.ScenarioPhraseLost:         "the recovery phrase is lost",
	kedge.ScenarioModelBroken:        "one model of authenticator fails",
	kedge.ScenarioContactsDeceived:   "recovery contacts collude or are deceived",
}

// adviceTexts say how to take a step with this program.
var adviceTexts = map[kedge.Advice]string{
	kedge.AdviceProveDevice:      "sign with the protected device once: kedge anchor show --as phrase",
	kedge.AdviceProtectPhrase:    "kedge device protect phrase --as phrase",
	kedge.AdviceConsentToRelease: "kedge release consent --asker DEVICE --as phrase",
	kedge.AdviceAddPhrase:        "kedge recovery phrase add",
	kedge.AdviceAddHardwareKey:   "add a hardware key of another model on the web page, keep it elsewhere, protect it",

	kedge.AdviceNameContacts:       "name recovery contacts: people who would know your voice",
	kedge.AdviceAgreeToContacts:    "let every protected device agree to the recovery contacts",
	kedge.AdviceHaveContactsAccept: "have your recovery contacts accept",
}

func (a verbs) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "say which disasters the anchor would survive, and what to do about the others",
		Example: `  kedge report
  kedge report --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showReport(cmd.Context()) },
	}
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) showReport(ctx context.Context) error {
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	report, err := s.RecoveryReport(ctx, s.Anchor)
	if err != nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	var factors []factor
	var copies []string
	own, err := a.OwnKeys(s)
	if err != nil {
		return err
	}
	if !own.Closed() {
		keys, err := a.LoadKeys()
		if err != nil {
			return err
		}
		factors, copies = factorsOf(info.Devices, keys), copiesOf(info.Devices, keys)
	}
	var changed []bool
	report.Findings, changed = asOneFactor(report.Findings, factors)
	view := viewReport(s.Anchor, report)
	view.Factors = append([]factor{}, factors...)
	for i := range view.Findings {
		view.Findings[i].AsOneFactor = changed[i]
	}
	return a.Result(view, reportText(report, info.Devices)+factorText(factors, copies, info.Devices))
}

func viewReport(anchor uint64, r kedge.RecoveryReport) reportView {
	view := reportView{Anchor: anchor, Protection: ui.CaseName(r.Protection), Headline: r.Headline, Findings: []findingView{}}
	for _, f := range r.Findings {
		v := findingView{Scenario: ui.CaseName(f.Scenario), Outcome: ui.CaseName(f.Outcome), Devices: []string{}}
		for _, key := range f.Devices {
			v.Devices = append(v.Devices, hex.EncodeToString(key))
		}
		if f.NextStep != nil {
			v.NextStep = f.NextStep.String()
		}
		view.Findings = append(view.Findings, v)
	}
	return view
}

func reportText(r kedge.RecoveryReport, devices []kedge.DeviceWithUsage) string {
	rows := [][]string{{"OUTCOME", "IF", "BY WAY OF"}}
	var steps []string
	for _, f := range r.Findings {
		text := "something that this kedge does not know"
		if f.Scenario != nil {
			text = scenarioTexts[*f.Scenario]
		}
		rows = append(rows, []string{ui.Spaced(ui.CaseName(f.Outcome)), text, aliases(f.Devices, devices)})
		if f.NextStep != nil {
			steps = append(steps, fmt.Sprintf("%s: %s", text, adviceTexts[*f.NextStep]))
		}
	}
	text := r.Headline + "\n\n" + ui.Table(rows)
	if len(steps) > 0 {
		text += "\n\nwhat would help\n  " + strings.Join(steps, "\n  ")
	}
	return text
}

// aliases names devices by what the anchor calls them and the ends of their principals.
func aliases(keys [][]byte, devices []kedge.DeviceWithUsage) string {
	var names []string
	for _, key := range keys {
		for _, d := range devices {
			if bytes.Equal(d.Pubkey, key) {
				names = append(names, session.Label(d.Alias, d.Pubkey))
			}
		}
	}
	return strings.Join(names, ", ")
}
