// Package help is kedge help: how the commands are grouped, the topics that are about no command, and
// what was meant by a word that is none.
package help

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/cli/session"
	"kedge/cli/ui"
)

// Arrange gives the root command its help, groups, topics and suggestions. It goes last, when root has all
// its commands.
func Arrange(root *cobra.Command, app *session.App) {
	root.AddGroup(
		&cobra.Group{ID: People, Title: "For people who sign in:"},
		&cobra.Group{ID: Operators, Title: "For operators of a canister:"},
		&cobra.Group{ID: Developers, Title: "For developers of applications and canisters:"},
		&cobra.Group{ID: About, Title: "About kedge:"},
	)
	root.SetHelpCommand(command(app))
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		cmd.GroupID = groups[cmd.Name()]
	}
	suggest(root)
	root.SetFlagErrorFunc(ui.FlagError)
	show := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		// What is asked for with --help may not exist; cobra would show the group's help then.
		if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 {
			app.HelpError = ui.UnknownCommand(cmd, cmd.Flags().Arg(0)) // a function that shows help cannot fail
			return
		}
		show(cmd, args)
	})
	root.SetUsageTemplate(root.UsageTemplate() + "{{if not .HasParent}}\nTopics (kedge help TOPIC):\n" + topicList() + "{{end}}")
}

func topicList() string {
	rows := make([][]string, 0, len(Topics()))
	for _, t := range Topics() {
		rows = append(rows, []string{"  " + t.Name, t.Short})
	}
	return ui.Table(rows) + "\n"
}

type verbs struct{ *session.App }

func command(app *session.App) *cobra.Command {
	return &cobra.Command{
		Use:   "help [TOPIC|COMMAND…]",
		Short: "explain a command, a topic or a word",
		Long: `Explains a command as its --help does; a topic, which is about no command; or a
word of the glossary.

Topics:
` + topicList(),
		Example: `  kedge help device add
  kedge help words
  kedge help words guard
  kedge help exit-codes --json`,
		Args:              ui.Args(cobra.ArbitraryArgs),
		ValidArgsFunction: completeHelp,
		RunE:              func(cmd *cobra.Command, args []string) error { return verbs{app}.help(cmd.Root(), args) },
	}
}

// completeHelp completes commands and topics.
func completeHelp(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	at, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []string
	for _, c := range at.Commands() {
		if c.IsAvailableCommand() {
			found = append(found, c.Name()+"\t"+c.Short)
		}
	}
	if len(args) == 0 {
		for _, t := range Topics() {
			found = append(found, t.Name+"\t"+t.Short)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

func (a verbs) help(root *cobra.Command, args []string) error {
	if len(args) > 0 {
		topic, ok := Find(args[0])
		if ok {
			return a.topic(topic, args[1:])
		}
	}
	cmd, err := find(root, args)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.Result(viewCommand(cmd), "")
	}
	cmd.InitDefaultHelpFlag()
	return cmd.Help()
}

// find returns the command that args name in full.
func find(root *cobra.Command, args []string) (*cobra.Command, error) {
	at := root
	for _, name := range args {
		next := at
		for _, c := range at.Commands() {
			if c.Name() == name || c.HasAlias(name) {
				next = c
			}
		}
		if next == at {
			if at != root {
				return nil, ui.UnknownCommand(at, name)
			}
			return nil, unknownTopic(root, name)
		}
		at = next
	}
	return at, nil
}

// unknownTopic says that name is neither a command nor a topic nor a word, and what it may have been.
func unknownTopic(root *cobra.Command, name string) error {
	var meant []string
	var terms, topics []string
	for _, w := range Glossary() {
		terms = append(terms, w.Term)
	}
	for _, t := range Topics() {
		topics = append(topics, t.Name)
	}
	for _, t := range ui.Nearest(name, topics) {
		meant = append(meant, "kedge help "+t)
	}
	for _, path := range ui.CommandsLike(root, name) {
		meant = append(meant, "kedge help "+strings.TrimPrefix(path, "kedge "))
	}
	for _, t := range ui.Nearest(name, terms) {
		meant = append(meant, fmt.Sprintf("kedge help words %s", ui.Quoted(strings.ToLower(t))))
	}
	return &ui.Error{
		Err:  fmt.Errorf("there is no command and no topic %q", name),
		Code: ui.ExitUsage, Hint: ui.DidYouMean(meant, "kedge help"),
	}
}

type topicView struct {
	Topic string `json:"topic"`
	Short string `json:"short"`
	Text  string `json:"text"`
}

func (a verbs) topic(t Topic, args []string) error {
	if t.Name == "words" {
		return a.words(strings.Join(args, " "))
	}
	if len(args) > 0 {
		return ui.Usagef("the topic %q is one page; leave %q out", t.Name, args[0])
	}
	return a.Result(topicView{t.Name, t.Short, t.Text}, t.Text)
}

// words shows the glossary, or what it has on one word.
func (a verbs) words(text string) error {
	all := Glossary()
	if text == "" {
		return a.Result(all, wordsText(all))
	}
	found := []Word{}
	var terms []string
	for _, w := range all {
		if strings.EqualFold(w.Term, text) {
			found = append(found, w)
		}
		terms = append(terms, w.Term)
	}
	if len(found) == 0 {
		for _, w := range all {
			if strings.Contains(strings.ToLower(w.Term), strings.ToLower(text)) {
				found = append(found, w)
			}
		}
	}
	if len(found) == 0 {
		var meant []string
		for _, t := range ui.Nearest(text, terms) {
			meant = append(meant, "kedge help words "+ui.Quoted(strings.ToLower(t)))
		}
		return &ui.Error{Err: fmt.Errorf("the glossary has no word %q", text), Code: ui.ExitUsage, Hint: ui.DidYouMean(meant, "kedge help words")}
	}
	return a.Result(found, wordsText(found))
}

// commandView is a command as JSON.
type commandView struct {
	Command  string        `json:"command"`
	Usage    string        `json:"usage"`
	Short    string        `json:"short"`
	Long     string        `json:"long"`
	Examples []string      `json:"examples"`
	Flags    []flagView    `json:"flags"`
	Commands []commandView `json:"commands"`
}

type flagView struct {
	Flag    string `json:"flag"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Text    string `json:"text"`
}

func viewCommand(cmd *cobra.Command) commandView {
	v := commandView{
		Command: cmd.CommandPath(), Usage: cmd.UseLine(), Short: cmd.Short, Long: cmd.Long,
		Examples: []string{}, Flags: []flagView{}, Commands: []commandView{},
	}
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			v.Examples = append(v.Examples, line)
		}
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			v.Flags = append(v.Flags, flagView{"--" + f.Name, f.Value.Type(), f.DefValue, f.Usage})
		}
	})
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			v.Commands = append(v.Commands, viewCommand(sub))
		}
	}
	return v
}
