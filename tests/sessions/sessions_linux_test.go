package sessions

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli"
	"kedge/internal/clients"
	"kedge/replica"
	"kedge/tests/harness"
)

// clockFile is the environment variable with a file that says what time it is for kedge, if it is there: that of a
// network whose time has been moved.
const clockFile = "KEDGE_TEST_CLOCK"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "kedge" {
		os.Exit(kedge())
	}
	os.Exit(m.Run())
}

// kedge is cmd/kedge with a clock, and with a key store that opens fast.
func kedge() int {
	system := cli.RealSystem()
	system.WorkFactor = 4
	system.UserID = func() int { return 1000 } // in containers tests run as root
	if text, err := os.ReadFile(os.Getenv(clockFile)); err == nil {
		now, err := time.Parse(time.RFC3339Nano, string(text))
		if err != nil {
			panic(err)
		}
		system.Now = func() time.Time { return now }
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Main(ctx, system)
}

func TestParse(t *testing.T) {
	page := "text\n\n```\nnot a session\n```\n\n```\n$ one --flag     # why\nanswers 12 of abcde-fgh…\n\n$ two 'a # b'\n```\nmore\n" +
		"<!--\n```\n# a word before\nanna$ three\n# 30 days later\nbert$ four\n```\n-->\n```\n# no command\n```\n"
	require.Equal(t, [][]Step{{
		{Command: "one --flag", Output: []string{"answers 12 of abcde-fgh…"}},
		{Command: "two 'a"},
	}, {
		{Who: "anna", Command: "three"}, {Later: 30 * 24 * time.Hour}, {Who: "bert", Command: "four"},
	}}, Parse(page))
}

func TestValues(t *testing.T) {
	v := Values{}
	lines := []string{"answers  12 of abcde-fgh at…  it.", "anchor 10000 and KEY: WORDS", "phone … done"}
	require.NoError(t, v.Match(lines, "x\nanswers 7 of zzzzz-yyy at noon. it.\nanchor 10007 and a-b-c: one two three four five six\nphone (x) done\n"))
	require.Equal(t, Values{"abcde-fgh": "zzzzz-yyy", "10000": "10007", "KEY": "a-b-c", "WORDS": "one two three four five six"}, v)
	require.Equal(t, "kedge recover recovered-10007 a-b-c 100000 30", v.Fill("kedge recover recovered-10000 KEY 100000 30"))
	require.Error(t, v.Match([]string{"anchor 10000"}, "anchor 10008"), "another than before")
	require.Error(t, v.Match([]string{"b", "a"}, "a\nb\n"), "in another order")
	require.Error(t, Values{}.Match([]string{"it."}, "it!"))
}

// A page's own answer comes first, once.
func TestAnswers(t *testing.T) {
	p := &Person{Passphrase: "secret"}
	page := []string{"is it yours? type keep, or remove: remove", "done", "is it yours? type keep, or remove: keep"}
	for _, c := range []struct{ shown, keys string }{
		{"kedge: x\nis it yours? type keep, or remove: ", "remove\r"}, {"is it yours? type keep, or remove: ", "keep\r"},
		{"go on? type yes: ", "yes\r"}, {"passphrase of the key store a.age: ", "secret\r"}, {"Type f2b0-1989-c8cc-8ffb: ", "f2b0-1989-c8cc-8ffb\r"},
	} {
		keys, asked := p.answer(c.shown, &page)
		require.True(t, asked, c.shown)
		require.Equal(t, c.keys, keys)
	}
	_, asked := p.answer("anchor 10000: no question\n", &page)
	require.False(t, asked)
}

// place is where a page is run: a project as a newcomer has it after make build cli, and people with homes.
type place struct {
	t        *testing.T
	root     string
	project  string
	env      []string
	people   map[string]*Person
	runtime  map[string]string // by home
	others   int               // how often other people began
	network  *replica.Network  // where several people are, or an old canister
	canister string            // the old one
}

func newPlace(t *testing.T) *place {
	t.Helper()
	root := t.TempDir()
	p := &place{t: t, root: root, project: filepath.Join(root, "kedge"), people: map[string]*Person{}, runtime: map[string]string{}}
	require.NoError(t, os.MkdirAll(filepath.Join(p.project, "build"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(p.project, "build", "kedge.wasm.gz"), harness.Module(t), 0o644))
	program := filepath.Join(p.project, "build", "kedge")
	self, err := os.Executable()
	require.NoError(t, err)
	if os.Link(self, program) != nil { // on another file system
		data, err := os.ReadFile(self)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(program, data, 0o755))
	}
	p.env = []string{
		"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "TERM=xterm", "LANG=C.UTF-8", clockFile + "=" + filepath.Join(root, "clock"),
	}
	if cache, err := os.UserCacheDir(); err == nil {
		p.env = append(p.env, "XDG_CACHE_HOME="+cache) // where the network keeps what it has compiled
	}
	t.Cleanup(func() {
		stop := exec.Command(program, "network", "stop")
		stop.Dir, stop.Env = p.project, p.envOf("")
		_ = stop.Run() // it has ended already if all went well
	})
	return p
}

// envOf is the environment on somebody's machine.
func (p *place) envOf(who string) []string {
	home := filepath.Join(p.root, fmt.Sprintf("home-%s-%d", who, p.others))
	require.NoError(p.t, os.MkdirAll(home, 0o700))
	return append(p.env[:len(p.env):len(p.env)], "KEDGE_CANISTER="+p.canister, "HOME="+home, "XDG_RUNTIME_DIR="+p.runtimeOf(home))
}

// runtimeOf is the folder for sockets that a login makes; a socket's path is short.
func (p *place) runtimeOf(home string) string {
	if p.runtime[home] == "" {
		dir, err := os.MkdirTemp("", "kedge")
		require.NoError(p.t, err)
		p.t.Cleanup(func() { require.NoError(p.t, os.RemoveAll(dir)) })
		p.runtime[home] = dir
	}
	return p.runtime[home]
}

func (p *place) person(who string) *Person {
	if p.people[who] == nil {
		p.people[who] = &Person{Passphrase: "a passphrase that nobody else has"}
	}
	p.people[who].Canister = p.canister
	return p.people[who]
}

// openNetwork starts a network whose time can be moved.
func (p *place) openNetwork() {
	p.t.Helper()
	options := []replica.Option{replica.WithListen("127.0.0.1:0")}
	if cache, err := os.UserCacheDir(); err == nil {
		options = append(options, replica.WithCache(filepath.Join(cache, "kedge", "modules")))
	}
	network, err := replica.Start(options...)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { require.NoError(p.t, network.Close()) })
	p.network = network
	p.env = append(p.env, "KEDGE_NETWORK="+network.URL())
}

