package exec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

// TestSystemInterfaceIsComplete holds the system calls against the table that modules are checked by:
// what a module may import is there, with the same types.
func TestSystemInterfaceIsComplete(t *testing.T) {
	have := make(map[string]syscall)
	for _, call := range syscalls() {
		require.NotContains(t, have, call.name)
		have[call.name] = call
	}
	for name, want := range wasm.SystemAPI() {
		call, ok := have[name]
		if !ok {
			t.Errorf("ic0.%s is missing", name)
			continue
		}
		require.Equal(t, len(want.Params), len(call.params), name)
		for i, p := range want.Params {
			require.EqualValues(t, p, call.params[i], "%s parameter %d", name, i)
		}
		require.Equal(t, len(want.Results), len(call.results), name)
		for i, r := range want.Results {
			require.EqualValues(t, r, call.results[i], "%s result", name)
		}
		delete(have, name)
	}
	require.Empty(t, have, "system calls that no module can import")
}

// specifiedContexts is the table "Overview of imports" of the Interface Specification 0.66, in its own
// letters: * is everywhere but the start function, s is the start function.
const specifiedContexts = `
msg_arg_data_size msg_arg_data_copy : I U RQ NRQ TQ CQ Ry CRy F
msg_caller_size msg_caller_copy : *
msg_caller_info_data_size msg_caller_info_data_copy msg_caller_info_signer_size msg_caller_info_signer_copy : U RQ NRQ CQ Ry Rt CRy CRt C CC F
msg_reject_code : Ry Rt CRy CRt C
msg_reject_msg_size msg_reject_msg_copy : Rt CRt
msg_deadline : U RQ NRQ TQ CQ Ry Rt CRy CRt
msg_reply_data_append msg_reply msg_reject : U RQ NRQ TQ CQ Ry Rt CRy CRt
msg_cycles_available128 msg_cycles_available msg_cycles_accept128 msg_cycles_accept : U RQ Rt Ry
msg_cycles_refunded128 msg_cycles_refunded : Rt Ry
cycles_burn128 : I G U RQ Ry Rt C T
canister_self_size canister_self_copy subnet_self_size subnet_self_copy : *
canister_cycle_balance128 canister_cycle_balance canister_liquid_cycle_balance128 canister_status canister_version : *
msg_method_name_size msg_method_name_copy accept_message : F
call_new call_on_cleanup call_data_append call_with_best_effort_response call_perform : U CQ Ry Rt CRy CRt T
call_cycles_add128 call_cycles_add : U Ry Rt T
stable64_size stable64_grow stable64_write stable64_read stable_size stable_grow stable_write stable_read : * s
root_key_size root_key_copy : I G U RQ Ry Rt C T
certified_data_set : I G U Ry Rt T
data_certificate_present time : *
data_certificate_size data_certificate_copy : NRQ CQ
global_timer_set : I G U Ry Rt C T
performance_counter is_controller in_replicated_execution debug_print trap : * s
cost_call cost_create_canister cost_http_request cost_http_request_v2 cost_sign_with_ecdsa cost_sign_with_schnorr cost_vetkd_derive_key : * s
env_var_count env_var_name_size env_var_name_copy env_var_name_exists env_var_value_size env_var_value_copy : *
mint_cycles128 : U Ry Rt T
`

func TestContextsAreThoseOfTheSpecification(t *testing.T) {
	letters := map[string]Kind{"I": Init, "G": PreUpgrade, "U": Update, "RQ": ReplicatedQuery, "NRQ": Query, "TQ": Transform,
		"CQ": CompositeQuery, "Ry": ReplyCallback, "Rt": RejectCallback, "CRy": CompositeReply, "CRt": CompositeReject,
		"C": Cleanup, "CC": CompositeCleanup, "F": Inspect, "T": Heartbeat | Timer | LowMemory, "s": Start}
	var all Kind
	for letter, kind := range letters {
		if letter != "s" {
			all |= kind
		}
	}
	letters["*"] = all
	want := make(map[string]Kind)
	for line := range strings.Lines(strings.TrimSpace(specifiedContexts)) {
		names, contexts, _ := strings.Cut(strings.TrimSpace(line), " : ")
		var set Kind
		for _, letter := range strings.Fields(contexts) {
			require.Contains(t, letters, letter)
			set |= letters[letter]
		}
		for _, name := range strings.Fields(names) {
			want[name] = set
		}
	}
	for _, call := range syscalls() {
		require.Contains(t, want, call.name)
		require.Equal(t, want[call.name], call.contexts, "%s is legal in %b, the specification says %b", call.name, call.contexts, want[call.name])
	}
}
