package cli

import "github.com/spf13/cobra"

func (a *app) recoveryCommand() *cobra.Command {
	return a.group("recovery", "recovery methods",
		a.group("phrase", "the recovery phrase of an anchor", a.recoveryPhraseAdd()))
}
