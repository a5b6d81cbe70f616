package replica_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica/reject"
)

// Addresses beyond the probe's heap of 64 KiB: just, far, and so that the end of a range wraps around.
const (
	past = 65_535
	far  = 1 << 30
	last = -1
)

// Arguments that reach outside, by the shape of a call's parameters.
var (
	copies  = [][]int64{{past, 0, 2}, {far, 0, 1}, {last, 0, 2}, {0, past, 1}, {0, last, 2}} // dst, offset, size
	sources = [][]int64{{past, 2}, {far, 1}, {last, 2}, {2, last}}                           // src, size
	results = [][]int64{{past}, {far}, {last}}                                               // dst of an amount
)

// after puts fixed arguments before others.
func after(lists [][]int64, first ...int64) (out [][]int64) {
	for _, list := range lists {
		out = append(out, append(append([]int64(nil), first...), list...))
	}
	return out
}

// outside are arguments that name a piece of memory that is not there. Texts for people, of trap and
// debug_print, are replaced by a text that says so.
var outside = map[string][][]int64{
	"msg_arg_data_copy": copies, "msg_caller_copy": copies, "msg_reject_msg_copy": copies, "canister_self_copy": copies,
	"msg_caller_info_data_copy": copies, "msg_caller_info_signer_copy": copies,
	"subnet_self_copy": copies, "root_key_copy": copies, "data_certificate_copy": copies,
	"env_var_name_copy":  append(after(copies, 0), []int64{1, 0, 0, 0}),
	"env_var_value_copy": append(after(copies, atVariable, 1), after([][]int64{{0, 0, 0}}, past, 2)...),

	"msg_reply_data_append": sources, "msg_reject": sources, "call_data_append": sources, "is_controller": sources,
	"certified_data_set":  sources,
	"env_var_name_exists": sources, "env_var_value_size": sources,
	"call_new": {{past, 2, 0, 0, 0, 0, 0, 0}, {0, 0, past, 2, 0, 0, 0, 0}, {0, last, 0, 0, 0, 0, 0, 0}},

	"msg_cycles_available128": results, "msg_cycles_refunded128": results, "canister_cycle_balance128": results,
	"canister_liquid_cycle_balance128": results, "cost_create_canister": results,
	"msg_cycles_accept128": after(results, 0, 1), "cycles_burn128": after(results, 0, 1),
	"cost_call": after(results, 1, 1), "cost_http_request": after(results, 1, 1),
	"cost_sign_with_ecdsa": {{past, 2, 0, 0}, {last, 2, 0, 0}}, "cost_sign_with_schnorr": {{far, 1, 0, 0}},
	"cost_vetkd_derive_key": {{far, 1, 0, 0}},

	"stable_read": {{0, 0, 1}, {0, last, 2}}, "stable_write": {{0, 0, 1}, {last, 0, 2}},
	"stable64_read": {{0, 0, 1}, {0, last, 2}}, "stable64_write": {{0, 0, 1}, {last, 0, 2}},
}

// Every call that takes an address refuses one that is not inside, in the words of a refusal by the
// canister's own fault, and the network goes on.
func TestSystemCallsStayInside(t *testing.T) {
	w := newWorld(t, stopped)
	helper, err := w.Deploy(ctx, owner, helperModule(), nil)
	require.NoError(t, err)
	roles := specified(t)
	for name, lists := range outside {
		t.Run(name, func(t *testing.T) {
			p := &prober{world: &world{t, w.Network}, name: name, roles: roles[name], helper: helper}
			for _, args := range lists {
				probe := p.probe()
				probe.args = args
				id := p.install(probe.running())
				role, send := p.anyRole()
				_, err := send(ctx, alice, id, role, nil)
				var refusal *reject.Error
				require.ErrorAs(t, err, &refusal, "%v", args)
				// Bytes are paid for before they are looked for, so that 4 GiB of them may exceed the limit first.
				codes := []reject.ErrorCode{reject.ContractViolation, reject.Trapped, reject.InstructionLimitExceeded}
				require.Contains(t, codes, refusal.Code, "%v: %s", args, refusal.Message)
				require.Contains(t, refusal.Message, "Error from Canister "+id.Text())
				require.NotContains(t, refusal.Message, "cannot be executed")
			}
		})
	}
}

// anyRole returns a role in which the call is legal, and how to bring it about.
func (p *prober) anyRole() (string, func(context.Context, principal.Principal, principal.Principal, string, []byte) ([]byte, error)) {
	for _, role := range []string{"U", "Ry", "Rt"} {
		if p.allowed(role) {
			return role, p.Call
		}
	}
	return "NRQ", p.Query
}

func TestTextsOutsideAreReplaced(t *testing.T) {
	w := newWorld(t, stopped)
	helper, err := w.Deploy(ctx, owner, helperModule(), nil)
	require.NoError(t, err)
	send := func(name string) (principal.Principal, error) {
		p := &prober{world: w, name: name, roles: []string{"*"}, helper: helper}
		probe := p.probe()
		probe.args = []int64{past, 2}
		id := p.install(probe.running())
		_, err := w.Call(ctx, alice, id, "U", nil)
		return id, err
	}
	_, err = send("trap")
	refused(t, err, reject.CalledTrap, "'(trap message out of memory bounds)'")
	id, err := send("debug_print")
	require.NoError(t, err)
	logs, err := w.Logs(id)
	require.NoError(t, err)
	require.Equal(t, "(debug_print message out of memory bounds)", string(logs[0].Content))
}
