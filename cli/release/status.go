package release

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

type releaseView struct {
	Device string      `json:"device"`
	DelayS uint64      `json:"delay_s"`
	Askers []askerView `json:"askers"`
}

type askerView struct {
	PublicKey    string  `json:"public_key"`
	Alias        string  `json:"alias"`
	CompletesInS *uint64 `json:"completes_in_s"` // null while it has not asked
}

func (a verbs) releaseStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show who consented to a release, who may ask and who has",
		Long: `Shows the consent of each protected device, its delay and askers, and for a request
under way how long is left. Delays run in service time: they stand still while the
canister cannot answer.`,
		Example: `  kedge release status
  kedge release status --as phrase --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			info, err := s.AnchorInfo(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			views, text := viewReleases(info.Devices)
			return a.Result(views, text)
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

func viewReleases(devices []kedge.DeviceWithUsage) ([]releaseView, string) {
	aliases, labels := map[string]string{}, map[string]string{}
	for _, d := range devices {
		aliases[hex.EncodeToString(d.Pubkey)] = d.Alias
		labels[hex.EncodeToString(d.Pubkey)] = session.Label(d.Alias, d.Pubkey)
	}
	views := []releaseView{}
	var text strings.Builder
	for _, d := range devices {
		if d.Release == nil {
			continue
		}
		view := releaseView{Device: d.Alias, DelayS: d.Release.DelayS, Askers: []askerView{}}
		fmt.Fprintf(&text, "%s consents to its release after %s\n", labels[hex.EncodeToString(d.Pubkey)], ui.Seconds(d.Release.DelayS))
		for _, asker := range d.Release.Askers {
			key := hex.EncodeToString(asker.Pubkey)
			view.Askers = append(view.Askers, askerView{PublicKey: key, Alias: aliases[key], CompletesInS: asker.CompletesInS})
			state := "may ask"
			if asker.CompletesInS != nil {
				if state = "has asked and may complete now"; *asker.CompletesInS > 0 {
					state = "has asked and may complete in " + ui.Seconds(*asker.CompletesInS)
				}
			}
			label := labels[key]
			if label == "" {
				label = ui.ShortPrincipal(principal.SelfAuthenticating(asker.Pubkey))
			}
			fmt.Fprintf(&text, "  %s %s\n", label, state)
		}
		views = append(views, view)
	}
	if len(views) == 0 {
		return views, "no device of the anchor consented to its release"
	}
	return views, text.String()
}
