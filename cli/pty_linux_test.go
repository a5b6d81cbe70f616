package cli_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"kedge/cli/client"
	"kedge/internal/pty"
)

// screen is a pseudo-terminal with a program on it, and all that the program wrote there.
type screen struct {
	t       *testing.T
	control *os.File // our end
	device  *os.File // the program's end, kept open to see what is left in it
	program *exec.Cmd
	ended   chan struct{} // closed when the program has ended

	mu      sync.Mutex
	shown   []byte
	changed chan struct{} // has one when something was shown
}

// openScreen opens a pseudo-terminal of so many rows and columns.
func openScreen(t *testing.T, rows, columns uint16) *screen {
	t.Helper()
	control, device, err := pty.Open(rows, columns)
	require.NoError(t, err)
	s := &screen{t: t, control: control, device: device, changed: make(chan struct{}, 1)}
	t.Cleanup(func() { _, _ = control.Close(), device.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := control.Read(buffer)
			s.mu.Lock()
			s.shown = append(s.shown, buffer[:n]...)
			s.mu.Unlock()
			select {
			case s.changed <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

// await waits until what the screen shows is as a test wants it. How long that takes is not judged: it fails when the
// program has ended without showing it, or hangs, see [hang].
func (s *screen) await(shown func() bool, wanted ...any) {
	s.t.Helper()
	for !shown() {
		select {
		case <-s.changed:
		case <-s.ended:
			s.readAll()
			require.True(s.t, shown(), "the program ended: %q, %q", wanted, s)
			return
		case <-hang(s.t):
			_ = s.program.Process.Kill()
			require.Fail(s.t, "the program hangs", "%q, %q", wanted, s)
		}
	}
}

// hang fires shortly before the test run is out of time, so that a program that hangs is named.
func hang(t *testing.T) <-chan time.Time {
	deadline, ok := t.Deadline()
	if !ok {
		return nil
	}
	return time.After(time.Until(deadline) - 20*time.Second)
}

// readAll waits until everything that programs wrote to the terminal is read: a pseudo-terminal keeps the order.
func (s *screen) readAll() {
	const mark = "[all is shown]"
	_, err := s.device.WriteString(mark)
	require.NoError(s.t, err)
	for !strings.Contains(s.text(), mark) {
		<-s.changed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = []byte(strings.ReplaceAll(string(s.shown), mark, ""))
}

// startUnderShell is start below a shell with job control.
func (s *screen) startUnderShell(env map[string]string, args ...string) {
	self, err := os.Executable()
	require.NoError(s.t, err)
	s.run("jobshell", env, append([]string{self}, args...)...)
}

// start runs kedge with the pseudo-terminal as its terminal, and its output elsewhere.
func (s *screen) start(env map[string]string, args ...string) {
	s.t.Helper()
	s.run("kedge", env, args...)
}

func (s *screen) run(name string, env map[string]string, args ...string) {
	s.t.Helper()
	self, err := os.Executable()
	require.NoError(s.t, err)
	s.program = &exec.Cmd{
		Path: self, Args: append([]string{name}, args...), Stdin: s.device,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true},
	}
	s.program.Env = append(os.Environ(), "TERM=xterm", "KEDGE_PASSPHRASE_FILE=")
	for name, value := range env {
		s.program.Env = append(s.program.Env, name+"="+value)
	}
	log, err := os.Create(filepath.Join(s.t.TempDir(), "output"))
	require.NoError(s.t, err)
	s.program.Stdout, s.program.Stderr = log, log
	require.NoError(s.t, s.program.Start())
	program, ended := s.program, make(chan struct{})
	s.ended = ended
	go func() {
		_ = program.Wait()
		close(ended)
	}()
}

// wait waits for the program to end and returns its exit code and what it wrote elsewhere.
func (s *screen) wait() (code int, output string) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-hang(s.t):
		_ = s.program.Process.Kill()
		require.Fail(s.t, "the program hangs", "%q", s)
	}
	s.readAll()
	data, err := os.ReadFile(s.program.Stdout.(*os.File).Name())
	require.NoError(s.t, err)
	return s.program.ProcessState.ExitCode(), string(data)
}

// awaitOutput waits until the program has written a text elsewhere, as [screen.await] does.
func (s *screen) awaitOutput(text string) {
	s.t.Helper()
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	go func() { // await looks when something has changed
		for {
			select {
			case <-every.C:
			case <-s.ended:
				return
			}
			select {
			case s.changed <- struct{}{}:
			default:
			}
		}
	}()
	s.await(func() bool {
		said, err := os.ReadFile(s.program.Stdout.(*os.File).Name())
		return err == nil && strings.Contains(string(said), text)
	}, text)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.shown)
}

// expect waits until the screen has a text, and forgets what came before its end.
func (s *screen) expect(text string) {
	s.t.Helper()
	s.await(func() bool { return strings.Contains(s.text(), text) }, text)
}

// String is what the screen showed.
func (s *screen) String() string { return s.text() }

func (s *screen) typeKeys(keys string) {
	s.t.Helper()
	_, err := s.control.WriteString(keys)
	require.NoError(s.t, err)
	// Polling has the kernel deliver them, so that a signal that is sent now comes after them.
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.device.Fd()), Events: unix.POLLIN}}, 0)
}

