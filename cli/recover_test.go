package cli_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli"
	"kedge/cli/project"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/tests/harness"
)

// village is a network with an owner, whose phrase is protected and who named three friends, two of whom must
// approve and wait for seven days, and with the friends, who accepted.
type village struct {
	t       *testing.T
	network *replica.Network
	dir     string
}

func openVillage(t *testing.T) *village {
	t.Helper()
	v := foundVillage(t)
	v.must("owner", "session-limit", "7d", "--phrase-file", "words.txt")
	v.entrust("7d")
	return v
}

// foundVillage is a village without contacts.
func foundVillage(t *testing.T) *village {
	t.Helper()
	network, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(moduleCache(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	v := &village{t: t, network: network, dir: t.TempDir()}
	t.Chdir(v.dir)
	require.NoError(t, os.WriteFile("passphrase", []byte("a passphrase\n"), 0o600))
	require.NoError(t, os.WriteFile("kedge.wasm.gz", harness.Module(t), 0o600))
	v.must("owner", "deploy", "kedge.wasm.gz")
	v.must("owner", "anchor", "create", "--device", "laptop", "--new-phrase-file", "words.txt")
	v.must("owner", "device", "add", "phone")
	for _, friend := range []string{"anna", "bert", "carl"} {
		v.must(friend, "anchor", "create", "--device", friend, "--no-phrase")
	}
	return v
}

// entrust names the friends, who accept.
func (v *village) entrust(delay string) {
	v.t.Helper()
	v.must("owner", "contacts", "set", "10001", "10002", "10003", "--delay", delay, "--phrase-file", "words.txt")
	for _, friend := range []string{"anna", "bert", "carl"} {
		v.must(friend, "contact", "accept", "10000")
	}
}

func (v *village) env(who string) map[string]string {
	return map[string]string{
		"KEDGE_NETWORK": v.network.URL(), "KEDGE_KEYS": filepath.Join(v.dir, who+".age"), "KEDGE_PASSPHRASE_FILE": filepath.Join(v.dir, "passphrase"),
	}
}

func (v *village) must(who string, args ...string) (stdout string) {
	v.t.Helper()
	code, stdout, stderr := v.run(nil, who, args...)
	require.Zero(v.t, code, "%v\n%s", args, stderr)
	return stdout
}

// pass lets time go by, with the timers of the canister, which moves its service time an hour at most at once.
func (v *village) pass(d time.Duration) {
	v.t.Helper()
	for ; d > 0; d -= 30 * time.Minute {
		require.NoError(v.t, v.network.Advance(v.t.Context(), min(d, 30*time.Minute)))
	}
}

// run runs a command of somebody on a machine whose clock is right.
func (v *village) run(p cli.Terminal, who string, args ...string) (code int, stdout, stderr string) {
	v.t.Helper()
	return v.runIn(v.t.Context(), p, who, args...)
}

func (v *village) runIn(ctx context.Context, p cli.Terminal, who string, args ...string) (code int, stdout, stderr string) {
	var errs bytes.Buffer
	code, stdout = v.runTo(ctx, p, &errs, who, args...)
	return code, stdout, errs.String()
}

func (v *village) runTo(ctx context.Context, p cli.Terminal, errs io.Writer, who string, args ...string) (code int, stdout string) {
	var out bytes.Buffer
	code = cli.MainHeld(v.t, ctx, v.system(p, &out, errs, who, args...))
	return code, out.String()
}

// system is the machine of somebody.
func (v *village) system(p cli.Terminal, out, errs io.Writer, who string, args ...string) cli.System {
	env := v.env(who)
	return cli.System{
		Args: args, Stdin: strings.NewReader(""), Stdout: out, Stderr: errs,
		Getenv: func(name string) string { return env[name] }, Now: v.network.Time, Random: rand.Reader, WorkFactor: 4,
		OpenTerminal: func() (cli.Terminal, error) {
			if p == nil {
				return nil, errors.New("there is no terminal to ask on")
			}
			return p, nil
		},
	}
}

// under is the JSON of kedge recover.
type under struct {
	Device       string   `json:"device"`
	Principal    string   `json:"principal"`
	Words        []string `json:"words"`
	State        string   `json:"state"`
	Approvals    int      `json:"approvals"`
	CompletesInS *uint64  `json:"completes_in_s"`
	Next         []string `json:"next"`
}

func (v *village) recovery(who string) (r under) {
	v.t.Helper()
	require.NoError(v.t, json.Unmarshal([]byte(v.must(who, "recover", "--anchor", "10000", "--json")), &r))
	return r
}

// approve has a friend type the words that the owner says.
func (v *village) approve(friend string, r under) {
	v.t.Helper()
	p := &person{answers: []func(*person) string{say(strings.Join(r.Words, " "))}}
	code, stdout, stderr := v.run(p, friend, "contact", "approve", "10000", r.Principal)
	require.Zero(v.t, code, stderr)
	require.Contains(v.t, stdout, "approves the key "+r.Principal+" for anchor 10000")
	require.Equal(v.t, []string{"type the six words only as you hear them from the owner of anchor 10000, whose voice you know\nsix words: "}, p.prompts)
}

type listed struct {
	Alias     string `json:"alias"`
	KeyType   string `json:"key_type"`
	Protected bool   `json:"protected"`
	PublicKey string `json:"public_key"`
	Principal string `json:"principal"`
}

func (v *village) devices(who string, args ...string) map[string]listed {
	v.t.Helper()
	var list []listed
	require.NoError(v.t, json.Unmarshal([]byte(v.must(who, append([]string{"device", "list", "--json"}, args...)...)), &list))
	devices := map[string]listed{}
	for _, d := range list {
		devices[d.Alias] = d
	}
	return devices
}

// A fire takes laptop, phone and paper. Two of three friends hear the owner's voice; a week later the anchor is
// his again, the laptop, which was stolen and not burnt, is removed, and there is a new phrase.
func TestEverythingIsLost(t *testing.T) {
	v := openVillage(t)
	before := v.devices("owner", "--as", "laptop")
	r := v.recovery("fresh")
	require.Equal(t, under{Device: "recovered-10000", Principal: r.Principal, Words: r.Words, State: "asking", Next: []string{"kedge recover --anchor 10000"}}, r)
	require.Len(t, r.Words, 6)
	code, stdout, _ := v.run(nil, "fresh", "recover", "--anchor", "10000")
	require.Zero(t, code)
	require.Contains(t, stdout, "its six words  "+strings.Join(r.Words, " ")+"\n")
	require.Contains(t, stdout, "3. they type the words: kedge contact approve 10000 "+r.Principal+"\n")
	require.Contains(t, stdout, "approved by no contact yet")

	v.approve("anna", r)
	one := v.recovery("fresh")
	require.Equal(t, r.Principal, one.Principal, "goes on with the same key")
	require.Equal(t, 1, one.Approvals)
	require.Nil(t, one.CompletesInS)
	v.approve("bert", r)
	two := v.recovery("fresh")
	require.Equal(t, "waiting", two.State)
	require.EqualValues(t, 7*24*3600, *two.CompletesInS)
	// The thief's laptop sees it, and cannot stop it.
	code, _, stderr := v.run(nil, "owner", "contacts", "end", "--as", "laptop", "--yes")
	require.Equal(t, 4, code)
	require.Contains(t, stderr, "10001, 10002 approve the new key "+r.Principal)
	// No command signs with the new key meanwhile.
	code, _, stderr = v.run(nil, "fresh", "device", "list")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "no device in the key store is known to belong to any anchor here")

	v.pass(6 * 24 * time.Hour)
	code, stdout, _ = v.run(nil, "fresh", "recover", "--anchor", "10000")
	require.Zero(t, code)
	require.Regexp(t, `approved by 2 contacts; (1d|23h 59m) of service time are left`, stdout)
	v.pass(24*time.Hour + time.Minute)

	var words string
	p := &person{}
	ask := func(want, answer string) func(*person) string {
		return func(p *person) string {
			require.Contains(t, p.prompts[len(p.prompts)-1], want)
			return answer
		}
	}
	p.answers = []func(*person) string{
		func(p *person) string { // whichever comes first
			return map[bool]string{true: "remove", false: "keep"}[strings.HasPrefix(p.prompts[len(p.prompts)-1], "laptop (")]
		},
		func(p *person) string {
			return map[bool]string{true: "remove", false: "keep"}[strings.HasPrefix(p.prompts[len(p.prompts)-1], "laptop (")]
		},
		ask("make a new recovery phrase now?", "yes"),
		func(p *person) string { words = p.words(); return words },
	}
	code, stdout, stderr = v.run(p, "fresh", "recover", "--anchor", "10000")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `anchor 10000 is yours again: the key "recovered-10000" is a protected device of it`)
	require.Contains(t, stdout, `kedge contacts set ANCHOR... --anchor 10000 --as recovered-10000`)
	require.NotContains(t, stdout, "phrase add", "it was made")
	require.Contains(t, stderr, "has a new recovery phrase, which is protected")
	require.Empty(t, p.answers)
	require.Len(t, strings.Fields(words), 24)

	after := v.devices("fresh")
	require.NotContains(t, after, "laptop")
	require.True(t, after["recovered-10000"].Protected)
	require.Equal(t, r.Principal, after["recovered-10000"].Principal)
	require.True(t, after["Recovery phrase"].Protected)
	require.NotEqual(t, before["Recovery phrase"].PublicKey, after["Recovery phrase"].PublicKey)
	require.Len(t, after, 3)
	code, _, stderr = v.run(nil, "owner", "device", "list", "--phrase-file", "words.txt", "--anchor", "10000")
	require.Equal(t, 4, code, "the old phrase is out")
	require.Contains(t, stderr, "could not be authenticated")
	code, _, stderr = v.run(nil, "fresh", "recover", "--anchor", "10000")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, `device "recovered-10000" of this key store is a protected device of anchor 10000, so there is nothing to recover`)

	// If the answer to the last call was lost, the same command finds out that it had been done.
	store, err := device.OpenStore(filepath.Join(v.dir, "fresh.age"), "a passphrase")
	require.NoError(t, err)
	store.SetWorkFactor(4)
	require.NoError(t, store.Change(func(k *device.Keys) error {
		use := k.All()[0].Uses[0]
		if err := k.Forget("recovered-10000", use); err != nil {
			return err
		}
		return k.Note("recovered-10000", device.Use{Where: use.Where + "/recovering", Anchor: use.Anchor})
	}))
	require.Equal(t, "recovered", v.recovery("fresh").State)
	require.Len(t, v.devices("fresh"), 3)
}

