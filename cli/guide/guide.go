// Package guide is kedge setup and kedge guide: paths through several commands, with plain questions. Each step
// looks at what is really there, says what it will do and which command that is, and asks; so a path can be
// left at any question and taken up again. What a step does is done by the command that it names.
package guide

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

// Root makes the commands for another run of them.
type Root func(*session.App) *cobra.Command

// Commands returns kedge setup and kedge guide.
func Commands(app *session.App, root Root) []*cobra.Command {
	group := ui.Group("guide", "be led through what is hard: a lost device, a lost phrase, another machine, …",
		lostDevice(app, root), lostPhrase(app, root), moving(app, root), fromInternetIdentity(app, root))
	group.Long = `Each guide asks plain questions, says what it will do and by which command before it
does it, and can be left with Ctrl-C and taken up again: it looks at what is really
there. Flags give the same answers; without a terminal, what no flag answers is left
undone and listed. Where the terminal can, questions that belong together are a form;
--plain, or kedge config set plain yes, asks each in a line.`
	return []*cobra.Command{setup(app, root), group}
}

// The states of a step.
const (
	there = "there" // before this run
	done  = "done"  // by this run
	left  = "left"  // for later
)

// step is what became of a step.
type step struct {
	Step    string          `json:"step"`
	State   string          `json:"state"`
	Text    string          `json:"text"`
	Command string          `json:"command,omitempty"` // that does it, or did
	Result  json.RawMessage `json:"result,omitempty"`  // of that command
}

// path is one run along a guide.
type path struct {
	*session.App
	root  Root
	name  string // the command that takes it up again
	yes   bool
	plain bool // questions in lines
	steps []step

	given map[*string]bool // questions that are answered, by their flag
}

// run makes a command of a path. What it has done stays, whatever ends it, and the hint says how to go on.
func (p *path) run(walk func(ctx context.Context, p *path) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		p.name = cmd.CommandPath()
		p.KeepPhrase()
		if !p.alone() {
			p.Note("nothing is done without being said first; Ctrl-C leaves, and %s goes on later", p.name)
		}
		err := walk(cmd.Context(), p)
		if err != nil {
			p.Note("what was done stays; %s goes on from there", p.name)
			return err
		}
		var open []string
		for _, s := range p.steps {
			if s.State == left {
				open = append(open, "  "+s.Text)
			}
		}
		text := "everything is done"
		if len(open) > 0 {
			text = "left for later\n" + strings.Join(open, "\n")
		}
		return p.Result(map[string]any{"steps": p.steps}, text)
	}
}

func (p *path) note(name, state, format string, args ...any) {
	s := step{Step: name, State: state, Text: fmt.Sprintf(format, args...)}
	p.steps = append(p.steps, s)
	if state != left {
		p.Note("%s: %s", name, s.Text)
	}
}

// leave notes that a step is left for later, and the command that does it.
func (p *path) leave(name, command, format string, args ...any) {
	s := step{Step: name, State: left, Text: fmt.Sprintf(format, args...), Command: command}
	if command != "" {
		s.Text += ": " + command
	}
	p.steps = append(p.steps, s)
	p.Note("%s: left for later; %s", name, s.Text)
}

// alone reports whether nobody is there to be asked.
func (p *path) alone() bool {
	_, err := p.OpenTerminalOnce()
	return err != nil
}

// do says what a step does, asks, and runs its command. It reports whether the command was run.
func (p *path) do(ctx context.Context, name, says string, args ...string) (bool, error) {
	args = append(args, p.forwarded()...)
	command := "kedge " + commandLine(args)
	p.Note("%s: %s", name, says)
	p.Note("  that is: %s", command)
	if ok, err := p.agree(name); err != nil {
		return false, err
	} else if !ok {
		p.leave(name, command, "%s", says)
		return false, nil
	}
	result, err := p.verb(ctx, args)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	p.steps = append(p.steps, step{Step: name, State: done, Text: says, Command: command, Result: result})
	return true, nil
}

