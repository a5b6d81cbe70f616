package subnet

import (
	"context"

	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// Query is a query of a canister's method, the management canister's included.
type Query struct {
	Caller   principal.Principal
	Canister principal.Principal
	Method   string
	Arg      []byte
	Info     exec.CallerInfo // of users

	Time        uint64                                        // nanoseconds since 1970
	Certificate func(canister principal.Principal) (c []byte) // makes a data certificate
	Expired     func() bool                                   // the time for a composite query is over

	// Pause is called now and then while the query runs; the query is given up if it returns false. After Leave the
	// query reads nothing of the subnet any more, so rounds may go on: queries that take long call it, once.
	Pause func() (goOn bool)
	Leave func()
	// Return lets a query that has left read the subnet again, until it calls the result.
	Return func() (leave func())
}

// Answer is what a query gave.
type Answer struct {
	Reply   []byte
	Err     *reject.Error // nil if there is a reply
	Outputs []Output
}

// Query executes a query, which changes nothing.
func (n *Subnet) Query(ctx context.Context, q Query) Answer {
	r := &reader{Subnet: n, query: q}
	reply, err := r.answer(ctx)
	return Answer{Reply: reply, Err: err, Outputs: r.outputs}
}

// reader is a query being executed.
type reader struct {
	*Subnet
	query   Query
	outputs []Output
}

func (r *reader) answer(ctx context.Context) ([]byte, *reject.Error) {
	q := r.query
	if q.Canister == principal.Management {
		return r.queryManagement(q)
	}
	if r.builtin(q.Canister) {
		return r.queryBuiltin(q)
	}
	c, err := r.answering(q)
	switch {
	case err != nil:
		return nil, err
	case c.module.Has(exec.CompositePrefix + q.Method):
		return r.compositeQuery(ctx, c)
	}
	return r.plainQuery(ctx, c)
}

// answering finds the canister that is asked, if it can answer, and judges in production's order.
func (n *Subnet) answering(q Query) (*canister, *reject.Error) {
	c := n.state.Canisters[q.Canister]
	switch {
	case c == nil:
		return nil, NotFound(q.Canister)
	case c.Status == stopped:
		return nil, reject.New(reject.Stopped, "Canister %s is stopped and therefore does not have a CallContextManager", c.ID)
	case c.module == nil:
		return nil, exec.WasmModuleNotFound(c.ID)
	case !c.module.Has(exec.QueryPrefix+q.Method) && !c.module.Has(exec.CompositePrefix+q.Method):
		return nil, exec.MethodNotFound(c.ID, "query", q.Method)
	case c.Balance.Less(n.freezingReserve(c)):
		return nil, reject.New(reject.OutOfCycles,
			"Canister %s is unable to process query calls because it's frozen. Please top up the canister with cycles and try again.", c.ID)
	case c.Status == stopping:
		return nil, reject.New(reject.Stopping, "Canister %s is not running", c.ID)
	}
	return c, nil
}

// plainQuery runs a query method and undoes it. If it takes long, the canister goes on with a fork of the instance,
// and the query has the instance to itself.
func (r *reader) plainQuery(ctx context.Context, c *canister) ([]byte, *reject.Error) {
	q, instance := r.query, (*exec.Instance)(nil)
	var private *exec.Module // of the instance, once the query has it to itself
	release := r.config.Exclusive(c.ID)
	id, hash, code := c.ID, c.CodeHash, c.Code
	in := exec.Input{
		Kind: exec.Query, Entry: exec.QueryPrefix + q.Method, Caller: q.Caller, Info: q.Info, Arg: q.Arg,
		Limit: exec.LimitQuery, MaxReply: exec.MaxQueryReply, Env: r.envForQuery(c, q.Time), Certificate: r.dataCertificate(id),
	}
	in.Pause = func(s *exec.Step) bool {
		if private == nil && s.Used() >= longExecution {
			twin, err := s.Fork(ctx)
			r.must(err)
			private, err = r.acquireModule(ctx, hash, code)
			r.must(err)
			c.instance = twin
			release()
			q.Leave()
		}
		return q.Pause()
	}
	instance = c.instance
	s := instance.Run(ctx, in)
	if private != nil {
		r.must(instance.Close(ctx))
		r.releaseModule(ctx, private)
	} else {
		r.must(s.Rollback(ctx))
		release()
	}
	r.note(id, exec.Query, s.Out)
	if s.Aborted() {
		return nil, reject.New(reject.CertifiedStateUnavailable, "The query was given up: the network is being closed.")
	}
	return queryAnswer(id, s.Out)
}

// note keeps what a step left outside of the state.
func (r *reader) note(canister principal.Principal, kind exec.Kind, out exec.Output) {
	r.outputs = append(r.outputs, Output{Canister: canister, Logs: out.Logs, Kind: kind, Step: &out.Report, Total: &out.Report})
}

// envForQuery is the env of a step of a query, which sees the time of the query.
func (n *Subnet) envForQuery(c *canister, now uint64) exec.Env {
	return n.envAt(c, max(now, c.LastTime))
}

// dataCertificate returns a function that makes the canister's certificate when it is asked for.
func (r *reader) dataCertificate(canister principal.Principal) func() []byte {
	return func() []byte { return r.query.Certificate(canister) }
}

// queryAnswer is what the caller of a query gets.
func queryAnswer(canister principal.Principal, out exec.Output) ([]byte, *reject.Error) {
	switch {
	case out.Err != nil:
		return nil, out.Err
	case out.Response == nil:
		return nil, reject.New(reject.DidNotReply, "Canister %s did not produce a response", canister)
	case out.Response.Rejected:
		return nil, &reject.Error{Code: reject.CanisterRejectedMessage, Message: out.Response.Message}
	}
	return out.Response.Reply, nil
}
