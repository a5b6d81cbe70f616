package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
)

func (a *app) migrateCommand() *cobra.Command {
	cmd := a.group("migrate", "change the layout of stable memory, and come from Internet Identity",
		a.migrateStatus(), a.migrateStep(), a.migratePause(), a.migrateResume(), a.migrateRollback(), a.migrateFinalize(), a.migratePlan())
	cmd.Long = `For the controllers of the canister (--identity). The anchors can be used all the
time. docs/migration.md is the operator's page.`
	return cmd
}

// openController calls the canister as its controller.
func (a *app) openController(ctx context.Context) (*provider, error) {
	canister, err := a.canisterID()
	if err != nil {
		return nil, err
	}
	network, err := a.openNetwork(ctx)
	if err != nil {
		return nil, err
	}
	id, err := a.controller(network)
	if err != nil {
		return nil, err
	}
	c, err := client.New(network, client.Session{Identity: id})
	if err != nil {
		return nil, err
	}
	return &provider{client: c, canister: canister}, nil
}

// migration turns the answer of a method about migrations into the status or the refusal.
func migration(method string, reply []byte, err error) (kedge.MigrationStatus, error) {
	// All these methods answer alike, so one decoder serves them all.
	result, err := decoded(method, reply, err, kedge.DecodeMigrationStatusResult)
	if err == nil && result.Tag == kedge.MigrationStatusResultTagErr {
		err = refusal(result.Err)
	}
	return result.Ok, err
}

func (p *provider) migrationStatus(ctx context.Context) (kedge.MigrationStatus, error) {
	reply, err := p.query(ctx, "migration_status", kedge.EncodeMigrationStatusArgs())
	return migration("migration_status", reply, err)
}

type migrationView struct {
	Layout        string          `json:"layout"`
	State         string          `json:"state"`
	Step          *migrationStep  `json:"step,omitempty"`
	Weakened      []uint64        `json:"weakened"`
	WeakenedTotal uint64          `json:"weakened_total"`
	WeakenedAll   bool            `json:"weakened_complete"` // false if there may be more
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
		Layout: layoutText(s.Layout), State: caseName(s.State),
		Weakened: append([]uint64{}, s.Weakened...), WeakenedTotal: s.WeakenedTotal, WeakenedAll: s.WeakenedComplete,
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
		fmt.Fprintf(&b, "a rollback would weaken %s anchors: %s%s\n", weakenedCount(view), numbers(view.Weakened), more(len(view.Weakened), view.WeakenedTotal))
	}
	for _, n := range view.Notes {
		if n.Anchor != nil {
			fmt.Fprintf(&b, "anchor %d: ", *n.Anchor)
		}
		fmt.Fprintln(&b, printable(n.Description))
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
func (a *app) confirm(p *provider, given, what string) error {
	if given == "" {
		t, err := a.ask()
		if err != nil {
			return hinted(err, "--confirm %s confirms it in scripts", p.canister)
		}
		if given, err = t.Line(fmt.Sprintf("%s; type the canister's id to go on: ", what), false); err != nil {
			return err
		}
	}
	if given != p.canister.Text() {
		return usagef("%q is not the id of the canister, so nothing was done", given)
	}
	return nil
}
