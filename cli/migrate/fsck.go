package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/ui"
)

type fsckView struct {
	Checked  uint64        `json:"checked"`
	Problems []fsckProblem `json:"problems"`
}

type fsckProblem struct {
	Region      string `json:"region"`
	Description string `json:"description"`
}

func (a verbs) fsckCommand() *cobra.Command {
	var rebuild bool
	cmd := &cobra.Command{
		Use:   "fsck",
		Short: "check stable memory and list what is damaged",
		Long: `For the controllers of the canister. Checks every anchor's checksums, and with
--rebuild-indexes makes the indexes anew. Exits with 1 if anything is damaged.`,
		Example: `  kedge fsck
  kedge fsck --rebuild-indexes --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.fsck(cmd.Context(), rebuild)
		},
	}
	cmd.Flags().BoolVar(&rebuild, "rebuild-indexes", false, "make the indexes anew")
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) fsck(ctx context.Context, rebuild bool) error {
	p, err := a.OpenController(ctx)
	if err != nil {
		return err
	}
	done := a.Working("checking stable memory")
	defer done()
	view := fsckView{Problems: []fsckProblem{}}
	options := kedge.FsckOptions{RebuildIndexes: rebuild}
	for {
		reply, err := p.Call(ctx, "fsck", kedge.EncodeFsckArgs(&options))
		result, err := provider.Decoded("fsck", reply, err, kedge.DecodeFsckResult)
		if err != nil {
			return err
		}
		if result.Tag == kedge.FsckResultTagErr {
			return provider.Refusal(result.Err)
		}
		report := result.Ok
		if !report.Rebuilt {
			continue // the canister goes on with the indexes where it stopped, and then begins to check
		}
		view.Checked += report.Checked
		for _, problem := range report.Problems {
			view.Problems = append(view.Problems, fsckProblem(problem))
		}
		if report.Next == nil {
			break
		}
		if options.From != nil && *report.Next <= *options.From {
			return fmt.Errorf("the check goes round in circles at anchor %d", *report.Next)
		}
		options.From = report.Next
	}
	done()
	if err := a.Result(view, fsckText(view)); err != nil {
		return err
	}
	if len(view.Problems) > 0 {
		return ui.Hinted(fmt.Errorf("the check found %s", ui.Count(len(view.Problems), "problem")), "anchors that are not named are not affected; docs/migration.md says what to do")
	}
	return nil
}

func fsckText(v fsckView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s checked, %s\n", ui.Count(v.Checked, "anchor"), ui.Count(len(v.Problems), "problem"))
	for _, p := range v.Problems {
		fmt.Fprintf(&b, "%s: %s\n", p.Region, ui.Printable(p.Description))
	}
	return b.String()
}
