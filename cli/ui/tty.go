//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// tty is the terminal that controls the process, whatever standard input and output are.
type tty struct {
	file *os.File
	dumb bool // it knows no escape sequences

	encoding func(string) string // of all that is shown; nil changes nothing

	chunks chan chunk // from the one goroutine that reads
	rest   []byte     // read and not used yet
	asked  bool       // something was read, so something may be left
}

type chunk struct {
	data []byte
	err  error
}

// OpenTerminal opens the terminal that controls the process.
func OpenTerminal() (Terminal, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoTerminal
	}
	return &tty{file: f, dumb: os.Getenv("TERM") == "dumb"}, nil
}

// The sequences of a terminal (ECMA-48; XTerm Control Sequences for the alternate screen and bracketed
// paste).
const (
	alternateScreen = "\x1b[?1049h\x1b[H\x1b[2J"
	mainScreen      = "\x1b[2J\x1b[?1049l"
	markPastes      = "\x1b[?2004h"
	plainPastes     = "\x1b[?2004l"
	clearLine       = "\r\x1b[K"
)

// quiet is how long a terminal must send nothing for what was pasted to be over.
const quiet = 60 * time.Millisecond

func (t *tty) fd() int { return int(t.file.Fd()) }

func (t *tty) print(text string) {
	if t.encoding != nil {
		text = t.encoding(text)
	}
	_, _ = io.WriteString(t.file, text)
}

// encode has everything that is shown pass through a function.
func (t *tty) encode(with func(string) string) { t.encoding = with }

func (t *tty) escape(sequence string) {
	if !t.dumb {
		t.print(sequence)
	}
}

// Close throws away what was typed or pasted and that nobody asked for, and gives the terminal back:
// the rest of a secret must not become a command of the shell.
func (t *tty) Close() error {
	if t.asked {
		if end, err := t.hush(false); err == nil {
			t.drain()
			discard(t.fd())
			end()
		}
	}
	return t.file.Close()
}

// drain reads until nothing comes any more.
func (t *tty) drain() {
	t.rest = nil
	for {
		select {
		case c := <-t.chunks:
			if c.err != nil {
				return
			}
		case <-time.After(quiet):
			return
		}
	}
}

// pending reports whether more comes at once, as it does while something is pasted.
func (t *tty) pending() bool {
	if len(t.rest) > 0 {
		return true
	}
	select {
	case c := <-t.chunks:
		t.rest = c.data
		return c.err == nil
	case <-time.After(quiet):
		return false
	}
}

// startReading has one goroutine read the terminal from now on: a read cannot be taken back, and a
// signal must be able to end the wait for it.
func (t *tty) startReading() {
	t.asked = true
	if t.chunks != nil {
		return
	}
	t.chunks = make(chan chunk)
	go func() {
		for {
			buffer := make([]byte, 4096)
			n, err := t.file.Read(buffer)
			if n > 0 {
				t.chunks <- chunk{data: buffer[:n]}
			}
			if err != nil {
				t.chunks <- chunk{err: err}
				return
			}
		}
	}()
}

