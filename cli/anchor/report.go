package anchor

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/contacts"
	"kedge/cli/session"
	"kedge/cli/ui"
)

type reportView struct {
	Anchor     uint64        `json:"anchor"`
	Protection string        `json:"protection"`
	Headline   string        `json:"headline"`
	Findings   []findingView `json:"findings"`
	Factors    []factor      `json:"factors"` // devices that are one, as far as the key store knows
	// ContactWarnings is what to know about the recovery contacts.
	ContactWarnings []contacts.WarningView `json:"contact_warnings"`
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

func (a verbs) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "say which disasters the anchor would survive, and what to do about the others",
		Long: `Says for each disaster (a device or the phrase is lost or stolen, the canister gets a
bad upgrade, …) whether the anchor survives it, by way of which devices, and what
would help. The canister judges by the devices; keys of one key store, or of one
seed, count as one, which only this machine knows.`,
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
	exists, err := a.KeysExist()
	if err != nil {
		return err
	}
	if exists && !own.Closed() { // without a store there is nothing to know, and none to make
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
	view.ContactWarnings = contacts.Warnings(report, info)
	steps := newSteps(info, own, a.hasPage(ctx, s))
	return a.Result(view, reportText(report, info.Devices, steps)+contacts.WarningLines(view.ContactWarnings)+factorText(factors, copies, info.Devices))
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

func reportText(r kedge.RecoveryReport, devices []kedge.DeviceWithUsage, how steps) string {
	rows := [][]string{{"OUTCOME", "IF", "BY WAY OF"}}
	var advice []kedge.Advice
	helps := map[kedge.Advice][]string{}
	for _, f := range r.Findings {
		text := "something that this kedge does not know"
		if f.Scenario != nil {
			text = scenarioTexts[*f.Scenario]
		}
		by := aliases(f.Devices, devices)
		if by == "" && r.Warnings != nil && f.Outcome != nil && *f.Outcome == kedge.OutcomeDelayed {
			by = "recovery contacts"
		}
		rows = append(rows, []string{ui.Spaced(ui.CaseName(f.Outcome)), text, by})
		if f.NextStep != nil {
			if helps[*f.NextStep] == nil {
				advice = append(advice, *f.NextStep)
			}
			helps[*f.NextStep] = append(helps[*f.NextStep], text)
		}
	}
	text := r.Headline + "\n\n" + ui.Table(rows)
	if len(advice) > 0 {
		text += "\n\nwhat would help"
	}
	for _, step := range advice {
		text += "\n  " + how.text(step) + "\n      if " + strings.Join(helps[step], "; if ")
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