// The contacts were deceived, and the owner is there: any call with the phrase is the veto. The stranger's wait
// ends with nothing.
func TestOwnerVetoes(t *testing.T) {
	v := openVillage(t)
	thief := v.recovery("thief")
	v.approve("anna", thief)
	v.approve("carl", thief)
	v.pass(5 * 24 * time.Hour)
	code, _, stderr := v.run(nil, "owner", "device", "list", "--as", "phone")
	require.Zero(t, code)
	require.Contains(t, stderr, "kedge: warning: of the recovery contacts of anchor 10000, 10001, 10003 approve the new key "+thief.Principal)
	require.Contains(t, stderr, "kedge: its six words: "+strings.Join(thief.Words, " ")+"\n")
	require.Contains(t, stderr, "kedge contacts show --anchor 10000 --as phrase")
	code, stdout, stderr := v.run(nil, "owner", "contacts", "show", "--phrase-file", "words.txt")
	require.Zero(t, code)
	require.Contains(t, stderr, "and so a veto: recovery contacts approved the new key "+thief.Principal)
	require.Contains(t, stderr, "10001, 10003 approved and are off the list")
	require.Equal(t, "anchor 10000: no recovery contacts\n", stdout, "one is below the threshold of two")
	v.pass(3 * 24 * time.Hour)
	r := v.recovery("thief")
	require.Equal(t, "asking", r.State)
	require.Zero(t, r.Approvals)
	require.NotContains(t, v.devices("owner", "--as", "phone"), "recovered-10000")
}