// requireRestored requires that the terminal echoes again and that nothing typed is left in it.
func (s *screen) requireRestored() {
	s.t.Helper()
	attributes, err := unix.IoctlGetTermios(int(s.device.Fd()), unix.TCGETS)
	require.NoError(s.t, err)
	for name, flag := range map[string]uint32{"echo": unix.ECHO, "canonical": unix.ICANON, "signals": unix.ISIG} {
		require.NotZero(s.t, attributes.Lflag&flag, name)
	}
	left, err := unix.IoctlGetInt(int(s.device.Fd()), unix.TIOCINQ)
	require.NoError(s.t, err)
	require.Zero(s.t, left, "what is left would be a command of the shell")
	for _, pair := range [][2]string{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?2004h", "\x1b[?2004l"}} {
		require.Equal(s.t, strings.Count(s.text(), pair[0]), strings.Count(s.text(), pair[1]), "%q in %q", pair[0], s)
	}
}

// alternate matches what is on the alternate screen, which leaves no trace.
var alternate = regexp.MustCompile(`(?s)\x1b\[\?1049h.*?\x1b\[\?1049l`)

// requireNotShown requires that none of the words stays on the screen.
func (s *screen) requireNotShown(words ...string) {
	s.t.Helper()
	left := alternate.ReplaceAllString(s.text(), "")
	for _, w := range words {
		require.NotContains(s.t, left, w)
	}
}

func keyStore(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("../device/testdata/keys-v1.age")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "keys.age")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return map[string]string{"KEDGE_KEYS": path}
}

func TestPassphraseIsNotShown(t *testing.T) {
	s := openScreen(t, 24, 80)
	s.start(keyStore(t), "device", "list", "--keys-only")
	s.expect("passphrase of the key store")
	s.typeKeys("kedge test stork\x7fe\r")
	code, output := s.wait()
	require.Zero(t, code, output)
	require.Contains(t, output, "laptop")
	s.requireRestored()
	s.requireNotShown("kedge test")
}

// Each way out of a question leaves the terminal as it was, and nothing is done.
func TestInterruptedQuestion(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		prompt string
		keys   string
		signal os.Signal
	}{
		"Ctrl-C at a new passphrase":  {[]string{"device", "list", "--keys-only"}, "passphrase for the new key store", "half\x03", nil},
		"Ctrl-\\ at a new passphrase": {[]string{"device", "list", "--keys-only"}, "passphrase for the new key store", "half\x1c", nil},
		"TERM at a new passphrase":    {[]string{"device", "list", "--keys-only"}, "passphrase for the new key store", "half", syscall.SIGTERM},
		"HUP at a new passphrase":     {[]string{"device", "list", "--keys-only"}, "passphrase for the new key store", "half", syscall.SIGHUP},
		"Ctrl-C at the words":         {[]string{"device", "list", "--as", "phrase"}, "recovery phrase: ", "abandon abandon\x03", nil},
		"TERM at the words":           {[]string{"device", "list", "--as", "phrase"}, "recovery phrase: ", "abandon abandon\n", syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			keys := filepath.Join(t.TempDir(), "keys.age")
			s := openScreen(t, 24, 80)
			s.start(map[string]string{
				"KEDGE_KEYS": keys, "KEDGE_NETWORK": "ic", "KEDGE_CANISTER": "rdmx6-jaaaa-aaaaa-aaadq-cai",
			}, c.args...)
			s.expect(c.prompt)
			s.typeKeys(c.keys)
			if c.signal != nil {
				require.NoError(t, s.program.Process.Signal(c.signal))
			}
			code, output := s.wait()
			require.Equal(t, 130, code, output)
			require.Contains(t, output, "kedge: error: interrupted\n")
			require.NotContains(t, output, "network")
			require.NoFileExists(t, keys)
			s.requireRestored()
			s.requireNotShown("half", "abandon")
		})
	}
}

