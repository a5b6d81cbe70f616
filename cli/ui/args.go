package ui

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Args gives a complaint about the number of arguments the exit code of wrong usage, and says which arguments the
// command takes by the names of its usage line. No argument is repeated: one that nobody expected may be a secret.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := noWords(args); err != nil {
			return err
		}
		if check(cmd, args) == nil {
			return nil
		}
		names := argumentNames(cmd.Use)
		takes := "no argument"
		if len(names) > 0 {
			takes = strings.Join(names, " ")
		}
		was := fmt.Sprintf("%d were", len(args))
		switch len(args) {
		case 0:
			was = "none was"
		case 1:
			was = "one was"
		}
		return &Error{Err: fmt.Errorf("%s takes %s, and %s given", cmd.CommandPath(), takes, was), Code: ExitUsage, Hint: cmd.CommandPath() + " --help"}
	}
}

// argumentNames returns the arguments of a usage line, which stand before its flags.
func argumentNames(use string) []string {
	names := strings.Fields(use)[1:]
	for i, name := range names {
		if strings.HasPrefix(name, "-") {
			return names[:i]
		}
	}
	return names
}
