package ui

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/origin"
)

// OriginVar adds a flag for a web origin. The value is kept as browsers write it, since another text is
// another origin to all who compare them; what is none is refused with the rule that it breaks.
func OriginVar(cmd *cobra.Command, value *string, name, usage string) {
	cmd.Flags().Var(&originFlag{cmd: cmd, set: func(text string) { *value = text }, get: func() string { return *value }}, name, usage)
}

// OptionalOriginVar is [OriginVar] for a flag whose empty value means none.
func OptionalOriginVar(cmd *cobra.Command, value *string, name, usage string) {
	cmd.Flags().Var(&originFlag{cmd: cmd, empty: true, set: func(text string) { *value = text }, get: func() string { return *value }}, name, usage)
}

// OriginsVar is [OriginVar] for a flag that may be given several times.
func OriginsVar(cmd *cobra.Command, values *[]string, name, usage string) {
	cmd.Flags().Var(&originFlag{
		cmd: cmd,
		set: func(text string) { *values = append(*values, text) },
		get: func() string { return strings.Join(*values, ",") },
	}, name, usage)
}

type originFlag struct {
	cmd   *cobra.Command
	empty bool // means none, in place of being refused
	set   func(string)
	get   func() string
}

func (f *originFlag) String() string {
	if f.get == nil { // package flag makes a zero value to compare the default with
		return ""
	}
	return f.get()
}

func (f *originFlag) Type() string { return "string" }

func (f *originFlag) Set(text string) error {
	if text == "" && f.empty {
		f.set("")
		return nil
	}
	canonical, err := origin.Canonical(text)
	if err != nil {
		return err
	}
	if canonical != text {
		_, _ = fmt.Fprintf(f.cmd.ErrOrStderr(), "kedge: %s\n", message(fmt.Sprintf("the origin is %s", canonical)))
	}
	f.set(canonical)
	return nil
}
