package replica_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/reject"
	"kedge/wasm"
)

// modes are the names of the roles in the production replica's refusals.
var modes = map[string]string{
	"I": "init", "G": "pre upgrade", "U": "update", "RQ": "replicated query", "NRQ": "non replicated query",
	"CQ": "composite query", "Ry": "reply callback", "Rt": "reject callback", "CRy": "composite reply callback",
	"CRt": "composite reject callback", "C": "cleanup", "CC": "composite cleanup", "F": "inspect message",
	"T": "global timer", "s": "start",
}

// peculiar are the calls that do not return when they are legal, and what they say.
var peculiar = map[string]string{
	"trap":                 "Canister called `ic0.trap` with message: ''",
	"mint_cycles128":       "ic0.mint_cycles cannot be executed on non Cycles Minting Canister",
	"cost_http_request_v2": "ic0_cost_http_request_v2 is not available on this network",
}

// specified returns the roles in which the Interface Specification allows each system call.
func specified(t *testing.T) map[string][]string {
	raw, err := os.ReadFile(filepath.Join("exec", "testdata", "contexts.txt"))
	require.NoError(t, err)
	roles := make(map[string][]string)
	for line := range strings.Lines(string(raw)) {
		names, list, _ := strings.Cut(strings.TrimSpace(line), " : ")
		for _, name := range strings.Fields(names) {
			roles[name] = strings.Fields(list)
		}
	}
	return roles
}

// prober makes one system call in all roles on a network.
type prober struct {
	*world
	name   string
	roles  []string
	helper principal.Principal
}

func (p *prober) allowed(role string) bool {
	return slices.Contains(p.roles, role) || role != "s" && slices.Contains(p.roles, "*")
}

func (p *prober) probe() *probe { return newProbe(p.name, p.helper, p.allowed) }

// compare holds how a role ended against the specification.
func (p *prober) compare(role string, canister principal.Principal, err error) {
	p.Helper()
	message := ""
	var refusal *reject.Error
	if errors.As(err, &refusal) {
		message = refusal.Message
	}
	where := fmt.Sprintf("ic0.%s in %q", p.name, role)
	if !p.allowed(role) {
		require.NotNil(p, refusal, where)
		want := fmt.Sprintf(`Canister violated contract: "ic0_%s" cannot be executed in %s mode`, p.name, modes[role])
		require.Contains(p, message, "Error from Canister "+canister.String()+": ", where)
		require.Contains(p, message, want, where)
		if !cleanup(role) {
			require.Equal(p, reject.ContractViolation, refusal.Code, where)
		}
		return
	}
	switch text, strange := peculiar[p.name]; {
	case strange:
		require.Contains(p, message, text, where)
	case cleanup(role):
		require.NotContains(p, message, "call_on_cleanup also failed", where)
	case p.name == "msg_reject":
		require.Equal(p, reject.CanisterRejectedMessage, refusal.Code, where)
	default:
		require.NoError(p, err, where)
	}
}

// cleanup reports whether a role follows a callback that trapped, so that there is an error in any case.
func cleanup(role string) bool { return role == "C" || role == "CC" }

// create makes a canister with an environment variable.
func (p *prober) create() principal.Principal {
	p.Helper()
	id, err := p.Create(ctx, owner, replica.CreateOptions{})
	require.NoError(p, err)
	p.manage("update_settings", management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: id,
		Settings: management.Settings{EnvironmentVariables: []management.Variable{{Name: "a", Value: "b"}}}}))
	return id
}

// install installs a module that must be good.
func (p *prober) install(code []byte) principal.Principal {
	p.Helper()
	id := p.create()
	require.NoError(p, p.Install(ctx, owner, id, code, nil))
	return id
}

// came reports whether the last task came to its end, as an error if not.
func (p *prober) came(canister principal.Principal, role string) {
	p.Helper()
	done := p.ask(canister, "flag", nil)[0] == 1
	_, strange := peculiar[p.name]
	require.Equal(p, p.allowed(role) && !strange, done, "ic0.%s in a task", p.name)
}

// The whole table of the specification: every system call in every role, legal or not.
func TestSystemInterface(t *testing.T) {
	w := newWorld(t, stopped)
	helper, err := w.Deploy(ctx, owner, helperModule(), nil)
	require.NoError(t, err)
	roles := specified(t)
	for name := range wasm.SystemAPI() {
		require.Contains(t, roles, name)
		t.Run(name, func(t *testing.T) {
			p := &prober{world: &world{t, w.Network}, name: name, roles: roles[name], helper: helper}
			p.checkInstallation()
			p.checkRunning()
			p.checkInspection()
		})
	}
}

// checkInstallation makes the call while code is installed.
func (p *prober) checkInstallation() {
	id := p.create()
	p.compare("s", id, p.Install(ctx, owner, id, p.probe().only("canister_start", "s"), nil))
	id = p.create()
	p.compare("I", id, p.Install(ctx, owner, id, p.probe().only("canister_init", "I"), nil))
	id = p.install(helperModule())
	p.compare("I", id, p.Upgrade(ctx, owner, id, p.probe().only("canister_post_upgrade", "I"), nil))
}

// checkRunning makes the call from methods, callbacks and tasks.
func (p *prober) checkRunning() {
	id := p.install(p.probe().running())
	for _, role := range []string{"U", "RQ", "Ry", "Rt", "C"} {
		_, err := p.Call(ctx, alice, id, role, nil)
		p.compare(role, id, err)
	}
	for _, role := range []string{"NRQ", "CQ", "CRy", "CRt", "CC"} {
		_, err := p.Query(ctx, alice, id, role, nil)
		p.compare(role, id, err)
	}
	if p.name == "msg_reply" || p.name == "msg_reject" {
		// These are their own answers; what follows is not about answers.
		p.name = "time"
		p.roles = []string{"*"}
		id = p.install(p.probe().running())
	}
	p.call(id, "arm", nil)
	p.Tick(ctx)
	p.came(id, "T")
	p.compare("G", id, p.Upgrade(ctx, owner, id, helperModule(), nil))

	id = p.install(p.probe().only("canister_heartbeat", "T"))
	p.Tick(ctx)
	p.came(id, "T")
	p.manage("stop_canister", management.EncodeStopCanisterArgs(management.CanisterArg{CanisterID: id}))
}

// checkInspection makes the call when a message is inspected.
func (p *prober) checkInspection() {
	id := p.install(p.probe().only("canister_inspect_message", "F"))
	_, err := p.Call(ctx, alice, id, "F", nil)
	p.compare("F", id, err)
}
