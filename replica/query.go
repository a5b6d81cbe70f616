package replica

import (
	"context"
	"time"

	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// query is a query of a canister's method.
type query struct {
	caller   principal.Principal
	canister principal.Principal
	method   string
	arg      []byte
	info     exec.CallerInfo // of users
}

// certificateAge is the greatest age of a data certificate in nanoseconds.
const certificateAge = 60_000_000_000

// query executes a query. It shares the network's lock with other queries; one canister runs one step at
// a time.
func (n *Network) query(ctx context.Context, q query) ([]byte, *reject.Error) {
	n.lock.RLock()
	defer n.lock.RUnlock()
	if q.canister == principal.Management {
		return n.queryManagement(q)
	}
	if n.builtin(q.canister) {
		return n.queryBuiltin(q)
	}
	c := n.state.Canisters[q.canister]
	switch {
	case c == nil:
		return nil, notFound(q.canister)
	case c.Status != running:
		err := notRunning(c)
		err.Message = "Canister " + c.ID.String() + " is not running"
		return nil, err
	case c.module == nil:
		return nil, exec.WasmModuleNotFound(c.ID)
	case c.Balance.IsZero() || n.liquid(c).IsZero():
		return nil, outOfCycles(c)
	case c.module.Has(exec.QueryPrefix + q.method):
		return n.plainQuery(ctx, c, q)
	case c.module.Has(exec.CompositePrefix + q.method):
		return n.compositeQuery(ctx, c, q)
	}
	return nil, exec.MethodNotFound(c.ID, "query", q.method)
}

// plainQuery runs a query method and undoes it.
func (n *Network) plainQuery(ctx context.Context, c *canister, q query) ([]byte, *reject.Error) {
	c.queryLock.Lock()
	defer c.queryLock.Unlock()
	s := c.instance.Run(ctx, exec.Input{
		Kind: exec.Query, Entry: exec.QueryPrefix + q.method, Caller: q.caller, Info: q.info, Arg: q.arg,
		Limit: exec.LimitQuery, MaxReply: exec.MaxQueryReply, Env: n.queryEnv(c), Certificate: n.dataCertificate(c),
	})
	n.must(s.Rollback(ctx))
	n.print(c, s.Out.Logs)
	c.lastReport = s.Out.Report
	n.executed.query(s.Out.Report)
	return queryAnswer(c, s.Out)
}

// queryEnv is the env of a step of a query, which sees the network's time.
func (n *Network) queryEnv(c *canister) exec.Env {
	return n.envAt(c, max(n.now(), c.LastTime))
}

// dataCertificate returns a function that makes the canister's certificate when it is asked for.
func (n *Network) dataCertificate(c *canister) func() []byte {
	return func() []byte { return n.snapshot(certificateAge).DataCertificate(c.ID) }
}

// queryAnswer is what the caller of a query gets.
func queryAnswer(c *canister, out exec.Output) ([]byte, *reject.Error) {
	switch {
	case out.Err != nil:
		return nil, out.Err
	case out.Response == nil:
		return nil, reject.New(reject.DidNotReply, "Canister %s did not reply to the call", c.ID)
	case out.Response.Rejected:
		return nil, &reject.Error{Code: reject.CanisterRejectedMessage, Message: out.Response.Message}
	}
	return out.Response.Reply, nil
}

// Limits of composite queries.
const (
	maxCompositeDepth   = 6
	compositeCallCharge = 50_000_000
	maxCompositeTime    = 10 * time.Second
)

// composite is one composite query with all that it calls.
type composite struct {
	*Network
	left     uint64 // instructions
	deadline time.Time
	stack    []*canister // who waits for whom
}

// compositeQuery runs a composite query method, its calls and their callbacks, and undoes all of it.
func (n *Network) compositeQuery(ctx context.Context, c *canister, q query) ([]byte, *reject.Error) {
	// One at a time: a composite query holds several canisters, and two could wait for each other.
	n.compositeLock.Lock()
	defer n.compositeLock.Unlock()
	run := &composite{Network: n, left: exec.LimitQuery, deadline: n.wallClock().Add(maxCompositeTime)}
	return run.call(ctx, c, q, true)
}

// call evaluates a query method of a canister that a composite query reached.
func (r *composite) call(ctx context.Context, c *canister, q query, first bool) ([]byte, *reject.Error) {
	for _, waiting := range r.stack {
		if waiting == c {
			return nil, reject.New(reject.QueryCallGraphLoop, "Query call graph contains loop: canister %s is already evaluating", c.ID)
		}
	}
	if len(r.stack) >= maxCompositeDepth {
		return nil, reject.New(reject.QueryCallGraphTooDeep, "Composite query calls exceeded the maximum call depth.")
	}
	r.stack = append(r.stack, c)
	defer func() { r.stack = r.stack[:len(r.stack)-1] }()

	c.queryLock.Lock()
	defer c.queryLock.Unlock()
	e := &evaluation{composite: r, canister: c, caller: q.caller, info: q.info}
	defer e.undo(ctx)
	in := exec.Input{Kind: exec.CompositeQuery, Entry: exec.CompositePrefix + q.method, Caller: q.caller, Arg: q.arg}
	if !c.module.Has(in.Entry) {
		in.Kind, in.Entry = exec.Query, exec.QueryPrefix+q.method
	}
	if first {
		in.Certificate = r.dataCertificate(c)
	}
	out := e.step(ctx, in)
	if out.Err == nil {
		if err := e.drain(ctx); err != nil {
			return nil, err
		}
	}
	if e.failure != nil && e.response == nil {
		return nil, e.failure
	}
	return queryAnswer(c, exec.Output{Response: e.response})
}

// evaluation is the part of a composite query that runs on one canister.
type evaluation struct {
	*composite
	canister     *canister
	caller       principal.Principal
	info         exec.CallerInfo
	steps        []*exec.Step
	calls        []exec.Call
	response     *exec.Response
	failure      *reject.Error
	instructions uint64
}

// step runs an entry point whose effects the later steps of the evaluation see.
func (e *evaluation) step(ctx context.Context, in exec.Input) exec.Output {
	in.Limit, in.MaxReply, in.Answered, in.ContextInstructions = e.left, exec.MaxQueryReply, e.response != nil, e.instructions
	in.Info, in.Env = e.info, e.queryEnv(e.canister)
	s := e.canister.instance.Run(ctx, in)
	out := s.Out
	e.left -= min(e.left, out.Report.Instructions)
	e.instructions += out.Report.Instructions
	e.print(e.canister, out.Logs)
	e.canister.lastReport = out.Report
	e.executed.query(out.Report)
	if out.Err != nil {
		e.must(s.Rollback(ctx))
		e.failure = out.Err
		return out
	}
	s.Hold()
	e.steps = append(e.steps, s)
	e.calls = append(e.calls, out.Calls...)
	if out.Response != nil {
		e.response = out.Response
	}
	return out
}

// drain makes the calls of the evaluation one after the other, and runs their callbacks.
func (e *evaluation) drain(ctx context.Context) *reject.Error {
	for len(e.calls) > 0 {
		if e.wallClock().After(e.deadline) {
			return reject.New(reject.QueryTimeLimitExceeded, "Composite query calls exceeded the time limit.")
		}
		if e.left <= compositeCallCharge {
			return reject.New(reject.QueryCallGraphInstructionLimit, "Composite query calls exceeded the instruction limit.")
		}
		e.left -= compositeCallCharge
		call := e.calls[0]
		e.calls = e.calls[1:]
		e.callback(ctx, call)
	}
	return nil
}

// callback makes one call and runs its callback.
func (e *evaluation) callback(ctx context.Context, call exec.Call) {
	reply, err := e.reach(ctx, query{caller: e.canister.ID, canister: call.Callee, method: call.Method, arg: call.Arg})
	in := exec.Input{Kind: exec.CompositeReply, Callback: call.Reply, Caller: e.caller, Arg: reply}
	if err != nil {
		in.Kind, in.Callback = exec.CompositeReject, call.Reject
		in.RejectCode, in.RejectMessage = err.RejectCode(), err.Message
	}
	if out := e.step(ctx, in); out.Err != nil && call.Cleanup != nil {
		cause := out.Err
		if out := e.step(ctx, exec.Input{Kind: exec.CompositeCleanup, Callback: *call.Cleanup, Caller: e.caller}); out.Err != nil {
			cause = cleanupFailed(cause, out.Err)
		}
		e.failure = cause
	}
}

// reach calls another canister on behalf of a composite query.
func (e *evaluation) reach(ctx context.Context, q query) ([]byte, *reject.Error) {
	if q.canister == principal.Management {
		return e.queryManagement(q)
	}
	if e.builtin(q.canister) {
		return e.queryBuiltin(q)
	}
	c := e.state.Canisters[q.canister]
	switch {
	case c == nil:
		return nil, notFound(q.canister)
	case c.Status != running:
		return nil, notRunning(c)
	case c.module == nil:
		return nil, exec.WasmModuleNotFound(c.ID)
	case !c.module.Has(exec.QueryPrefix+q.method) && !c.module.Has(exec.CompositePrefix+q.method):
		return nil, exec.MethodNotFound(c.ID, "query", q.method)
	}
	return e.call(ctx, c, q, false)
}

// undo restores the canister, newest step first.
func (e *evaluation) undo(ctx context.Context) {
	for i := len(e.steps) - 1; i >= 0; i-- {
		e.must(e.steps[i].Rollback(ctx))
	}
}
