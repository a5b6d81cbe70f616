package replica

import (
	"context"

	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// What is judged before a call is taken in: refusals here cost nobody anything and are not certified.

// submit judges an ingress message and queues it. The channel is closed when it has its answer.
func (n *Network) submit(ctx context.Context, in *Ingress) (<-chan struct{}, *reject.Error) {
	if done := n.known(in); done != nil {
		return done, nil
	}
	if err := n.judge(ctx, in); err != nil {
		return nil, err
	}
	return n.accept(in), nil
}

// known returns the channel of a message that was sent before; nil if it was not.
func (n *Network) known(in *Ingress) <-chan struct{} {
	n.lock.RLock()
	defer n.lock.RUnlock()
	if entry := n.state.Ingress[in.ID]; entry != nil {
		return entry.done
	}
	n.inboxLock.Lock()
	defer n.inboxLock.Unlock()
	if done := n.arriving[in.ID]; done != nil {
		return done
	}
	return nil
}

// judge refuses what the production replica refuses before induction.
func (n *Network) judge(ctx context.Context, in *Ingress) *reject.Error {
	n.lock.RLock()
	defer n.lock.RUnlock()
	if in.Canister == principal.Management {
		return n.judgeManagement(in)
	}
	if n.builtin(in.Canister) {
		return judgeBuiltin(in.Canister, in.Method)
	}
	c := n.state.Canisters[in.Canister]
	switch {
	case c == nil:
		return notFound(in.Canister)
	case n.liquid(c).Less(exec.IngressCost(in.Size)):
		return outOfCycles(c)
	case c.Status != running:
		return notRunning(c)
	}
	if _, _, err := entryFor(c, in.Method); err != nil {
		if c.module == nil || err.Code == reject.CompositeQueryInReplicatedMode {
			return err
		}
		// A method that is not there is refused after induction, unless the canister itself refuses first.
	}
	if !c.module.Has(exec.EntryInspect) {
		return nil
	}
	return n.inspect(ctx, c, in)
}

// judgeManagement refuses calls of the management canister by those who may not make them.
func (n *Network) judgeManagement(in *Ingress) *reject.Error {
	method, ok := managementMethods[in.Method]
	if !ok {
		if _, known := absent(in.Method); known && in.Method != "list_canisters" {
			return onlyCanisters(in.Method)
		}
		return noSuchMethod(in.Method)
	}
	if method.target != nil {
		if id, err := method.target(in.Arg); err == nil && id != in.Effective {
			return invalid("Specified canister ID %s does not match effective canister ID in URL %s", id, in.Effective)
		}
	}
	_, err := n.admit(method, &call{Origin: origin{Kind: fromUser}, Caller: in.Sender, Method: in.Method, Arg: in.Arg})
	return err
}

// inspect asks the canister whether it takes a message in.
func (n *Network) inspect(ctx context.Context, c *canister, in *Ingress) *reject.Error {
	c.queryLock.Lock()
	defer c.queryLock.Unlock()
	s := c.instance.Run(ctx, exec.Input{Kind: exec.Inspect, Entry: exec.EntryInspect, Caller: in.Sender, Info: in.Info, Arg: in.Arg,
		Method: in.Method, Limit: exec.LimitInspect, Env: n.queryEnv(c)})
	n.must(s.Rollback(ctx))
	n.print(c, s.Out.Logs)
	switch {
	case s.Out.Err != nil:
		return s.Out.Err
	case !s.Out.MessageOK:
		return exec.MessageRejected(c.ID)
	}
	return nil
}
