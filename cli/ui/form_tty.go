//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
	"golang.org/x/term"
)

// The smallest window that a form is shown in, and the widest that it fills, in columns and rows.
const (
	formMinColumns, formMinRows = 40, 16
	formMaxColumns              = 80
)

// FormFits reports whether the window is large enough, see [Former].
func (t *tty) FormFits() bool {
	columns, rows, err := term.GetSize(t.fd())
	return err == nil && !t.dumb && columns >= formMinColumns && rows >= formMinRows
}

// Form shows a form, see [Former].
func (t *tty) Form(title string, fields []Field) error {
	answers, read := make([]string, len(fields)), make([]func(), len(fields))
	shown := make([]huh.Field, len(fields))
	for i, f := range fields {
		answers[i] = f.Answer
		shown[i], read[i] = formField(f, &answers[i])
	}
	group := huh.NewGroup(shown...)
	if len(fields) > 1 {
		group = group.Title(Harmless(title) + "\n")
	}
	form := huh.NewForm(group).WithTheme(huh.ThemeFunc(formTheme)).WithShowHelp(true)
	form.SubmitCmd, form.CancelCmd = tea.Quit, tea.Interrupt
	height, err := t.runForm(form)
	if err != nil {
		return err
	}
	// The cursor is in the last row of the form, which answers take the place of.
	_, rows, err := term.GetSize(t.fd())
	if height = min(height, rows) - 1; err == nil && height > 0 {
		t.print(fmt.Sprintf("\r\x1b[%dA\x1b[J", height))
	}
	for i, f := range fields {
		read[i]()
		fields[i].Answer = answers[i]
		t.print(answered(f, answers[i]) + "\n")
	}
	return nil
}

// answered is the line that stays of a question.
func answered(f Field, answer string) string {
	for _, c := range f.Choices {
		if c.Answer == answer {
			answer = c.Label
		}
	}
	if answer = Harmless(answer); answer == "" {
		answer = "-"
	}
	if title := Harmless(f.Title); !strings.HasSuffix(title, "?") {
		return title + ": " + answer
	}
	return Harmless(f.Title) + " " + answer
}

// formField makes the widget of a field. read puts its answer into the string.
func formField(f Field, answer *string) (field huh.Field, read func()) {
	title, about := Harmless(f.Title), Harmless(f.About)
	switch {
	case f.decision():
		yes := f.Answer == AnswerYes
		field = huh.NewConfirm().Title(title).Description(about).Value(&yes).
			Affirmative(Harmless(f.Choices[0].Label)).Negative(Harmless(f.Choices[1].Label)).WithButtonAlignment(lipgloss.Left)
		return field, func() {
			if *answer = AnswerNo; yes {
				*answer = AnswerYes
			}
		}
	case len(f.Choices) > 0:
		options := make([]huh.Option[string], len(f.Choices))
		for i, c := range f.Choices {
			options[i] = huh.NewOption(Harmless(c.Label), c.Answer)
		}
		return huh.NewSelect[string]().Title(title).Description(about).Options(options...).Value(answer), func() {}
	}
	input := huh.NewInput().Title(title).Description(about).Value(answer)
	if f.Check != nil {
		input = input.Validate(f.Check)
	}
	return input, func() {}
}

// formTheme tells everything by characters and bold type, nothing by colour alone.
func formTheme(dark bool) *huh.Styles {
	s := huh.ThemeBase(dark)
	plain := lipgloss.NewStyle()
	s.Group.Title, s.Focused.Title = plain.Bold(true), plain.Bold(true)
	s.Focused.FocusedButton = plain.Bold(true).SetString(">").MarginRight(2)
	s.Focused.BlurredButton = plain.SetString(" ").MarginRight(2)
	s.Focused.ErrorIndicator, s.Focused.ErrorMessage = plain.SetString(" !"), plain.SetString("!")
	s.Blurred.FocusedButton, s.Blurred.BlurredButton = s.Focused.FocusedButton, s.Focused.BlurredButton
	s.Blurred.ErrorIndicator, s.Blurred.ErrorMessage = s.Focused.ErrorIndicator, s.Focused.ErrorMessage
	return s
}

// formModel is a form for Bubble Tea, in a window that is no wider than lines are read. Its view never gets lower, since
// Bubble Tea loses the place of one that does, and never higher than the window: one that is, it draws without end.
type formModel struct {
	form   *huh.Form
	height *int // of the view, in rows
	rows   int  // of the window
	keys   *formKeys
}

func (m formModel) Init() tea.Cmd { return m.form.Init() }