// verb runs a command of this program.
func (p *path) verb(ctx context.Context, args []string) (result json.RawMessage, err error) {
	var out bytes.Buffer
	var to io.Writer = p.Stdout
	if p.JSON {
		to = &out
		args = append(slices.Clone(args), "--json")
	}
	err = p.Again(to, func(again *session.App) error {
		root := p.root(again)
		root.SetArgs(args)
		root.SetIn(p.Stdin)
		root.SetOut(to)
		root.SetErr(p.Stderr)
		return root.ExecuteContext(ctx)
	})
	if err == nil && p.JSON {
		result = bytes.TrimSpace(out.Bytes())
	}
	return result, err
}

// forwarded are the flags of every command that this one was given.
func (p *path) forwarded() (flags []string) {
	for _, f := range [][2]string{{"--network", p.NetworkFlag}, {"--root-key", p.RootKeyFlag}, {"--canister", p.CanisterFlag}, {"--keys", p.KeysFlag}} {
		if f[1] != "" {
			flags = append(flags, f[0], f[1])
		}
	}
	return flags
}

// commandLine writes arguments as a shell reads them.
func commandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = ui.Quoted(a)
	}
	return strings.Join(quoted, " ")
}

// signer are the flags that have a command signed as the session is.
func (p *path) signer(s *session.Session) []string {
	flags := []string{"--anchor", strconv.FormatUint(s.Anchor, 10), "--as", s.Signer.Name}
	if s.Signer.IsPhrase() && p.PhraseFile != "" {
		flags = append(flags, "--phrase-file", p.PhraseFile)
	}
	return flags
}

// asPhrase are the flags that have the recovery phrase sign.
func (p *path) asPhrase(anchor uint64, file string) []string {
	flags := []string{"--anchor", strconv.FormatUint(anchor, 10), "--as", device.ReservedName}
	if file != "" {
		flags = append(flags, "--phrase-file", file)
	}
	return flags
}

// someSession opens the session of a device that is left. A person whose machine has none is asked for the
// recovery phrase.
func (p *path) someSession(ctx context.Context) (*session.Session, error) {
	known, err := p.knowsAnchor(ctx)
	if err != nil {
		return nil, err
	}
	if !known && !p.alone() {
		var has string
		if _, err := p.ask(question{
			flag: &has, about: "This machine has no key of an anchor here.", title: "is the recovery phrase at hand?", empty: "is yes",
			otherwise: ui.AnswerYes, offered: ui.AnswerYes, choices: yesOrNo,
		}); err != nil {
			return nil, err
		}
		if has != ui.AnswerYes {
			return nil, ui.Hinted(errors.New("neither a key nor the recovery phrase is at hand"),
				"on a machine that has a key, run this again; where everything is lost, recovery contacts bring an anchor back: kedge recover --anchor NUMBER")
		}
		var number string
		if err := p.whichAnchor(&number); err != nil {
			return nil, err
		}
		p.As = device.ReservedName
	}
	return p.OpenSession(ctx)
}

// report ends a path.
func (p *path) report(ctx context.Context, s *session.Session) error {
	result, err := p.verb(ctx, slices.Concat([]string{"report"}, p.signer(s), p.forwarded()))
	if err != nil {
		return err
	}
	p.steps = append(p.steps, step{Step: "report", State: done, Text: "which disasters the anchor survives", Result: result})
	return nil
}

// phraseOf returns the recovery phrase among devices, nil if there is none.
func phraseOf(devices []kedge.DeviceWithUsage) *kedge.DeviceWithUsage {
	for i, d := range devices {
		if d.KeyType == kedge.KeyTypeSeedPhrase {
			return &devices[i]
		}
	}
	return nil
}

func protected(d kedge.DeviceWithUsage) bool { return d.Protection == kedge.DeviceProtectionProtected }

var yesOrNo = []ui.Choice{{Answer: ui.AnswerYes, Label: ui.AnswerYes}, {Answer: ui.AnswerNo, Label: ui.AnswerNo}}

var errNoAnchor = errors.New("which anchor?")
