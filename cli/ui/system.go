package ui

import (
	"crypto/rand"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// System is the world outside: what the process was started with and what it may use.
type System struct {
	Args           []string // without the name of the program
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time
	Random         io.Reader // cryptographic
	OpenTerminal   func() (Terminal, error)
	UserID         func() int          // of the user; nil is os.Getuid
	Observe        func(result []byte) // gets every result as JSON, however it is printed; may be nil
	WorkFactor     int                 // of a key store that is written, see device.Store.SetWorkFactor; 0 is the default
}

// RealSystem returns the world of this process.
func RealSystem() System {
	return System{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Now: time.Now, Random: rand.Reader, OpenTerminal: OpenTerminal,
	}
}

// UI is one run's way to speak and to ask.
type UI struct {
	System

	JSON bool // print results as JSON
	Yes  bool // do not ask before something is destroyed
	QR   bool // show codes to scan

	terminal Terminal
	told     atomic.Bool // a line on the terminal tells what is under way
}

// dumb reports whether the terminal knows no escape sequences.
func (u *UI) dumb() bool { return u.Getenv != nil && u.Getenv("TERM") == "dumb" }

// Ask returns the terminal, opened once a run. The error says that nobody is there.
func (u *UI) Ask() (Terminal, error) {
	t, err := u.OpenTerminalOnce()
	if err != nil {
		return nil, Secretf("KEDGE_PASSPHRASE_FILE gives the passphrase to scripts; --phrase-file gives a recovery phrase",
			"asking for a secret: %w", err)
	}
	return t, nil
}

// OpenTerminalOnce opens the terminal, once a run. The error is that of OpenTerminal.
func (u *UI) OpenTerminalOnce() (Terminal, error) {
	if u.terminal == nil {
		t, err := u.OpenTerminal()
		if err != nil {
			return nil, err
		}
		if t, ok := t.(interface{ encode(func(string) string) }); ok && !u.UTF8() {
			t.encode(ascii)
		}
		u.terminal = t
	}
	return u.terminal, nil
}

// Close gives back what the run has taken.
func (u *UI) Close() {
	if u.terminal != nil {
		_ = u.terminal.Close()
	}
}

// Again returns a UI for another command of the same run, whose results go to out: the terminal is the same,
// the flags are not.
func (u *UI) Again(out io.Writer) *UI {
	again := &UI{System: u.System}
	again.Stdout = out
	again.OpenTerminal = u.OpenTerminalOnce
	return again
}
