package sessions

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"kedge/internal/pty"
)

// Person types at a terminal what a newcomer would: what the page shows behind a question; else a passphrase, the
// words that were shown last, and yes.
type Person struct {
	words      []string
	Passphrase string
	Canister   string // whose operator it is
}

// terminal is a pseudo-terminal.
type terminal struct {
	control, device *os.File
	mu              sync.Mutex
	shown           []byte
	changed         chan struct{} // has one when something was shown
}

func openTerminal() (*terminal, error) {
	control, device, err := pty.Open(50, 150)
	if err != nil {
		return nil, err
	}
	t := &terminal{control: control, device: device, changed: make(chan struct{}, 1)}
	go t.read()
	return t, nil
}

func (t *terminal) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := t.control.Read(buffer)
		t.mu.Lock()
		t.shown = append(t.shown, buffer[:n]...)
		t.mu.Unlock()
		select {
		case t.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.shown)
}

// whole returns all that programs which have ended wrote: a pseudo-terminal keeps the order.
func (t *terminal) whole() (string, error) {
	const mark = "[all is shown]"
	if _, err := t.device.WriteString(mark); err != nil {
		return "", err
	}
	for {
		if text, _, found := strings.Cut(t.text(), mark); found {
			return text, nil
		}
		<-t.changed
	}
}

func (t *terminal) close() { _, _ = t.control.Close(), t.device.Close() }

var (
	control  = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	numbered = regexp.MustCompile(`(\d{1,2})\.?\s+([a-z]{3,8})\b`)
)

// question is what a program may ask, at the end of what it has shown, and what is typed then. The match has the groups
// of the expression.
type question struct {
	asks   *regexp.Regexp
	answer func(p *Person, shown string, match []string) string
}

var questions = []question{
	{regexp.MustCompile(`(?i)passphrase[^\n]*: ?$`), func(p *Person, _ string, _ []string) string { return p.Passphrase + "\r" }},
	{regexp.MustCompile(`(?i)press enter[^\n]*$`), func(p *Person, shown string, _ []string) string { p.see(shown); return "\r" }},
	{regexp.MustCompile(`word (\d+), from the paper: $`), func(p *Person, _ string, match []string) string {
		n, _ := strconv.Atoi(match[1])
		return p.words[n-1] + "\r"
	}},
	{regexp.MustCompile(`(?i)(from the paper|recovery phrase|words of the seed[^\n]*): (0 words)?\s*$`), func(p *Person, shown string, _ []string) string {
		p.see(shown)
		return strings.Join(p.words, " ") + "\r"
	}},
	{regexp.MustCompile(`(?i)\[y/n\][^\n]*$|\(yes/no\)[^\n]*$|type yes[^\n]*$`), func(*Person, string, []string) string { return "yes\r" }},
	{regexp.MustCompile(`Type ([0-9a-f]{4}(?:-[0-9a-f]{4}){3}): $`), func(_ *Person, _ string, match []string) string { return match[1] + "\r" }},
	{regexp.MustCompile(`type the canister's id, [a-z0-9-]+, to go on: $`), func(p *Person, _ string, _ []string) string { return p.Canister + "\r" }},
	{regexp.MustCompile(`Ctrl-C unplugs it\s*$`), func(*Person, string, []string) string { return "\x03" }},
}

// see remembers 24 words that are shown with their numbers.
func (p *Person) see(shown string) {
	words := make([]string, 24)
	for _, match := range numbered.FindAllStringSubmatch(shown, -1) {
		if n, err := strconv.Atoi(match[1]); err == nil && n >= 1 && n <= 24 {
			words[n-1] = match[2]
		}
	}
	for _, w := range words {
		if w == "" {
			return
		}
	}
	p.words = words
}

// answer returns what is typed when shown is all since the last answer, if it ends with a question. The page's lines
// come first: what one has behind the question is the answer, and the lines up to it are used.
func (p *Person) answer(shown string, page *[]string) (keys string, asked bool) {
	last := strings.TrimRight(shown[strings.LastIndexByte(shown, '\n')+1:], "\r")
	if strings.HasSuffix(last, ": ") || strings.HasSuffix(last, "? ") {
		for i, line := range *page {
			if answer, found := strings.CutPrefix(line, last); found && answer != "" {
				*page = (*page)[i+1:]
				return answer + "\r", true
			}
		}
	}
	for _, q := range questions {
		if match := q.asks.FindStringSubmatch(shown); match != nil {
			return q.answer(p, shown, match), true
		}
	}
	return "", false
}

// Run runs a command of the shell in a folder, answers its questions, with what the lines of the page say first, and
// returns all that it showed, without control sequences, and its exit code. It ends a command that neither ends nor asks
// what is known, when hang is closed.
func (p *Person) Run(dir string, env []string, command string, page []string, hang <-chan time.Time) (output string, code int, err error) {
	t, err := openTerminal()
	if err != nil {
		return "", 0, err
	}
	defer t.close()
	program := exec.Command("/bin/sh", "-c", "trap : INT\n"+command) // Ctrl-C is for the command, as in a shell that one types at
	program.Dir, program.Env = dir, env
	program.Stdin, program.Stdout, program.Stderr = t.device, t.device, t.device
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := program.Start(); err != nil {
		return "", 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	for answered := 0; ; {
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return "", 0, err
			}
			text, err := t.whole()
			text = control.ReplaceAllString(text, "")
			return strings.ReplaceAll(text, "\r\n", "\n"), program.ProcessState.ExitCode(), err
		case <-t.changed:
		case <-hang:
			_ = syscall.Kill(-program.Process.Pid, syscall.SIGKILL)
			<-ended
			return "", 0, fmt.Errorf("%q asks what nobody answers: %q", command, control.ReplaceAllString(t.text()[answered:], ""))
		}
		text := t.text()
		shown := strings.ReplaceAll(control.ReplaceAllString(text[answered:], ""), "\r\n", "\n")
		if keys, asked := p.answer(shown, &page); asked {
			answered = len(text)
			if _, err := t.control.WriteString(keys); err != nil {
				return "", 0, err
			}
		}
	}
}
