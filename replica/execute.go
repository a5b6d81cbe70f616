package replica

import (
	"context"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// How requests, responses and tasks of canisters are executed.

func notFound(id principal.Principal) *reject.Error {
	return reject.New(reject.CanisterNotFound, "Canister %s not found", id)
}

// notRunning is the refusal of a message to a canister that is stopping or stopped.
func notRunning(c *canister) *reject.Error {
	if c.status == stopping {
		return reject.New(reject.Stopping, "Canister %s is stopping", c.id)
	}
	return reject.New(reject.Stopped, "Canister %s is stopped", c.id)
}

func outOfCycles(c *canister) *reject.Error {
	return reject.New(reject.OutOfCycles, "Canister %s is out of cycles", c.id)
}

// entryFor finds out which entry point of a canister a call of a method in a replicated way means.
func entryFor(c *canister, method string) (exec.Kind, string, *reject.Error) {
	switch {
	case c.module == nil:
		return 0, "", exec.WasmModuleNotFound(c.id)
	case c.module.Has(exec.UpdatePrefix + method):
		return exec.Update, exec.UpdatePrefix + method, nil
	case c.module.Has(exec.QueryPrefix + method):
		return exec.ReplicatedQuery, exec.QueryPrefix + method, nil
	case c.module.Has(exec.CompositePrefix + method):
		return 0, "", reject.New(reject.CompositeQueryInReplicatedMode, "Composite query cannot be called in replicated mode")
	}
	return 0, "", exec.MethodNotFound(c.id, "update", method)
}

// executeRequest runs a method that a user or canister called.
func (n *Network) executeRequest(ctx context.Context, c *canister, r *call) {
	if c.status != running {
		n.respond(r.origin, refused(notRunning(c)), r.cycles)
		return
	}
	kind, entry, err := entryFor(c, r.method)
	if err != nil {
		n.respond(r.origin, refused(err), r.cycles)
		return
	}
	n.markProcessing(r.origin)
	context := &callContext{id: c.newID(), origin: r.origin, caller: r.caller, deadline: r.deadline, available: r.cycles}
	c.contexts[context.id] = context
	in := exec.Input{Kind: kind, Entry: entry, Caller: r.caller, Arg: r.arg, Deadline: r.deadline}
	n.runInContext(ctx, c, context, in)
}

// executeTask runs a heartbeat, a timer or the hook for low memory.
func (n *Network) executeTask(ctx context.Context, c *canister, t *task) {
	if c.status != running || c.module == nil || !c.module.Has(t.entry) {
		return
	}
	context := &callContext{id: c.newID(), caller: principal.Management, answered: true}
	c.contexts[context.id] = context
	n.runInContext(ctx, c, context, exec.Input{Kind: t.kind, Entry: t.entry, Caller: principal.Management})
}

// executeResponse runs the callback of a call that was answered.
func (n *Network) executeResponse(ctx context.Context, c *canister, r *response) {
	call := c.callbacks[r.callback]
	if call == nil {
		return // a best-effort call that was given up, or code that was uninstalled
	}
	delete(c.callbacks, r.callback)
	c.balance = c.balance.Plus(r.refund).Plus(call.prepaid)
	transmission := exec.ResponseCost(r.answer.size(), 0).Minus(exec.ExecutionCost(0))
	n.charge(c, transmission, &c.consumed.transmission)

	context := c.contexts[call.context]
	if context == nil || c.module == nil {
		return
	}
	context.pending--
	in := exec.Input{Kind: exec.ReplyCallback, Callback: call.reply, Arg: r.answer.reply, Caller: context.caller,
		Refunded: r.refund, Deadline: context.deadline}
	if err := r.answer.err; err != nil {
		in.Kind, in.Callback, in.Arg = exec.RejectCallback, call.reject, nil
		in.RejectCode, in.RejectMessage = err.RejectCode(), err.Message
	}
	if out := n.step(ctx, c, context, in); out.Err != nil {
		n.cleanup(ctx, c, context, call, in, out.Err)
	}
	n.settle(c, context)
}

// cleanup runs the cleanup callback after a callback that trapped, and keeps the trap as the answer in
// case nothing else answers.
func (n *Network) cleanup(ctx context.Context, c *canister, context *callContext, call *callback, failed exec.Input, cause *reject.Error) {
	if call.cleanup != nil {
		in := exec.Input{Kind: exec.Cleanup, Callback: *call.cleanup, Caller: context.caller, RejectCode: failed.RejectCode}
		if out := n.step(ctx, c, context, in); out.Err != nil {
			cause = reject.New(cause.Code, "%s\n\ncall_on_cleanup also failed:\n\n%s", cause.Message, out.Err.Message)
		}
	}
	if !context.answered && context.pending == 0 {
		n.answer(context, refused(cause))
	}
}

// runInContext runs the first step of a call context.
func (n *Network) runInContext(ctx context.Context, c *canister, context *callContext, in exec.Input) {
	out := n.step(ctx, c, context, in)
	if out.Err != nil && !context.answered {
		n.answer(context, refused(out.Err))
	}
	n.settle(c, context)
}

// settle ends a call context that nothing can answer any more.
func (n *Network) settle(c *canister, context *callContext) {
	if context.pending > 0 {
		return
	}
	if !context.answered {
		n.answer(context, refused(reject.New(reject.DidNotReply, "Canister %s did not reply to the call", c.id)))
	}
	delete(c.contexts, context.id)
}

// answer answers a call context, giving back the cycles that were not accepted.
func (n *Network) answer(context *callContext, a answer) {
	context.answered = true
	refund := context.available
	context.available = cycles.Amount{}
	n.respond(context.origin, a, refund)
}

// step runs one entry point of a canister with replicated state, commits or rolls back, and carries out
// what it asked for.
func (n *Network) step(ctx context.Context, c *canister, context *callContext, in exec.Input) exec.Output {
	prepaid := exec.ExecutionCost(exec.LimitUpdate)
	if n.liquid(c).Less(prepaid) {
		return exec.Output{Err: outOfCycles(c)}
	}
	c.balance = c.balance.Minus(prepaid)
	in.Limit = exec.LimitUpdate
	in.Available, in.Answered, in.ContextInstructions = context.available, context.answered, context.instructions
	in.MaxReply = exec.MaxReplicatedReply
	in.Env = n.env(c)

	s := c.instance.Run(ctx, in)
	if s.Out.Err == nil && in.Kind != exec.ReplicatedQuery {
		s.Commit()
	} else {
		n.must(s.Rollback(ctx))
	}
	out := s.Out
	n.account(c, context, prepaid, out)
	if out.Err == nil {
		n.carryOut(c, context, in.Kind, out)
	}
	n.watchMemory(c)
	return out
}

// account books what a step cost.
func (n *Network) account(c *canister, context *callContext, prepaid cycles.Amount, out exec.Output) {
	context.report = context.report.Plus(out.Report)
	c.lastReport = context.report
	n.state.spent += out.Report.Instructions
	context.instructions += out.Report.Instructions
	n.log(c, out.Logs)
	c.balance = out.Balance.Plus(prepaid)
	n.charge(c, exec.ExecutionCost(out.Report.Instructions), &c.consumed.instructions)
}

// carryOut does what a step that succeeded asked for.
func (n *Network) carryOut(c *canister, context *callContext, kind exec.Kind, out exec.Output) {
	c.version++
	context.available = context.available.Minus(out.Accepted)
	c.consumed.burned = c.consumed.burned.Plus(out.Burned)
	n.setCertified(c, out)
	for _, call := range out.Calls {
		n.send(c, context, call)
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
func (n *Network) setCertified(c *canister, out exec.Output) {
	if out.CertifiedData != nil {
		c.certifiedData = out.CertifiedData
		n.touchData(c.id)
	}
	if out.GlobalTimer != nil {
		c.globalTimer = *out.GlobalTimer
	}
}

// send puts a call of a canister on its way.
func (n *Network) send(c *canister, context *callContext, out exec.Call) {
	id := c.newID()
	entry := &callback{context: context.id, callee: out.Callee, reply: out.Reply, reject: out.Reject, cleanup: out.Cleanup,
		cycles: out.Cycles, prepaid: out.Prepaid}
	if out.TimeoutSeconds != 0 {
		entry.deadline = n.state.time + uint64(out.TimeoutSeconds)*1e9
	}
	c.callbacks[id] = entry
	context.pending++
	cost, prepaid := exec.CallCost(len(out.Method), len(out.Arg))
	c.consumed.transmission = c.consumed.transmission.Plus(cost.Minus(prepaid))
	n.state.enqueue(message{receiver: out.Callee, request: &call{
		origin: origin{kind: fromCanister, canister: c.id, callback: id},
		caller: c.id, senderVersion: c.version, method: out.Method, arg: out.Arg, cycles: out.Cycles, deadline: entry.deadline,
	}})
}

// respond gives the answer to a call to whoever awaits it, with the cycles that are left of it.
func (n *Network) respond(to origin, a answer, refund cycles.Amount) {
	switch to.kind {
	case fromUser:
		n.complete(to.request, a)
	case fromCanister:
		n.state.enqueue(message{receiver: to.canister, response: &response{callback: to.callback, answer: a, refund: refund}})
	}
}

// env describes a canister and the network to a step.
func (n *Network) env(c *canister) exec.Env {
	now := max(n.state.time, c.lastTime+1)
	c.lastTime = now
	return n.envAt(c, now)
}

func (n *Network) envAt(c *canister, now uint64) exec.Env {
	return exec.Env{
		Self: c.id, Subnet: n.subnetID, RootKey: n.rootKey, Time: now, Version: c.version, Status: int32(c.status),
		Controllers: c.settings.controllers, Variables: c.settings.environment, GlobalTimer: c.globalTimer,
		Balance: c.balance, Reserve: n.freezingReserve(c), WasmLimit: c.settings.wasmMemoryLimit,
		LogCapacity: c.settings.logMemoryLimit, LogRemaining: c.logs.remaining(c.settings.logMemoryLimit),
		QueueSpace: func(callee principal.Principal) int { return n.queueSpace(c, callee) },
	}
}

// maxQueue is the most calls of one canister to another that await their response.
const maxQueue = 500

// queueSpace says how many more calls c may make to the callee.
func (n *Network) queueSpace(c *canister, callee principal.Principal) int {
	space := maxQueue
	for _, call := range c.callbacks {
		if call.callee == callee {
			space--
		}
	}
	return space
}

// watchMemory runs canister_on_low_wasm_memory once when the heap comes near its limit.
func (n *Network) watchMemory(c *canister) {
	limit, threshold := c.settings.wasmMemoryLimit, c.settings.wasmMemoryThreshold
	if c.instance == nil || threshold == 0 || limit == 0 {
		return
	}
	used := c.instance.HeapPages() * exec.WasmPage
	low := used > limit || limit-used < threshold
	if low && !c.lowMemory && c.module.Has(exec.EntryLowMemory) {
		n.state.enqueue(message{receiver: c.id, task: &task{exec.LowMemory, exec.EntryLowMemory}})
	}
	c.lowMemory = low
}