// What somebody planted on the anchor, the same key or a filled anchor, keeps nobody out; a device that had not
// agreed stays, and that is said.
func TestRecoverDespiteAFullAnchor(t *testing.T) {
	v := openVillage(t)
	v.must("owner", "device", "protect", "phone", "--phrase-file", "words.txt")
	v.must("owner", "device", "list", "--as", "phone") // so the mark stays; it does not agree
	r := v.recovery("fresh")
	v.approve("bert", r)
	v.approve("carl", r)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		v.must("owner", "device", "add", name, "--as", "laptop")
	}
	v.pass(7*24*time.Hour + time.Minute)
	code, stdout, stderr := v.run(nil, "fresh", "recover", "--anchor", "10000", "--yes")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "is yours again")
	require.Equal(t, 8, strings.Count(stdout, "kedge device remove "), "all but the phone, which stays, and the phrase, which a new one replaces")
	require.Contains(t, stdout, `kedge recovery phrase add --replace --anchor 10000 --as recovered-10000`)
	devices := v.devices("fresh")
	require.Len(t, devices, 11)
	require.True(t, devices["phone"].Protected)
	require.False(t, devices["Recovery phrase"].Protected)
	// The commands that were printed work as they stand.
	for _, line := range strings.Split(stdout, "\n") {
		if command, _, found := strings.Cut(strings.TrimSpace(line), "   # "); found && strings.HasPrefix(command, "kedge device remove ") {
			v.must("fresh", strings.Fields(strings.ReplaceAll(strings.TrimPrefix(command, "kedge "), `"`, ""))...)
		}
	}
	require.Len(t, v.devices("fresh"), 3)
}

