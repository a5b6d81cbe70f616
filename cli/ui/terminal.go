package ui

import (
	"context"
	"errors"
)

// Terminal is the person at the keyboard. Secrets are shown there and asked for there, never on
// standard output or standard error, which may be files.
//
// Every method gives [ErrInterrupted] when a signal ends the question, with the terminal as it was
// before.
type Terminal interface {
	// Secret asks for a line that is not shown as it is typed.
	Secret(prompt string) (string, error)
	// Words asks for a recovery phrase, which is not shown as it is typed: how many words there are is.
	// It may be typed or pasted on several lines. At the end of each line, enough says whether what
	// came so far is a whole phrase; an empty line ends it all the same. The lines are returned as
	// they came.
	Words(prompt string, enough func(text string) bool) (string, error)
	// Line asks for a line that is no secret.
	Line(prompt string) (string, error)
	// Show shows a secret until the person presses enter; it does not stay on the screen or in what
	// can be scrolled back to. text lays it out for a width in columns.
	Show(text func(width int) string) error
	// Close gives the terminal back.
	Close() error
}

// Keypad is a terminal on which somebody can be asked for one key.
type Keypad interface {
	Terminal
	// Press shows a question and waits until somebody presses y, which is yes, or n. Nothing else is an
	// answer, and neither is what was typed before the question, or pasted. When the context ends first,
	// the error is its.
	Press(ctx context.Context, question string) (yes bool, err error)
	// SecretUntil is Secret until the context ends. What was typed before the question is thrown away.
	SecretUntil(ctx context.Context, prompt string) (string, error)
}

// ErrNoTerminal says that there is nobody to ask.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// ErrInterrupted says that the person, or somebody else, ended the command at a question.
var ErrInterrupted = errors.New("interrupted")
