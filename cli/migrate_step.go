package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kedge/candid/kedge"
)

// losses are what a step back may lose, by the names that --accept knows.
var losses = map[string]kedge.Loss{
	"protections": kedge.LossProtections, "guards": kedge.LossGuards,
	"consents": kedge.LossConsents, "demands": kedge.LossDemands,
}

func (a *app) migrateStep() *cobra.Command {
	var version uint16
	var accept []string
	var once bool
	cmd := &cobra.Command{
		Use:   "step",
		Short: "go on with a change of layout, to the newest or to --to",
		Long: `Sends batch after batch until the change of layout is done; each is one message. It
may be interrupted at any time and goes on where it was.

A step back that would lose a protection, a guard, a consent or a demand is
refused unless what is lost is named: --accept protections.`,
		Example: `  kedge migrate step
  kedge migrate step --once
  kedge migrate step --to 1 --accept guards --accept consents`,
		Args: argsError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var to *uint16
			if cmd.Flags().Changed("to") {
				to = &version
			}
			var accepted []kedge.Loss
			for _, name := range accept {
				loss, known := losses[name]
				if !known {
					return usagef("--accept %q is none of protections, guards, consents, demands", name)
				}
				accepted = append(accepted, loss)
			}
			return a.runMigration(cmd.Context(), to, accepted, once)
		},
	}
	cmd.Flags().Uint16Var(&version, "to", 0, "layout to go to (default: the newest)")
	cmd.Flags().StringArrayVar(&accept, "accept", nil, "what a step back may lose: protections, guards, consents or demands")
	cmd.Flags().BoolVar(&once, "once", false, "send one batch only")
	a.identityFlag(cmd)
	return cmd
}

func (a *app) runMigration(ctx context.Context, to *uint16, accepted []kedge.Loss, once bool) error {
	p, err := a.openController(ctx)
	if err != nil {
		return err
	}
	bar := a.newBar()
	defer bar.clear()
	for {
		reply, err := p.call(ctx, "migration_step", kedge.EncodeMigrationStepArgs(to, accepted))
		status, err := migration("migration_step", reply, err)
		if err != nil {
			return err
		}
		view := viewMigration(status)
		if status.State == nil || *status.State != kedge.MigrationStateRunning || once {
			bar.clear()
			return a.result(view, migrationText(view))
		}
		if view.Step != nil {
			bar.show(view.Step.Done, view.Step.Total)
		}
	}
}

// progressBar is a line on a terminal that is drawn again and again; elsewhere it is nothing.
type progressBar struct {
	out   *os.File
	drawn bool
}

func (a *app) newBar() *progressBar {
	if f, ok := a.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !a.json {
		return &progressBar{out: f}
	}
	return &progressBar{}
}

// barWidth is the width of a full bar in characters.
const barWidth = 40

func (b *progressBar) show(done, total uint64) {
	if b.out == nil || total == 0 {
		return
	}
	filled := int(min(done, total) * barWidth / total)
	_, _ = fmt.Fprintf(b.out, "\r[%s%s] %d of %d anchors ", strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), done, total)
	b.drawn = true
}

func (b *progressBar) clear() {
	if b.drawn {
		_, _ = fmt.Fprint(b.out, "\r\x1b[K")
		b.drawn = false
	}
}
