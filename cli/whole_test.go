package cli_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"kedge/cli"
	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/device"
	"kedge/ic/principal"
	"kedge/internal/vectors"
	"kedge/replica"
	"kedge/tests/harness"
)

// sharedNetwork is the network of all tests that neither move its time nor write its memory: each has canisters of
// its own there, and the module, which takes most of the time to compile, is compiled once.
var sharedNetwork struct {
	sync.Mutex
	url, module, whoami string
}

// startNetwork returns a network on which others may be, too; the file of the module to deploy; and the id of a
// canister that answers whoami. The network runs until the tests are through.
func startNetwork(t *testing.T) (url, module, whoami string) {
	t.Helper()
	s := &sharedNetwork
	s.Lock()
	defer s.Unlock()
	if s.url != "" {
		return s.url, s.module, s.whoami
	}
	dir, err := os.MkdirTemp("", "kedge-cli-test")
	require.NoError(t, err)
	network, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(moduleCache(t)))
	require.NoError(t, err)
	cli.AtEnd(func() error { return errors.Join(network.Close(), os.RemoveAll(dir)) })
	s.module = filepath.Join(dir, "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(s.module, harness.Module(t), 0o600))
	// A module stays compiled as long as a canister runs it.
	_, err = network.Deploy(t.Context(), principal.SelfAuthenticating([]byte("nobody")), harness.Module(t), []byte("DIDL\x00\x01\x7f"))
	require.NoError(t, err)
	id, err := network.Deploy(t.Context(), principal.Anonymous, harness.Whoami(t), []byte("DIDL\x00\x00"))
	require.NoError(t, err)
	s.url, s.whoami = network.URL(), id.Text()
	return s.url, s.module, s.whoami
}

// moduleCache is where compiled modules are kept from one run of the tests to the next.
func moduleCache(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	return filepath.Join(cache, "kedge", "modules")
}

// Scripts that play whole stories on a network with the real module.
func TestWholeScripts(t *testing.T) {
	url, module, whoami := startNetwork(t)
	variable, folder := cli.HoldScripts(t)
	// The scripts run in parallel after this function is through, unless they are in a group.
	t.Run("stories", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir: "testdata/whole",
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"anchor": anchorOf, "publickey": publicKey, "plant": plant, "plantphrase": plantPhrase, "code": verificationCode, "bystander": bystander, "stillthere": stillThere,
				"snapshot": snapshotOf,
			},
			Setup: func(env *testscript.Env) error {
				for name, value := range map[string]string{
					variable: folder, "TZ": cli.Zone, "KEDGE_KEYS": env.WorkDir + "/keys.age", "KEDGE_PASSPHRASE_FILE": env.WorkDir + "/passphrase",
					"KEDGE_NETWORK": url, "URL": url, "MODULE": module, "WHOAMI": whoami, "HOME": env.WorkDir,
				} {
					env.Setenv(name, value)
				}
				if err := os.WriteFile(env.WorkDir+"/other.wasm", []byte("\x00asm\x01\x00\x00\x00"), 0o600); err != nil {
					return err
				}
				return os.WriteFile(env.WorkDir+"/passphrase", []byte("a passphrase\n"), 0o600)
			},
		})
	})
}

// publicKey is the script command "publickey FILE KIND JSON": it writes the public key of the device of
// that kind in a list of devices to a file.
func publicKey(ts *testscript.TestScript, _ bool, args []string) {
	var devices []struct {
		KeyType   string `json:"key_type"`
		PublicKey string `json:"public_key"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[2])), &devices))
	for _, d := range devices {
		if d.KeyType == args[1] {
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(d.PublicKey), 0o600))
			return
		}
	}
	ts.Fatalf("no device of kind %q", args[1])
}

// anchorOf is the script command "anchor FILE": it sets ANCHOR to the anchor in the JSON of a command.
func anchorOf(ts *testscript.TestScript, _ bool, args []string) {
	var created struct {
		Anchor uint64 `json:"anchor"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &created))
	ts.Setenv("ANCHOR", strconv.FormatUint(created.Anchor, 10))
}

