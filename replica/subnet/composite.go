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

// composite is one composite query with all that it calls. Every part of it runs on a fork of a canister's instance,
// so nothing is to be undone, canisters can call each other in circles, and a query that takes long holds nobody up.
type composite struct {
	*reader
	left   uint64 // instructions
	depth  int
	isLong bool // it has left the subnet
}

// compositeQuery runs a composite query method, its calls and their callbacks.
func (r *reader) compositeQuery(ctx context.Context, c *canister) ([]byte, *reject.Error) {
	run := &composite{reader: r, left: exec.LimitQuery}
	e := run.evaluation(ctx, c, r.query)
	in := e.entry(r.query)
	in.Certificate = r.dataCertificate(c.ID)
	return e.evaluate(ctx, in)
}

// evaluation is the part of a composite query that runs on one canister.
type evaluation struct {
	*composite
	canister     principal.Principal
	instance     *exec.Instance
	module       *exec.Module
	env          exec.Env
	caller       principal.Principal
	info         exec.CallerInfo
	calls        []exec.Call
	response     *exec.Response
	failure      *reject.Error
	instructions uint64
}

// evaluation prepares the evaluation of a query on a canister. The subnet stands still meanwhile.
func (r *composite) evaluation(ctx context.Context, c *canister, q Query) *evaluation {
	defer r.config.Exclusive(c.ID)()
	module, err := r.acquireModule(ctx, c.CodeHash, c.Code)
	r.must(err)
	instance, err := c.instance.Fork(ctx)
	r.must(err)
	env := r.envForQuery(c, r.query.Time)
	env.QueueSpace = func(principal.Principal) int { return maxQueue }
	return &evaluation{composite: r, canister: c.ID, instance: instance, module: module, env: env, caller: q.Caller, info: q.Info}
}

// entry is the input of the query method of an evaluation.
func (e *evaluation) entry(q Query) exec.Input {
	in := exec.Input{Kind: exec.CompositeQuery, Entry: exec.CompositePrefix + q.Method, Caller: q.Caller, Arg: q.Arg}
	if !e.module.Has(in.Entry) {
		in.Kind, in.Entry = exec.Query, exec.QueryPrefix+q.Method
	}
	return in
}

// evaluate runs a query method and all that follows from it.
func (e *evaluation) evaluate(ctx context.Context, in exec.Input) ([]byte, *reject.Error) {
	defer func() {
		e.must(e.instance.Close(ctx))
		e.releaseModule(ctx, e.module)
	}()
	e.depth++
	defer func() { e.depth-- }()
	if out := e.step(ctx, in); out.Err == nil {
		if err := e.drain(ctx); err != nil {
			return nil, err
		}
	}
	if e.failure != nil && e.response == nil {
		return nil, e.failure
	}
	return queryAnswer(e.canister, exec.Output{Response: e.response})
}

// step runs an entry point whose effects the later steps of the evaluation see.
func (e *evaluation) step(ctx context.Context, in exec.Input) exec.Output {
	in.Limit, in.MaxReply, in.Answered, in.ContextInstructions = e.left, exec.MaxQueryReply, e.response != nil, e.instructions
	in.Info, in.Env = e.info, e.env
	in.Pause = func(s *exec.Step) bool {
		if !e.isLong && exec.LimitQuery-e.left+s.Used() >= longExecution {
			e.isLong = true
			e.query.Leave()
		}
		return e.query.Pause()
	}
	s := e.instance.Run(ctx, in)
	out := s.Out
	e.left -= min(e.left, out.Report.Instructions)
	e.instructions += out.Report.Instructions
	e.note(e.canister, in.Kind, out)
	if out.Err != nil {
		e.must(s.Rollback(ctx))
		e.failure = out.Err
		return out
	}
	s.Commit()
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
	reply, err := e.reach(ctx, Query{Caller: e.canister, Canister: call.Callee, Method: call.Method, Arg: call.Arg, Time: e.query.Time})
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

// reach calls another canister, or the same, on behalf of a composite query.
func (e *evaluation) reach(ctx context.Context, q Query) ([]byte, *reject.Error) {
	callee, reply, err := e.lookUp(ctx, q)
	if callee == nil {
		return reply, err
	}
	return callee.evaluate(ctx, callee.entry(q))
}

// lookUp finds who is called and prepares its evaluation; there is none if the answer is known at once.
func (e *evaluation) lookUp(ctx context.Context, q Query) (callee *evaluation, reply []byte, err *reject.Error) {
	if e.isLong {
		defer e.query.Return()()
	}
	if q.Canister == principal.Management {
		reply, err = e.queryManagement(q)
		return nil, reply, err
	}
	if e.builtin(q.Canister) {
		reply, err = e.queryBuiltin(q)
		return nil, reply, err
	}
	c := e.state.Canisters[q.Canister]
	switch {
	case c == nil:
		err = NotFound(q.Canister)
	case c.Status != running:
		err = notRunning(c)
	case c.module == nil:
		err = exec.WasmModuleNotFound(c.ID)
	case !c.module.Has(exec.QueryPrefix+q.Method) && !c.module.Has(exec.CompositePrefix+q.Method):
		err = exec.MethodNotFound(c.ID, "query", q.Method)
	case e.depth >= maxCompositeDepth:
		err = reject.New(reject.QueryCallGraphTooDeep, "Composite query calls exceeded the maximum call depth.")
	default:
		callee = e.evaluation(ctx, c, q)
	}
	return callee, nil, err
}
