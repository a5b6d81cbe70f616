package subnet

import (
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/builtin"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// The built-in canisters of package builtin: where calls of them leave the path of others, and what they
// may do with the subnet.

// builtin reports whether an id means a built-in canister: one can be replaced by creating a real canister
// with its id.
func (n *Subnet) builtin(id principal.Principal) bool {
	return builtin.Has(id) && n.state.Canisters[id] == nil
}

// admitBuiltin refuses calls of methods that a built-in canister does not have.
func admitBuiltin(canister principal.Principal, method string) *reject.Error {
	if _, ok := builtin.HasMethod(canister, method); !ok {
		return exec.MethodNotFound(canister, "update", method)
	}
	return nil
}

// executeBuiltin runs a call of a built-in canister.
func (n *Subnet) executeBuiltin(id principal.Principal, r *call) {
	if err := admitBuiltin(id, r.Method); err != nil {
		n.respond(r.Origin, failed(r.Origin, err), r.Cycles)
		return
	}
	n.markProcessing(r.Origin)
	reply, accepted, err := n.state.Builtin.Call(builtin.Call{Host: host{n}, Canister: id, Caller: r.Caller,
		Method: r.Method, Arg: r.Arg, Cycles: r.Cycles, Time: n.state.Time})
	if err != nil {
		n.respond(r.Origin, failed(r.Origin, err), r.Cycles)
		return
	}
	n.respond(r.Origin, replied(reply), r.Cycles.Minus(accepted))
}

// queryBuiltin answers a query of a built-in canister.
func (n *Subnet) queryBuiltin(q Query) ([]byte, *reject.Error) {
	if isQuery, ok := builtin.HasMethod(q.Canister, q.Method); !ok || !isQuery {
		return nil, exec.MethodNotFound(q.Canister, "query", q.Method)
	}
	reply, _, err := n.state.Builtin.Call(builtin.Call{Host: host{n}, Canister: q.Canister, Caller: q.Caller,
		Method: q.Method, Arg: q.Arg, Time: q.Time})
	return reply, err
}

// host is the subnet as the built-in canisters see it.
type host struct{ subnet *Subnet }

var _ builtin.Host = host{}

func (h host) Subnet() principal.Principal { return h.subnet.config.ID }

func (h host) Exists(canister principal.Principal) bool {
	return h.subnet.state.Canisters[canister] != nil
}

func (h host) Create(creator principal.Principal, s *management.Settings, balance cycles.Amount) (principal.Principal, *reject.Error) {
	m := &managementCall{Subnet: h.subnet, req: &call{Caller: creator, Cycles: balance}}
	c, err := m.createPaid(s, nil)
	if err != nil {
		return principal.Principal{}, err
	}
	return c.ID, nil
}

func (h host) TopUp(canister principal.Principal, amount cycles.Amount) {
	c := h.subnet.state.Canisters[canister]
	c.Balance = c.Balance.Plus(amount)
}