// snapshotOf is the script command "snapshot FILE": it sets SNAPSHOT to the first in the list of snapshots.
func snapshotOf(ts *testscript.TestScript, _ bool, args []string) {
	var list []struct {
		ID string `json:"id"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &list))
	ts.Setenv("SNAPSHOT", list[0].ID)
}

// plant is the script command "plant ALIAS FILE": it adds a device with the public key in a file.
func plant(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("kedge", "device", "add", args[0], "--public-key", strings.TrimSpace(ts.ReadFile(args[1]))))
}

// verificationCode is the script command "code FILE": it sets CODE to the code in the JSON of an offer.
func verificationCode(ts *testscript.TestScript, _ bool, args []string) {
	_, rest, found := strings.Cut(ts.ReadFile(args[0]), `"verification_code":"`)
	if !found {
		ts.Fatalf("no code")
	}
	code, _, _ := strings.Cut(rest, `"`)
	ts.Setenv("CODE", code)
}

// plantPhrase is the script command "plantphrase NAME": a key of the store adds a recovery phrase of a stranger's
// to anchor 10000, as a client does that does not ask whether it can be protected.
func plantPhrase(ts *testscript.TestScript, _ bool, args []string) {
	store, err := device.OpenStore(ts.Getenv("KEDGE_KEYS"), "a passphrase")
	ts.Check(err)
	keys, err := store.Load()
	ts.Check(err)
	signer, err := keys.Get(args[0])
	ts.Check(err)
	network, err := client.Open(context.Background(), ts.Getenv("URL"), nil)
	ts.Check(err)
	canister, _, _ := strings.Cut(signer.Uses[0].Where, "@")
	id, err := principal.Parse(canister)
	ts.Check(err)
	nobody, err := provider.New(network, id, client.Anonymous())
	ts.Check(err)
	p, err := nobody.As(signer.Passkey)
	ts.Check(err)
	phrase, err := device.NewPhrase(rand.Reader)
	ts.Check(err)
	ts.Check(p.Add(context.Background(), 10000, session.PhraseData(phrase)))
}

// bystander is the script command that leaves the state of a network behind that has ended, with an
// unrelated process in the place of the network's, and another network at its address.
func bystander(ts *testscript.TestScript, _ bool, _ []string) {
	process := exec.Command("sleep", "600")
	ts.Check(process.Start())
	ended := make(chan struct{})
	go func() { _ = process.Wait(); close(ended) }()
	ts.Defer(func() { _ = process.Process.Kill() })
	bystanders.Store(ts, ended)
	ts.Check(os.WriteFile(ts.MkAbs(".kedge/network.json"), fmt.Appendf(nil, `{"version":1,"url":%q,"pid":%d,"root_key":"00"}`,
		ts.Getenv("URL"), process.Process.Pid), 0o600))
}

var bystanders sync.Map

// stillThere is the script command that requires that the bystander lives.
func stillThere(ts *testscript.TestScript, _ bool, _ []string) {
	ended, _ := bystanders.Load(ts)
	select {
	case <-ended.(chan struct{}):
		ts.Fatalf("the bystander was ended")
	default:
	}
}

// person is a fake terminal: it remembers what is shown and answers with functions, in turn.
type person struct {
	shown   []string
	prompts []string
	answers []func(p *person) string
}

func (p *person) Show(text func(width int) string) error {
	p.shown = append(p.shown, text(80))
	return nil
}
func (p *person) Close() error { return nil }

func (p *person) Secret(prompt string) (string, error) { return p.Line(prompt) }

func (p *person) Words(prompt string, _ func(string) bool) (string, error) { return p.Line(prompt) }

func (p *person) Line(prompt string) (string, error) {
	p.prompts = append(p.prompts, prompt)
	if len(p.answers) == 0 {
		return "", errors.New("the person has no answer to " + prompt)
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return answer(p), nil
}

// words reads the last phrase that was shown off the screen: each word stands behind its number.
func (p *person) words() string {
	i := len(p.shown) - 1
	for !strings.Contains(p.shown[i], " 12 ") { // what explains a mistyped word
		i--
	}
	fields := strings.Fields(p.shown[i])
	var words []string
	for i, field := range fields[1:] {
		if fields[i] == strconv.Itoa(len(words)+1) {
			words = append(words, field)
		}
	}
	return strings.Join(words, " ")
}

func say(text string) func(*person) string { return func(*person) string { return text } }

// run runs one command with a person at the terminal.
func run(t *testing.T, p *person, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if p == nil {
		return runAs(t, nil, env, args...)
	}
	return runAs(t, p, env, args...)
}

// runAs runs one command on a terminal, nil for none.
func runAs(t *testing.T, p cli.Terminal, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.MainHeld(t, context.Background(), cli.System{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: func(name string) string { return env[name] }, Now: time.Now, Random: rand.Reader,
		OpenTerminal: func() (cli.Terminal, error) {
			if p == nil {
				return nil, errors.New("there is no terminal to ask on")
			}
			return p, nil
		},
		WorkFactor: 4,
	})
	return code, out.String(), errs.String()
}

// A person makes an anchor: passphrase twice, the words on the screen, a slip, the words typed back.
func TestPhraseIsTypedBack(t *testing.T) {
	url, module, _ := startNetwork(t)
	t.Chdir(t.TempDir())
	env := map[string]string{"KEDGE_NETWORK": url, "KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age")}
	code, _, stderr := run(t, nil, env, "deploy", module)
	require.Zero(t, code, stderr)

	t.Run("nobody there", func(t *testing.T) {
		code, _, stderr := run(t, nil, env, "anchor", "create", "--device", "laptop")
		require.Equal(t, 5, code)
		require.Contains(t, stderr, "kedge: error: asking for a secret: there is no terminal to ask on\n")
		require.Contains(t, stderr, "kedge: hint: KEDGE_PASSPHRASE_FILE gives the passphrase to scripts")
	})
	t.Run("two passphrases", func(t *testing.T) {
		p := &person{answers: []func(*person) string{say("one"), say("another")}}
		code, _, stderr := run(t, p, env, "anchor", "create", "--device", "laptop")
		require.Equal(t, 5, code)
		require.Contains(t, stderr, "the two passphrases are not the same")
	})

	var words string
	p := &person{answers: []func(*person) string{
		say("a passphrase"), say("a passphrase"),
		say("abandom " + strings.Repeat("abandon ", 22) + "art"),
		func(p *person) string { words = p.words(); return strings.ToUpper(words) },
	}}
	code, stdout, stderr := run(t, p, env, "anchor", "create", "--device", "laptop")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `anchor 10000, device "laptop", recovery phrase protected`)
	require.Contains(t, stderr, `kedge: warning: word 1 is not in the BIP-39 list`)
	require.Len(t, p.shown, 2)
	require.Equal(t, "word 1 \"abandom\" is not in the list, did you mean \"abandon\"?\n", p.shown[1], "on the terminal alone")
	require.NotContains(t, stderr, "abandom")
	require.Len(t, strings.Fields(words), 24)
	list := strings.Fields(words)
	for i := range list[1:] { // single words may be in the prose
		require.NotContains(t, stdout, list[i]+" "+list[i+1])
		require.NotContains(t, stderr, list[i]+" "+list[i+1])
	}

	// The phrase alone is enough, without the key store: the words are asked for.
	p = &person{answers: []func(*person) string{say("10000 " + words)}}
	code, stdout, stderr = run(t, p, env, "device", "list", "--as", "phrase")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "Recovery phrase")
	require.Equal(t, []string{"recovery phrase: "}, p.prompts)

	p = &person{answers: []func(*person) string{say("10000 " + strings.Replace(words, " ", " x", 1))}}
	code, _, stderr = run(t, p, env, "device", "list", "--as", "phrase")
	require.Equal(t, 5, code)
	require.Contains(t, stderr, "kedge: error: the recovery phrase: word 2 ")
	require.Len(t, p.shown, 1)
	require.Contains(t, p.shown[0], "word 2 \"x")
	require.Contains(t, stderr, "kedge: hint: compare the words with the paper\n")

	t.Run("never typed back", func(t *testing.T) {
		other := say(strings.Repeat("all ", 12))
		p := &person{answers: []func(*person) string{say("a passphrase"), other, other, other}}
		code, _, stderr := run(t, p, env, "anchor", "create", "--device", "tablet")
		require.Equal(t, 5, code)
		require.Contains(t, stderr, "that is another recovery phrase")
		require.Contains(t, stderr, `anchor 10001 is registered with device "tablet", but has no protected recovery phrase`)
		require.Contains(t, stderr, `kedge: hint: kedge recovery phrase add --anchor 10001 --as tablet`)
	})
	t.Run("wrong passphrase", func(t *testing.T) {
		p := &person{answers: []func(*person) string{say("not the one")}}
		code, _, stderr := run(t, p, env, "device", "list")
		require.Equal(t, 5, code)
		require.Contains(t, stderr, fmt.Sprintf("opening the key store %q: wrong passphrase", env["KEDGE_KEYS"]))
	})
}

