package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an operator cannot take back is asked about on a terminal; whoever breaks off, or says anything but yes, has
// done nothing, and the canister runs.
func TestOperatorsAreAsked(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	older := withInterface(t, func(service string) string {
		return strings.Replace(service, "stats : () ->", "gone : () -> () query;\n  stats : () ->", 1)
	})
	first := o.deploy(older)
	o.must("anchor", "create", "--device", "laptop", "--no-phrase")
	var shot struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(o.must("canister", "snapshot", "create", "--json")), &shot))
	state := filepath.Join(t.TempDir(), "network")
	require.NoError(t, os.Mkdir(state, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(state, "log-0"), nil, 0o600))
	self := strings.TrimSpace(o.must("canister", "settings", "--json"))
	var settings struct{ Controllers []string }
	require.NoError(t, json.Unmarshal([]byte(self), &settings))

	for name, c := range map[string]struct {
		args   []string
		prompt string
	}{
		"an upgrade":       {[]string{"deploy", module}, "takes 1 thing away from those who use it"},
		"stop":             {[]string{"canister", "stop"}, "nobody can sign in while canister"},
		"restore":          {[]string{"canister", "snapshot", "restore", shot.ID}, "devices removed since can sign in again"},
		"delete":           {[]string{"canister", "snapshot", "delete", shot.ID}, "there is no way back to a deleted snapshot"},
		"controllers":      {[]string{"canister", "settings", "--add-controller", "rdmx6-jaaaa-aaaaa-aaadq-cai", "--remove-controller", settings.Controllers[0]}, "which signs this, is no controller"},
		"a network erased": {[]string{"network", "reset", "--state-dir", state}, "this erases every canister of the network in"},
		"a clean start":    {[]string{"network", "start", "--port", "0", "--clean", "--state-dir", state}, "--clean erases every canister of the network in"},
		"in the back":      {[]string{"network", "start", "--port", "0", "--background", "--clean", "--state-dir", state}, "--clean erases every canister of the network in"},
	} {
		t.Run(name, func(t *testing.T) {
			for keys, want := range map[string]int{"\x03": 130, "no\r": 6, "\r": 6} {
				s := openScreen(t, 24, 80)
				s.start(o.env, c.args...)
				s.expect("type yes: ")
				require.Contains(t, strings.ReplaceAll(s.text(), "\r\n", ""), c.prompt)
				s.typeKeys(keys)
				code, output := s.wait()
				require.Equal(t, want, code, output)
				s.requireRestored()
			}
			status := o.must("canister", "status", "--json")
			require.Contains(t, status, first.ModuleHash)
			require.Contains(t, status, `"status":"running"`)
			require.Contains(t, status, settings.Controllers[0])
			require.Contains(t, o.must("canister", "snapshot", "list"), shot.ID)
			require.FileExists(t, filepath.Join(state, "log-0"))
		})
	}

	s := openScreen(t, 24, 80)
	s.start(o.env, "deploy", module)
	s.expect("type yes: ")
	s.typeKeys("yes\r")
	code, output := s.wait()
	require.Zero(t, code, output)
	require.NotContains(t, o.must("canister", "status", "--json"), first.ModuleHash)
}

// At the question whether to go back over calls that have run, breaking off leaves the new module, running.
func TestGoingBackIsAskedAboutOnATerminal(t *testing.T) {
	network, module, _ := startNetwork(t)
	o := newDeployer(t, network)
	first := o.deploy(module)
	o.must("anchor", "create", "--device", "laptop", "--no-phrase")
	silent := broken(t, "canister_query config")
	used := false
	env := map[string]string{}
	for k, v := range o.env {
		env[k] = v
	}
	env["KEDGE_CANISTER"] = first.Canister
	env["KEDGE_NETWORK"] = between(t, network, func(method string) {
		if status := ""; method == "config" && !used {
			if status = o.must("canister", "status", "--json"); !strings.Contains(status, first.ModuleHash) {
				used = true
				o.must("device", "add", "phone")
			}
		}
	})
	s := openScreen(t, 24, 80)
	s.start(env, "deploy", silent)
	s.expect("go back all the same, and lose what those calls did? type yes: ")
	s.typeKeys("\x03")
	code, output := s.wait()
	require.Equal(t, 130, code, output)
	s.requireRestored()
	require.Contains(t, o.must("canister", "status"), "running")
	require.Contains(t, o.must("device", "list"), "phone")
}
