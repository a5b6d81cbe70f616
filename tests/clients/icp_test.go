package clients

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli"
	"kedge/cli/ui"
	"kedge/ic/principal"
	"kedge/internal/clients"
	"kedge/replica"
	"kedge/tests/harness"
)

// maxIngress is the greatest message of a user in bytes; icp uploads larger modules in chunks.
const maxIngress = 2 << 20

// project is the repository's icp.yaml, with another network and without building.
func project(t *testing.T, url string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(clients.Root(), "icp.yaml"))
	require.NoError(t, err)
	text := string(raw)
	for from, to := range map[string]string{
		"            - sh scripts/module.sh build/kedge.wasm.gz\n": "",
		`cp build/kedge.wasm.gz "$ICP_WASM_OUTPUT_PATH"`:           `cp "$KEDGE_BUILT" "$ICP_WASM_OUTPUT_PATH"`,
		"http://127.0.0.1:4943":                                    url,
	} {
		require.Equal(t, 1, strings.Count(text, from), "icp.yaml has %q once", from)
		text = strings.Replace(text, from, to, 1)
	}
	return text
}

// startNetwork starts a network that icp is to connect to.
func startNetwork(t *testing.T) *replica.Network {
	net, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(filepath.Join(os.TempDir(), "kedge-modules")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	return net
}

// signsIn has a new device register, prepare a delegation and fetch it.
func signsIn(t *testing.T, net *replica.Network, canister principal.Principal) {
	t.Helper()
	h := &harness.Harness{TB: t, Net: net, Canister: canister}
	laptop := harness.NewDevice("laptop")
	anchor := h.Register(laptop)
	_, expiration, err := h.Prepare(anchor, laptop, "https://app.example", []byte("session"), nil)
	require.NoError(t, err)
	response, err := h.Delegation(anchor, laptop, "https://app.example", []byte("session"), expiration)
	require.NoError(t, err)
	require.Equal(t, kedge.GetDelegationResponseTagSignedDelegation, response.Tag)
}

// icp deploys Kedge from the repository's own project to a network that runs already, and manages it.
func TestICPConnected(t *testing.T) {
	net := startNetwork(t)
	c := newICP(t, project(t, net.URL()), "--environment", "kedge")
	small := harness.Module(t)
	large := unzip(t, small)
	require.Greater(t, len(large), maxIngress)

	c.use(small)
	id := c.deploy()
	canister := principal.MustParse(id)
	require.Equal(t, hash(small), ask[status](c, "canister", "status", "kedge").ModuleHash)

	// Nothing but icp deploy is needed to sign in. What the canister remembers must survive the second
	// deployment, which is an upgrade.
	signsIn(t, net, canister)
	before, err := net.StableMemory(canister)
	require.NoError(t, err)
	c.use(large)
	require.Equal(t, id, c.deploy())
	s := ask[status](c, "canister", "status", "kedge")
	require.Equal(t, hash(large), s.ModuleHash)
	require.Equal(t, "Running", s.Status)
	require.Equal(t, []string{principal.Anonymous.Text()}, s.Settings.Controllers)
	require.Len(t, s.Settings.Environment, 1)
	require.Equal(t, "PUBLIC_CANISTER_ID:kedge", s.Settings.Environment[0].Name)
	require.Equal(t, id, s.Settings.Environment[0].Value)
	after, err := net.StableMemory(canister)
	require.NoError(t, err)
	require.Equal(t, len(before), len(after))

	t.Run("kedge finds it", func(t *testing.T) {
		t.Chdir(c.dir)
		out := kedgeCLI(t, "canister", "status", "--network", net.URL(), "--json")
		require.Contains(t, out, id)
		require.Contains(t, out, strings.TrimPrefix(hash(large), "0x"))
		// The file has one hash, whoever installs it.
		file := filepath.Join(t.TempDir(), "kedge.wasm.gz")
		require.NoError(t, os.WriteFile(file, small, 0o600))
		require.Contains(t, kedgeCLI(t, "deploy", file, "--network", net.URL(), "--json"), strings.TrimPrefix(hash(small), "0x"))
		require.NoError(t, os.RemoveAll(".kedge"))
	})
	t.Run("call", func(t *testing.T) {
		c := c.in(t)
		require.Contains(t, c.run("canister", "call", "kedge", "lookup", "(99999 : nat64)"), "(vec {})")
		require.Contains(t, c.run("canister", "call", "--query", "kedge", "lookup", "(99999 : nat64)"), "(vec {})")
		require.Contains(t, c.fails("canister", "call", "kedge", "no_such_method", "()"), "IC0406")
		require.Contains(t, c.fails("canister", "call", "kedge", "init_salt", "()"), "IC0503")
	})
	t.Run("logs", func(t *testing.T) {
		require.Contains(t, c.in(t).run("canister", "logs", "kedge"), "[TRAP]")
	})
	t.Run("metadata", func(t *testing.T) {
		require.Equal(t, strings.TrimSpace(kedge.Interface), strings.TrimSpace(c.in(t).run("canister", "metadata", "kedge", "candid:service")))
	})
	t.Run("settings", func(t *testing.T) {
		c := c.in(t)
		c.run("canister", "settings", "update", "kedge", "--freezing-threshold", "7d", "--wasm-memory-limit", "2gib")
		s := ask[status](c, "canister", "status", "kedge")
		require.Equal(t, "604_800", s.Settings.FreezingThreshold)
		require.Equal(t, "2_147_483_648", s.Settings.WasmMemoryLimit)
		require.Contains(t, c.run("canister", "settings", "show", "kedge"), "604_800")
	})
	t.Run("snapshot", func(t *testing.T) {
		c := c.in(t)
		c.run("canister", "stop", "kedge")
		shot := strings.TrimSpace(c.run("canister", "snapshot", "create", "kedge", "--quiet"))
		c.run("canister", "snapshot", "restore", "kedge", shot)
		folder := filepath.Join(t.TempDir(), "shot")
		c.run("canister", "snapshot", "download", "kedge", shot, "--output", folder)
		c.run("canister", "snapshot", "delete", "kedge", shot)
		again := strings.TrimSpace(c.run("canister", "snapshot", "upload", "kedge", "--input", folder, "--quiet"))
		c.run("canister", "snapshot", "restore", "kedge", again)
		c.run("canister", "start", "kedge")
		require.Equal(t, hash(large), ask[status](c, "canister", "status", "kedge").ModuleHash)
		restored, err := net.StableMemory(canister)
		require.NoError(t, err)
		require.Equal(t, len(after), len(restored))
	})
	t.Run("reinstall", func(t *testing.T) {
		c := c.in(t)
		c.run("canister", "stop", "kedge")
		require.Contains(t, c.fails("canister", "call", "kedge", "lookup", "(99999 : nat64)"), "IC0508")
		c.run("canister", "install", "kedge", "--mode", "reinstall", "--args", "(null)", "--yes")
		c.run("canister", "start", "kedge")
		signsIn(t, net, canister) // the canister has forgotten that it had a salt
	})
	t.Run("top-up", func(t *testing.T) {
		c := c.in(t)
		poor := cycles(t, ask[status](c, "canister", "status", "kedge").Cycles)
		c.run("canister", "top-up", "kedge", "--amount", "3t")
		rich := cycles(t, ask[status](c, "canister", "status", "kedge").Cycles)
		require.Greater(t, rich, poor+2_900_000_000_000)
	})
	t.Run("somebody else", func(t *testing.T) {
		c := c.in(t)
		bob := c.identity("bob")
		// icp falls back on what everybody may read.
		seen := c.run("canister", "status", "kedge", "--identity", "bob")
		require.Contains(t, seen, hash(large))
		require.NotContains(t, seen, "Cycles")
		require.Contains(t, c.fails("canister", "stop", "kedge", "--identity", "bob"), "IC0512")
		c.run("canister", "settings", "update", "kedge", "--force", "--add-controller", bob)
		require.Contains(t, c.run("canister", "status", "kedge", "--identity", "bob"), "Cycles")
		// An account that was never used has enough to begin with.
		require.Contains(t, c.run("cycles", "balance", "--identity", "bob"), "1_000_000_000_000_000")
		c.run("cycles", "mint", "--icp", "2", "--identity", "bob")
		require.Contains(t, c.run("cycles", "balance", "--identity", "bob"), "1_009_999_900_000_000")
	})
	t.Run("delete", func(t *testing.T) {
		c := c.in(t)
		// icp installs a module of its own, which sends the cycles to the ledger.
		c.run("canister", "delete", "kedge", "--identity", "bob")
		require.Contains(t, c.fails("canister", "status", id), "was not found")
		balance := strings.Fields(c.run("cycles", "balance", "--identity", "bob"))
		require.Greater(t, cycles(t, balance[1]), uint64(1_010_000_000_000_000))
	})
}

// kedgeCLI runs a command of kedge in the working folder and returns what it prints.
func kedgeCLI(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(t.Context(), cli.System{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" },
		Now: time.Now, Random: rand.Reader, OpenTerminal: func() (cli.Terminal, error) { return nil, ui.ErrNoTerminal },
	})
	require.Zero(t, code, errs.String())
	return out.String()
}

// icp starts Kedge as its network: it funds its users and installs its own canisters.
func TestICPManaged(t *testing.T) {
	clients.ICP(t)
	kedge := filepath.Join(t.TempDir(), "kedge")
	build := exec.Command("go", "build", "-o", kedge, "./cmd/kedge")
	build.Dir = clients.Root()
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	c := newICP(t, `canisters:
  - name: kedge
    build:
      steps:
        - type: script
          commands:
            - cp "$KEDGE_BUILT" "$ICP_WASM_OUTPUT_PATH"
    init_args: "(null)"
networks:
  - name: local
    mode: managed
    gateway:
      port: 0
`)
	c.env = append(c.env, "ICP_CLI_NETWORK_LAUNCHER_PATH="+kedge)
	c.identity("alice")
	c.run("identity", "default", "alice")
	c.run("network", "start", "--background")
	running := true
	t.Cleanup(func() {
		if running {
			_ = c.command("network", "stop").Run()
		}
	})

	raw, err := os.ReadFile(filepath.Join(c.dir, ".icp", "cache", "networks", "local", "descriptor.json"))
	require.NoError(t, err)
	var local descriptor
	require.NoError(t, json.Unmarshal(raw, &local))

	require.Contains(t, c.run("cycles", "balance"), "1_000_000_000_000_000", "icp gives every identity 1,000 T cycles")
	require.Contains(t, c.run("token", "balance"), "1000000.00000000 ICP")

	// The Candid UI is a Rust canister: its page is certified, and it turns interfaces into JavaScript.
	page := get(t, local.url(local.CandidUI))
	require.Contains(t, page, "Candid UI")
	require.Contains(t, c.run("canister", "call", local.CandidUI, "did_to_js", `("service : { greet : (text) -> (text) }")`, "--network", "local"), "IDL.Func([IDL.Text], [IDL.Text], [])")

	c.use(harness.Module(t))
	id := c.deploy()
	require.Equal(t, id, c.deploy(), "the second deployment is an upgrade")
	t.Run("kedge finds it", func(t *testing.T) {
		t.Chdir(c.dir)
		require.Contains(t, kedgeCLI(t, "canister", "metrics", "--network", fmt.Sprintf("http://127.0.0.1:%d", local.Gateway.Port)), "internet_identity_user_count")
	})
	require.Contains(t, c.run("canister", "call", "kedge", "lookup", "(99999 : nat64)"), "(vec {})")
	// The proxy is a Rust canister that calls others.
	require.Contains(t, c.run("canister", "call", "kedge", "lookup", "(10000 : nat64)", "--proxy", local.Proxy), "(vec {})")
	c.run("canister", "create", "--detached", "--proxy", local.Proxy)
	c.run("canister", "create", "--detached", "--with-icp", "1", "--network", "local") // through the cycles minting canister
	c.run("token", "transfer", "1.5", principal.Anonymous.Text())
	c.run("cycles", "transfer", "1t", principal.Anonymous.Text())
	require.Contains(t, c.run("token", "balance"), "999997.49980000 ICP")
	// A call that is signed now and sent later.
	file := filepath.Join(t.TempDir(), "call.json")
	c.run("canister", "call", "kedge", "lookup", "(10000 : nat64)", "--sign-only", file)
	require.Contains(t, c.run("message", "send", file), "(vec {})")
	c.run("canister", "delete", "kedge")

	c.run("network", "stop")
	running = false
	_, err = http.Get(local.url(local.CandidUI))
	require.Error(t, err, "the network has ended")
}

// descriptor is what icp keeps of a network that it started.
type descriptor struct {
	Gateway  struct{ Port int }
	CandidUI string `json:"candid-ui-canister-id"`
	Proxy    string `json:"proxy-canister-id"`
}

// url is the page of a canister.
func (d descriptor) url(canister string) string {
	return fmt.Sprintf("http://127.0.0.1:%d/?canisterId=%s", d.Gateway.Port, canister)
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", body)
	return string(body)
}

// cycles reads a number as icp prints it.
func cycles(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.ReplaceAll(text, "_", ""), 10, 64)
	require.NoError(t, err)
	return n
}

func hash(module []byte) string {
	sum := sha256.Sum256(module)
	return "0x" + hex.EncodeToString(sum[:])
}