// nowhere is the environment of commands that read their secrets and then find that no network answers.
func nowhere(t *testing.T) map[string]string {
	return map[string]string{
		"KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age"), "KEDGE_CANISTER": "rdmx6-jaaaa-aaaaa-aaadq-cai", "KEDGE_NETWORK": "http://127.0.0.1:1",
		"KEDGE_ROOT_KEY": hex.EncodeToString(client.MainnetRootKey()),
	}
}

// A phrase that is pasted on several lines, with whatever separates its words, goes to the question as a
// whole, and what is pasted behind it goes nowhere.
func TestPastedPhrase(t *testing.T) {
	const published = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	words := strings.Fields(published)
	four := make([]string, len(words))
	var numbered strings.Builder
	for i, w := range words {
		fmt.Fprintf(&numbered, "%d. %s\n", i+1, w)
		four[i] = w[:min(4, len(w))]
	}
	for name, pasted := range map[string]string{
		"one line":             published + "\r",
		"three lines":          strings.Join(words[:4], " ") + "\r" + strings.Join(words[4:8], " ") + "\r" + strings.Join(words[8:], " ") + "\r",
		"a word a line":        strings.Join(words, "\r") + "\r",
		"numbered, with more":  "\x1b[200~" + numbered.String() + "rm -rf precious\n\x1b[201~",
		"JSON":                 `["` + strings.Join(words, `", "`) + "\"]\r",
		"first four letters":   strings.Join(four, " ") + "\r",
		"with a line too many": published + "\rrm -rf precious\r",
	} {
		t.Run(name, func(t *testing.T) {
			s := openScreen(t, 24, 80)
			s.start(nowhere(t), "device", "list", "--as", "phrase")
			s.expect("recovery phrase: ")
			s.typeKeys(pasted)
			code, output := s.wait()
			require.Equal(t, 3, code, output) // the phrase was fine, and nobody is there to use it
			s.requireRestored()
			s.requireNotShown(words...)
			require.NotContains(t, output, "winner")
		})
	}
}

// Two lines of twelve words may be one phrase or two, so they are asked about.
func TestTwoLinesOfTwelveWords(t *testing.T) {
	const line = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	for answer, want := range map[string]struct {
		code   int
		output string
	}{
		"1": {3, ""}, "2": {3, ""}, "24": {5, "checksum"}, "": {5, "no phrase was used"}, "yes": {5, "no phrase was used"},
	} {
		t.Run("answer "+answer, func(t *testing.T) {
			s := openScreen(t, 24, 80)
			s.start(nowhere(t), "device", "list", "--as", "phrase")
			s.expect("recovery phrase: ")
			s.typeKeys("\x1b[200~" + line + "\n" + line + "\n\x1b[201~")
			s.expect("type 24 if they are one, 1 or 2 if that line alone is meant: ")
			s.typeKeys(answer + "\r")
			code, output := s.wait()
			require.Equal(t, want.code, code, output)
			require.Contains(t, output, want.output)
			s.requireRestored()
			s.requireNotShown("legal", "winner")
		})
	}
	t.Run("in a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "words.txt")
		require.NoError(t, os.WriteFile(file, []byte(line+"\n"+line+"\n"), 0o600))
		code, _, stderr := run(t, nil, nowhere(t), "device", "list", "--phrase-file", file)
		require.Equal(t, 5, code)
		require.Contains(t, stderr, "two lines of twelve words may be one recovery phrase of 24 words, or two of 12\n")
		require.Contains(t, stderr, "kedge: hint: put the words of the one phrase that is meant on one line\n")
	})
}

// Words are never part of a message, in whatever wrong place they were given.
func TestMessagesHaveNoWords(t *testing.T) {
	const typo = "legal winner thank year wave sausage worth useful legal winner thank yelow"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"typo": typo, "commas": strings.ReplaceAll(typo, " ", ","), "json": `["` + strings.ReplaceAll(typo, " ", `","`) + `"]`,
		"long": typo + " " + typo + " " + typo,
	} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		for _, args := range [][]string{
			{"device", "list", "--phrase-file", file}, {"device", "list", "--phrase-file", text}, {"device", "list", "--as", text},
			{"device", "list", text}, {text}, {"device", "list", "--anchor", text}, {"login", text}, {"device", "list", "--canister", text},
			{"device", "list", "--network", text}, {"session-limit", text}, append([]string{"device", "list"}, strings.Fields(text)...),
		} {
			env := nowhere(t)
			env["KEDGE_PASSPHRASE_FILE"] = filepath.Join(dir, "typo")
			code, stdout, stderr := run(t, nil, env, args...)
			require.NotZero(t, code)
			for _, w := range append(strings.Fields(typo), "yellow") {
				require.NotContains(t, stdout+strings.ReplaceAll(stderr, file, ""), w, "%q", args)
			}
		}
	}
}

