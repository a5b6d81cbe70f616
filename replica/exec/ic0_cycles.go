package exec

import "kedge/replica/cycles"

// Cycles: what a call brings, what came back, what the canister has.

const (
	cyclesAvailable = Update | ReplicatedQuery | callbacks
	cyclesRefunded  = callbacks
	cyclesBurnable  = Init | PreUpgrade | Update | ReplicatedQuery | callbacks | Cleanup | task
)

// amount returns the system calls that report an amount: name, if the old call with 64 bits exists, and
// name128.
func amount(name string, old bool, contexts Kind, get func(s *Step) cycles.Amount) []syscall {
	calls := []syscall{{name: name + "128", params: types(i32), contexts: contexts, cost: costDefault,
		run: func(s *Step, stack []uint64) { s.putAmount(name+"128", uint32(stack[0]), get(s)) }}}
	if old {
		calls = append(calls, syscall{name: name, results: types(i64), contexts: contexts, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = narrow(get(s)) }})
	}
	return calls
}

// narrow is an amount for a system call with 64 bits; those trap if it does not fit.
func narrow(a cycles.Amount) uint64 {
	if a.Hi != 0 {
		panic(trapped("cycles amount exceeds 64-bit representation"))
	}
	return a.Lo
}

var cyclesCalls = join(
	amount("msg_cycles_available", true, cyclesAvailable, func(s *Step) cycles.Amount { return s.available }),
	amount("msg_cycles_refunded", true, cyclesRefunded, func(s *Step) cycles.Amount { return s.in.Refunded }),
	amount("canister_cycle_balance", true, running, func(s *Step) cycles.Amount { return s.balance }),
	amount("canister_liquid_cycle_balance", false, running, (*Step).liquid),
	[]syscall{
		{name: "msg_cycles_accept", params: types(i64), results: types(i64), contexts: cyclesAvailable, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = narrow(s.accept(cycles.New(stack[0]))) }},
		{name: "msg_cycles_accept128", params: types(i64, i64, i32), contexts: cyclesAvailable, cost: costDefault,
			run: func(s *Step, stack []uint64) {
				s.putAmount("msg_cycles_accept128", uint32(stack[2]), s.accept(cycles.Amount{Hi: stack[0], Lo: stack[1]}))
			}},
		{name: "cycles_burn128", params: types(i64, i64, i32), contexts: cyclesBurnable, cost: costDefault,
			run: func(s *Step, stack []uint64) {
				burned := s.liquid().Min(cycles.Amount{Hi: stack[0], Lo: stack[1]})
				s.balance = s.balance.Minus(burned)
				s.out.Burned = s.out.Burned.Plus(burned)
				s.putAmount("cycles_burn128", uint32(stack[2]), burned)
			}},
		{name: "mint_cycles128", params: types(i64, i64, i32), contexts: Update | callbacks | task, cost: costDefault,
			run: func(s *Step, stack []uint64) {
				if !s.in.Env.MayMintCycles {
					panic(userViolation("", "ic0.mint_cycles cannot be executed on non Cycles Minting Canister: %s", s.in.Env.Self))
				}
				minted := cycles.Amount{Hi: stack[0], Lo: stack[1]}
				s.balance = s.balance.Plus(minted)
				s.out.Minted = s.out.Minted.Plus(minted)
				s.putAmount("mint_cycles128", uint32(stack[2]), minted)
			}},
	},
)

// accept moves up to most of the call's cycles to the balance.
func (s *Step) accept(most cycles.Amount) cycles.Amount {
	accepted := s.available.Min(most)
	s.available = s.available.Minus(accepted)
	s.balance = s.balance.Plus(accepted)
	s.out.Accepted = s.out.Accepted.Plus(accepted)
	return accepted
}

// putAmount writes the sixteen bytes of an amount to the heap.
func (s *Step) putAmount(name string, dst uint32, a cycles.Amount) {
	if !s.inHeap(dst, 16) {
		panic(violation("ic0_%s failed because dst + size is out of bounds.Found dst = %d and size = 16 while must be <= %d", name, dst, s.heapSize()))
	}
	bytes := a.LittleEndian()
	s.put(dst, bytes[:])
}