// Whoever protects a device that is not in the key store sees its key, and who added it, before saying yes.
func TestProtectionByAliasIsAskedAbout(t *testing.T) {
	url, module, _ := startNetwork(t)
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase\n"), 0o600))
	env := map[string]string{"KEDGE_NETWORK": url, "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase"), "KEDGE_KEYS": filepath.Join(dir, "laptop.age")}
	words := filepath.Join(dir, "words.txt")
	must := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := run(t, nil, env, args...)
		require.Zero(t, code, stderr)
		return stdout
	}
	must("deploy", module)
	must("anchor", "create", "--device", "laptop", "--new-phrase-file", words)
	env["KEDGE_KEYS"] = filepath.Join(dir, "phone.age")
	must("anchor", "create", "--device", "phone", "--no-phrase") // a key of another machine
	var keys []struct {
		PublicKey string `json:"public_key"`
	}
	require.NoError(t, json.Unmarshal([]byte(must("device", "list", "--keys-only", "--json")), &keys))
	env["KEDGE_KEYS"] = filepath.Join(dir, "laptop.age")
	must("device", "add", "phone", "--public-key", keys[0].PublicKey)
	key, err := hex.DecodeString(keys[0].PublicKey)
	require.NoError(t, err)
	fingerprint := principal.SelfAuthenticating(key).Text()

	protect := []string{"device", "protect", "phone", "--as", "phrase", "--phrase-file", words}
	for _, answer := range []string{"", "no", "y", "phone"} {
		p := &person{answers: []func(*person) string{say(answer)}}
		code, _, stderr := run(t, p, env, protect...)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "kedge: error: nothing was done\n")
	}
	p := &person{answers: []func(*person) string{say("yes")}}
	code, stdout, stderr := run(t, p, env, protect...)
	require.Zero(t, code, stderr)
	require.Regexp(t, `^phone \(.*\) of anchor 10000 is protected\n$`, stdout)
	require.Len(t, p.prompts, 1)
	require.Contains(t, p.prompts[0], "key fingerprint  "+fingerprint)
	require.Regexp(t, `added +2\S+ \S+ \S+ \((now|\d+ seconds? ago)\) by laptop \([a-z0-9-]+…[a-z0-9]{3}\)\n`, p.prompts[0])
	require.Regexp(t, `has signed here +no\n`, p.prompts[0])
	// The key itself is enough, and is asked about no more.
	must("release", "consent", "--asker", fingerprint, "--as", "phrase", "--phrase-file", words)
}