// The sheet of words has a screen of its own, and pages where it does not fit; whoever stops there and
// comes back sees it again.
func TestSheetOfWords(t *testing.T) {
	url, module, _ := startNetwork(t)
	t.Chdir(t.TempDir())
	code, _, stderr := run(t, nil, map[string]string{"KEDGE_NETWORK": url}, "deploy", module)
	require.Zero(t, code, stderr)
	for name, size := range map[string][2]uint16{"usual": {24, 80}, "narrow": {24, 20}, "low": {6, 40}} {
		t.Run(name, func(t *testing.T) {
			s := openScreen(t, size[0], size[1])
			s.start(map[string]string{"KEDGE_NETWORK": url, "KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age")}, "anchor", "create", "--device", "laptop")
			for _, prompt := range []string{"passphrase for the new key store", "the same passphrase again"} {
				s.expect(prompt)
				s.typeKeys("a passphrase\r")
			}
			var words []string
			for page := 1; len(words) < 24; page++ {
				// A page is whole when its question stands below its own clearing of the screen.
				s.await(func() bool {
					return strings.Contains(s.text(), "\x1b[2J") && strings.Contains(s.last("\x1b[2J"), "press enter")
				})
				words = append(words, wordsOn(s.last("\x1b[2J"), len(words))...)
				require.NotEmpty(t, words)
				cleared := strings.Count(s.text(), "\x1b[2J")
				s.typeKeys("\r")
				s.await(func() bool {
					return strings.Count(s.text(), "\x1b[2J") > cleared || strings.Contains(s.text(), "type the words")
				})
			}
			s.expect("type the words, from the paper: ")
			s.typeKeys(strings.Join(words, " ") + "\r")
			code, output := s.wait()
			require.Zero(t, code, output)
			require.Contains(t, output, "recovery phrase protected")
			s.requireRestored()
			for i := range words[1:] { // single words may be in the prose
				s.requireNotShown(words[i] + " " + words[i+1])
			}
		})
	}
}

// last is what the screen showed since it was cleared last.
func (s *screen) last(clear string) string {
	text := s.text()
	return text[strings.LastIndex(text, clear):]
}

// wordsOn reads the words off a page of the sheet: each stands behind its number, the first behind have+1.
func wordsOn(page string, have int) []string {
	fields := strings.Fields(page)
	var words []string
	for i, field := range fields[1:] {
		if fields[i] == strconv.Itoa(have+len(words)+1) {
			words = append(words, field)
		}
	}
	return words
}

// Whoever stops kedge at a question finds a usual terminal, and the question again afterwards.
func TestStoppedQuestion(t *testing.T) {
	s := openScreen(t, 24, 80)
	s.startUnderShell(keyStore(t), "device", "list", "--keys-only")
	s.expect("passphrase of the key store")
	s.typeKeys("kedge te\x1a")
	s.expect("[stopped, echo true]")
	s.await(func() bool { return strings.Count(s.text(), "passphrase of the key store") == 2 })
	s.typeKeys("st store\r")
	code, output := s.wait()
	require.Zero(t, code, output)
	require.Contains(t, output, "laptop")
	s.requireRestored()
	s.requireNotShown("kedge test")

	s = openScreen(t, 24, 80)
	s.startUnderShell(nowhere(t), "device", "list", "--as", "phrase")
	s.expect("recovery phrase: 0 words ")
	s.typeKeys("legal winner thank year wave sausage worth\x1a")
	s.afterwards("[stopped, echo true]", "recovery phrase: 7 words ") // what is typed before is typed at the shell
	s.typeKeys(" useful legal winner thank yellow\r")
	code, output = s.wait()
	require.Equal(t, 3, code, output)
	s.requireRestored()
	s.requireNotShown("winner")
}

// A mistyped word, and what may be meant, stands on the alternate screen until enter is pressed, and nowhere else.
func TestMistypedPhraseIsExplained(t *testing.T) {
	s := openScreen(t, 24, 80)
	s.start(nowhere(t), "device", "list", "--as", "phrase")
	s.expect("recovery phrase: ")
	s.typeKeys("legal winner thank yaer wave sausage worth useful legal winner thank yellow\r\r")
	s.expect(`word 4 "yaer" is not in the list, did you mean "year"?`)
	s.typeKeys("\r")
	code, output := s.wait()
	require.Equal(t, 5, code, output)
	require.Contains(t, output, "kedge: error: the recovery phrase: word 4 is not in the BIP-39 list\n")
	require.NotContains(t, output, "yaer")
	s.requireRestored()
	s.requireNotShown("yaer", "year")
}
