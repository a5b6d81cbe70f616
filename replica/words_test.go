package replica_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica/reject"
)

// What system calls say of arguments that are wrong, as read in production's source (dfinity/ic of 2026-05,
// rs/embedders, wasmtime_embedder/system_api.rs and system_api/request_in_prep.rs).
func TestViolationsAreWordedAsOnProduction(t *testing.T) {
	w := newWorld(t, stopped)
	helper, err := w.Deploy(ctx, owner, helperModule(), nil)
	require.NoError(t, err)
	roles := specified(t)
	for _, c := range []struct {
		call string
		args []int64
		text string
	}{
		{"msg_arg_data_copy", []int64{past, 0, 2}, "ic0.msg_arg_data_copy heap: src=65535 + length=2 exceeds the slice size=65536"},
		{"msg_arg_data_copy", []int64{0, past, 2}, "ic0.msg_arg_data_copy payload: src=65535 + length=2 exceeds the slice size=0"},
		{"msg_caller_copy", []int64{0, past, 2}, "ic0.msg_caller_copy id: src=65535 + length=2 exceeds the slice size=29"},
		{"msg_caller_info_data_copy", []int64{0, past, 2}, "ic0.msg_caller_info_data_copy info: src=65535 + length=2 exceeds the slice size=0"},
		{"msg_caller_info_signer_copy", []int64{0, past, 2}, "ic0.msg_caller_info_signer_copy signer: src=65535 + length=2 exceeds the slice size=0"},
		{"canister_self_copy", []int64{0, past, 2}, "ic0.canister_self_copy id: src=65535 + length=2 exceeds the slice size=10"},
		{"subnet_self_copy", []int64{0, past, 2}, "ic0.subnet_self_copy id: src=65535 + length=2 exceeds the slice size=29"},
		{"root_key_copy", []int64{0, past, 2}, "ic0.root_key_copy bytes: src=65535 + length=2 exceeds the slice size=133"},
		{"env_var_name_copy", []int64{0, 0, past, 2}, "ic0.env_var_name_copy name: src=65535 + length=2 exceeds the slice size=1"},
		{"env_var_name_copy", []int64{1, 0, 0, 0}, "Environment variable index 1 is out of bounds. The number of environment variables is 1."},
		{"env_var_name_exists", []int64{past, 2}, "ic0.env_var_name_exists heap: src=65535 + length=2 exceeds the slice size=65536"},
		{"env_var_name_exists", []int64{0, 129}, "ic0.env_var_name_exists: Variable name is too large."},
		{"env_var_value_size", []int64{past, 2}, "ic0.env_var_value_size heap: src=65535 + length=2 exceeds the slice size=65536"},
		{"env_var_value_size", []int64{atReply, 5}, "Environment variable reply not found."},
		{"env_var_value_copy", []int64{past, 2, 0, 0, 0}, "ic0.env_var_value_copy name: src=65535 + length=2 exceeds the slice size=65536"},
		{"env_var_value_copy", []int64{atVariable, 1, 0, 0, 2}, "ic0.env_var_value_copy value: src=0 + length=2 exceeds the slice size=1"},
		{"certified_data_set", []int64{past, 2}, "ic0_certified_data_set failed because src + size is out of bounds. Found src = 65535 and size = 2 while src + size must be <= 65536"},
		{"certified_data_set", []int64{0, 33}, "ic0_certified_data_set failed because the passed data must be no larger than 32 bytes. Found 33 bytes..\n" +
			"Try certifying just the hash of your data instead of the full contents. See documentation: " +
			"https://internetcomputer.org/docs/current/references/execution-errors#certified_data_set-payload-too-large"},
		{"data_certificate_copy", []int64{0, past, 2}, "ic0_data_certificate_copy failed because offset + size is out of bounds. Found offset = 65535 and size = 2 while offset + size must be <= "},
		{"data_certificate_copy", []int64{past, 0, 2}, "ic0_data_certificate_copy failed because dst + size is out of bounds. Found dst = 65535 and size = 2 while dst + size must be <= 65536"},
		{"msg_reply_data_append", []int64{past, 2}, "msg.reply: src=65535 + length=2 exceeds the slice size=65536"},
		{"msg_reject", []int64{past, 2}, "ic0.msg_reject: src=65535 + length=2 exceeds the slice size=65536"},
		{"is_controller", []int64{past, 2}, "ic0.is_controller: src=65535 + length=2 exceeds the slice size=65536"},
		{"is_controller", []int64{0, 30}, "Canister provided invalid principal id"},
		{"canister_cycle_balance128", []int64{past}, "ic0_canister_cycle_balance128 failed because dst + size is out of bounds.Found dst = 65535 and size = 16 while must be <= 65536"},
		{"cost_sign_with_ecdsa", []int64{past, 2, 0, 0}, "ic0.cost_sign_with_ecdsa heap: src=65535 + length=2 exceeds the slice size=65536"},
		{"call_data_append", []int64{past, 2}, "ic0.call_data_append: src=65535 + length=2 exceeds the slice size=65536"},
		{"call_data_append", []int64{0, 10<<20 + 1}, "Request to aaaaa-aa: has a payload size of 10485761, which exceeds the allowed limit of 10485760..\n" +
			"Check the canister for errors or redesign the target API to allow shorter messages See documentation: " +
			"https://internetcomputer.org/docs/current/references/execution-errors#canister-made-a-call-with-too-large-payload"},
		{"call_new", []int64{0, 0, 0, 20_001, 0, 0, 0, 0}, "Size of method_name 20001 exceeds the allowed limit of 20000..\nSize of method_name {} exceeds the allowed limit of {}. " +
			"See documentation: https://internetcomputer.org/docs/current/references/execution-errors#canister-made-a-call-with-too-large-method-name"},
		{"call_new", []int64{past, 2, past, 2, 0, 0, 0, 0}, "ic0.call_new method_name: src=65535 + length=2 exceeds the slice size=65536"},
		{"call_new", []int64{past, 2, 0, 0, 0, 0, 0, 0}, "ic0.call_new callee_src: src=65535 + length=2 exceeds the slice size=65536"},
		{"call_new", []int64{0, 30, 0, 0, 0, 0, 0, 0}, "Canister provided invalid principal id"},
		{"performance_counter", []int64{2}, "Error getting performance counter type: 2"},
		{"stable64_write", []int64{0, 0, 1}, "Canister trapped: stable memory out of bounds"},
	} {
		t.Run(c.call, func(t *testing.T) {
			p := &prober{world: &world{t, w.Network}, name: c.call, roles: roles[c.call], helper: helper}
			probe := p.probe()
			probe.args = c.args
			id := p.install(probe.running())
			role, send := p.anyRole()
			_, err := send(ctx, alice, id, role, nil)
			code := reject.ContractViolation
			if c.call == "stable64_write" {
				code = reject.Trapped
			}
			refused(t, err, code, c.text)
		})
	}
}
