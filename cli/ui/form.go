package ui

// Field is one question of a form. It is no secret: those are asked for by [Terminal] alone.
type Field struct {
	Title   string // the question, on one line
	About   string // what it is about, may be empty
	Choices []Choice
	Check   func(answer string) error // says what is wrong with an answer, may be nil
	Answer  string                    // what is offered before, what was answered after
}

// Choice is one answer of a field that has only a few.
type Choice struct{ Answer, Label string }

// The answers of a field that is a decision.
const (
	AnswerYes = "yes"
	AnswerNo  = "no"
)

// decision reports whether the answers of a field are yes and no.
func (f Field) decision() bool {
	return len(f.Choices) == 2 && f.Choices[0].Answer == AnswerYes && f.Choices[1].Answer == AnswerNo
}

// Former is a terminal that shows several questions at once, among which one goes back and forth.
type Former interface {
	Terminal
	// Form asks all fields and sets their answers once the last was given. It gives [ErrInterrupted] as
	// every question does, and then no answer is set.
	Form(title string, fields []Field) error
	// FormFits reports whether the window is large enough for a form.
	FormFits() bool
}

// Forms returns the terminal if it can show forms: it is one with cursor keys, its window is large enough, and the
// locale's encoding is UTF-8. Elsewhere, and where plain asks for it, each question is a line.
func (u *UI) Forms(plain bool) (Former, bool) {
	if name := u.Getenv("TERM"); plain || name == "" || name == "dumb" || !u.UTF8() {
		return nil, false
	}
	t, err := u.OpenTerminalOnce()
	if err != nil {
		return nil, false
	}
	f, can := t.(Former)
	return f, can && f.FormFits()
}
