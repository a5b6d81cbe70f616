package cli_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/cli"
	"kedge/cli/client"
	"kedge/cli/ui"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/tests/harness"
	"kedge/wasm"
)

// broken is the real module with exports that lead to another function: a lookup, which traps where there is no
// argument that it knows.
func broken(t *testing.T, exports ...string) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(harness.Module(t)))
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	m, err := wasm.Decode(raw)
	require.NoError(t, err)
	place := func(name string) int {
		i := slices.IndexFunc(m.Exports, func(e wasm.Export) bool { return e.Name == name })
		require.GreaterOrEqual(t, i, 0, name)
		return i
	}
	for _, name := range exports {
		m.Exports[place(name)].Index = m.Exports[place("canister_query lookup")].Index
	}
	path := filepath.Join(t.TempDir(), "broken.wasm.gz")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(m.Encode())
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(path, packed.Bytes(), 0o600))
	return path
}

// deployer is somebody who deploys from a folder of his own.
type deployer struct {
	t   *testing.T
	env map[string]string
}

func newDeployer(t *testing.T, url string) deployer {
	t.Helper()
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase\n"), 0o600))
	return deployer{t, map[string]string{
		"KEDGE_NETWORK": url, "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase"), "KEDGE_KEYS": filepath.Join(dir, "keys.age"), "HOME": dir,
	}}
}

func (o deployer) must(args ...string) string {
	o.t.Helper()
	code, stdout, stderr := run(o.t, nil, o.env, args...)
	require.Zero(o.t, code, stderr)
	return stdout
}

type deployment struct {
	Canister   string `json:"canister"`
	Mode       string `json:"mode"`
	ModuleHash string `json:"module_hash"`
	Snapshot   string `json:"snapshot"`
	URL        string `json:"url"`
	Settings   []struct {
		Name, Before, After string
		Narrows             bool
	} `json:"settings"`
	Interface []struct {
		Method, What string
		Narrows      bool
	} `json:"interface"`
}

func (o deployer) deploy(args ...string) (d deployment) {
	o.t.Helper()
	require.NoError(o.t, json.Unmarshal([]byte(o.must(append([]string{"deploy", "--json"}, args...)...)), &d))
	return d
}

// An upgrade that fails, or that leaves a module which does not answer, ends with the module and the anchors
// that were there; where calls have run since, only a person may decide to lose what they did.
func TestUpgradesThatFail(t *testing.T) {
	url, module, _ := startNetwork(t)
	o := newDeployer(t, url)
	first := o.deploy(module)
	require.Equal(t, "install", first.Mode)
	require.Empty(t, first.Snapshot)
	o.must("anchor", "create", "--device", "laptop", "--no-phrase")
	runs := func(hash string) {
		t.Helper()
		require.Contains(t, o.must("canister", "status", "--json"), hash)
		require.Contains(t, o.must("canister", "status"), "running")
	}

	t.Run("it traps", func(t *testing.T) {
		code, _, stderr := run(t, nil, o.env, "deploy", broken(t, "canister_post_upgrade"))
		require.Equal(t, 4, code, stderr)
		require.Contains(t, stderr, "kedge: error: cannot upgrade canister "+first.Canister)
		require.Contains(t, stderr, "runs the module that it had, "+first.ModuleHash)
		runs(first.ModuleHash)
		require.Contains(t, o.must("device", "list"), "laptop")
	})
	t.Run("it does not answer", func(t *testing.T) {
		code, _, stderr := run(t, nil, o.env, "deploy", broken(t, "canister_query config"))
		require.Equal(t, 4, code, stderr)
		require.Contains(t, stderr, "kedge: error: the new module does not answer the query config: ")
		require.Contains(t, stderr, "canister "+first.Canister+" went back to the module and the anchors that it had")
		runs(first.ModuleHash)
		require.Contains(t, o.must("device", "list"), "laptop")
	})
	t.Run("it does not answer, and there is no snapshot", func(t *testing.T) {
		silent := broken(t, "canister_query config")
		code, _, stderr := run(t, nil, o.env, "deploy", silent, "--no-snapshot")
		require.Equal(t, 4, code, stderr)
		require.Contains(t, stderr, "there is no snapshot to go back to")
		require.Contains(t, o.must("canister", "status"), "running")
		require.NotContains(t, o.must("canister", "status", "--json"), first.ModuleHash)
		second := o.deploy(module)
		require.Equal(t, "upgrade", second.Mode)
		runs(first.ModuleHash)
	})
}

