// Package complete is what the shell completes: commands and flags, and the names of devices, anchors,
// networks, canisters and origins, as far as they are known without asking anything of anybody. It opens
// no key store, no network and no terminal.
package complete

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/cli/session"
)

// Func is how cobra asks for completions.
type Func = func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// Register gives the commands below root their completions, by what their flags and arguments are called.
// What a command has set itself stays.
func Register(root *cobra.Command, app *session.App) {
	k := known{app}
	flags := map[string]Func{
		"network": k.values(k.networks), "canister": k.values(k.canisters), "anchor": k.values(k.anchors),
		"as": k.values(k.signers), "asker": k.values(k.signers), "origin": k.values(k.origins),
		"keys": files, "identity": files, "backup": files, "out": files, "proof": files,
	}
	arguments := map[string]Func{
		"DEVICE": k.values(k.signers), "ORIGIN": k.values(k.origins), "NUMBER": k.values(k.anchors),
		"FILE": files, "MODULE": files, "IMAGE": files, "OLD.wasm": files,
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		set := func(f *pflag.Flag) {
			if _, has := cmd.GetFlagCompletionFunc(f.Name); has {
				return
			}
			complete := flags[f.Name]
			if complete == nil && takesFile(f) {
				complete = files
			}
			if complete == nil {
				complete = nothing
			}
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // it has none yet, so it can be set
		}
		if cmd.LocalNonPersistentFlags().VisitAll(set); cmd == root {
			cmd.PersistentFlags().VisitAll(set)
		}
		if !cmd.HasSubCommands() && cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil {
			cmd.ValidArgsFunction = positional(strings.Fields(cmd.Use)[1:], k.argumentsOf(cmd, arguments))
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// argumentsOf returns what completes the arguments of a command. Below kedge key a NAME is that of a security
// key that is there, unless the command makes it.
func (k known) argumentsOf(cmd *cobra.Command, arguments map[string]Func) map[string]Func {
	if !strings.HasPrefix(cmd.CommandPath(), "kedge key ") || slices.Contains([]string{"init", "import"}, cmd.Name()) {
		return arguments
	}
	own := maps.Clone(arguments)
	own["NAME"], own["OTHER"] = k.values(k.securityKeys), k.values(k.securityKeys)
	own["LABEL"] = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return k.labels(args[0]), cobra.ShellCompDirectiveNoFileComp
	}
	return own
}

// takesFile reports whether a flag's value is a file or a folder, by its name and what its help calls the
// value.
func takesFile(f *pflag.Flag) bool {
	name, _ := pflag.UnquoteUsage(f)
	return strings.HasSuffix(f.Name, "file") || strings.HasSuffix(f.Name, "dir") || slices.Contains([]string{"FILE", "FOLDER", "DIR"}, name)
}

// positional completes arguments by their names in a command's line of use. The last one completes the
// arguments after it, too, if it may be given several times.
func positional(names []string, arguments map[string]Func) Func {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		at := len(args)
		if n := len(names); at >= n && n > 0 && strings.Contains(names[n-1], "…") {
			at = n - 1
		}
		if at < len(names) {
			if complete := arguments[strings.Trim(names[at], "[]…")]; complete != nil {
				return complete(cmd, args, toComplete)
			}
			if choice := strings.Trim(names[at], "[]"); strings.Contains(choice, "|") {
				return lowerCase(strings.Split(choice, "|")), cobra.ShellCompDirectiveNoFileComp
			}
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// lowerCase returns those of the choices that are typed as they stand: NUMBER or TIME is not.
func lowerCase(choices []string) (typed []string) {
	for _, c := range choices {
		if c == strings.ToLower(c) {
			typed = append(typed, c)
		}
	}
	return typed
}

func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func nothing(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// values completes one of a list; an entry may have a description after a tab. What would have to be asked about
// is not known.
func (k known) values(list func() []string) Func {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		k.NoQuestions = true
		return list(), cobra.ShellCompDirectiveNoFileComp
	}
}