// hush turns the echo off and has every key delivered at once; if echo is set, both stay as they are.
// The function that it returns undoes that.
func (t *tty) hush(echo bool) (end func(), err error) {
	before, err := unix.IoctlGetTermios(t.fd(), getAttributes)
	if err != nil {
		return nil, fmt.Errorf("asking on the terminal: %w", err)
	}
	now := *before
	if !echo {
		now.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON
		now.Lflag |= unix.ISIG | unix.NOFLSH // Ctrl-C and Ctrl-Z stay what they are, and Ctrl-Z loses nothing
		now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	}
	if err := unix.IoctlSetTermios(t.fd(), setAttributes, &now); err != nil {
		return nil, fmt.Errorf("asking on the terminal: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(t.fd(), setAttributes, before) }, nil
}

// question is how the terminal is while something is asked.
type question struct {
	echo        bool
	begin, end  string // sequences before and after
	draw        func() // writes the prompt, again after the process was stopped
	got         func(b byte) (done bool, err error)
	interrupted string          // ends the line of the prompt
	until       <-chan struct{} // ends the question with [errNobody]; nil never does
	fresh       bool            // what was typed before the question is thrown away
}

// errNobody says that a question ended without an answer.
var errNobody = errors.New("nobody answered")

// ask runs a question. Whatever ends it, the terminal is as before; a stop from the keyboard gives it
// back for as long as it lasts.
func (t *tty) ask(q question) (err error) {
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(ending)
	stopping := make(chan os.Signal, 1)
	signal.Notify(stopping, syscall.SIGTSTP)
	defer signal.Stop(stopping)

	restore, err := t.hush(q.echo)
	if err != nil {
		return err
	}
	t.escape(q.begin)
	defer func() {
		t.escape(q.end)
		restore()
	}()
	if q.fresh {
		t.startReading()
		t.drain()
	}
	q.draw()
	t.startReading()
	for {
		for len(t.rest) > 0 {
			b := t.rest[0]
			t.rest = t.rest[1:]
			if done, err := q.got(b); done || err != nil {
				return err
			}
		}
		select {
		case <-ending:
			t.drain() // while nothing is echoed: what was typed before may still be on its way
			discard(t.fd())
			t.print(q.interrupted)
			return ErrInterrupted
		case <-q.until:
			t.print(q.interrupted)
			return errNobody
		case <-stopping:
			t.escape(q.end)
			restore()
			t.print(q.interrupted)
			stop()
			if restore, err = t.hush(q.echo); err != nil {
				return err
			}
			t.escape(q.begin)
			q.draw()
		case c := <-t.chunks:
			if c.err != nil {
				return fmt.Errorf("reading from the terminal: %w", c.err)
			}
			t.rest = c.data
		}
	}
}

// stop stops the process as Ctrl-Z does and returns when it goes on. It sends itself SIGSTOP: Go's runtime
// keeps its handler of SIGTSTP, so a second one would not stop it. The leader of a session has no shell
// above it that could continue it, so it does not stop, as for every process without job control.
func stop() {
	if !canStop() {
		return
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) == nil {
		<-continued
	}
}

// canStop reports whether a shell is there that could continue the process.
func canStop() bool {
	session, err := unix.Getsid(0)
	return err == nil && session != syscall.Getpid()
}

// Secret asks for a line that is not shown as it is typed.
func (t *tty) Secret(prompt string) (string, error) { return t.secret(prompt, nil) }

// secret asks for a line; until, if not nil, ends the question, and what was typed before it does not count.
func (t *tty) secret(prompt string, until <-chan struct{}) (string, error) {
	var e editor
	err := t.ask(question{
		begin: markPastes, end: plainPastes, interrupted: "\n", until: until, fresh: until != nil,
		draw: func() { t.print(prompt) },
		got: func(b byte) (bool, error) {
			switch e.feed(b) {
			case keyLine:
				t.print("\n")
				return true, nil
			case keyEnd:
				if len(e.text) == 0 {
					t.print("\n")
					return true, errors.New("nothing was typed")
				}
			}
			return false, nil
		},
	})
	return string(e.text), err
}

// Words asks for a recovery phrase.
func (t *tty) Words(prompt string, enough func(text string) bool) (string, error) {
	e := editor{lines: true}
	shown := -1
	draw := func() {
		if t.dumb {
			return
		}
		if shown = WordCount(string(e.text)); shown == 1 {
			t.print(clearLine + prompt + "1 word ")
		} else {
			t.print(fmt.Sprintf("%s%s%d words ", clearLine, prompt, shown))
		}
	}
	err := t.ask(question{
		begin: markPastes, end: plainPastes, interrupted: "\n",
		draw: func() {
			if t.dumb {
				t.print(prompt)
			}
			draw()
		},
		got: func(b byte) (bool, error) {
			before := len(e.text)
			k := e.feed(b)
			if len(t.rest) == 0 && WordCount(string(e.text)) != shown {
				draw()
			}
			if k == keyText || k == keyLine && t.pending() {
				return false, nil
			}
			if lines, whole := wholeLines(string(e.text), enough); whole {
				e.text = []byte(lines)
			} else if k == keyLine && (before == 0 || e.text[before-1] != '\n') {
				return false, nil // an empty line ends it
			}
			t.print("\n")
			return true, nil
		},
	})
	if err == nil {
		// Whatever was pasted behind the phrase is a secret, too.
		end, err := t.hush(false)
		if err != nil {
			return "", err
		}
		defer end()
		t.drain()
	}
	return strings.TrimRight(string(e.text), "\n"), err
}

// Line asks for a line that is no secret.
func (t *tty) Line(prompt string) (string, error) {
	var line []byte
	err := t.ask(question{
		echo: true, interrupted: "\n",
		draw: func() { t.print(prompt) },
		got: func(b byte) (bool, error) {
			if b == '\n' || b == '\r' {
				return true, nil
			}
			line = append(line, b)
			return false, nil
		},
	})
	return string(line), err
}

// Show shows a secret on a screen of its own, page by page where it does not fit, until the person
// presses enter.
func (t *tty) Show(text func(width int) string) error {
	if t.dumb {
		t.print("this terminal cannot take words off its screen; clear it, and what can be scrolled back to, yourself\n")
	}
	page := 0
	size := func() (pages [][]string) {
		width, height, err := term.GetSize(t.fd())
		if err != nil || width < 1 || height < 1 {
			width, height = 80, 24
		}
		return paginate(text(width), width, height)
	}
	draw := func() {
		pages := size()
		page = min(page, len(pages)-1)
		what := "press enter when you are done; the words then leave the screen "
		if page < len(pages)-1 {
			what = fmt.Sprintf("page %d of %d, press enter for the next ", page+1, len(pages))
		}
		t.escape("\x1b[H\x1b[2J")
		t.print(strings.Join(pages[page], "\n") + "\n" + what)
	}
	return t.ask(question{
		begin: alternateScreen, end: mainScreen,
		draw: draw,
		got: func(b byte) (bool, error) {
			if b != '\n' && b != '\r' {
				return false, nil
			}
			if page++; page < len(size()) {
				draw()
				return false, nil
			}
			return true, nil
		},
	})
}
