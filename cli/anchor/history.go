package anchor

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

type eventView struct {
	Number       uint64               `json:"number"`
	At           string               `json:"at"`
	Kind         string               `json:"kind"`
	By           *principal.Principal `json:"by,omitempty"`
	TemporaryKey bool                 `json:"temporary_key,omitempty"`
	Device       *principal.Principal `json:"device,omitempty"`
	Other        *principal.Principal `json:"other,omitempty"`
	Until        *uint64              `json:"until,omitempty"`   // see EventKind in kedge.did
	Contact      *uint64              `json:"contact,omitempty"` // its anchor, in place of until

	at uint64 // nanoseconds since 1970
}

type historyView struct {
	Anchor          uint64      `json:"anchor"`
	Events          []eventView `json:"events"`
	DroppedRoutine  uint64      `json:"dropped_routine"`
	DroppedSecurity uint64      `json:"dropped_security"`
}

func (a verbs) historyCommand() *cobra.Command {
	var from uint64
	cmd := &cobra.Command{
		Use:   "history",
		Short: "show what happened to the anchor, oldest first",
		Long: `Shows who added, changed and removed which device, protections, releases and the
rest, with the time and the principal that signed. Routine events make room first
when the anchor's history is full; how many are gone is said. Only devices of the
anchor may read it.`,
		Example: `  kedge history
  kedge history --from 20 --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			view := historyView{Anchor: s.Anchor, Events: []eventView{}}
			last, err := s.EachEvent(cmd.Context(), from, func(e kedge.HistoryEntry) {
				view.Events = append(view.Events, viewEvent(e))
			})
			if err != nil {
				return err
			}
			view.DroppedRoutine, view.DroppedSecurity = last.DroppedRoutine, last.DroppedSecurity
			info, err := s.AnchorInfo(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			names := map[principal.Principal]string{}
			for _, d := range info.Devices {
				names[principal.SelfAuthenticating(d.Pubkey)] = session.Label(d.Alias, d.Pubkey)
			}
			return a.Result(view, historyTable(view, names, a.Now()))
		},
	}
	cmd.Flags().Uint64Var(&from, "from", 0, "number of the first event to show")
	a.SignerFlags(cmd)
	return cmd
}

func viewEvent(e kedge.HistoryEntry) eventView {
	v := eventView{
		Number: e.Number, At: ui.Time(e.At), Kind: ui.CaseName(e.Kind), By: e.By, TemporaryKey: e.TemporaryKey,
		Device: e.Device, Other: e.Other, Until: e.Until, at: e.At,
	}
	if e.Kind != nil && (*e.Kind == kedge.EventKindContactActed || *e.Kind == kedge.EventKindContactVetoed) {
		v.Contact, v.Until = e.Until, nil
	}
	return v
}

func historyTable(view historyView, names map[principal.Principal]string, now time.Time) string {
	rows := [][]string{{"NUMBER", "AT", "EVENT", "DEVICE", "BY"}}
	for _, e := range view.Events {
		by := nameOf(e.By, names)
		if e.TemporaryKey {
			by += " (temporary key)"
		}
		event := ui.Spaced(e.Kind)
		if e.Contact != nil {
			event += " " + strconv.FormatUint(*e.Contact, 10)
		}
		rows = append(rows, []string{strconv.FormatUint(e.Number, 10), ui.WhenNanos(e.at, now), event, nameOf(e.Device, names), by})
	}
	text := ui.Table(rows)
	if dropped := view.DroppedRoutine + view.DroppedSecurity; dropped > 0 {
		text += fmt.Sprintf("\noverwritten: %s, %d about protection, removal or release", ui.Count(dropped, "older event"), view.DroppedSecurity)
	}
	return text
}

// nameOf is the alias of a device with the ends of its principal, or these alone if the device is gone.
func nameOf(p *principal.Principal, names map[principal.Principal]string) string {
	if p == nil {
		return "-"
	}
	if name, known := names[*p]; known {
		return name
	}
	return ui.ShortPrincipal(*p)
}
