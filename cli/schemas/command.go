package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
)

// Command returns kedge schema.
func Command(u *ui.UI) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [COMMAND…]",
		Short: "show the shape of what a command prints with --json",
		Long: `Prints the JSON Schema (draft 2020-12) of what a command prints on standard output with
--json. The schema "error" is that of the line on standard error when a command fails.
Without a command, lists the names of all schemas. Properties may be added later; none
is renamed, and no type changes.`,
		Example: `  kedge schema key list
  kedge schema error`,
		Args: ui.Args(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return u.Result(Names(), strings.Join(Names(), "\n"))
			}
			name := Name(strings.TrimPrefix(strings.Join(args, " "), "kedge "))
			document, err := Of(name)
			if errors.Is(err, fs.ErrNotExist) {
				return &ui.Error{Err: fmt.Errorf("no command is called %q, or it only has others below it", strings.Join(args, " ")),
					Code: ui.ExitUsage, Hint: "kedge schema lists the names"}
			}
			if err != nil {
				return err
			}
			return u.Result(json.RawMessage(document), string(document))
		},
	}
}
