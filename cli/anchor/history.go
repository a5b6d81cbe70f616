package anchor

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// historyPage is how many events the canister gives at a time.
const historyPage = 100

type eventView struct {
	Number       uint64               `json:"number"`
	At           string               `json:"at"`
	Kind         string               `json:"kind"`
	By           *principal.Principal `json:"by,omitempty"`
	TemporaryKey bool                 `json:"temporary_key,omitempty"`
	Device       *principal.Principal `json:"device,omitempty"`
	Other        *principal.Principal `json:"other,omitempty"`
	Until        *uint64              `json:"until,omitempty"`
}

type historyView struct {
	Anchor         uint64      `json:"anchor"`
	Events         []eventView `json:"events"`
	DroppedRoutine uint64      `json:"dropped_routine"`
	DroppedWeighty uint64      `json:"dropped_weighty"`
}

func (a verbs) historyCommand() *cobra.Command {
	var from uint64
	cmd := &cobra.Command{
		Use:   "history",
		Short: "show what happened to the anchor, oldest first",
		Example: `  kedge history
  kedge history --from 20 --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			view := historyView{Anchor: s.Anchor, Events: []eventView{}}
			for next := &from; next != nil; {
				page, err := s.History(cmd.Context(), s.Anchor, next, historyPage)
				if err != nil {
					return err
				}
				for _, e := range page.Entries {
					view.Events = append(view.Events, viewEvent(e))
				}
				view.DroppedRoutine, view.DroppedWeighty = page.DroppedRoutine, page.DroppedWeighty
				if next != nil && page.Next != nil && *page.Next <= *next {
					return fmt.Errorf("the history goes round in circles at number %d", *page.Next)
				}
				next = page.Next
			}
			info, err := s.AnchorInfo(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			names := map[principal.Principal]string{}
			for _, d := range info.Devices {
				names[principal.SelfAuthenticating(d.Pubkey)] = ui.Printable(d.Alias)
			}
			return a.Result(view, historyTable(view, names))
		},
	}
	cmd.Flags().Uint64Var(&from, "from", 0, "number of the first event to show")
	a.SignerFlags(cmd)
	return cmd
}

func viewEvent(e kedge.HistoryEntry) eventView {
	return eventView{
		Number: e.Number, At: ui.Time(e.At), Kind: ui.CaseName(e.Kind), By: e.By, TemporaryKey: e.TemporaryKey,
		Device: e.Device, Other: e.Other, Until: e.Until,
	}
}

func historyTable(view historyView, names map[principal.Principal]string) string {
	rows := [][]string{{"NUMBER", "AT", "EVENT", "DEVICE", "BY"}}
	for _, e := range view.Events {
		by := nameOf(e.By, names)
		if e.TemporaryKey {
			by += " (temporary key)"
		}
		rows = append(rows, []string{strconv.FormatUint(e.Number, 10), e.At, ui.Spaced(e.Kind), nameOf(e.Device, names), by})
	}
	text := ui.Table(rows)
	if dropped := view.DroppedRoutine + view.DroppedWeighty; dropped > 0 {
		text += fmt.Sprintf("\n%d older events have been overwritten, %d of them about protection, removal or release", dropped, view.DroppedWeighty)
	}
	return text
}

// nameOf is the alias of a device, or of one that is gone the beginning and end of its principal, enough
// to tell devices apart.
func nameOf(p *principal.Principal, names map[principal.Principal]string) string {
	if p == nil {
		return "-"
	}
	if name, known := names[*p]; known {
		return name
	}
	text := p.Text()
	if len(text) < 20 {
		return text
	}
	return text[:11] + "…" + text[len(text)-3:]
}
