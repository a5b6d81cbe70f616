package ui

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// YesFlag adds --yes to a command that asks before it destroys something.
func (u *UI) YesFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&u.Yes, "yes", false, "do not ask")
}

// ErrDeclined says that the person did not want it.
var ErrDeclined = errors.New("nothing was done")

// Confirm asks on the terminal before something is destroyed, which what says in a sentence, unless --yes
// was given. Without a terminal, --yes has to say it.
func (u *UI) Confirm(what string) error {
	if u.Yes {
		return nil
	}
	t, err := u.OpenTerminalOnce()
	if err != nil {
		return &Error{Err: fmt.Errorf("%s; nobody is there to ask", what), Hint: "--yes goes on without asking", Code: ExitNotAsked}
	}
	answer, err := t.Line(Harmless(what) + "; go on? type yes: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return ErrDeclined
	}
	return nil
}
