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
	left   int64         // instructions; what calls cost beside their code may take it below zero
	depth  int           // evaluations that are begun
	isLong bool          // it has left the subnet
	ended  *reject.Error // why the whole query is given up; nil if it is not
}

// compositeQuery runs a composite query method, its calls and their callbacks.
func (r *reader) compositeQuery(ctx context.Context, c *canister) ([]byte, *reject.Error) {
	run := &composite{reader: r, left: exec.LimitQuery}
	e := run.evaluation(ctx, c, r.query)
	return e.evaluate(ctx, e.entry(r.query), 0)
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

// entry is the input of the query method of an evaluation. A query method that a composite one calls may do what
// composite ones may, and pays as they do. The certificate is there for the canister that was asked first, whoever
// calls it.
func (e *evaluation) entry(q Query) exec.Input {
	in := exec.Input{Kind: exec.CompositeQuery, Entry: exec.CompositePrefix + q.Method, Caller: q.Caller, Arg: q.Arg}
	if !e.module.Has(in.Entry) {
		in.Entry = exec.QueryPrefix + q.Method
	}
	if e.canister == e.query.Canister {
		in.Certificate = e.dataCertificate(e.canister)
	}
	return in
}

// evaluate runs a query method, which costs so many instructions beside its code, and all that follows from it until
// there is an answer.
func (e *evaluation) evaluate(ctx context.Context, in exec.Input, charge int64) ([]byte, *reject.Error) {
	e.depth++
	defer func() {
		e.depth--
		e.must(e.instance.Close(ctx))
		e.releaseModule(ctx, e.module)
	}()
	out := e.step(ctx, in)
	e.left -= charge
	if out.Err != nil {
		return nil, out.Err
	}
	for e.response == nil && e.goesOn() && len(e.calls) > 0 {
		call := e.calls[0]
		e.calls = e.calls[1:]
		if failure := e.callback(ctx, call); failure != nil && len(e.calls) == 0 && e.response == nil {
			return nil, failure // nothing else can answer
		}
	}
	if e.ended != nil {
		return nil, e.ended
	}
	return queryAnswer(e.canister, exec.Output{Response: e.response})
}

// goesOn reports whether the whole query is within its limits, which are looked at before every step.
func (e *evaluation) goesOn() bool {
	switch {
	case e.ended != nil:
	case e.depth > maxCompositeDepth:
		e.ended = reject.New(reject.QueryCallGraphTooDeep, "Composite query calls exceeded the maximum call depth.")
	case e.left <= 0:
		e.ended = reject.New(reject.QueryCallGraphInstructionLimit, "Composite query calls exceeded the instruction limit.")
	case e.query.Expired():
		e.ended = reject.New(reject.QueryTimeLimitExceeded, "Composite query call exceeded the time limit.")
	}
	return e.ended == nil
}

// step runs an entry point whose effects the later steps of the evaluation see.
func (e *evaluation) step(ctx context.Context, in exec.Input) exec.Output {
	in.Limit = uint64(max(e.left, 0))
	in.MaxReply, in.Answered, in.ContextInstructions = exec.MaxQueryReply, e.response != nil, e.instructions
	in.Info, in.Env = e.info, e.env
	in.Pause = func(s *exec.Step) bool {
		if !e.isLong && exec.LimitQuery-e.left+int64(s.Used()) >= longExecution {
			e.isLong = true
			e.query.Leave()
		}
		return e.query.Pause()
	}
	s := e.instance.Run(ctx, in)
	out := s.Out
	e.left -= int64(out.Report.Instructions)
	e.instructions += out.Report.Instructions
	kind := in.Kind
	if kind == exec.CompositeQuery && e.depth > 1 {
		kind |= exec.Query // one that another query began
	}
	e.note(e.canister, kind, out)
	if out.Err != nil {
		e.must(s.Rollback(ctx))
		return out
	}
	s.Commit()
	e.calls = append(e.calls, out.Calls...)
	if out.Response != nil {
		e.response = out.Response
	}
	return out
}

// callback makes one call and runs its callback, and the cleanup if that traps. It returns why it trapped.
func (e *evaluation) callback(ctx context.Context, call exec.Call) *reject.Error {
	reply, err := e.reach(ctx, Query{Caller: e.canister, Canister: call.Callee, Method: call.Method, Arg: call.Arg, Time: e.query.Time})
	if !e.goesOn() {
		return e.ended
	}
	in := exec.Input{Kind: exec.CompositeReply, Callback: call.Reply, Caller: e.caller, Arg: reply}
	if err != nil {
		in.Kind, in.Callback, in.Arg = exec.CompositeReject, call.Reject, nil
		in.RejectCode, in.RejectMessage = err.RejectCode(), err.Message
	}
	out := e.step(ctx, in)
	if out.Err == nil || call.Cleanup == nil {
		return out.Err
	}
	if cleanup := e.step(ctx, exec.Input{Kind: exec.CompositeCleanup, Callback: *call.Cleanup, Caller: e.caller}); cleanup.Err != nil {
		return cleanupFailed(e.canister, out, cleanup)
	}
	return out.Err
}

// reach calls another canister, or the same, on behalf of a composite query.
func (e *evaluation) reach(ctx context.Context, q Query) ([]byte, *reject.Error) {
	callee, reply, err := e.lookUp(ctx, q)
	if callee == nil {
		return reply, err
	}
	return callee.evaluate(ctx, callee.entry(q), compositeCallCharge)
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
	c, err := e.answering(q)
	if err == nil {
		callee = e.evaluation(ctx, c, q)
	}
	return callee, nil, err
}