// Whoever waits sees how it goes and is done when it is done; whoever breaks off goes on later.
func TestRecoverWaits(t *testing.T) {
	v := openVillage(t)
	r := v.recovery("fresh")
	ctx, interrupt := context.WithCancel(t.Context())
	type result struct {
		code           int
		stdout, stderr string
	}
	done := make(chan result, 1)
	wait := func(ctx context.Context, said *saying) {
		var r result
		r.code, r.stdout = v.runTo(ctx, nil, said, "fresh", "recover", "--anchor", "10000", "--wait", "--json")
		r.stderr = said.String()
		done <- r
	}
	var said saying
	go wait(ctx, &said)
	require.Eventually(t, func() bool { return strings.Contains(said.String(), "approved by no contact yet") }, 30*time.Second, time.Millisecond)
	interrupt()
	broken := <-done
	require.Equal(t, 130, broken.code)
	require.Empty(t, broken.stdout)
	require.Contains(t, broken.stderr, "kedge: hint: nothing is lost; kedge recover --anchor 10000 goes on later\n")
	v.approve("anna", r)
	v.approve("bert", r)
	later := &saying{}
	go wait(t.Context(), later)
	require.Eventually(t, func() bool { return strings.Contains(later.String(), "approved by 2 contacts; 7d") }, 30*time.Second, time.Millisecond)
	v.pass(7*24*time.Hour + time.Minute)
	whole := <-done
	require.Zero(t, whole.code, whole.stderr)
	require.Contains(t, whole.stdout, `"state":"recovered"`)
}

// quitter answers some questions and breaks off at the next.
type quitter struct{ person }

func (q *quitter) Line(prompt string) (string, error) {
	if len(q.answers) == 0 {
		return "", ui.ErrInterrupted
	}
	return q.person.Line(prompt)
}

func (q *quitter) Words(prompt string, _ func(string) bool) (string, error) { return q.Line(prompt) }

// Whoever breaks off while the command goes through what is left to do has the anchor, and hears what is left.
func TestWalkIsLeft(t *testing.T) {
	for name, answers := range map[string][]func(*person) string{
		"at the first device": nil,
		"at the phrase":       {say("keep"), say("remove")},
		"typing the words":    {say("remove"), say("keep"), say("yes")},
	} {
		t.Run(name, func(t *testing.T) {
			v := openVillage(t)
			r := v.recovery("fresh")
			v.approve("anna", r)
			v.approve("bert", r)
			v.pass(7*24*time.Hour + time.Minute)
			q := &quitter{person{answers: answers}}
			code, stdout, stderr := v.run(q, "fresh", "recover", "--anchor", "10000")
			require.Equal(t, 130, code, stderr)
			require.Contains(t, stdout, `anchor 10000 is yours again`)
			require.Equal(t, 2-min(len(answers), 1), strings.Count(stdout, "kedge device remove "))
			require.Contains(t, stdout, `kedge recovery phrase add --replace --anchor 10000 --as recovered-10000`)
			devices := v.devices("fresh")
			require.Len(t, devices, 4-min(len(answers), 1))
			require.True(t, devices["recovered-10000"].Protected)
		})
	}
}

// saying is what a command that is still running has said so far.
type saying struct {
	mu   sync.Mutex
	text []byte
}

func (s *saying) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	return len(p), nil
}

