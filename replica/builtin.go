package replica

import (
	"crypto/sha256"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/builtin"
	"kedge/replica/certified"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// The built-in canisters of package builtin: where calls of them leave the path of others, and what they
// may do with the network.

// builtin reports whether an id means a built-in canister: one can be replaced by creating a real canister
// with its id.
func (n *Network) builtin(id principal.Principal) bool {
	return builtin.Has(id) && n.state.Canisters[id] == nil
}

// judgeBuiltin refuses calls of methods that a built-in canister does not have.
func judgeBuiltin(canister principal.Principal, method string) *reject.Error {
	if _, ok := builtin.HasMethod(canister, method); !ok {
		return exec.MethodNotFound(canister, "update", method)
	}
	return nil
}

// executeBuiltin runs a call of a built-in canister.
func (n *Network) executeBuiltin(id principal.Principal, r *call) {
	if err := judgeBuiltin(id, r.Method); err != nil {
		n.respond(r.Origin, refused(err), r.Cycles)
		return
	}
	n.markProcessing(r.Origin)
	reply, accepted, err := n.state.Builtin.Call(builtin.Call{Host: host{n}, Canister: id, Caller: r.Caller,
		Method: r.Method, Arg: r.Arg, Cycles: r.Cycles, Time: n.state.Time})
	if err != nil {
		n.respond(r.Origin, refused(err), r.Cycles)
		return
	}
	n.respond(r.Origin, replied(reply), r.Cycles.Minus(accepted))
}

// queryBuiltin answers a query of a built-in canister.
func (n *Network) queryBuiltin(q query) ([]byte, *reject.Error) {
	if isQuery, ok := builtin.HasMethod(q.canister, q.method); !ok || !isQuery {
		return nil, exec.MethodNotFound(q.canister, "query", q.method)
	}
	reply, _, err := n.state.Builtin.Call(builtin.Call{Host: host{n}, Canister: q.canister, Caller: q.caller,
		Method: q.method, Arg: q.arg, Time: n.now()})
	return reply, err
}

// publishBuiltins lets clients read the interfaces of the built-in canisters.
func (n *Network) publishBuiltins() {
	for _, id := range builtin.IDs() {
		if n.builtin(id) {
			text := []byte(builtin.Interface(id))
			hash := sha256.Sum256(text) // there is no module; what is known of a canister hangs on its hash
			n.certified.SetCanister(id, certified.Canister{ModuleHash: hash[:], Metadata: []certified.Metadata{
				{Name: "candid:service", Public: true, Data: text}}})
		}
	}
}

// host is the network as the built-in canisters see it.
type host struct{ *Network }

var _ builtin.Host = host{}

func (h host) Subnet() principal.Principal { return h.subnetID }

func (h host) Exists(canister principal.Principal) bool { return h.state.Canisters[canister] != nil }

func (h host) Create(creator principal.Principal, s *management.Settings, balance cycles.Amount) (principal.Principal, *reject.Error) {
	m := &managementCall{Network: h.Network, req: &call{Caller: creator, Cycles: balance}}
	c, err := m.createPaid(s, nil)
	if err != nil {
		return principal.Principal{}, err
	}
	return c.ID, nil
}

func (h host) TopUp(canister principal.Principal, amount cycles.Amount) {
	c := h.state.Canisters[canister]
	c.Balance = c.Balance.Plus(amount)
}