// While the new module is asked for its config, somebody uses it.
func TestUpgradeIsNotTakenBackOverCalls(t *testing.T) {
	url, module, _ := startNetwork(t)
	o := newDeployer(t, url)
	first := o.deploy(module)
	o.must("anchor", "create", "--device", "laptop", "--no-phrase")
	silent := broken(t, "canister_query config")

	// between is a network in front of the network: it lets a call through, and waits for it, before the first
	// query of the new module.
	calls := 0
	proxy := between(t, url, func(method string) {
		if method != "config" || !bytes.Contains([]byte(o.must("canister", "status", "--json")), []byte(`"running"`)) {
			return
		}
		if hash := o.must("canister", "status", "--json"); !bytes.Contains([]byte(hash), []byte(first.ModuleHash)) {
			calls++
			o.must("device", "add", fmt.Sprint("added", calls))
		}
	})
	env := map[string]string{}
	for k, v := range o.env {
		env[k] = v
	}
	env["KEDGE_NETWORK"], env["KEDGE_CANISTER"] = proxy, first.Canister

	code, _, stderr := run(t, nil, env, "deploy", silent)
	require.Equal(t, 4, code, stderr)
	require.Equal(t, 1, calls)
	require.Contains(t, stderr, "kedge: warning: calls have run since it was started. Going back undoes all of them: devices removed since are back")
	require.Contains(t, stderr, "calls have run since, so it was left in place")
	require.Regexp(t, `kedge: hint: kedge canister snapshot restore [0-9a-f]+ goes back later, with the same loss`, stderr)
	require.Contains(t, o.must("device", "list"), "added1")
	require.Contains(t, o.must("canister", "status"), "running")
	require.NotContains(t, o.must("canister", "status", "--json"), first.ModuleHash)

	o.must("deploy", module)
	p := &person{answers: []func(*person) string{say("no")}}
	code, _, stderr = run(t, p, env, "deploy", silent)
	require.Equal(t, 4, code, stderr)
	require.Contains(t, stderr, "it was left in place")
	require.Contains(t, o.must("device", "list"), "added2")

	o.must("deploy", module)
	p = &person{answers: []func(*person) string{say("yes")}}
	code, _, stderr = run(t, p, env, "deploy", silent)
	require.Equal(t, 4, code, stderr)
	require.Contains(t, stderr, "went back to the module and the anchors that it had")
	list := o.must("device", "list")
	require.Contains(t, list, "added2")
	require.NotContains(t, list, "added3", "what the call did is lost, as was said")
	require.Contains(t, o.must("canister", "status", "--json"), first.ModuleHash)
}

// The first address that deploy prints answers.
func TestDeployedAddressAnswers(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	d := o.deploy(module)
	address, err := url.Parse(d.URL)
	require.NoError(t, err)
	response, err := client.HTTPClient(address).Get(d.URL + "/")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NotEmpty(t, body)
}

// between puts a proxy before a network, which tells before it passes a query or a call on.
func between(t *testing.T, to string, before func(method string)) string {
	t.Helper()
	return losing(t, to, "", before)
}

