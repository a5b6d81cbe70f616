package wasm

import (
	"strings"
	"sync"
)

// SystemModule is the name of the only module that a canister imports functions from.
const SystemModule = "ic0"

// systemAPI lists the System API of the Internet Computer for 32-bit canisters (interface
// specification 0.66, "System API", and what the replica's validation accepts beyond it). Each
// line is a name or several of one signature, ":", and the signature: i is i32, I is i64.
const systemAPI = `
msg_arg_data_size msg_caller_size msg_caller_info_data_size msg_caller_info_signer_size : -> i
msg_reject_code msg_reject_msg_size msg_method_name_size                                : -> i
canister_self_size subnet_self_size canister_status root_key_size                       : -> i
data_certificate_present data_certificate_size in_replicated_execution env_var_count    : -> i
msg_arg_data_copy msg_caller_copy msg_caller_info_data_copy msg_caller_info_signer_copy : iii
msg_reject_msg_copy msg_method_name_copy canister_self_copy subnet_self_copy            : iii
root_key_copy data_certificate_copy                                                     : iii
msg_deadline canister_version time stable64_size                                        : -> I
msg_reply_data_append msg_reject call_data_append certified_data_set debug_print trap   : ii
msg_reply accept_message                                                                :
msg_cycles_available128 msg_cycles_refunded128 canister_cycle_balance128                : i
canister_liquid_cycle_balance128 cost_create_canister                                   : i
msg_cycles_accept128 cycles_burn128 cost_call cost_http_request mint_cycles128          : IIi
call_new                                                                                : iiiiiiii
call_on_cleanup                                                                         : ii
call_with_best_effort_response                                                          : i
call_cycles_add128                                                                      : II
call_perform                                                                            : -> i
stable64_grow global_timer_set                                                         : I -> I
stable64_write stable64_read                                                            : III
performance_counter                                                                     : i -> I
is_controller env_var_name_exists env_var_value_size                                    : ii -> i
cost_http_request_v2                                                                    : iii
cost_sign_with_ecdsa cost_sign_with_schnorr cost_vetkd_derive_key                       : iiii -> i
env_var_name_size                                                                       : i -> i
env_var_name_copy                                                                       : iiii
env_var_value_copy                                                                      : iiiii
msg_cycles_available msg_cycles_refunded canister_cycle_balance                         : -> I
msg_cycles_accept                                                                       : I -> I
call_cycles_add                                                                         : I
stable_size                                                                             : -> i
stable_grow                                                                             : i -> i
stable_write stable_read                                                                : iii
`

// SystemAPI returns the signature of every function of the System API ("ic0") that a 32-bit
// canister may import, by name. The map is shared: do not change it.
var SystemAPI = sync.OnceValue(func() map[string]FuncType {
	api := map[string]FuncType{}
	types := func(letters string) (list []ValType) {
		for _, l := range strings.TrimSpace(letters) {
			if l == 'I' {
				list = append(list, I64)
			} else {
				list = append(list, I32)
			}
		}
		return list
	}
	for line := range strings.Lines(strings.TrimSpace(systemAPI)) {
		names, signature, _ := strings.Cut(line, ":")
		params, results, _ := strings.Cut(signature, "->")
		for _, name := range strings.Fields(names) {
			api[name] = FuncType{Params: types(params), Results: types(results)}
		}
	}
	return api
})
