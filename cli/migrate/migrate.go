// Package migrate is kedge migrate and kedge fsck, for the controllers of a canister.
package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
)

type verbs struct{ *session.App }

// Commands returns kedge migrate and kedge fsck.
func Commands(app *session.App) []*cobra.Command {
	a := verbs{app}
	return []*cobra.Command{a.migrateCommand(), a.fsckCommand()}
}

func (a verbs) migrateCommand() *cobra.Command {
	cmd := ui.Group("migrate", "change the layout of stable memory, and come from Internet Identity",
		a.migrateStatus(), a.migrateStep(), a.migratePause(), a.migrateResume(), a.migrateRollback(), a.migrateFinalize(), a.migratePlan())
	cmd.Long = `For the controllers of the canister (--identity). The anchors can be used all the
time. docs/migration.md is the operator's page.`
	return cmd
}

// migration turns the answer of a method about migrations into the status or the refusal.
func migration(method string, reply []byte, err error) (kedge.MigrationStatus, error) {
	// All these methods answer alike, so one decoder serves them all.
	result, err := provider.Decoded(method, reply, err, kedge.DecodeMigrationStatusResult)
	if err == nil && result.Tag == kedge.MigrationStatusResultTagErr {
		err = provider.Refusal(result.Err)
	}
	return result.Ok, err
}

func statusOf(ctx context.Context, p *provider.Provider) (kedge.MigrationStatus, error) {
	reply, err := p.Query(ctx, "migration_status", kedge.EncodeMigrationStatusArgs())
	return migration("migration_status", reply, err)
}

type migrationView struct {
	Layout        string          `json:"layout"`
	State         string          `json:"state"`
	Step          *migrationStep  `json:"step,omitempty"`
	Weakened      []uint64        `json:"weakened"`
	WeakenedTotal uint64          `json:"weakened_total"`
	WeakenedAll   bool            `json:"weakened_complete"` // false if there may be more
	Outdated      []uint64        `json:"outdated"`
	OutdatedTotal uint64          `json:"outdated_total"`
	OutdatedAll   bool            `json:"outdated_complete"`
	Notes         []migrationNote `json:"notes"`
	NotesTotal    uint64          `json:"notes_total"`
}

type migrationStep struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"`
}

type migrationNote struct {
	Anchor      *uint64 `json:"anchor,omitempty"`
	Description string  `json:"description"`
}

func layoutText(l kedge.Layout) string {
	return fmt.Sprintf("%s %d", strings.ReplaceAll(l.Family.String(), "_", " "), l.Version)
}

func viewMigration(s kedge.MigrationStatus) migrationView {
	view := migrationView{
		Layout: layoutText(s.Layout), State: ui.CaseName(s.State),
		Weakened: append([]uint64{}, s.Weakened...), WeakenedTotal: s.WeakenedTotal, WeakenedAll: s.WeakenedComplete,
		Outdated: append([]uint64{}, s.Outdated...), OutdatedTotal: s.OutdatedTotal, OutdatedAll: s.OutdatedComplete,
		Notes: []migrationNote{}, NotesTotal: s.NotesTotal,
	}
	if s.Step != nil {
		view.Step = &migrationStep{layoutText(s.Step.From), layoutText(s.Step.To), s.Step.Done, s.Step.Total}
	}
	for _, n := range s.Notes {
		view.Notes = append(view.Notes, migrationNote{n.Anchor, n.Description})
	}
	return view
}

func migrationText(view migrationView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "layout %s, %s\n", view.Layout, view.State)
	if step := view.Step; step != nil {
		fmt.Fprintf(&b, "from %s to %s: %d of %d anchors\n", step.From, step.To, step.Done, step.Total)
	}
	if view.WeakenedTotal > 0 {
		fmt.Fprintf(&b, "a rollback would weaken %s anchors: %s%s\n", weakenedCount(view), ui.Numbers(view.Weakened), more(len(view.Weakened), view.WeakenedTotal))
	}
	if view.OutdatedTotal > 0 {
		atLeast := ""
		if !view.OutdatedAll {
			atLeast = "at least "
		}
		fmt.Fprintf(&b, "virtual memory 16 has not followed the devices of %s%d anchors: %s%s\n", atLeast, view.OutdatedTotal, ui.Numbers(view.Outdated), more(len(view.Outdated), view.OutdatedTotal))
	}
	for _, n := range view.Notes {
		if n.Anchor != nil {
			fmt.Fprintf(&b, "anchor %d: ", *n.Anchor)
		}
		fmt.Fprintln(&b, ui.Printable(n.Description))
	}
	if rest := more(len(view.Notes), view.NotesTotal); rest != "" {
		fmt.Fprintf(&b, "%s\n", strings.TrimPrefix(rest, ", "))
	}
	return b.String()
}

// weakenedCount says how many anchors a rollback weakens, as far as the canister could look.
func weakenedCount(view migrationView) string {
	if view.WeakenedAll {
		return fmt.Sprint(view.WeakenedTotal)
	}
	return fmt.Sprintf("at least %d", view.WeakenedTotal)
}

func more(shown int, total uint64) string {
	if uint64(shown) >= total {
		return ""
	}
	return fmt.Sprintf(", and %d more", total-uint64(shown))
}

// confirm has a step that cannot be taken back confirmed: by --confirm with the canister's id, or by
// typing the id on the terminal.
func (a verbs) confirmCanister(p *provider.Provider, given, what string) error {
	if given == "" {
		t, err := a.Ask()
		if err != nil {
			return ui.Hinted(err, "--confirm %s confirms it in scripts", p.Canister)
		}
		if given, err = t.Line(fmt.Sprintf("%s; type the canister's id, %s, to go on: ", what, p.Canister)); err != nil {
			return err
		}
	}
	if given != p.Canister.Text() {
		return ui.Usagef("%q is not the id of the canister, so nothing was done", given)
	}
	return nil
}