// losing is between, where the answers of one method are lost on the way.
func losing(t *testing.T, to, lost string, before func(method string)) string {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var envelope struct {
			Content struct {
				Kind   string `cbor:"request_type"`
				Method string `cbor:"method_name"`
			} `cbor:"content"`
		}
		if err := cbor.Unmarshal(body, &envelope); err == nil {
			switch envelope.Content.Kind {
			case "query":
				before(envelope.Content.Method)
			case "call":
				before("call " + envelope.Content.Method)
			}
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if lost != "" && envelope.Content.Method == lost {
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Commands find the canister that dfx or icp made in the folder, and say which file names it when it is gone.
func TestCanistersOfOtherToolsAreFound(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	d := o.deploy(module)
	require.NoError(t, os.Remove(".kedge/canisters.json"))
	code, _, stderr := run(t, nil, o.env, "canister", "metrics")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "no canister is known for the network")
	require.Contains(t, stderr, "KEDGE_CANISTER=$(dfx canister id kedge)")

	put := func(path, content string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	address, err := url.Parse(network)
	require.NoError(t, err)
	put("dfx.json", fmt.Sprintf(`{"canisters":{"kedge":{}},"networks":{"local":{"bind":%q}}}`, address.Host))
	put(".dfx/local/canister_ids.json", fmt.Sprintf(`{"kedge":{"local":%q}}`, d.Canister))
	require.Contains(t, o.must("canister", "status"), d.Canister)
	require.Contains(t, o.must("canister", "metrics"), "internet_identity_user_count")

	// kedge deploy makes one of its own, and says that there is another.
	code, stdout, stderr := run(t, nil, o.env, "deploy", "--dry-run", module)
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "dfx made canister "+d.Canister+" here (.dfx/local/canister_ids.json); to upgrade that one, name it with --canister")
	require.Contains(t, stdout, "a new canister would be created")

	// It looks for them in the project, from whatever folder of it it runs.
	require.NoError(t, os.MkdirAll("deep/er", 0o755))
	project, err := os.Getwd()
	require.NoError(t, err)
	t.Chdir("deep/er")
	code, _, stderr = run(t, nil, o.env, "deploy", "--dry-run", module)
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "dfx made canister "+d.Canister+" here (../../.dfx/local/canister_ids.json)")
	t.Chdir(project)

	// Two tools, two canisters: neither is chosen.
	put("icp.yaml", fmt.Sprintf("networks: [{name: n, mode: connected, url: %q}]\nenvironments: [{name: e, network: n}]\n", network))
	put(".icp/data/mappings/e.ids.json", `{"kedge":"5g7ff-34aaa-aaaaa-7777q-cai"}`)
	code, _, stderr = run(t, nil, o.env, "canister", "metrics")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "two canisters are known for the network")
	require.Contains(t, stderr, "5g7ff-34aaa-aaaaa-7777q-cai (.icp/data/mappings/e.ids.json, from icp)")

	// The network was started anew, so the id is of none.
	require.NoError(t, os.RemoveAll(".icp"))
	index, ok := principal.MustParse(d.Canister).CanisterIndex()
	require.True(t, ok)
	gone := principal.Canister(index + 1<<18) // far behind what other tests have on this network
	put(".dfx/local/canister_ids.json", fmt.Sprintf(`{"kedge":{"local":%q}}`, gone.Text()))
	code, _, stderr = run(t, nil, o.env, "canister", "status")
	require.Equal(t, 4, code)
	require.Contains(t, stderr, "kedge: hint: the id is from .dfx/local/canister_ids.json, written before the network was started anew (--clean, kedge network reset, another state folder); dfx deploy, or kedge deploy, makes a new one")
}

