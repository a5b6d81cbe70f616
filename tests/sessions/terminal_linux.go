package sessions

import (
	"errors"
	"fmt"
	"kedge/internal/pty"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Person types at a terminal what a newcomer would: a passphrase, the words of the phrase that was shown last,
// and yes.
type Person struct {
	words      []string
	Passphrase string
}

// terminal is a pseudo-terminal.
type terminal struct {
	control, device *os.File
	mu              sync.Mutex
	shown           []byte
}

func openTerminal() (*terminal, error) {
	control, device, err := pty.Open(50, 150)
	if err != nil {
		return nil, err
	}
	t := &terminal{control: control, device: device}
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

func (t *terminal) close() { _, _ = t.control.Close(), t.device.Close() }

var (
	control  = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	numbered = regexp.MustCompile(`(\d{1,2})\.?\s+([a-z]{3,8})\b`)
)

// question is what a program may ask, at the end of what it has shown, and what is typed then.
type question struct {
	asks   *regexp.Regexp
	answer func(p *Person, shown string) string
}

var questions = []question{
	{regexp.MustCompile(`(?i)passphrase[^\n]*: ?$`), func(p *Person, _ string) string { return p.Passphrase }},
	{regexp.MustCompile(`(?i)press enter[^\n]*$`), func(p *Person, shown string) string { p.see(shown); return "" }},
	{regexp.MustCompile(`(?i)(from the paper|recovery phrase): (0 words)?\s*$`), func(p *Person, shown string) string {
		p.see(shown)
		return strings.Join(p.words, " ")
	}},
	{regexp.MustCompile(`(?i)\[y/n\][^\n]*$|\(yes/no\)[^\n]*$|type yes[^\n]*$`), func(*Person, string) string { return "yes" }},
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

// Run runs a command of the shell in a folder, answers its questions, and returns all that it showed, without
// control sequences, and its exit code. It ends a command that asks nothing known for a minute.
func (p *Person) Run(dir string, env []string, command string) (output string, code int, err error) {
	t, err := openTerminal()
	if err != nil {
		return "", 0, err
	}
	defer t.close()
	program := exec.Command("/bin/sh", "-c", command)
	program.Dir, program.Env = dir, env
	program.Stdin, program.Stdout, program.Stderr = t.device, t.device, t.device
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := program.Start(); err != nil {
		return "", 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	answered, last, since := 0, 0, time.Now()
	for {
		select {
		case err := <-ended:
			time.Sleep(50 * time.Millisecond) // what the terminal still holds
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return "", 0, err
			}
			text := control.ReplaceAllString(t.text(), "")
			return strings.ReplaceAll(text, "\r\n", "\n"), program.ProcessState.ExitCode(), nil
		case <-time.After(20 * time.Millisecond):
		}
		text := t.text()
		if len(text) != last {
			last, since = len(text), time.Now()
			continue // it may not have finished its line
		}
		if len(text) > answered {
			shown := control.ReplaceAllString(text[answered:], "")
			for _, q := range questions {
				if q.asks.MatchString(shown) {
					answered, since = len(text), time.Now()
					if _, err := t.control.WriteString(q.answer(p, shown) + "\r"); err != nil {
						return "", 0, err
					}
					break
				}
			}
		}
		if time.Since(since) > time.Minute {
			_ = syscall.Kill(-program.Process.Pid, syscall.SIGKILL)
			<-ended
			return "", 0, fmt.Errorf("%q asks what nobody answers: %q", command, control.ReplaceAllString(text[answered:], ""))
		}
	}
}
