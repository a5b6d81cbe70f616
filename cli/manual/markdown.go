// Package manual writes the manual from the commands themselves: docs/cli.md and the man pages.
package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/cli/help"
)

// flagWidth is the width of lists of flags in columns.
const flagWidth = 110

// Markdown returns docs/cli.md.
func Markdown(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(`# The command line

<!-- Written by make docs from the commands themselves; a test compares it. Change the text beside the verb. -->

` + "`kedge --help`" + ` lists the commands, ` + "`kedge help TOPIC`" + ` explains what is no command, and after ` + "`make install`" + ` ([install.md](install.md))
every command has a man page (` + "`man kedge-device-add`" + `) and the shell completes commands, flags and names.

` + prose(root.Long) + "\n")
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| command | what it does |\n|---|---|\n", strings.TrimSuffix(g.Title, ":"))
		for _, leaf := range leaves(root) {
			if groupOf(leaf) == g.ID {
				fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", leaf.CommandPath(), anchor(leaf.CommandPath()), escape(leaf.Short))
			}
		}
	}
	b.WriteString("\n## Flags of every command\n\n" + code(flags(root.PersistentFlags())))
	for _, t := range help.Topics() {
		if t.Name == "words" { // docs/glossary.md
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", title(t.Short), prose(t.Text))
	}
	b.WriteString("\nWhat the words mean is in the [glossary](glossary.md).\n\n## The commands\n")
	for _, leaf := range leaves(root) {
		b.WriteString("\n" + section(leaf))
	}
	return b.String()
}

// section is what the page has on a command.
func section(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s.\n\n%s", cmd.CommandPath(), title(escape(cmd.Short)), code(cmd.UseLine()+"\n"))
	if cmd.Long != "" {
		b.WriteString("\n" + prose(cmd.Long) + "\n")
	}
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n\n" + code(unindent(cmd.Example)))
	}
	if own := flags(cmd.LocalNonPersistentFlags()); own != "" {
		b.WriteString("\nFlags:\n\n" + code(own))
	}
	return b.String()
}

// leaves returns every command that does something itself, in the order of help.
func leaves(root *cobra.Command) (found []*cobra.Command) {
	for _, sub := range root.Commands() {
		switch {
		case !sub.IsAvailableCommand() && sub.Name() != "help":
		case sub.HasSubCommands():
			found = append(found, leaves(sub)...)
		default:
			found = append(found, sub)
		}
	}
	return found
}

func groupOf(cmd *cobra.Command) string {
	for cmd.Parent() != nil && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return cmd.GroupID
}

// flags lists flags but that for help.
func flags(set *pflag.FlagSet) string {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && !f.Hidden {
			own.AddFlag(f)
		}
	})
	return unindent(own.FlagUsagesWrapped(flagWidth))
}

func title(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// anchor is the fragment that a heading has where Markdown is shown.
func anchor(heading string) string { return strings.ReplaceAll(strings.ToLower(heading), " ", "-") }

func code(text string) string { return "```\n" + strings.TrimRight(text, "\n") + "\n```\n" }

// unindent takes away the blanks that all lines begin with.
func unindent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	common := -1
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if n := len(line) - len(strings.TrimLeft(line, " ")); common < 0 || n < common {
			common = n
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line[min(max(common, 0), len(line)):], " ")
	}
	return strings.Join(lines, "\n")
}

// prose turns the plain text of help into Markdown: lines that are indented, with what stands right above
// and below them in the same paragraph, stay as they are.
func prose(text string) string {
	var out []string
	var block []string
	flush := func() {
		if len(block) > 0 {
			out = append(out, strings.TrimRight(code(strings.Join(block, "\n")), "\n"))
			block = nil
		}
	}
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		lines := strings.Split(paragraph, "\n")
		indented := func(line string) bool { return strings.HasPrefix(line, "  ") }
		if i := slices.IndexFunc(lines, indented); i >= 0 {
			if i > 0 {
				flush()
				out = append(out, escape(strings.Join(lines[:i], "\n")))
			}
			if len(block) > 0 {
				block = append(block, "")
			}
			block = append(block, lines[i:]...)
			continue
		}
		flush()
		out = append(out, escape(paragraph))
	}
	flush()
	return strings.Join(out, "\n\n")
}

// escape has Markdown show a text as it is.
func escape(text string) string {
	return strings.NewReplacer("<", "\\<", "*", "\\*", "|", "\\|", "[", "\\[", "`", "\\`").Replace(text)
}
