package subnet

import (
	"context"

	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// Limits of composite queries.
const (
	maxCompositeDepth   = 6
	compositeCallCharge = 50_000_000
)

// composite is one composite query with all that it calls.
type composite struct {
	*reader
	left  uint64      // instructions
	stack []*canister // who waits for whom
}

// compositeQuery runs a composite query method, its calls and their callbacks, and undoes all of it.
func (r *reader) compositeQuery(ctx context.Context, c *canister) ([]byte, *reject.Error) {
	// One at a time: a composite query holds several canisters, and two could wait for each other.
	defer r.config.Exclusive(principal.Management)()
	run := &composite{reader: r, left: exec.LimitQuery}
	return run.call(ctx, c, r.query, true)
}

// call evaluates a query method of a canister that a composite query reached.
func (r *composite) call(ctx context.Context, c *canister, q Query, first bool) ([]byte, *reject.Error) {
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

	defer r.config.Exclusive(c.ID)()
	e := &evaluation{composite: r, canister: c, caller: q.Caller, info: q.Info}
	defer e.undo(ctx)
	in := exec.Input{Kind: exec.CompositeQuery, Entry: exec.CompositePrefix + q.Method, Caller: q.Caller, Arg: q.Arg}
	if !c.module.Has(in.Entry) {
		in.Kind, in.Entry = exec.Query, exec.QueryPrefix+q.Method
	}
	if first {
		in.Certificate = r.dataCertificate(c.ID)
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
	return queryAnswer(c.ID, exec.Output{Response: e.response})
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
	in.Info, in.Env = e.info, e.envForQuery(e.canister, e.query.Time)
	s := e.canister.instance.Run(ctx, in)
	out := s.Out
	e.left -= min(e.left, out.Report.Instructions)
	e.instructions += out.Report.Instructions
	e.note(e.canister.ID, in.Kind, out)
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
		if e.query.Expired() {
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
	reply, err := e.reach(ctx, Query{Caller: e.canister.ID, Canister: call.Callee, Method: call.Method, Arg: call.Arg, Time: e.query.Time})
	in := exec.Input{Kind: exec.CompositeReply, Callback: call.Reply, Caller: e.caller, Arg: reply}
	if err != nil {
		in.Kind, in.Callback = exec.CompositeReject, call.Reject
		in.RejectCode, in.RejectMessage = err.RejectCode(), err.Message
	}
	if out := e.step(ctx, in); out.Err != nil && call.Cleanup != nil {
		cause := out.Err
		if cleanup := e.step(ctx, exec.Input{Kind: exec.CompositeCleanup, Callback: *call.Cleanup, Caller: e.caller}); cleanup.Err != nil {
			cause = cleanupFailed(e.canister, out, cleanup)
		}
		e.failure = cause
	}
}

// reach calls another canister on behalf of a composite query.
func (e *evaluation) reach(ctx context.Context, q Query) ([]byte, *reject.Error) {
	if q.Canister == principal.Management {
		return e.queryManagement(q)
	}
	if e.builtin(q.Canister) {
		return e.queryBuiltin(q)
	}
	c := e.state.Canisters[q.Canister]
	switch {
	case c == nil:
		return nil, NotFound(q.Canister)
	case c.Status != running:
		return nil, notRunning(c)
	case c.module == nil:
		return nil, exec.WasmModuleNotFound(c.ID)
	case !c.module.Has(exec.QueryPrefix+q.Method) && !c.module.Has(exec.CompositePrefix+q.Method):
		return nil, exec.MethodNotFound(c.ID, "query", q.Method)
	}
	return e.call(ctx, c, q, false)
}

// undo restores the canister, newest step first.
func (e *evaluation) undo(ctx context.Context) {
	for i := len(e.steps) - 1; i >= 0; i-- {
		e.must(e.steps[i].Rollback(ctx))
	}
}
