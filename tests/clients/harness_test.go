package clients

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
)

// icp is the real icp in a project of its own, with a home of its own.
type icp struct {
	testing.TB
	program, dir string
	env          []string
	flags        []string // that name the network, on every command that runs
}

// newICP makes a project with the content of icp.yaml. What the canister's build step copies is the file
// that use names.
func newICP(tb testing.TB, yaml string, flags ...string) *icp {
	program := clients.ICP(tb)
	c := &icp{TB: tb, program: program, dir: tb.TempDir(), flags: flags}
	require.NoError(tb, os.WriteFile(filepath.Join(c.dir, "icp.yaml"), []byte(yaml), 0o644))
	c.env = append(os.Environ(), "ICP_HOME="+tb.TempDir(), "DO_NOT_TRACK=1", "KEDGE_BUILT="+c.built())
	return c
}

func (c *icp) built() string { return filepath.Join(c.dir, "built.wasm") }

// use makes a module the next that is deployed.
func (c *icp) use(module []byte) {
	c.Helper()
	require.NoError(c, os.WriteFile(c.built(), module, 0o644))
}

// command prepares a command line, without the flags for the network.
func (c *icp) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(c.Context(), c.program, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// run runs a command on the network and returns what it prints.
func (c *icp) run(args ...string) string {
	c.Helper()
	cmd := c.command(append(args, c.flags...)...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(c, cmd.Run(), "icp %s\n%s%s", strings.Join(args, " "), &out, &log)
	return out.String()
}

// fails runs a command that must fail and returns what it says.
func (c *icp) fails(args ...string) string {
	c.Helper()
	out, err := c.command(append(args, c.flags...)...).CombinedOutput()
	require.Error(c, err, "icp %s\n%s", strings.Join(args, " "), out)
	return string(out)
}

// ask runs a command that prints JSON.
func ask[T any](c *icp, args ...string) (v T) {
	c.Helper()
	out := c.run(append(args, "--json")...)
	require.NoError(c, json.Unmarshal([]byte(out), &v), "%s", out)
	return v
}

// in is the same icp for a part of a test.
func (c *icp) in(tb testing.TB) *icp {
	part := *c
	part.TB = tb
	return &part
}

// identity makes an identity and returns its principal.
func (c *icp) identity(name string) string {
	c.Helper()
	out, err := c.command("identity", "new", name, "--storage", "plaintext").CombinedOutput()
	require.NoError(c, err, "%s", out)
	out, err = c.command("identity", "principal", "--identity", name).Output()
	require.NoError(c, err)
	return strings.TrimSpace(string(out))
}

// deploy deploys the project's only canister and returns its id.
func (c *icp) deploy() string {
	c.Helper()
	type deployed struct {
		Canisters []struct {
			ID string `json:"canister_id"`
		}
	}
	d := ask[deployed](c, "deploy", "--yes")
	require.Len(c, d.Canisters, 1)
	return d.Canisters[0].ID
}

// status is what icp says of a canister.
type status struct {
	Status     string
	ModuleHash string `json:"module_hash"`
	Cycles     string
	Settings   struct {
		Controllers       []string
		FreezingThreshold string                         `json:"freezing_threshold"`
		WasmMemoryLimit   string                         `json:"wasm_memory_limit"`
		Environment       []struct{ Name, Value string } `json:"environment_variables"`
	}
}

// unzip returns what gzip compressed.
func unzip(tb testing.TB, module []byte) []byte {
	tb.Helper()
	r, err := gzip.NewReader(bytes.NewReader(module))
	require.NoError(tb, err)
	plain, err := io.ReadAll(r)
	require.NoError(tb, err)
	return plain
}
