package subnet

import (
	"context"

	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// What is decided before a call is taken in: refusals here cost nobody anything and are not certified.

// Admit refuses what the production replica refuses before induction, at a time in nanoseconds since 1970. The
// output is what the canister printed while it was asked.
func (n *Subnet) Admit(ctx context.Context, in *Ingress, now uint64) ([]Output, *reject.Error) {
	if err := n.admit(in); err != nil {
		return nil, err
	}
	c := n.state.Canisters[in.Canister]
	if c == nil || !c.module.Has(exec.EntryInspect) {
		return nil, nil
	}
	return n.inspect(ctx, c, in, now)
}

// admit refuses what can be refused without asking the canister.
func (n *Subnet) admit(in *Ingress) *reject.Error {
	if in.Canister == principal.Management {
		return n.admitManagement(in)
	}
	if n.builtin(in.Canister) {
		return admitBuiltin(in.Canister, in.Method)
	}
	c := n.state.Canisters[in.Canister]
	switch {
	case c == nil:
		return NotFound(in.Canister)
	case n.liquid(c).Less(exec.IngressCost(in.Size)):
		return n.outOfCycles(c, exec.IngressCost(in.Size), in.Sender)
	case c.Status != running:
		return notRunning(c)
	case c.module == nil:
		return reject.New(reject.WasmModuleNotFound, "Requested canister has no wasm module")
	}
	if _, _, err := entryFor(c, in.Method); err != nil && err.Code == reject.CompositeQueryInReplicatedMode {
		return err
	}
	// A method that is not there is refused after induction, unless the canister itself refuses first.
	return nil
}

// admitManagement refuses calls of the management canister by those who may not make them.
func (n *Subnet) admitManagement(in *Ingress) *reject.Error {
	method, ok := managementMethods[in.Method]
	if !ok {
		if _, known := absent(in.Method); known && in.Method != "list_canisters" {
			return onlyCanisters(in.Method)
		}
		return noSuchMethod(in.Method)
	}
	if method.target != nil && method.access != byCanisters {
		id, err := method.target(in.Arg)
		if err != nil {
			return badSubmission(in.Method, in.Arg, err)
		}
		if id != in.Effective {
			return invalid("Specified canister ID %s does not match effective canister ID in URL %s", id, in.Effective)
		}
	}
	if err := n.checkIngressFee(in); err != nil {
		return err
	}
	_, err := n.authorize(method, &call{Origin: origin{Kind: fromUser}, Caller: in.Sender, Method: in.Method, Arg: in.Arg})
	return err
}

// inspect asks the canister whether it takes a message in.
func (n *Subnet) inspect(ctx context.Context, c *canister, in *Ingress, now uint64) ([]Output, *reject.Error) {
	defer n.config.Exclusive(c.ID)()
	s := c.instance.Run(ctx, exec.Input{Kind: exec.Inspect, Entry: exec.EntryInspect, Caller: in.Sender, Info: in.Info, Arg: in.Arg,
		Method: in.Method, Limit: exec.LimitInspect, Env: n.envForQuery(c, now)})
	n.must(s.Rollback(ctx))
	printed := []Output{{Canister: c.ID, Logs: s.Out.Logs}}
	switch {
	case s.Out.Err != nil:
		return printed, s.Out.Err
	case !s.Out.MessageOK:
		return printed, exec.MessageRejected(c.ID)
	}
	return printed, nil
}