func (m formModel) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	if size, ok := message.(tea.WindowSizeMsg); ok {
		m.rows = size.Height
		size.Width = min(size.Width, formMaxColumns)
		m.form.Update(size)
		size.Height -= max(0, strings.Count(m.form.View(), "\n")+1-m.rows) // the title's blank line is not counted
		message = size
	}
	before := m.form.GetFocusedField()
	_, command := m.form.Update(message)
	if m.form.State != huh.StateNormal || m.form.GetFocusedField() != before || len(m.form.Errors()) > 0 {
		m.keys.isReady()
	}
	return m, command
}

func (m formModel) View() tea.View {
	text := m.form.View()
	lines := strings.Split(text, "\n")
	*m.height = min(max(*m.height, len(lines)), m.rows)
	lines = lines[:min(len(lines), *m.height)]
	return tea.NewView(strings.Join(lines, "\n") + strings.Repeat("\n", *m.height-len(lines)))
}

// runForm runs a form on the terminal, which is as before whatever ends it. Signals are handled as at every
// question, so Bubble Tea handles none, and it reads what the one goroutine has read.
func (t *tty) runForm(form *huh.Form) (height int, err error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTSTP)
	defer signal.Stop(signals)
	restore, err := t.hush(false)
	if err != nil {
		return 0, err
	}
	defer func() { restore() }()
	t.startReading()
	columns, rows, err := term.GetSize(t.fd())
	if err != nil {
		return 0, fmt.Errorf("asking for the size of the window: %w", err)
	}
	keys := &formKeys{t: t, over: make(chan struct{}), ready: make(chan struct{}, 1)}
	first, _ := formModel{form: form, height: &height, keys: keys}.Update(tea.WindowSizeMsg{Width: columns, Height: rows})
	program := tea.NewProgram(first, tea.WithInput(keys), tea.WithOutput(t.file), tea.WithoutSignalHandler(), tea.WithContext(context.Background()))
	ended := make(chan error, 1)
	go func() {
		_, err := program.Run()
		ended <- err
	}()
	suspending := false
	for {
		select {
		case s := <-signals:
			switch {
			case s != syscall.SIGTSTP:
				program.Send(tea.InterruptMsg{})
			case !canStop():
			case !suspending: // Bubble Tea gives the screen back and then stops the process group
				suspending = true
				program.Send(tea.SuspendMsg{})
			default:
				suspending = false
				restore()
				stop()
				if restore, err = t.hush(false); err != nil {
					program.Send(tea.InterruptMsg{})
					<-ended
					restore = func() {}
					return height, err
				}
			}
		case err := <-ended:
			keys.end()
			switch {
			case errors.Is(err, tea.ErrInterrupted):
				t.drain()
				return height, ErrInterrupted
			case err != nil:
				return height, fmt.Errorf("asking on the terminal: %w", err)
			case form.State != huh.StateCompleted:
				return height, ErrInterrupted
			}
			return height, nil
		}
	}
}

// formKeys hands what is typed to Bubble Tea. A read that finds nothing ends soon, as it cannot be taken back.
type formKeys struct {
	t     *tty
	mu    sync.Mutex // held while something is read
	over  chan struct{}
	moved bool // to another field, by what was read last

	ready chan struct{} // the form is at another field, or refuses to be
}

const (
	formPoll    = 20 * time.Millisecond
	formReadyIn = time.Second // at most: back from the first field goes nowhere
)

// isReady says that the form is ready for more.
func (k *formKeys) isReady() {
	select {
	case k.ready <- struct{}{}:
	default:
	}
}

// moves matches keys that go to another field: enter, tab, and shift with tab (XTerm Control Sequences, CSI Z).
var moves = regexp.MustCompile(`[\r\n\t]|\x1b\[Z`)

// Read reads what was typed; it returns 0 bytes when nothing was for a moment.
func (k *formKeys) Read(data []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case <-k.over:
		return 0, io.EOF
	default:
	}
	if len(k.t.rest) == 0 {
		select {
		case c := <-k.t.chunks:
			if c.err != nil {
				return 0, c.err
			}
			k.t.rest = c.data
		case <-time.After(formPoll):
			return 0, nil
		}
	}
	if k.moved { // the rest of what was typed at once is for the next field
		select {
		case <-k.ready:
		case <-k.over:
			return 0, io.EOF
		case <-time.After(formReadyIn):
		}
	}
	next := k.t.rest
	at := moves.FindIndex(next)
	if k.moved = at != nil; k.moved {
		next = next[:at[1]]
		select {
		case <-k.ready: // by something earlier
		default:
		}
	}
	n := copy(data, next)
	k.t.rest = k.t.rest[n:]
	for i, b := range data[:n] {
		if b == '\n' { // what the terminal makes of the enter key (termios, ICRNL)
			data[i] = '\r'
		}
	}
	return n, nil
}

// end has Bubble Tea read no more, so that what is typed next is for the next question.
func (k *formKeys) end() {
	close(k.over)
	k.mu.Lock()
	defer k.mu.Unlock()
}