// A folder that came from others names a canister on a network that is not this machine's. Its deployment is asked
// about: the name may be that of another canister of whoever types the command.
func TestDeployAsksAboutThePlaceThatAProjectNames(t *testing.T) {
	const id = "rdmx6-jaaaa-aaaaa-aaadq-cai"
	module := filepath.Join(t.TempDir(), "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(module, harness.Module(t), 0o600))
	for file, content := range map[string]string{
		".kedge/canisters.json": `{"version":1,"canisters":{"https://icp.invalid":"` + id + `"}}`,
		"canister_ids.json":     `{"kedge":{"mainnet":"` + id + `"}}`,
	} {
		o := newDeployer(t, "https://icp.invalid")
		o.env["KEDGE_ROOT_KEY"] = hex.EncodeToString(client.MainnetRootKey())
		o.env["XDG_CONFIG_HOME"] = t.TempDir()
		require.NoError(t, os.MkdirAll(".kedge", 0o700))
		require.NoError(t, os.WriteFile("dfx.json", []byte(`{"canisters":{"kedge":{}},"networks":{"mainnet":{"providers":["https://icp.invalid"]}}}`), 0o600))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, private, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		der, err := x509.MarshalPKCS8PrivateKey(private)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("me.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
		code, _, stderr := run(t, nil, o.env, "deploy", "--identity", "me.pem", module)
		require.Equal(t, ui.ExitNotAccepted, code, stderr)
		require.Contains(t, stderr, "names the canister "+id+" on the network https://icp.invalid (in canister", file)
		require.Contains(t, stderr, "--canister "+id+" says so for one command")
		_, _, stderr = run(t, nil, o.env, "deploy", "--identity", "me.pem", "--canister", id, module)
		require.NotContains(t, stderr, "have not used from there", "what was named on the command line is not asked about")
	}
}

// withInterface writes the real module with another interface in its metadata.
func withInterface(t *testing.T, change func(service string) string) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(harness.Module(t)))
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	m, err := wasm.Decode(raw)
	require.NoError(t, err)
	i := slices.IndexFunc(m.Customs, func(c wasm.Custom) bool { return c.Name == "icp:public candid:service" })
	require.GreaterOrEqual(t, i, 0)
	m.Customs[i].Bytes = []byte(change(string(m.Customs[i].Bytes)))
	path := filepath.Join(t.TempDir(), "other.wasm")
	require.NoError(t, os.WriteFile(path, m.Encode(), 0o600))
	return path
}

// An upgrade that takes something of the interface away shows it and asks, on a terminal or by --yes.
func TestInterfaceChangesAreAskedAbout(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	older := withInterface(t, func(service string) string {
		return strings.Replace(strings.Replace(service, "stats : () ->", "gone : () -> () query;\n  stats : () ->", 1),
			"// always empty\n  alias : text;", "alias : text;\n  shown : opt text;", 1)
	})
	first := o.deploy(older)

	code, _, stderr := run(t, nil, o.env, "deploy", module)
	require.Equal(t, 6, code, stderr)
	require.Contains(t, stderr, "kedge: ! interface gone: removed\n")
	require.Contains(t, stderr, "kedge: ! interface lookup: result[].shown removed\n")
	require.Contains(t, stderr, "takes 2 things away from those who use it; nobody is there to ask")
	require.Contains(t, o.must("canister", "status", "--json"), first.ModuleHash)

	p := &person{answers: []func(*person) string{say("no")}}
	code, _, stderr = run(t, p, o.env, "deploy", module)
	require.Equal(t, 6, code)
	require.Contains(t, stderr, "kedge: error: nothing was done\n")
	require.Contains(t, p.prompts[0], "takes 2 things away")
	require.Contains(t, o.must("canister", "status", "--json"), first.ModuleHash)

	p = &person{answers: []func(*person) string{say("yes")}}
	code, stdout, stderr := run(t, p, o.env, "deploy", module, "--json")
	require.Zero(t, code, stderr)
	var d deployment
	require.NoError(t, json.Unmarshal([]byte(stdout), &d))
	require.Len(t, d.Interface, 2)
	require.True(t, d.Interface[0].Narrows && d.Interface[1].Narrows)

	// What is new is shown, and not asked about.
	code, _, stderr = run(t, nil, o.env, "deploy", older)
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "kedge:   interface gone: new\n")
}

// Ctrl-C while the canister is stopped for the upgrade leaves it running.
func TestInterruptedUpgradeStartsTheCanister(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	first := o.deploy(module)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	env := map[string]string{"KEDGE_NETWORK": between(t, network, func(method string) {
		if method == "call take_canister_snapshot" {
			cancel()
		}
	}), "KEDGE_CANISTER": first.Canister}
	var out, errs bytes.Buffer
	code := cli.MainHeld(t, ctx, cli.System{
		Args: []string{"deploy", module}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(name string) string { return env[name] },
		Now: time.Now, Random: rand.Reader, OpenTerminal: func() (cli.Terminal, error) { return nil, errors.New("none") },
	})
	require.Equal(t, 130, code, errs.String())
	require.Contains(t, o.must("canister", "status"), "running")
	require.Contains(t, o.must("canister", "status", "--json"), first.ModuleHash)
}

