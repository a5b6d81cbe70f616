package subnet

import (
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// What the subnet has to give, as production counts it: on an application subnet with four threads of execution, of
// which each may give out a quarter (dfinity/ic, rs/config, execution_environment.rs).
const (
	executionThreads  = 4
	subnetMemory      = 2 << 40            // bytes
	memoryReservation = 4 * 2560 << 20     // bytes that responses may always use
	computeCapacity   = 3 * 100 * 50 / 100 // percent: of one thread less than there are, a half
)

// availableMemory is how many bytes a round may give to canisters.
func (n *Subnet) availableMemory() uint64 {
	var taken uint64
	for _, c := range n.state.Order {
		taken += max(c.memory().total(), c.Settings.MemoryAllocation)
	}
	const whole = uint64(subnetMemory - memoryReservation)
	return (whole - min(whole, taken)) / executionThreads
}

// availableCompute is how much compute allocation, in percent, canisters may still have: one percent is never given.
func (n *Subnet) availableCompute() uint64 {
	var taken uint64
	for _, c := range n.state.Order {
		taken += c.Settings.ComputeAllocation
	}
	free := computeCapacity - min(computeCapacity, taken)
	return free - min(free, 1)
}

// noMemory is the refusal of memory that the subnet does not have.
func noMemory(requested, available uint64) *reject.Error {
	return advised(reject.New(reject.SubnetOversubscribed, "Canister requested %s of memory but only %s are available in the subnet.",
		binaryUnits(requested), binaryUnits(available)), "Try moving to another subnet.", "subnet-memory-capacity-oversubscribed")
}

// change64 is how the memory of a canister changes, in bytes.
type change64 struct{ grow, shrink uint64 }

// checkChange refuses a change of memory by the management canister that the subnet or the balance cannot carry, even
// one that makes it less (dfinity/ic, rs/execution_environment, cycles_and_memory_usage_checks_and_updates).
func (n *Subnet) checkChange(c *canister, by change64) *reject.Error {
	before := c.memory().total()
	after := before + by.grow
	after -= min(after, by.shrink)
	allocation := c.Settings.MemoryAllocation
	allocated := max(after, allocation) - min(max(before, allocation), max(after, allocation))
	if available := n.availableMemory(); allocated > available {
		return noMemory(allocated, available)
	}
	if reserve := n.reserveWith(c, after); c.Balance.Less(reserve) {
		return cannotGrow(allocated, reserve.Minus(c.Balance))
	}
	return nil
}

// chargeChange is checkChange for work that costs instructions: they must not be paid from what the memory
// afterwards keeps frozen. Nothing is charged if it is refused.
func (n *Subnet) chargeChange(c *canister, by change64, instructions uint64, caller principal.Principal) *reject.Error {
	if err := n.checkChange(c, by); err != nil {
		return err
	}
	after := c.memory().total() + by.grow
	after -= min(after, by.shrink)
	amount := cycles.New(instructions)
	if needed := n.reserveWith(c, after).Plus(amount); c.Balance.Less(needed) {
		return cannotManage(lackingFor(c, needed.Minus(c.Balance), caller))
	}
	n.charge(c, amount, &c.Consumed.Instructions)
	n.state.Spent += instructions
	return nil
}
