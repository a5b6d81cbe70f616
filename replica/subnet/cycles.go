package subnet

import (
	"context"
	"fmt"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// What canisters pay, besides what package exec prices.

// Prices in cycles a second on a subnet of 13 nodes.
const (
	feeGiBSecond     = 317_500
	feePercentSecond = 10_000_000
	// feeBaseSecond is paid by every canister that uses memory. Production has it since the page model of 2026.
	feeBaseSecond = 10_000
)

// chargeInterval is how often memory and compute allocations are paid for, in nanoseconds.
const chargeInterval = 10_000_000_000

const daySeconds = 24 * 60 * 60

// Sizes that count for the memory of a canister, in bytes.
const (
	historySize           = 192 // of an entry of the history
	historyControllerSize = 30  // more for each controller that it names
	globalSize            = 32  // of a mutable global; the meter's counter is one
)

// memoryUse is the memory of a canister in bytes, by what it holds.
type memoryUse struct {
	heap, stable, globals, code, sections, history, chunks, snapshots, logs uint64
}

func (m memoryUse) total() uint64 {
	return m.heap + m.stable + m.globals + m.code + m.sections + m.history + m.chunks + m.snapshots + m.logs
}

// memory adds up the memory of a canister.
func (c *canister) memory() memoryUse {
	use := memoryUse{code: uint64(len(c.Code))}
	for i := range c.History {
		use.history += historySize + historyControllerSize*uint64(len(c.History[i].Controllers))
	}
	if c.module != nil {
		use.heap, use.stable = c.heapPages*exec.WasmPage, c.stablePages*exec.WasmPage
		use.globals = globalsSize(c.module)
		for _, s := range c.module.Sections {
			use.sections += uint64(len(s.Name) + len(s.Data))
		}
	}
	if c.Settings.LogLimitSet {
		use.logs = c.Logs.Size
	}
	for range c.Chunks {
		use.chunks += maxChunk // whatever its size
	}
	for _, s := range c.Snapshots {
		use.snapshots += s.Size
	}
	return use
}

// globalsSize is what the mutable globals of a module count for.
func globalsSize(m *exec.Module) uint64 { return globalSize * uint64(len(m.GlobalTypes())+1) }

// dayRates are what a canister pays in a day without doing anything. Each is rounded down by itself.
type dayRates struct{ memory, compute cycles.Amount }

func (r dayRates) total() cycles.Amount { return r.memory.Plus(r.compute) }

// rates are the rates of a canister that holds so many bytes.
func (n *Subnet) rates(c *canister, bytes uint64) dayRates {
	bytes = max(bytes, c.Settings.MemoryAllocation)
	memory := cycles.New(bytes).Times(feeGiBSecond).Times(daySeconds).Over(1 << 30)
	if bytes > 0 && n.config.Pages == exec.Pages2026 {
		memory = memory.Plus(cycles.New(feeBaseSecond * daySeconds))
	}
	return dayRates{memory: memory, compute: cycles.New(feePercentSecond).Times(daySeconds).Times(c.Settings.ComputeAllocation)}
}

// reserveWith is the part of the balance that only memory and compute may use if the canister holds so many bytes.
func (n *Subnet) reserveWith(c *canister, bytes uint64) cycles.Amount {
	return n.rates(c, bytes).total().Times(c.Settings.FreezingThreshold).Over(daySeconds)
}

// freezingReserve is the part of the balance that only memory and compute may use.
func (n *Subnet) freezingReserve(c *canister) cycles.Amount {
	return n.reserveWith(c, c.memory().total())
}

// liquid is the part of the balance that messages may use.
func (n *Subnet) liquid(c *canister) cycles.Amount { return c.Balance.Minus(n.freezingReserve(c)) }

// missing is what a canister lacks to pay an amount without touching its freezing reserve.
func (n *Subnet) missing(c *canister, amount cycles.Amount) cycles.Amount {
	return n.freezingReserve(c).Plus(amount).Minus(c.Balance)
}

// outOfCycles refuses what a canister cannot pay. Only its controllers learn how much it lacks.
func (n *Subnet) outOfCycles(c *canister, amount cycles.Amount, asker principal.Principal) *reject.Error {
	return reject.New(reject.OutOfCycles, "%s", lackingFor(c, n.missing(c, amount), asker))
}

// lackingFor says that a canister lacks cycles, and to its controllers how many.
func lackingFor(c *canister, missing cycles.Amount, asker principal.Principal) string {
	text := "Canister " + c.ID.String() + " is out of cycles"
	if c.isController(asker) {
		text += ": please top up the canister with at least " + grouped(missing) + " additional cycles"
	}
	return text
}

// grouped writes a number with an underscore before every three digits.
func grouped(number fmt.Stringer) string { return cycles.Grouped(number) }

// checkGrowth refuses to let a canister hold so many bytes more if its balance could not carry them.
func (n *Subnet) checkGrowth(c *canister, bytes uint64) *reject.Error {
	used, allocation := c.memory().total(), c.Settings.MemoryAllocation
	allocated := max(used+bytes, allocation) - max(used, allocation)
	if reserve := n.reserveWith(c, used+bytes); allocated > 0 && c.Balance.Less(reserve) {
		return cannotGrow(allocated, reserve.Minus(c.Balance))
	}
	return nil
}

// charge takes cycles from a canister and books them under a use.
func (n *Subnet) charge(c *canister, amount cycles.Amount, use *cycles.Amount) {
	amount = amount.Min(c.Balance)
	c.Balance = c.Balance.Minus(amount)
	*use = use.Plus(amount)
}

// chargeInstructions makes a canister pay for what the management canister did for it, which has no base fee.
func (n *Subnet) chargeInstructions(c *canister, instructions uint64, caller principal.Principal) *reject.Error {
	amount := cycles.New(instructions)
	if n.liquid(c).Less(amount) {
		return n.outOfCycles(c, amount, caller)
	}
	n.charge(c, amount, &c.Consumed.Instructions)
	n.state.Spent += instructions
	return nil
}

// chargeForTime makes every canister pay for its memory and its compute allocation. Who cannot loses all that costs:
// code, snapshots, history, allocations, and what is left of its balance.
func (n *Subnet) chargeForTime(ctx context.Context) {
	for _, c := range n.state.Order {
		elapsed := n.state.Time - c.LastCharge
		if elapsed < chargeInterval || c.execution != nil {
			continue
		}
		c.LastCharge = n.state.Time
		rates, seconds := n.rates(c, c.memory().total()), elapsed/1_000_000_000
		if n.chargeRate(c, rates.memory, seconds, &c.Consumed.Memory) && n.chargeRate(c, rates.compute, seconds, &c.Consumed.Compute) {
			continue
		}
		n.uninstall(ctx, c)
		c.Settings.ComputeAllocation, c.Settings.MemoryAllocation = 0, 0
		c.History, c.Snapshots = nil, nil
		n.charge(c, c.Balance, &c.Consumed.Uninstalled)
	}
}

// chargeRate charges for some seconds at a rate a day, if the balance suffices.
func (n *Subnet) chargeRate(c *canister, day cycles.Amount, seconds uint64, use *cycles.Amount) bool {
	due := day.Times(seconds).Over(daySeconds)
	if c.Balance.Less(due) {
		return false
	}
	n.charge(c, due, use)
	return true
}
