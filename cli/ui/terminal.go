package ui

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Terminal is the person at the keyboard. Secrets are shown there and asked for there, never on
// standard output or standard error, which may be files; and they are erased from the screen.
type Terminal interface {
	// Secret asks for a line that is not shown as it is typed.
	Secret(prompt string) (string, error)
	// Line asks for a line; if erase is set, both prompt and answer leave the screen.
	Line(prompt string, erase bool) (string, error)
	// Show prints lines, waits for the person to press enter and erases them.
	Show(text string) error
	// Close gives the terminal back.
	Close() error
}

// ErrNoTerminal says that there is nobody to ask.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// tty is the terminal that controls the process, whatever standard input and output are.
type tty struct {
	file  *os.File
	lines *bufio.Reader
}

func OpenTerminal() (Terminal, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoTerminal
	}
	return &tty{file: f, lines: bufio.NewReader(f)}, nil
}

// Close gives the terminal back.
func (t *tty) Close() error { return t.file.Close() }

// Secret asks for a line that is not shown as it is typed.
func (t *tty) Secret(prompt string) (string, error) {
	if _, err := fmt.Fprint(t.file, prompt); err != nil {
		return "", err
	}
	secret, err := term.ReadPassword(int(t.file.Fd()))
	_, _ = fmt.Fprintln(t.file)
	if err != nil {
		return "", fmt.Errorf("reading from the terminal: %w", err)
	}
	return string(secret), nil
}

// Line asks for a line.
func (t *tty) Line(prompt string, erase bool) (string, error) {
	if _, err := fmt.Fprint(t.file, prompt); err != nil {
		return "", err
	}
	line, err := t.lines.ReadString('\n')
	if err != nil && !(errors.Is(err, io.EOF) && line != "") {
		return "", fmt.Errorf("reading from the terminal: %w", err)
	}
	if erase {
		t.erase(prompt + line)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// Show prints lines, waits for enter and erases them.
func (t *tty) Show(text string) error {
	const wait = "press enter when you are done, the words then leave the screen "
	if _, err := fmt.Fprint(t.file, text, "\n", wait); err != nil {
		return err
	}
	if _, err := t.lines.ReadString('\n'); err != nil {
		return fmt.Errorf("reading from the terminal: %w", err)
	}
	t.erase(text + "\n" + wait + "\n")
	return nil
}

// erase moves up over text, which ends in a line feed, and clears the screen from there. Long lines
// take more rows than one.
func (t *tty) erase(text string) {
	width, _, err := term.GetSize(int(t.file.Fd()))
	if err != nil || width < 1 {
		width = 80
	}
	rows := 0
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		rows += 1 + max(0, len(line)-1)/width
	}
	_, _ = fmt.Fprintf(t.file, "\x1b[%dA\r\x1b[J", rows)
}
