package cli

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"kedge/cli/help"
	"kedge/cli/session"
	"kedge/cli/ui"
)

// newRoot returns the commands, which parsing changes, so every parse takes new ones.
func newRoot() *cobra.Command {
	return rootCommand(&session.App{UI: &ui.UI{System: RealSystem()}})
}

// leaves returns every command that does something itself.
func leaves(root *cobra.Command) (found []*cobra.Command) {
	for _, sub := range root.Commands() {
		if sub.HasSubCommands() {
			found = append(found, leaves(sub)...)
		} else {
			found = append(found, sub)
		}
	}
	return found
}

// commandLines returns the command lines of kedge in a text, as help shows them: indented.
func commandLines(text string) (lines []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "  ") && strings.Contains(line, "kedge ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// splitLine splits a line as a shell does: quotes, comments, assignments in front, and what it is
// redirected to.
func splitLine(line string) (words []string, err error) {
	var word strings.Builder
	inWord, quote := false, rune(0)
	flush := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	for i, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inWord = r, true
		case quote == 0 && r == ' ':
			flush()
		case quote == 0 && !inWord && (r == '#' || r == '>' || r == '|'):
			return words, nil
		case quote == 0 && r == '|' && i > 0:
			flush()
			return words, nil
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if flush(); quote != 0 {
		return nil, fmt.Errorf("quote without end in %q", line)
	}
	return words, nil
}

var substitution = regexp.MustCompile(`^[A-Z_]+=|^(eval|source|\.|icp|sudo)$|^[$<(]`)

// parseExample parses a command line against the real commands and flags, runs nothing, and returns the
// command that it names.
func parseExample(line string) (*cobra.Command, error) {
	words, err := splitLine(line)
	if err != nil {
		return nil, err
	}
	for len(words) > 0 && substitution.MatchString(words[0]) {
		words = words[1:]
	}
	if len(words) == 0 || words[0] != "kedge" {
		return nil, nil // another program's, for the reader to see the place of a variable
	}
	cmd, args, err := newRoot().Find(words[1:])
	if err != nil {
		return nil, err
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	if err := cmd.ParseFlags(args); err != nil {
		return nil, err
	}
	if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 {
		return nil, fmt.Errorf("%s has no command %q", cmd.CommandPath(), cmd.Flags().Arg(0))
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		return nil, err
	}
	return cmd, cmd.ValidateArgs(cmd.Flags().Args())
}

const twoExamples = "every verb has Use, Short, Long and two examples that parse; write them beside it"

// Help is the manual: every command says what it does, and every verb shows twice how it is used, in
// command lines that its real flags and arguments take.
func TestEveryVerbIsExplained(t *testing.T) {
	require.Greater(t, len(leaves(newRoot())), 50)
	for _, cmd := range leaves(newRoot()) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			require.NotEmpty(t, cmd.Short, twoExamples)
			require.NotEmpty(t, cmd.Long, twoExamples)
			require.NotContains(t, strings.TrimSuffix(cmd.Short, "…"), ". ", "Short is one line")
			require.False(t, strings.HasSuffix(cmd.Short, "."), "Short has no full stop")
			own := 0
			for _, line := range commandLines(cmd.Example) {
				found, err := parseExample(line)
				require.NoError(t, err, "%q: %s", line, twoExamples)
				if found != nil && found.CommandPath() == cmd.CommandPath() {
					own++
				}
			}
			if cmd.CommandPath() != "kedge network launcher" { // icp types it
				require.GreaterOrEqual(t, own, 2, twoExamples)
			}
		})
	}
}

func TestEveryGroupIsExplained(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		require.NotEmpty(t, cmd.Short, cmd.CommandPath())
		for _, line := range commandLines(cmd.Example + "\n" + cmd.Long) {
			_, err := parseExample(line)
			require.NoError(t, err, "%s: %q", cmd.CommandPath(), line)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}

// Each command of the first level is listed under who uses it.
func TestEveryCommandHasAGroup(t *testing.T) {
	root := newRoot()
	for _, cmd := range root.Commands() {
		require.True(t, root.ContainsGroup(cmd.GroupID) && cmd.GroupID != "", "name %q in groups of cli/help/groups.go", cmd.Name())
	}
}

func TestTopicsAreRight(t *testing.T) {
	root := newRoot()
	for _, topic := range help.Topics() {
		for _, c := range root.Commands() {
			require.NotEqual(t, c.Name(), topic.Name, "kedge help %s would be ambiguous", topic.Name)
		}
		for _, line := range commandLines(topic.Text) {
			if strings.HasPrefix(line, "kedge ") {
				_, err := parseExample(line)
				require.NoError(t, err, "topic %s: %q", topic.Name, line)
			}
		}
	}
}

// The test's own parser notices what is wrong.
func TestParseExample(t *testing.T) {
	for line, wrong := range map[string]string{
		"kedge device list": "",
		`KEDGE_AS=phrase kedge device add "my phone" # why`:  "",
		"kedge device list --bogus":                          "unknown flag",
		"kedge device bogus":                                 "no command",
		"kedge bogus":                                        "no command",
		"kedge device add":                                   "takes NAME, and none was given",
		`kedge device add "x`:                                "quote",
		"kedge device list --json | jq .":                    "",
		"kedge history > history.txt":                        "",
		"kedge device list one":                              "takes no argument, and one",
		"kedge session-limit 12h --anchor ten":               "invalid argument",
		"kedge principal":                                    "", // says itself what is missing
		"ls":                                                 "",
		"eval \"$(kedge completion bash)\"":                  "",
		"icp network start":                                  "",
		"KEDGE_AS=x icp identity new":                        "",
		"kedge device add phone --public-key 305e… # rest":   "",
		"kedge device add phone 'a b'":                       "takes NAME, and 2 were given",
		"kedge version --offline --json":                     "",
		"kedge --version":                                    "",
		"kedge device --help":                                "",
		"kedge guard on --as phrase --anchor 10000 --json":   "",
		"kedge --network ic device list":                     "",
		"kedge release consent --delay 30d --asker a --as x": "",
	} {
		_, err := parseExample(line)
		if wrong == "" {
			require.NoError(t, err, line)
		} else {
			require.ErrorContains(t, err, wrong, line)
		}
	}
}
