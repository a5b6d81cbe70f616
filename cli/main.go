// Package cli is the command line of Kedge. [Main] runs it in process, with the outside world in a
// [System], so that tests need no binary.
//
// There is one package for each group of verbs, and one file for each verb in it. The verbs share
// package session, which finds out what a command is about, and package ui, which speaks and asks.
// To add a verb, write a function that returns its cobra command, with an example, and list it in
// its group.
package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kedge/cli/hints"
	"kedge/cli/network"
	"kedge/cli/session"
	"kedge/cli/ui"
)

// System is the world outside, see [ui.System].
type System = ui.System

// Terminal is the person at the keyboard, see [ui.Terminal].
type Terminal = ui.Terminal

// RealSystem returns the world of this process.
func RealSystem() System { return ui.RealSystem() }

// Commands returns the commands, for what documents them; they are not to be run.
func Commands() *cobra.Command { return rootCommand(&session.App{UI: &ui.UI{System: RealSystem()}}) }

// Main runs one command and returns the exit code of the process, see [ui.ExitCodes].
func Main(ctx context.Context, system System) int {
	app := &session.App{UI: &ui.UI{System: system}}
	defer app.Close()
	app.FitTables()
	root := rootCommand(app)
	root.SetArgs(network.AsLauncher(system.Args))
	root.SetIn(system.Stdin)
	root.SetOut(system.Stdout)
	root.SetErr(system.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = app.HelpError
	}
	if err != nil {
		code := hints.ExitCode(err)
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ui.ErrInterrupted, err)
		}
		app.JSON = app.JSON || wantsJSON(system.Args) // the flags may be what could not be read
		app.Fail(ui.Failure{
			Code: hints.Code(err), Message: err.Error(), Hint: hints.For(cmd, app.StaleHint(err, hints.Of(err))), Exit: code,
		})
		return code
	}
	return 0
}

// wantsJSON reports whether --json is among arguments that could not be read as a whole.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}
