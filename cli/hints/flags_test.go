package hints_test

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"kedge/cli/hints"
)

// A hint names no flag that the command at hand does not have.
func TestForTheCommand(t *testing.T) {
	root := &cobra.Command{Use: "kedge"}
	root.PersistentFlags().String("network", "", "")
	signs, plain := &cobra.Command{Use: "signs"}, &cobra.Command{Use: "plain"}
	signs.Flags().String("as", "", "")
	root.AddCommand(signs, plain)
	for hint, want := range map[string]string{
		"--as names another signer":                         "",
		"--network names another; --as says who":            "--network names another",
		"KEDGE_X gives it; --as phrase does":                "KEDGE_X gives it",
		"kedge signs --as x makes one; --as says who":       "kedge signs --as x makes one",
		"kedge plain --help":                                "kedge plain --help",
		"compare the words with the paper":                  "compare the words with the paper",
		"":                                                  "",
		"a name with two dashes--inside is no flag of ours": "a name with two dashes--inside is no flag of ours",
	} {
		require.Equal(t, want, hints.For(plain, hint), hint)
		require.Equal(t, hint, hints.For(signs, hint))
	}
}
