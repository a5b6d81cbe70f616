package subnet

import (
	"context"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// How code runs. Most of it runs within the round that begins it. What is long goes on by itself while rounds go
// on: its canister waits for it, all others do not, and reads see the canister as it was before. The round that
// takes its end in is named in that round, so a log of rounds stays a log of the state.

// longExecution is how many instructions an execution may use within the round that begins it.
const longExecution = 50_000_000

// Runner runs executions.
type Runner interface {
	// Run runs work on a goroutine of its own and waits until it has ended or has called its pauses' Long. In the
	// second case ended is false, the work goes on, and wait waits for its end.
	Run(id uint64, work func(Pauses)) (wait func(), ended bool)
}

// Pauses is what an execution tells its runner.
type Pauses interface {
	// Long says that the execution need not end within its round.
	Long()
	// Pause lets others run; the execution is aborted if it returns false.
	Pause() (goOn bool)
}

// execution is code being run: a step in a call context, or an installation. It is plain data but for what begins
// with a small letter.
type execution struct {
	ID       uint64
	Canister principal.Principal

	Input   exec.Input // of a step
	Context uint64
	Stage   stage
	Cleanup *exec.Callback // of a callback: what runs if it traps
	Trapped exec.Output    // of a cleanup: how the callback before it ended
	Prepaid cycles.Amount

	Install *installation // not nil for an installation
	Request *call         // the call of the management canister that asked for it

	pauses   Pauses
	before   uint64 // instructions of steps that have ended
	twin     *exec.Instance
	working  *exec.Instance // the instance that the execution changes while readers use the twin
	isLong   bool
	wait     func()
	step     *exec.Step
	progress *installer
}

// stage says what a step in a call context is.
type stage uint8

const (
	stageFirst    stage = iota // the method or the task
	stageCallback              // a callback
	stageCleanup               // the cleanup after a callback that trapped
)

// pause is the Pause of the execution's steps. The fork of its first step that is long is what readers see.
func (n *Subnet) pause(ctx context.Context, e *execution, forked func(s *exec.Step) *exec.Step) func(*exec.Step) bool {
	return func(s *exec.Step) bool {
		if !e.isLong && e.before+s.Used() >= longExecution {
			e.isLong = true
			if from := forked(s); from != nil {
				var err error
				e.twin, err = from.Fork(ctx)
				n.must(err)
			}
			e.pauses.Long()
		}
		return e.pauses.Pause()
	}
}

// run runs an execution, and ends it if it ended within the round.
func (n *Subnet) run(ctx context.Context, c *canister, e *execution) (ended bool) {
	n.prepare(ctx, c, e)
	if e.wait, ended = n.launch(ctx, c, e); ended {
		n.conclude(ctx, c, e)
		return true
	}
	n.state.Executions = append(n.state.Executions, e)
	return false
}

// prepare numbers a new execution.
func (n *Subnet) prepare(_ context.Context, c *canister, e *execution) {
	n.state.NextExecution++
	e.ID, e.Canister = n.state.NextExecution, c.ID
}

// launch lets the runner run an execution. If it goes on, the canister belongs to it until it is concluded.
func (n *Subnet) launch(ctx context.Context, c *canister, e *execution) (wait func(), ended bool) {
	held := c.memory().total()
	wait, ended = n.config.Runner.Run(e.ID, func(p Pauses) {
		e.pauses = p
		if e.Install != nil {
			e.progress.run(ctx)
			return
		}
		in := e.Input
		in.Env.ReserveWith = func(bytes uint64) cycles.Amount { return n.reserveWith(c, held+bytes) }
		in.Env.QueueSpace = func(callee principal.Principal) int { return queueSpace(c, callee) }
		in.Pause = n.pause(ctx, e, func(s *exec.Step) *exec.Step { return s })
		e.step = e.instance(c).Run(ctx, in)
	})
	if ended {
		return wait, true
	}
	c.execution = e
	if e.twin != nil {
		e.working, c.instance = e.instance(c), e.twin
	}
	return wait, false
}

// instance is the instance that the execution runs on: it is taken when the execution begins.
func (e *execution) instance(c *canister) *exec.Instance {
	if e.working == nil {
		e.working = c.instance
	}
	return e.working
}

// conclude carries out what an execution that has ended asked for.
func (n *Subnet) conclude(ctx context.Context, c *canister, e *execution) {
	c.execution = nil
	if e.Install != nil {
		n.concludeInstallation(ctx, c, e)
		return
	}
	keep := e.step.Out.Err == nil && e.Input.Kind != exec.ReplicatedQuery
	switch {
	case keep && e.twin != nil:
		e.step.Commit()
		n.must(e.twin.Close(ctx))
		c.instance = e.working
	case keep:
		e.step.Commit()
	case e.twin != nil:
		n.must(e.working.Close(ctx)) // the twin is as it was
	default:
		n.must(e.step.Rollback(ctx))
	}
	c.measure()
	n.concludeStep(ctx, c, e, e.step.Out)
}

// finish takes in the end of an execution that outlasted its round.
func (n *Subnet) finish(ctx context.Context, id uint64) {
	for i, e := range n.state.Executions {
		if e.ID == id {
			e.wait()
			n.state.Executions = append(n.state.Executions[:i:i], n.state.Executions[i+1:]...)
			n.conclude(ctx, n.state.Canisters[e.Canister], e)
			return
		}
	}
}

// Running are the numbers of the executions that go on between rounds, in order.
func (n *Subnet) Running() (ids []uint64) {
	for _, e := range n.state.Executions {
		ids = append(ids, e.ID)
	}
	return ids
}

// Executing reports whether an execution of the canister goes on between rounds.
func (n *Subnet) Executing(canister principal.Principal) bool {
	c := n.state.Canisters[canister]
	return c != nil && c.execution != nil
}

// waits reports whether a message has to wait for an execution of its canister, or of the canister that it is about.
func (n *Subnet) waits(m message) bool {
	if len(n.state.Executions) == 0 {
		return false
	}
	id := m.Receiver
	if id == principal.Management && m.Request != nil {
		target, ok := Target(m.Request.Method, m.Request.Arg)
		if !ok {
			return false
		}
		id = target
	}
	return n.Executing(id)
}

// resume begins an execution of a checkpoint again. It does what it did, for it depends on nothing but its input
// and the canister's state, which is that of its beginning.
func (n *Subnet) resume(ctx context.Context, e *execution) error {
	c := n.state.Canisters[e.Canister]
	if e.Install != nil {
		e.progress = n.newInstaller(ctx, c, e)
	}
	wait, ended := n.launch(ctx, c, e)
	if ended { // its round has passed, so it is concluded in a later one
		c.execution, e.isLong = e, true
	}
	e.wait = wait
	return nil
}

// concludeStep books what a step cost, carries out what it asked for, and goes on in its call context.
func (n *Subnet) concludeStep(ctx context.Context, c *canister, e *execution, out exec.Output) {
	context := c.Contexts[e.Context]
	n.account(c, context, e, out)
	if out.Err == nil {
		n.carryOut(c, context, out)
	}
	n.watchMemory(c)
	n.follow(ctx, c, context, e, out)
}

// follow does what comes after a step: the cleanup of a callback that trapped, an answer, the end of the context.
func (n *Subnet) follow(ctx context.Context, c *canister, context *callContext, e *execution, out exec.Output) {
	cause := out.Err
	switch {
	case e.Stage == stageCallback && out.Err != nil && e.Cleanup != nil:
		n.begin(ctx, c, context, &execution{Stage: stageCleanup, Trapped: out,
			Input: exec.Input{Kind: exec.Cleanup, Callback: *e.Cleanup, Caller: context.Caller, RejectCode: e.Input.RejectCode}})
		return
	case e.Stage == stageCleanup:
		if cause = e.Trapped.Err; out.Err != nil {
			cause = cleanupFailed(c.ID, e.Trapped, out)
		}
	}
	if cause != nil && !context.Answered && (e.Stage == stageFirst || context.Pending == 0) {
		n.answer(context, failed(context.Origin, cause))
	}
	n.closeContext(c, context)
}

// cleanupFailed is the refusal after a callback that trapped and a cleanup that did, too.
func cleanupFailed(canister principal.Principal, callback, cleanup exec.Output) *reject.Error {
	return reject.New(callback.Err.Code, "Error from Canister %s: %s\n\ncall_on_cleanup also failed:\n\n%s", canister, callback.Cause, cleanup.Cause)
}

// cleanupPercent is the part of a callback's instructions that is kept for the cleanup after it.
const cleanupPercent = 5

// begin begins a step of a canister in a call context.
func (n *Subnet) begin(ctx context.Context, c *canister, context *callContext, e *execution) {
	in := &e.Input
	prepaid, limit := uint64(exec.LimitUpdate), uint64(exec.LimitUpdate)
	switch {
	case in.Kind == exec.ReplicatedQuery:
		prepaid, limit = exec.LimitQuery, exec.LimitQuery // in whatever mode
	case e.Stage == stageCallback:
		limit -= exec.LimitUpdate * cleanupPercent / 100
	case e.Stage == stageCleanup:
		limit -= min(limit, e.Trapped.Report.Instructions)
	}
	e.Context, e.Prepaid = context.ID, exec.ExecutionCost(prepaid)
	if e.Stage != stageFirst {
		e.Prepaid = e.Prepaid.Min(c.Balance) // it was paid with the call, even if the canister is frozen now
	} else if n.liquid(c).Less(e.Prepaid) {
		n.follow(ctx, c, context, e, exec.Output{Err: n.outOfCycles(c, e.Prepaid, in.Caller)})
		return
	}
	if in.Kind == exec.Update { // of all messages these alone are held to the limit before they run
		if err := exec.CheckHeap(c.ID, c.heapPages, c.Settings.WasmMemoryLimit); err != nil {
			n.charge(c, exec.ExecutionCost(0), &c.Consumed.Instructions)
			n.follow(ctx, c, context, e, exec.Output{Err: err})
			return
		}
	}
	c.Balance = c.Balance.Minus(e.Prepaid)
	in.Limit, in.Info = limit, context.Info
	in.Available, in.Answered, in.ContextInstructions = context.Available, context.Answered, context.Instructions
	in.MaxReply = exec.MaxReplicatedReply
	in.Env = n.env(c)
	n.run(ctx, c, e)
}

// account books what a step cost. The balance may have changed since the step began.
func (n *Subnet) account(c *canister, context *callContext, e *execution, out exec.Output) {
	context.Report = context.Report.Plus(out.Report)
	n.report(c, e.Input.Kind, &out.Report, context.Report)
	if !e.isLong {
		n.state.Spent += out.Report.Instructions
	}
	context.Instructions += out.Report.Instructions
	n.log(c, out.Logs)
	if began := e.Input.Env.Balance; out.Balance.Less(began) {
		c.Balance = c.Balance.Minus(began.Minus(out.Balance))
	} else {
		c.Balance = c.Balance.Plus(out.Balance.Minus(began))
	}
	c.Balance = c.Balance.Plus(e.Prepaid)
	cost := exec.ExecutionCost(out.Report.Instructions)
	if e.Stage == stageCleanup {
		cost = cost.Minus(exec.ExecutionCost(0)) // it belongs to the message of the callback
	}
	n.charge(c, cost, &c.Consumed.Instructions)
	n.trace.add(c.ID, out.Report, c.Balance)
}
