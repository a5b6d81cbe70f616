package exec

import (
	"fmt"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// Calls of other canisters. A call is built by call_new and its companions and sent by call_perform;
// it leaves the canister when the step is committed.

// MaxPayload is the greatest size of method name and argument of a call between canisters of one subnet, in bytes.
const MaxPayload = 10 << 20

var callCalls = []syscall{
	{name: "call_new", params: types(i32, i32, i32, i32, i32, i32, i32, i32), contexts: calling, cost: costCallNew,
		size: func(stack []uint64) uint64 { return argument32(1)(stack) + argument32(3)(stack) },
		run: func(s *Step, stack []uint64) {
			s.dropCall()
			callee, name := arg2(stack[0:]), arg2(stack[2:])
			if name.size > MaxMethodName {
				panic(tooLongName(name.size))
			}
			method := lossyText(s.get("ic0.call_new method_name", name.src, name.size))
			s.building = &Call{
				Callee: s.principal("ic0.call_new callee_src", callee.src, callee.size),
				Method: method,
				Reply:  Callback{Func: uint32(stack[4]), Env: uint32(stack[5])},
				Reject: Callback{Func: uint32(stack[6]), Env: uint32(stack[7])},
			}
		}},
	{name: "call_on_cleanup", params: types(i32, i32), contexts: calling, cost: costDefault,
		run: func(s *Step, stack []uint64) {
			call := s.underConstruction("ic0.call_on_cleanup")
			if call.Cleanup != nil {
				panic(violation("ic0.call_on_cleanup can be called at most once between `ic0.call_new` and `ic0.call_perform`"))
			}
			call.Cleanup = &Callback{Func: uint32(stack[0]), Env: uint32(stack[1])}
		}},
	{name: "call_data_append", params: types(i32, i32), contexts: calling, cost: costDefault, size: argument32(1), perByte: costSentByte,
		run: func(s *Step, stack []uint64) {
			a := arg2(stack)
			call := s.underConstruction("ic0.call_data_append")
			if total := len(call.Method) + len(call.Arg) + int(a.size); total > MaxPayload {
				panic(tooLongCall(call.Callee, call.Method, total))
			}
			call.Arg = append(call.Arg, s.get("ic0.call_data_append", a.src, a.size)...)
		}},
	{name: "call_with_best_effort_response", params: types(i32), contexts: calling, cost: costDefault,
		run: func(s *Step, stack []uint64) {
			call := s.underConstruction("ic0.call_with_best_effort_response")
			if call.TimeoutSeconds != 0 {
				panic(violation("ic0_call_with_best_effort_response failed because a timeout is already set."))
			}
			call.TimeoutSeconds = min(max(uint32(stack[0]), 1), maxCallTimeout)
		}},
	{name: "call_cycles_add", params: types(i64), contexts: calling &^ composites, cost: costDefault,
		run: func(s *Step, stack []uint64) { s.attach("ic0_call_cycles_add", cycles.New(stack[0])) }},
	{name: "call_cycles_add128", params: types(i64, i64), contexts: calling &^ composites, cost: costDefault,
		run: func(s *Step, stack []uint64) {
			s.attach("ic0_call_cycles_add128", cycles.Amount{Hi: stack[0], Lo: stack[1]})
		}},
	{name: "call_perform", results: types(i32), contexts: calling, cost: costCallPerform,
		run: func(s *Step, stack []uint64) { stack[0] = s.perform() }},
}

// MaxMethodName is the greatest length of a method name in bytes.
const MaxMethodName = 20_000

// maxCallTimeout is the longest time that a best-effort call waits, in seconds.
const maxCallTimeout = 300

// performFailed is what call_perform returns when the queue is full or cycles are short.
const performFailed = 2

// region is a piece of the heap.
type region struct{ src, size uint32 }

func arg2(stack []uint64) region { return region{uint32(stack[0]), uint32(stack[1])} }

// underConstruction returns the call being built.
func (s *Step) underConstruction(name string) *Call {
	if s.building == nil {
		panic(violation("%s called when no call is under construction.", name))
	}
	return s.building
}

// dropCall forgets the call being built and takes its cycles back.
func (s *Step) dropCall() {
	if s.building != nil {
		s.balance = s.balance.Plus(s.building.Cycles)
		s.building = nil
	}
}

// attach moves cycles from the balance to the call being built.
func (s *Step) attach(name string, amount cycles.Amount) {
	call := s.underConstruction(name)
	if s.liquid().Less(amount) {
		panic(&trap{code: reject.ContractViolation, text: fmt.Sprintf("Canister %s is out of cycles", s.in.Env.Self)})
	}
	s.balance = s.balance.Minus(amount)
	call.Cycles = call.Cycles.Plus(amount)
}

// liquid is the part of the balance that the freezing threshold leaves free, with the memory that the step has
// grown so far.
func (s *Step) liquid() cycles.Amount {
	if s.grown > 0 && s.in.Env.ReserveWith != nil {
		return s.balance.Minus(s.in.Env.ReserveWith(s.grown))
	}
	return s.balance.Minus(s.in.Env.Reserve)
}

// perform sends the call being built, or drops it if the queue or the balance does not allow it.
func (s *Step) perform() uint64 {
	call := *s.underConstruction("ic0.call_perform")
	if !s.in.Kind.in(composites) {
		cost, prepaid := CallCost(len(call.Method), len(call.Arg))
		if s.liquid().Less(cost) || s.queueSpace(call.Callee) <= 0 {
			s.dropCall()
			return performFailed
		}
		s.balance = s.balance.Minus(cost)
		call.Prepaid = prepaid
	}
	s.building = nil
	s.out.Calls = append(s.out.Calls, call)
	return 0
}

// queueSpace says how many more calls to the callee this step may make.
func (s *Step) queueSpace(callee principal.Principal) int {
	if s.in.Env.QueueSpace == nil {
		return 1
	}
	space := s.in.Env.QueueSpace(callee)
	for _, call := range s.out.Calls {
		if call.Callee == callee {
			space--
		}
	}
	return space
}
