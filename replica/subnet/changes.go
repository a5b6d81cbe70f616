package subnet

import (
	"crypto/sha256"
	"slices"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/builtin"
	"kedge/replica/certified"
	"kedge/replica/exec"
)

// Changes are what a round changed of what others see, in order.
type Changes struct {
	Forgotten []request.ID     // requests whose time has passed
	Canisters []CanisterChange // whose controllers or code changed, or that are gone
	Data      []DataChange     // certified data that changed
	Requests  []RequestChange  // that are new, or have a new status
	Outcalls  []Outcall        // that canisters began
	Outputs   []Output         // what canisters printed, and what their steps consumed
}

// CanisterChange is what is certified of a canister now.
type CanisterChange struct {
	ID      principal.Principal
	Deleted bool
	certified.Canister
}

// DataChange is the certified data of a canister now.
type DataChange struct {
	ID   principal.Principal
	Data []byte
}

// RequestChange is what is certified of a request now.
type RequestChange struct {
	ID request.ID
	certified.Request
}

// Output is what a step of a canister leaves outside of the state.
type Output struct {
	Canister principal.Principal
	Logs     []exec.Log
	Kind     exec.Kind    // the role in which the canister ran; both kinds of queries for one that another query began
	Step     *exec.Report // what the step consumed; nil for installations
	Total    *exec.Report // what the whole call, query or installation has consumed so far; nil if unchanged
}

// touchedParts are the parts of the certified state that a round changed.
type touchedParts struct {
	requests, forgotten []request.ID
	canisters, data     []principal.Principal
}

// touch notes that a request changed in this round.
func (n *Subnet) touch(id request.ID) { n.changed.requests = append(n.changed.requests, id) }

// touchCanister notes that the controllers or the code of a canister changed in this round.
func (n *Subnet) touchCanister(id principal.Principal) {
	n.changed.canisters = append(n.changed.canisters, id)
}

// touchData notes that the certified data of a canister changed in this round.
func (n *Subnet) touchData(id principal.Principal) { n.changed.data = append(n.changed.data, id) }

// forget removes a request whose time has passed.
func (n *Subnet) forget(id request.ID) {
	delete(n.state.Ingress, id)
	n.changed.forgotten = append(n.changed.forgotten, id)
}

// print notes what a step printed.
func (n *Subnet) print(c *canister, entries []exec.Log) {
	if len(entries) > 0 {
		n.changes.Outputs = append(n.changes.Outputs, Output{Canister: c.ID, Logs: entries})
	}
}

// report notes what a call or installation has consumed so far.
func (n *Subnet) report(c *canister, kind exec.Kind, step *exec.Report, total exec.Report) {
	n.changes.Outputs = append(n.changes.Outputs, Output{Canister: c.ID, Kind: kind, Step: step, Total: &total})
}

// takeChanges returns what was changed since it was last called.
func (n *Subnet) takeChanges() Changes {
	parts, out := n.changed, n.changes
	n.changed, n.changes = touchedParts{}, Changes{}
	out.Forgotten = parts.forgotten
	for _, id := range parts.canisters {
		out.Canisters = append(out.Canisters, n.certifiedCanister(id))
	}
	for _, id := range parts.data {
		if c := n.state.Canisters[id]; c != nil {
			out.Data = append(out.Data, DataChange{id, c.CertifiedData})
		}
	}
	seen := make(map[request.ID]bool, len(parts.requests))
	for _, id := range parts.requests {
		if e := n.state.Ingress[id]; e != nil && !seen[id] {
			seen[id] = true
			out.Requests = append(out.Requests, RequestChange{id, e.certified()})
		}
	}
	return out
}

func (n *Subnet) certifiedCanister(id principal.Principal) CanisterChange {
	c := n.state.Canisters[id]
	if c == nil {
		return CanisterChange{ID: id, Deleted: true}
	}
	entry := certified.Canister{Controllers: slices.Clone(c.Settings.Controllers), CertifiedData: c.CertifiedData,
		CreatedAt: c.Created, InstalledAt: c.Installed}
	if c.module != nil {
		entry.ModuleHash = slices.Clone(c.CodeHash[:])
		for _, s := range c.module.Sections {
			entry.Metadata = append(entry.Metadata, certified.Metadata{Name: s.Name, Public: s.Public, Data: s.Data})
		}
	}
	return CanisterChange{ID: id, Canister: entry}
}

// Builtins is what is certified of the built-in canisters: their interfaces.
func (n *Subnet) Builtins() []CanisterChange {
	var out []CanisterChange
	for _, id := range builtin.IDs() {
		if n.builtin(id) {
			text := []byte(builtin.Interface(id))
			hash := sha256.Sum256(text) // there is no module; what is known of a canister hangs on its hash
			out = append(out, CanisterChange{ID: id, Canister: certified.Canister{ModuleHash: hash[:],
				Metadata: []certified.Metadata{{Name: "candid:service", Public: true, Data: text}}}})
		}
	}
	return out
}
