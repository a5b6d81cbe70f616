package guide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
)

// question is one that a path asks. A flag answers it before it is asked.
type question struct {
	flag      *string // the answer; empty is none yet
	name      string  // of the flag, empty if there is none
	title     string  // what is asked for, in a few words
	about     string  // sentences about it, may be empty
	empty     string  // what an empty answer does, in words
	otherwise string  // what an empty answer is
	offered   string  // what a form starts with
	choices   []ui.Choice
	check     func(answer string) error // may be nil
}

// line is the question as one prompt.
func (q question) line() string {
	var b strings.Builder
	if q.about != "" {
		b.WriteString(q.about + "\n")
	}
	b.WriteString(q.title)
	labelled := false
	for _, c := range q.choices {
		if c.Label != c.Answer {
			b.WriteString("\n  " + c.Answer + "  " + c.Label)
			labelled = true
		}
	}
	if labelled {
		b.WriteString("\nanswer")
	}
	var notes []string
	if len(q.choices) > 0 {
		notes = append(notes, q.answers(" or "))
	}
	if q.empty != "" {
		notes = append(notes, "enter "+q.empty)
	}
	if len(notes) > 0 {
		b.WriteString(" (" + strings.Join(notes, "; ") + ")")
	}
	return b.String() + ": "
}

// answers lists the answers that there are.
func (q question) answers(word string) string {
	var all []string
	for _, c := range q.choices {
		all = append(all, c.Answer)
	}
	last := len(all) - 1
	if last == 0 {
		return all[0]
	}
	return strings.Join(all[:last], ", ") + word + all[last]
}

func (q question) field() ui.Field {
	about := strings.ReplaceAll(q.about, "\n", " ") // a form breaks lines itself
	if q.empty != "" && len(q.choices) == 0 {
		about = strings.TrimPrefix(about+"\nenter "+q.empty, "\n")
	}
	return ui.Field{Title: q.title, About: about, Choices: q.choices, Answer: q.offered, Check: func(answer string) error {
		_, err := q.read(answer)
		return err
	}}
}

// read reads an answer of a person.
func (q question) read(text string) (string, error) {
	answer := strings.TrimSpace(text)
	if answer == "" {
		answer = q.otherwise
	}
	if len(q.choices) > 0 {
		i := slices.IndexFunc(q.choices, func(c ui.Choice) bool { return c.Answer == strings.ToLower(answer) })
		if i < 0 && answer != "" { // a letter is enough where it says which
			for j, c := range q.choices {
				if strings.HasPrefix(c.Answer, strings.ToLower(answer)) {
					if i >= 0 {
						i = -1
						break
					}
					i = j
				}
			}
		}
		switch {
		case i < 0 && len(q.choices) == 2:
			return "", ui.Usagef("%q is neither %s", answer, q.answers(" nor "))
		case i < 0:
			return "", ui.Usagef("%q is none of %s", answer, q.answers(" and "))
		}
		return q.choices[i].Answer, nil
	}
	if q.check != nil {
		if err := q.check(answer); err != nil {
			return "", err
		}
	}
	return answer, nil
}

func (p *path) askFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.yes, "yes", false, "do what is said without asking; what a command itself asks before a loss is still asked")
	cmd.Flags().BoolVar(&p.plain, "plain", false, "ask in lines in place of a form, as kedge config set plain yes does always")
}

// forms returns the terminal if questions are asked in forms there.
func (p *path) forms() (ui.Former, bool) {
	return p.Forms(p.plain || p.Setting("", "KEDGE_PLAIN", "no") == "yes")
}

// form asks several questions at once where the terminal can; elsewhere each is asked where it is needed. What flags
// answer is judged now.
func (p *path) form(questions ...question) error {
	if err := p.judgeFlags(questions...); err != nil {
		return err
	}
	questions = slices.DeleteFunc(questions, p.answered)
	if len(questions) == 0 {
		return nil
	}
	t, can := p.forms()
	if !can {
		return nil
	}
	fields := make([]ui.Field, len(questions))
	for i, q := range questions {
		fields[i] = q.field()
	}
	if err := t.Form(p.name, fields); err != nil {
		return err
	}
	for i, q := range questions {
		answer, err := q.read(fields[i].Answer)
		if err != nil {
			return err
		}
		p.answer(q, answer)
	}
	return nil
}

// judgeFlags reads the answers that flags give, before anything is done.
func (p *path) judgeFlags(questions ...question) error {
	for _, q := range questions {
		if *q.flag == "" || p.answered(q) {
			continue
		}
		answer, err := q.read(*q.flag)
		switch {
		case err != nil && len(q.choices) > 0:
			return ui.Usagef("--%s %w", q.name, err)
		case err != nil:
			return ui.Usagef("--%s: %w", q.name, err)
		}
		p.answer(q, answer)
	}
	return nil
}

// answered reports whether a question has an answer that was read.
func (p *path) answered(q question) bool { return p.given[q.flag] }

func (p *path) answer(q question, answer string) {
	if p.given == nil {
		p.given = map[*string]bool{}
	}
	*q.flag, p.given[q.flag] = answer, true
}

// ask returns the answer of a flag, or that of the person; without either, otherwise.
func (p *path) ask(q question) (string, error) {
	if err := p.form(q); err != nil || p.answered(q) {
		return *q.flag, err
	}
	t, err := p.OpenTerminalOnce()
	if err != nil {
		return q.otherwise, nil
	}
	for {
		text, err := t.Line(q.line())
		if err != nil {
			return "", err
		}
		answer, err := q.read(text)
		if err == nil {
			p.answer(q, answer)
			return answer, nil
		}
		p.Warn("%v", err)
	}
}

// agree asks whether a step is to be done.
func (p *path) agree(name string) (bool, error) {
	if p.yes {
		return true, nil
	}
	if p.alone() {
		return false, ui.Hinted(fmt.Errorf("%s: nobody is there to ask", name), "--yes does what is said without asking")
	}
	var answer string
	text, err := p.ask(question{
		flag: &answer, title: "do it?", otherwise: ui.AnswerYes, offered: ui.AnswerYes, empty: "does it, no leaves it for later",
		choices: yesOrNo,
	})
	return text == ui.AnswerYes, err
}
