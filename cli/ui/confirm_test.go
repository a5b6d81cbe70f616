package ui

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

type asking struct {
	Terminal
	prompt string
}

func (a *asking) Line(prompt string) (string, error) {
	a.prompt = prompt
	return "no", nil
}

// What is asked about may have a name that somebody else chose: it must not redraw the question.
func TestConfirmShowsEscapes(t *testing.T) {
	terminal := &asking{}
	u := &UI{System: System{Stderr: &bytes.Buffer{}, OpenTerminal: func() (Terminal, error) { return terminal, nil }}}
	require.ErrorIs(t, u.Confirm("the network https://evil.example\x1b[2K\rall is well\u202e"), ErrDeclined)
	require.Equal(t, `the network https://evil.example\x1b[2K\rall is well\u{202e}; go on? type yes: `, terminal.prompt)
}