func (s *saying) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// What cannot be is said at once, and makes no key.
func TestRecoverRefuses(t *testing.T) {
	v := openVillage(t)
	for _, c := range []struct {
		code   int
		stderr string
		args   []string
	}{
		{2, "kedge: error: which anchor? --anchor NUMBER says it", nil},
		{1, "kedge: error: there is no anchor 77777 here", []string{"--anchor", "77777"}},
		{2, "kedge: error: ", []string{"--anchor", "10000", "--device", "phrase"}},
		{2, "so its name has no slash", []string{"--anchor", "10000", "--device", "yubi/https://anna@id.example"}},
		{2, "--alias has 65 bytes, and 64 are allowed", []string{"--anchor", "10000", "--alias", strings.Repeat("a", 65)}},
		{2, "--origin has 108 bytes, and 100 are allowed", []string{"--anchor", "10000", "--origin", "https://" + strings.Repeat("a", 100)}},
		{2, "kedge recover takes no argument, and one was given", []string{"now", "--anchor", "10000"}},
	} {
		code, _, stderr := v.run(nil, "fresh", append([]string{"recover"}, c.args...)...)
		require.Equal(t, c.code, code, stderr)
		require.Contains(t, stderr, c.stderr)
		require.NoFileExists(t, filepath.Join(v.dir, "fresh.age"))
	}
	// A key of another name is another recovery.
	r := v.recovery("fresh")
	other := v.must("fresh", "recover", "--anchor", "10000", "--device", "tablet")
	require.Contains(t, other, `the new key "tablet"`)
	require.NotContains(t, other, r.Principal)
	require.Equal(t, principal.MustParse(r.Principal).Text(), r.Principal)
	// On a machine that has a device of the anchor, that is said.
	code, _, stderr := v.run(nil, "owner", "recover", "--anchor", "10000", "--json")
	require.Zero(t, code)
	require.Contains(t, stderr, `kedge: hint: device "laptop" of this key store belongs to anchor 10000`)
}

// Whoever stands before the network and keeps the looks at what is pending from it, but no call, is noticed.
func TestAHiddenRecoveryIsNoticed(t *testing.T) {
	v := openVillage(t)
	r := v.recovery("fresh")
	v.approve("anna", r)
	canisters, err := project.LoadCanisters()
	require.NoError(t, err)
	canister := canisters.ByNetwork[v.network.URL()].Text()
	_, _, stderr := v.run(nil, "owner", "device", "list", "--as", "laptop")
	require.Contains(t, stderr, "approve the new key "+r.Principal)
	for _, how := range []http.HandlerFunc{
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xa0}) }, // an empty map in CBOR
	} {
		for _, hidden := range []string{"history", "recovery_report"} {
			address := hiding(t, v.network.URL(), hidden, how)
			code, _, stderr := v.run(nil, "owner", "device", "list", "--as", "laptop", "--network", address, "--canister", canister)
			require.Zero(t, code, stderr)
			require.Contains(t, stderr, "kedge: warning: whether a release or a recovery is under way on the anchor is not known: ", hidden)
		}
		// Where nothing is answered at all, the command's own call says so, and alone.
		code, _, stderr := v.run(nil, "owner", "device", "list", "--as", "laptop", "--network", hiding(t, v.network.URL(), "", how), "--canister", canister)
		require.NotZero(t, code)
		require.NotContains(t, stderr, "is under way")
	}
}

// hiding puts a proxy before a network, which answers in its place where a request names a method; with none, to all
// requests but the status.
func hiding(t *testing.T, to, method string, answer http.HandlerFunc) string {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorLog = log.New(io.Discard, "", 0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method == http.MethodPost && bytes.Contains(body, []byte(method)) {
			answer(w, r)
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A network that does not answer for a while ends no wait.
func TestWaitOutlastsTheNetwork(t *testing.T) {
	v := openVillage(t)
	r := v.recovery("fresh")
	to, err := url.Parse(v.network.URL())
	require.NoError(t, err)
	canisters, err := project.LoadCanisters()
	require.NoError(t, err)
	var down atomic.Bool
	forward := httputil.NewSingleHostReverseProxy(to)
	forward.ErrorLog = log.New(io.Discard, "", 0)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()

	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var said saying
	heard := func(text string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(said.String(), text) }, 30*time.Second, time.Millisecond, "%s", &said)
	}
	done := make(chan int, 1)
	go func() {
		code, _ := v.runTo(ctx, nil, &said, "fresh", "recover", "--anchor", "10000", "--wait", "--network", proxy.URL,
			"--canister", canisters.ByNetwork[v.network.URL()].Text())
		done <- code
	}()
	heard("approved by no contact yet")
	down.Store(true)
	heard("going on as soon as it is there")
	down.Store(false)
	v.approve("anna", r)
	heard("kedge: approved by 1 contact, which is not enough yet\n")
	v.must("anna", "contact", "withdraw", "10000")
	heard("kedge: warning: approved by no contact yet: contacts have withdrawn, or a protected device of the anchor has signed a call, which vetoes\n")
	leave()
	require.Equal(t, 130, <-done)
}
