package subnet

import (
	"context"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// How requests, responses and tasks of canisters are executed.

// NotFound is the refusal of what is about a canister that does not exist.
func NotFound(id principal.Principal) *reject.Error {
	return reject.New(reject.CanisterNotFound, "Canister %s not found", id)
}

// notRunning is the refusal of a message to a canister that is stopping or stopped.
func notRunning(c *canister) *reject.Error {
	if c.Status == stopping {
		return reject.New(reject.Stopping, "Canister %s is stopping", c.ID)
	}
	return reject.New(reject.Stopped, "Canister %s is stopped", c.ID)
}

// entryFor finds out which entry point of a canister a call of a method in a replicated way means.
func entryFor(c *canister, method string) (exec.Kind, string, *reject.Error) {
	switch {
	case c.module == nil:
		return 0, "", exec.WasmModuleNotFound(c.ID)
	case c.module.Has(exec.UpdatePrefix + method):
		return exec.Update, exec.UpdatePrefix + method, nil
	case c.module.Has(exec.QueryPrefix + method):
		return exec.ReplicatedQuery, exec.QueryPrefix + method, nil
	case c.module.Has(exec.CompositePrefix + method):
		return 0, "", reject.New(reject.CompositeQueryInReplicatedMode, "Composite query cannot be called in replicated mode")
	}
	return 0, "", exec.MethodNotFound(c.ID, "update", method)
}

// executeRequest runs a method that a user or canister called.
func (n *Subnet) executeRequest(ctx context.Context, c *canister, r *call) {
	if c.Status != running {
		n.respond(r.Origin, refused(notRunning(c)), r.Cycles)
		return
	}
	kind, entry, err := entryFor(c, r.Method)
	if err != nil {
		n.charge(c, exec.ExecutionCost(0), &c.Consumed.Instructions) // looking for the method was a message, too
		n.respond(r.Origin, failed(r.Origin, err), r.Cycles)
		return
	}
	if r.Origin.Kind == fromCanister && r.Caller != c.ID && r.Cycles.Less(c.Settings.MinimumIncomingCycles) {
		err = reject.New(reject.InsufficientCyclesInCall, "Canister %s requires at least %s transferred cycles, but the call brought %s",
			c.ID, c.Settings.MinimumIncomingCycles, r.Cycles)
	}
	if err != nil {
		n.respond(r.Origin, refused(err), r.Cycles)
		return
	}
	n.markProcessing(r.Origin)
	context := &callContext{ID: c.newID(), Origin: r.Origin, Caller: r.Caller, Info: r.Info, Deadline: r.Deadline, Available: r.Cycles}
	c.Contexts[context.ID] = context
	n.begin(ctx, c, context, &execution{Input: exec.Input{Kind: kind, Entry: entry, Caller: r.Caller, Arg: r.Arg, Deadline: r.Deadline}})
}

// executeTask runs a heartbeat, a timer or the hook for low memory.
func (n *Subnet) executeTask(ctx context.Context, c *canister, t *task) {
	if c.Status != running || c.module == nil || !c.module.Has(t.Entry) {
		return
	}
	context := &callContext{ID: c.newID(), Caller: principal.Management, Answered: true}
	c.Contexts[context.ID] = context
	n.begin(ctx, c, context, &execution{Input: exec.Input{Kind: t.Kind, Entry: t.Entry, Caller: principal.Management}})
}

// executeResponse runs the callback of a call that was answered.
func (n *Subnet) executeResponse(ctx context.Context, c *canister, r *response) {
	call := c.Callbacks[r.Callback]
	if call == nil {
		return // a best-effort call that was given up, or code that was uninstalled
	}
	delete(c.Callbacks, r.Callback)
	c.Balance = c.Balance.Plus(r.Refund).Plus(call.Prepaid)
	transmission := exec.ResponseCost(r.Answer.size(), 0).Minus(exec.ExecutionCost(0))
	n.charge(c, transmission, &c.Consumed.Transmission)

	context := c.Contexts[call.Context]
	if context == nil || c.module == nil { // it was uninstalled meanwhile: the message costs what any does
		n.charge(c, exec.ExecutionCost(0), &c.Consumed.Instructions)
		return
	}
	context.Pending--
	in := exec.Input{Kind: exec.ReplyCallback, Callback: call.Reply, Arg: r.Answer.Reply, Caller: context.Caller,
		Refunded: r.Refund, Deadline: context.Deadline}
	if err := r.Answer.Err; err != nil {
		in.Kind, in.Callback, in.Arg = exec.RejectCallback, call.Reject, nil
		in.RejectCode, in.RejectMessage = err.RejectCode(), err.Message
	}
	n.begin(ctx, c, context, &execution{Stage: stageCallback, Input: in, Cleanup: call.Cleanup})
}

// closeContext ends a call context that nothing can answer any more.
func (n *Subnet) closeContext(c *canister, context *callContext) {
	if context.Pending > 0 {
		return
	}
	if !context.Answered {
		silence := reject.New(reject.DidNotReply, "Canister %s did not reply to the call", c.ID)
		if context.Origin.Kind == fromCanister {
			silence = reject.New(reject.DidNotReply, "No response")
		}
		n.answer(context, refused(silence))
	}
	delete(c.Contexts, context.ID)
}

// answer answers a call context, giving back the cycles that were not accepted.
func (n *Subnet) answer(context *callContext, a answer) {
	context.Answered = true
	refund := context.Available
	context.Available = cycles.Amount{}
	n.respond(context.Origin, a, refund)
}

// carryOut does what a step that succeeded asked for.
func (n *Subnet) carryOut(c *canister, context *callContext, out exec.Output) {
	version := c.Version // that the canister saw while it made its calls
	c.Version++
	context.Available = context.Available.Minus(out.Accepted)
	c.Consumed.Burned = c.Consumed.Burned.Plus(out.Burned)
	n.setCertified(c, out)
	for _, call := range out.Calls {
		n.send(c, context, call, version)
	}
	if r := out.Response; r != nil {
		if r.Rejected {
			n.answer(context, rejectedBy(r.Message))
		} else {
			n.answer(context, replied(r.Reply))
		}
	}
}

// setCertified keeps new certified data and a new timer.
func (n *Subnet) setCertified(c *canister, out exec.Output) {
	if out.CertifiedData != nil {
		c.CertifiedData = out.CertifiedData
		n.touchData(c.ID)
	}
	if out.GlobalTimer != nil {
		c.GlobalTimer = *out.GlobalTimer
	}
}

// send puts a call of a canister on its way.
func (n *Subnet) send(c *canister, context *callContext, out exec.Call, version uint64) {
	id := c.newID()
	entry := &callback{Context: context.ID, Callee: out.Callee, Reply: out.Reply, Reject: out.Reject, Cleanup: out.Cleanup,
		Cycles: out.Cycles, Prepaid: out.Prepaid}
	if out.TimeoutSeconds != 0 {
		entry.Deadline = n.state.Time + uint64(out.TimeoutSeconds)*1e9
	}
	c.Callbacks[id] = entry
	context.Pending++
	cost, prepaid := exec.CallCost(len(out.Method), len(out.Arg))
	c.Consumed.Transmission = c.Consumed.Transmission.Plus(cost.Minus(prepaid))
	n.state.enqueue(message{Receiver: out.Callee, Request: &call{
		Origin: origin{Kind: fromCanister, Canister: c.ID, Callback: id},
		Caller: c.ID, SenderVersion: version, Method: out.Method, Arg: out.Arg, Cycles: out.Cycles, Deadline: entry.Deadline,
	}})
}

// respond gives the answer to a call to whoever awaits it, with the cycles that are left of it.
func (n *Subnet) respond(to origin, a answer, refund cycles.Amount) {
	switch to.Kind {
	case fromUser:
		n.complete(to.Request, a)
	case fromCanister:
		n.state.enqueue(message{Receiver: to.Canister, Response: &response{Callback: to.Callback, Answer: a, Refund: refund}})
	}
}

// env describes a canister and the network to a step.
func (n *Subnet) env(c *canister) exec.Env {
	now := max(n.state.Time, c.LastTime)
	c.LastTime = now
	return n.envAt(c, now)
}

func (n *Subnet) envAt(c *canister, now uint64) exec.Env {
	return exec.Env{
		Self: c.ID, Subnet: n.config.ID, RootKey: n.config.RootKey, Time: now, Version: c.Version, Status: int32(c.Status),
		Controllers: c.Settings.Controllers, Variables: c.Settings.Environment, GlobalTimer: c.GlobalTimer,
		Balance: c.Balance, Reserve: n.freezingReserve(c), WasmLimit: c.Settings.WasmMemoryLimit,
		LogCapacity: c.Settings.LogMemoryLimit,
		QueueSpace:  func(callee principal.Principal) int { return queueSpace(c, callee) },
	}
}

// maxQueue is the most calls of one canister to another that await their response.
const maxQueue = 500

// queueSpace says how many more calls c may make to the callee.
func queueSpace(c *canister, callee principal.Principal) int {
	space := maxQueue
	for _, call := range c.Callbacks {
		if call.Callee == callee {
			space--
		}
	}
	return space
}

// watchMemory runs canister_on_low_wasm_memory once when the heap comes near its limit.
func (n *Subnet) watchMemory(c *canister) {
	limit, threshold := c.Settings.WasmMemoryLimit, c.Settings.WasmMemoryThreshold
	if c.module == nil || threshold == 0 || limit == 0 {
		return
	}
	used := c.heapPages * exec.WasmPage
	low := used > limit || limit-used < threshold
	if low && !c.LowMemory && c.module.Has(exec.EntryLowMemory) {
		n.state.enqueue(message{Receiver: c.ID, Task: &task{exec.LowMemory, exec.EntryLowMemory}})
	}
	c.LowMemory = low
}
