package complete

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
)

// Shells are the shells that a script is made for.
var Shells = []string{"bash", "zsh", "fish", "powershell"}

// Command returns kedge completion.
func Command(app *session.App) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "print what a shell needs to complete commands, flags and names",
		Long: `Prints the script that has the shell complete commands, flags, networks, canisters,
anchors, origins and devices, as far as they are known without a passphrase. It
never asks for anything. make install puts the scripts where bash, zsh and fish
find them by themselves.`,
		Example: `  source <(kedge completion bash)
  kedge completion zsh > ~/.zfunc/_kedge
  kedge completion fish > ~/.config/fish/completions/kedge.fish
  kedge completion powershell > kedge.ps1`,
		ValidArgs: Shells,
		Args:      ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var script bytes.Buffer
			if err := Script(cmd.Root(), args[0], &script); err != nil {
				return err
			}
			if app.JSON {
				return app.Result(map[string]string{"shell": args[0], "script": script.String()}, "")
			}
			_, err := script.WriteTo(app.Stdout)
			return err
		},
	}
}

// Script writes the script of a shell.
func Script(root *cobra.Command, shell string, to io.Writer) error {
	switch shell {
	case "bash":
		return bashScript(root, to)
	case "zsh":
		return root.GenZshCompletion(to)
	case "fish":
		return root.GenFishCompletion(to, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(to)
	}
	return &ui.Error{
		Err:  fmt.Errorf("there is no completion for the shell %q", shell),
		Code: ui.ExitUsage, Hint: ui.DidYouMean(prefixed("kedge completion ", ui.Nearest(shell, Shells)), "kedge completion --help"),
	}
}

func prefixed(prefix string, words []string) (all []string) {
	for _, w := range words {
		all = append(all, prefix+w)
	}
	return all
}
