package ui

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Nearest returns which of the candidates a person may have meant by word, the nearest first: those that
// begin with it, and those that are a few typing errors away from it. There are none for a word that is like
// no candidate.
func Nearest(word string, candidates []string) []string {
	type near struct {
		text     string
		distance int
	}
	word = strings.ToLower(word)
	var found []near
	for _, c := range candidates {
		d := typingErrors(word, strings.ToLower(c))
		if len(word) >= 2 && strings.HasPrefix(strings.ToLower(c), word) {
			d = 0
		}
		if d <= min(2, len(word)/3) {
			found = append(found, near{c, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(a.distance, b.distance) })
	var texts []string
	for _, n := range found {
		if !slices.Contains(texts, n.text) {
			texts = append(texts, n.text)
		}
	}
	return texts
}

// typingErrors counts the characters that were left out, put in, mistaken or swapped with their neighbour
// (the optimal string alignment distance).
func typingErrors(a, b string) int {
	s, t := []rune(a), []rune(b)
	d := make([][]int, len(s)+1)
	for i := range d {
		d[i] = make([]int, len(t)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			mistaken := 1
			if s[i-1] == t[j-1] {
				mistaken = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+mistaken)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(s)][len(t)]
}

// mostMeant is how many suggestions a hint has.
const mostMeant = 4

// DidYouMean is a hint that names suggestions and then the help; without suggestions it names the help
// alone.
func DidYouMean(meant []string, help string) string {
	if len(meant) == 0 {
		return help
	}
	meant = meant[:min(len(meant), mostMeant)]
	list := meant[0]
	if n := len(meant) - 1; n > 0 {
		list = strings.Join(meant[:n], ", ") + " or " + meant[n]
	}
	return fmt.Sprintf("did you mean %s? %s shows the rest", list, help)
}

// UnknownCommand says that cmd has no command of that name, and which ones may have been meant: of its
// own, or else anywhere.
func UnknownCommand(cmd *cobra.Command, name string) error {
	return &Error{
		Err:  fmt.Errorf("unknown command %q for %q", name, cmd.CommandPath()),
		Code: ExitUsage, Hint: DidYouMean(CommandsLike(cmd, name), cmd.CommandPath()+" --help"),
	}
}

// CommandsLike returns the paths of the commands that a person may have meant by name below cmd: those of
// its own that are like it, those anywhere that are called so, and else those anywhere that are like it.
func CommandsLike(cmd *cobra.Command, name string) []string {
	meant := like(cmd.Commands(), name)
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				all = append(all, sub)
				walk(sub)
			}
		}
	}
	walk(cmd.Root())
	for _, c := range all {
		if called(c, name) && !slices.Contains(meant, c.CommandPath()) {
			meant = append(meant, c.CommandPath())
		}
	}
	if len(meant) == 0 {
		meant = like(all, name)
	}
	return meant
}

// called reports whether a command has that name, or one that it names as another word for its own.
func called(c *cobra.Command, name string) bool {
	return strings.EqualFold(c.Name(), name) || slices.Contains(c.SuggestFor, strings.ToLower(name))
}

// like returns the paths of the commands that are called almost so.
func like(commands []*cobra.Command, name string) []string {
	var names []string
	for _, c := range commands {
		if c.IsAvailableCommand() {
			names = append(append(names, c.Name()), c.SuggestFor...)
		}
	}
	var paths []string
	for _, near := range Nearest(name, names) {
		for _, c := range commands {
			if c.IsAvailableCommand() && called(c, near) && !slices.Contains(paths, c.CommandPath()) {
				paths = append(paths, c.CommandPath())
			}
		}
	}
	return paths
}

// FlagError makes cobra's complaints about flags errors of wrong usage; for an unknown flag, with those
// that may have been meant. A flag behind a command that is not there says that the command is not there.
func FlagError(cmd *cobra.Command, err error) error {
	if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 && noWords(cmd.Flags().Args()) == nil {
		return UnknownCommand(cmd, cmd.Flags().Arg(0)) // whose flags these would be
	}
	help := cmd.CommandPath() + " --help"
	e := &Error{Err: err, Code: ExitUsage, Hint: help}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, "--"+f.Name)
			}
		})
		e.Hint = DidYouMean(Nearest("--"+unknown.GetSpecifiedName(), names), help)
	}
	return e
}
