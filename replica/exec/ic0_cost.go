package exec

import "kedge/replica/cycles"

// costCalls tell what things cost, in cycles, on a subnet of 13 nodes.
var costCalls = []syscall{
	{name: "cost_call", params: types(i64, i64, i32), contexts: everywhere, cost: costDefault,
		run: func(s *Step, stack []uint64) {
			cost, _ := CallCost(int(min(stack[0], 1<<40)), int(min(stack[1], 1<<40)))
			s.putAmount("cost_call", uint32(stack[2]), cost)
		}},
	{name: "cost_create_canister", params: types(i32), contexts: everywhere, cost: costDefault,
		run: func(s *Step, stack []uint64) { s.putAmount("cost_create_canister", uint32(stack[0]), CreationFee) }},
	{name: "cost_http_request", params: types(i64, i64, i32), contexts: everywhere, cost: costDefault,
		run: func(s *Step, stack []uint64) {
			s.putAmount("cost_http_request", uint32(stack[2]), OutcallCost(stack[0], stack[1]))
		}},
	{name: "cost_http_request_v2", params: types(i32, i32, i32), contexts: everywhere, cost: costOutcallV2,
		run: func(*Step, []uint64) {
			// The call is not in the specification, and its prices are not published.
			panic(userViolation("", "ic0_cost_http_request_v2 is not available on this network"))
		}},
	{name: "cost_sign_with_ecdsa", params: types(i32, i32, i32, i32), results: types(i32), contexts: everywhere, cost: costDefault, size: argument32(1),
		run: func(s *Step, stack []uint64) { s.signCost("cost_sign_with_ecdsa", stack, 1) }},
	{name: "cost_sign_with_schnorr", params: types(i32, i32, i32, i32), results: types(i32), contexts: everywhere, cost: costDefault, size: argument32(1),
		run: func(s *Step, stack []uint64) { s.signCost("cost_sign_with_schnorr", stack, 2) }},
	{name: "cost_vetkd_derive_key", params: types(i32, i32, i32, i32), results: types(i32), contexts: everywhere, cost: costDefault, size: argument32(1),
		run: func(s *Step, stack []uint64) { s.signCost("cost_vetkd_derive_key", stack, 1) }},
}

// signatureCosts are the threshold keys of the production network and what a signature by each costs.
// This network has none of the keys; asking for the price is pure.
var signatureCosts = map[string]cycles.Amount{
	"dfx_test_key": cycles.New(10_000_000_000),
	"test_key_1":   cycles.New(10_000_000_000),
	"key_1":        cycles.New(26_153_846_153),
}

// signCost answers 1 for an unknown curve or algorithm, 2 for an unknown key, else 0 with the price.
func (s *Step) signCost(name string, stack []uint64, kinds uint32) {
	a, kind, dst := arg2(stack), uint32(stack[2]), uint32(stack[3])
	raw := s.get("ic0."+name+" heap", a.src, a.size)
	if !validText(string(raw)) {
		panic(violation("Failed to decode key name %s", lossyText(raw)))
	}
	if kind >= kinds {
		stack[0] = 1
		return
	}
	price, ok := signatureCosts[string(raw)]
	if !ok {
		stack[0] = 2
		return
	}
	s.putAmount(name, dst, price)
	stack[0] = 0
}