// The logs are followed until Ctrl-C, each record once.
func TestLogsAreFollowed(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	o.deploy(module)
	o.must("anchor", "create", "--device", "laptop", "--no-phrase")
	trap := func() {
		code, _, _ := run(t, nil, o.env, "device", "update", "laptop", "--alias", strings.Repeat("a", 70))
		require.Equal(t, 4, code)
	}
	trap()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := cli.MainHeld(t, ctx, cli.System{
			Args: []string{"canister", "logs", "--follow", "--json"}, Stdin: strings.NewReader(""), Stdout: w, Stderr: io.Discard,
			Getenv: func(name string) string { return o.env[name] }, Now: time.Now, Random: rand.Reader,
			OpenTerminal: func() (cli.Terminal, error) { return nil, errors.New("none") },
		})
		_ = w.Close()
		ended <- code
	}()
	lines := bufio.NewScanner(r)
	next := func() (record struct {
		Index   uint64
		Content string
	}) {
		require.True(t, lines.Scan())
		require.NoError(t, json.Unmarshal(lines.Bytes(), &record))
		return record
	}
	last := next()
	for !strings.Contains(last.Content, "[TRAP]") {
		last = next()
	}
	trap()
	record := next()
	require.Equal(t, last.Index+1, record.Index)
	require.Contains(t, record.Content, "[TRAP]")
	cancel()
	require.False(t, lines.Scan())
	require.Zero(t, <-ended)
}

// A network that limits the rate of installations, as production does, delays a deployment and does not fail it.
func TestDeploymentsWaitForTheRate(t *testing.T) {
	network, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithRateLimit(), replica.WithCache(moduleCache(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	module := filepath.Join(t.TempDir(), "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(module, harness.Module(t), 0o600))
	o := newDeployer(t, network.URL())
	o.deploy(module)
	require.Equal(t, "upgrade", o.deploy(module).Mode)
}

// What is lost on the way is not taken for a fault of the module: an installation whose answer is lost is found in
// the state of the network, and a network that falls silent says nothing about the module.
func TestLostAnswers(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	first := o.deploy(module)
	other := withInterface(t, func(service string) string { return service + " // another" })
	through := func(lost string, before func(string)) map[string]string {
		env := map[string]string{"KEDGE_NETWORK": losing(t, network, lost, before), "KEDGE_CANISTER": first.Canister}
		return env
	}

	for _, method := range []string{"install_chunked_code", "install_code"} {
		code, _, stderr := run(t, nil, through(method, func(string) {}), "deploy", other)
		if !strings.Contains(stderr, "the answer of the installation was lost") {
			require.Zero(t, code, stderr)
			continue // the module went by the other method
		}
		require.Zero(t, code, stderr)
		require.NotContains(t, o.must("canister", "status", "--json"), first.ModuleHash)
		require.Contains(t, o.must("canister", "status"), "running")
		o.must("deploy", module)
	}

	// The first config is that of the comparison, the second that of the new module.
	seen := 0
	code, _, stderr := run(t, nil, through("", func(method string) {
		if method == "config" {
			if seen++; seen == 2 {
				panic(http.ErrAbortHandler)
			}
		}
	}), "deploy", other)
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, "the module is installed, but whether it answers is not known: ")
	require.Contains(t, o.must("canister", "status"), "running")
	require.NotContains(t, o.must("canister", "status", "--json"), first.ModuleHash)
}

// Where no snapshot can be taken nothing is upgraded, and the canister runs.
func TestNoSnapshotNoUpgrade(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	first := o.deploy(module)
	for range 10 {
		o.must("canister", "snapshot", "create")
	}
	other := withInterface(t, func(service string) string { return service + " // another" })
	code, _, stderr := run(t, nil, o.env, "deploy", other)
	require.Equal(t, 4, code, stderr)
	require.Contains(t, stderr, "there is no snapshot before the upgrade, so nothing was upgraded: ")
	require.Contains(t, stderr, "kedge: hint: kedge canister snapshot list shows those there are (at most 10); --no-snapshot goes without")
	status := o.must("canister", "status", "--json")
	require.Contains(t, status, first.ModuleHash)
	require.Contains(t, status, `"status":"running"`)
	o.must("deploy", other, "--no-snapshot")
}
