package subnet

import (
	"context"

	"kedge/replica/cycles"
	"kedge/replica/exec"
)

// What canisters pay, beside what package exec prices.

// Prices in cycles a second on a subnet of 13 nodes.
const (
	feeGiBSecond     = 127_000
	feePercentSecond = 10_000_000
)

// chargeInterval is how often memory and compute allocations are paid for, in nanoseconds.
const chargeInterval = 10_000_000_000

// historySize is what an entry of a canister's history counts for, in bytes.
const historySize = 128

// memoryUse is the memory of a canister in bytes, by what it holds.
type memoryUse struct {
	heap, stable, globals, code, sections, history, chunks, snapshots, logs uint64
}

func (m memoryUse) total() uint64 {
	return m.heap + m.stable + m.globals + m.code + m.sections + m.history + m.chunks + m.snapshots + m.logs
}

// memory adds up the memory of a canister.
func (c *canister) memory() memoryUse {
	use := memoryUse{code: uint64(len(c.Code)), history: historySize * uint64(len(c.History)), logs: c.Logs.Size}
	if c.instance != nil {
		use.heap = c.instance.HeapPages() * exec.WasmPage
		use.stable = c.instance.StablePages() * exec.WasmPage
		use.globals = c.module.GlobalsSize()
		use.sections = c.module.SectionsSize
	}
	for _, part := range c.Chunks {
		use.chunks += uint64(len(part.Data))
	}
	for _, s := range c.Snapshots {
		use.snapshots += s.Size
	}
	return use
}

// burnPerSecond is what a canister pays in a second without doing anything.
func (c *canister) burnPerSecond() cycles.Amount {
	bytes := max(c.memory().total(), c.Settings.MemoryAllocation)
	return cycles.New(bytes).Times(feeGiBSecond).Over(1 << 30).Plus(cycles.New(feePercentSecond).Times(c.Settings.ComputeAllocation))
}

// freezingReserve is the part of the balance that only memory and compute may use.
func (n *Subnet) freezingReserve(c *canister) cycles.Amount {
	return c.burnPerSecond().Times(c.Settings.FreezingThreshold)
}

// liquid is the part of the balance that messages may use.
func (n *Subnet) liquid(c *canister) cycles.Amount { return c.Balance.Minus(n.freezingReserve(c)) }

// charge takes cycles from a canister and books them under a use.
func (n *Subnet) charge(c *canister, amount cycles.Amount, use *cycles.Amount) {
	amount = amount.Min(c.Balance)
	c.Balance = c.Balance.Minus(amount)
	*use = use.Plus(amount)
}

// chargeForTime makes every canister pay for its memory and its compute allocation. Who cannot is
// uninstalled.
func (n *Subnet) chargeForTime(ctx context.Context) {
	for _, c := range n.state.Order {
		elapsed := n.state.Time - c.LastCharge
		if elapsed < chargeInterval {
			continue
		}
		c.LastCharge = n.state.Time
		due := c.burnPerSecond().Times(elapsed / 1_000_000).Over(1_000)
		exhausted := c.Balance.Less(due)
		n.charge(c, due, &c.Consumed.Memory)
		if exhausted && c.module != nil {
			n.uninstall(ctx, c, changeBySystem(c))
			c.Settings.ComputeAllocation, c.Settings.MemoryAllocation = 0, 0
		}
	}
}