// pass lets time go by; the canister moves its service time an hour at most at once.
func (p *place) pass(d time.Duration) {
	p.t.Helper()
	const step = 59 * time.Minute
	for d += time.Minute; d > 0; d -= step {
		require.NoError(p.t, p.network.Advance(p.t.Context(), min(d, step)))
	}
	require.NoError(p.t, os.WriteFile(filepath.Join(p.root, "clock"), []byte(p.network.Time().Format(time.RFC3339Nano)), 0o600))
}

// prepared are the commands of the pages that a place has done already.
func prepared(command string) bool { return strings.HasPrefix(command, "make ") }

// free lets the network take a free port, since others may run on this machine.
func free(command string) string {
	return strings.Replace(command, "kedge network start", "kedge network start --port 0", 1)
}

// run runs the sessions of a page once.
func (p *place) run(page string, hang <-chan time.Time) {
	p.others = 0
	values := Values{}
	for part, text := range strings.Split(page, "<!-- sessions: anew -->") {
		if part > 0 {
			p.others++
			values = Values{}
			clear(p.people)
		}
		for _, steps := range Parse(text) {
			for _, step := range steps {
				switch {
				case step.Later > 0:
					p.pass(step.Later)
				case !prepared(step.Command):
					p.runStep(values, step, hang)
				}
			}
		}
	}
}

func (p *place) runStep(values Values, step Step, hang <-chan time.Time) {
	t := p.t
	lines := make([]string, len(step.Output))
	refused := false
	for i, line := range step.Output {
		lines[i] = values.Fill(line)
		refused = refused || strings.HasPrefix(line, "kedge: error: ")
	}
	command := values.Fill(free(step.Command))
	output, code, err := p.person(step.Who).Run(p.project, p.envOf(step.Who), command, lines, hang)
	require.NoError(t, err)
	require.NoError(t, values.Match(step.Output, output), "%s$ %s", step.Who, command)
	require.Equal(t, refused, code != 0, "%s: exit code %d: %s", command, code, output)
}

func TestSessionsOfThePages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(clients.Root(), "docs", "*.md"))
	require.NoError(t, err)
	readme := filepath.Join(clients.Root(), "README.md")
	for _, path := range append(pages, readme) {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		text := string(data)
		sessions := Parse(text)
		require.True(t, len(sessions) > 0 || path != readme, "the README has no session")
		if len(sessions) == 0 {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			var hang <-chan time.Time // a little before the tests are out of time
			if deadline, ok := t.Deadline(); ok {
				hang = time.After(time.Until(deadline) - 20*time.Second)
			}
			p := newPlace(t)
			old := strings.Contains(text, oldCanister)
			if old || Named(sessions) {
				p.openNetwork()
			}
			for range 2 {
				if old {
					p.OldCanister()
				}
				p.run(text, hang)
			}
		})
	}
}
