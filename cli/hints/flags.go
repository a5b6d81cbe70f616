package hints

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// flag is a long flag in a text.
var flag = regexp.MustCompile(`(?:^|[\s("])--([a-z][a-z0-9-]*)`)

// For leaves out of a hint what the command at hand cannot do: a hint goes with the kind of an error, and names
// flags that only some of the commands have on which such an error comes up. A clause, which ends at a semicolon,
// that names another command is about that one and stays.
func For(cmd *cobra.Command, hint string) string {
	var kept []string
	for _, clause := range strings.Split(hint, "; ") {
		if strings.Contains(clause, "kedge ") || hasFlags(cmd, clause) {
			kept = append(kept, clause)
		}
	}
	return strings.Join(kept, "; ")
}

// hasFlags reports whether a command has each flag that a text names.
func hasFlags(cmd *cobra.Command, text string) bool {
	for _, m := range flag.FindAllStringSubmatch(text, -1) {
		if m[1] != "help" && cmd.Flags().Lookup(m[1]) == nil && cmd.InheritedFlags().Lookup(m[1]) == nil {
			return false
		}
	}
	return true
}