// Look-ups show every match: anybody can list anybody's keys on an anchor of their own.
func TestLookupsNeverChoose(t *testing.T) {
	url, module, _ := startNetwork(t)
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase\n"), 0o600))
	env := map[string]string{"KEDGE_NETWORK": url, "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase"), "KEDGE_KEYS": filepath.Join(dir, "mine.age")}
	must := func(args ...string) (stdout, stderr string) {
		t.Helper()
		code, stdout, stderr := run(t, nil, env, args...)
		require.Zero(t, code, stderr)
		return stdout, stderr
	}
	must("deploy", module)
	must("anchor", "create", "--device", "laptop", "--no-phrase")
	stdout, _ := must("device", "list", "--keys-only", "--json")
	var keys []struct {
		PublicKey    string `json:"public_key"`
		CredentialID string `json:"credential_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &keys))

	env["KEDGE_KEYS"] = filepath.Join(dir, "stranger.age")
	must("anchor", "create", "--device", "theirs", "--no-phrase")
	must("device", "add", "planted", "--public-key", keys[0].PublicKey, "--credential-id", keys[0].CredentialID)

	env["KEDGE_KEYS"] = filepath.Join(dir, "mine.age")
	stdout, stderr := must("lookup", "--credential-id", keys[0].CredentialID)
	require.Contains(t, stderr, "2 anchors list this credential id; only its owner knows which is the right one")
	require.Equal(t, "ANCHOR  PROVEN\n10000   yes\n10001   no\n", stdout)
	stdout, _ = must("lookup")
	require.Equal(t, "ANCHOR  PROVEN\n10000   yes\n10001   no\n", stdout)
	stdout, _ = must("lookup", "--json", "--credential-id", "00")
	require.Equal(t, "[]\n", stdout)
}

// The published images of Internet Identity, and one of them cut off.
func TestPlan(t *testing.T) {
	images := vectors.Dir(t, "ii")
	code, stdout, stderr := run(t, nil, nil, "migrate", "plan", filepath.Join(images, "genesis_v1.bin.gz"))
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "Internet Identity, layout 1: Candid vectors of devices in entries of 2 KiB\n31 anchors of the range [10000, ")
	require.Contains(t, stdout, "1 anchors have no device key; finalising then takes --anchors-without-devices")

	data, err := os.ReadFile(filepath.Join(images, "genesis_v7.bin.gz"))
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "cut.bin.gz")
	require.NoError(t, os.WriteFile(cut, data[:len(data)/2], 0o600))
	code, _, stderr = run(t, nil, nil, "migrate", "plan", cut)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, fmt.Sprintf("kedge: error: the memory image %q is not whole: ", cut))
}
