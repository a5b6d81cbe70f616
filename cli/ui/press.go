//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package ui

import (
	"context"
	"errors"
)

// SecretUntil asks for a line that is not shown, see [Keypad].
func (t *tty) SecretUntil(ctx context.Context, prompt string) (string, error) {
	text, err := t.secret(prompt, ctx.Done())
	if errors.Is(err, errNobody) {
		return "", ctx.Err()
	}
	return text, err
}

// Press asks for one key, see [Keypad].
func (t *tty) Press(ctx context.Context, text string) (yes bool, err error) {
	var e editor // knows what arrow keys and pastes look like
	got := func(b byte) (bool, error) {
		end := e.feed(b) == keyEnd
		typed := string(e.text)
		e.text = nil
		switch {
		case e.pasting:
		case typed == "y" || typed == "Y":
			yes = true
			t.print("yes\n")
			return true, nil
		case typed == "n" || typed == "N" || end:
			t.print("no\n")
			return true, nil
		}
		return false, nil
	}
	err = t.ask(question{
		begin: markPastes, end: plainPastes, interrupted: "\n", until: ctx.Done(), fresh: true,
		draw: func() { t.print(text) }, got: got,
	})
	if errors.Is(err, errNobody) {
		return false, ctx.Err()
	}
	return yes, err
}
