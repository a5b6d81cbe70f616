package subnet

import (
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// provisionalBalance is what a canister gets that is created from nothing without an amount.
var provisionalBalance = cycles.Trillion(100)

// createCanister makes a canister that the calling canister pays for.
func createCanister(m *managementCall, a management.CreateArg) ([]byte, *reject.Error) {
	c, err := m.createPaid(a.Settings, a.SenderCanisterVersion)
	if err != nil {
		return nil, err
	}
	m.accepted = m.req.Cycles
	return management.EncodeCreateCanisterResult(management.CanisterId{CanisterID: c.ID}), nil
}

// createPaid makes a canister from the cycles of the call, less the price of a canister.
func (m *managementCall) createPaid(asked *management.Settings, version *uint64) (*canister, *reject.Error) {
	if m.req.Cycles.Less(exec.CreationFee) {
		return nil, advised(reject.New(reject.InsufficientCyclesForCreate,
			"Creating a canister requires a fee of %s that is deducted from the canister's initial balance but only %s cycles were received with the create_canister request.",
			grouped(exec.CreationFee), grouped(m.req.Cycles)), "Try sending more cycles with the request.", "create-canister-not-enough-cycles")
	}
	c, err := m.create(principal.Principal{}, asked, m.req.Cycles.Minus(exec.CreationFee), version)
	if err != nil {
		return nil, err
	}
	c.Consumed.Creation = exec.CreationFee
	return c, nil
}

// provisionalCreate makes a canister, and its cycles, from nothing.
func provisionalCreate(m *managementCall, a management.ProvisionalCreateArg) ([]byte, *reject.Error) {
	balance := provisionalBalance
	if a.Amount != nil {
		balance = cycles.FromBig(*a.Amount)
	}
	id := principal.Principal{}
	if a.SpecifiedID != nil {
		id = *a.SpecifiedID
	}
	c, err := m.create(id, a.Settings, balance, a.SenderCanisterVersion)
	if err != nil {
		return nil, err
	}
	return management.EncodeProvisionalCreateCanisterWithCyclesResult(management.CanisterId{CanisterID: c.ID}), nil
}

// mayUse refuses an id that no new canister can have.
func (n *Subnet) mayUse(id principal.Principal) *reject.Error {
	if _, ok := id.CanisterIndex(); !ok || !n.config.Hosts(id) {
		return reject.New(reject.CanisterNotHostedBySubnet, "Specified CanisterId %s is not hosted by subnet %s.", id, n.config.ID)
	}
	if n.state.Canisters[id] != nil || n.state.Deleted[id] {
		return reject.New(reject.AlreadyInstalled, "Canister %s is already installed.", id)
	}
	return nil
}

// newCanisterID returns the next free id.
func (n *Subnet) newCanisterID() principal.Principal {
	for {
		id := principal.Canister(n.state.NextIndex)
		n.state.NextIndex++
		if n.mayUse(id) == nil {
			return id
		}
	}
}

// create makes a canister without code; one with the next free id if none is given.
func (m *managementCall) create(id principal.Principal, asked *management.Settings, balance cycles.Amount, version *uint64) (*canister, *reject.Error) {
	if asked == nil {
		asked = &management.Settings{}
	}
	s := defaultSettings(m.req.Caller)
	if err := s.apply(asked); err != nil {
		return nil, err
	}
	specified := id != principal.Principal{}
	if specified {
		if err := m.mayUse(id); err != nil {
			return nil, err
		}
	}
	c := &canister{
		Settings: defaultSettings(m.req.Caller), Status: running, Balance: balance, Created: m.state.Time, LastCharge: m.state.Time,
		Contexts: make(map[uint64]*callContext), Callbacks: make(map[uint64]*callback),
	}
	if err := m.checkSettings(c, &s, asked); err != nil {
		return nil, err // no id is used up
	}
	if !specified {
		id = m.newCanisterID()
	}
	c.ID, c.Settings = id, s
	m.state.Canisters[id] = c
	m.state.Order = append(m.state.Order, c)
	m.touchCanister(id)
	by := m.by(version)
	by.Kind, by.Controllers, by.Environment = changeCreation, s.Controllers, s.environmentHash()
	m.record(c, by)
	return c, nil
}

func provisionalTopUp(_ *managementCall, c *canister, a management.ProvisionalTopUpArg) ([]byte, *reject.Error) {
	c.Balance = c.Balance.Plus(cycles.FromBig(a.Amount))
	return emptyReply, nil
}

func depositCycles(m *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	c.Balance = c.Balance.Plus(m.req.Cycles)
	m.accepted = m.req.Cycles
	return emptyReply, nil
}

func deleteCanister(m *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	if m.req.Caller == c.ID {
		return nil, deletesItself(c)
	}
	if c.Status != stopped {
		return nil, notStoppedForDeletion(c)
	}
	m.remove(m.ctx, c)
	return emptyReply, nil
}

func startCanister(m *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	m.start(c)
	return emptyReply, nil
}

func stopCanister(m *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	m.pending = true
	m.stop(c, m.req.Origin, m.req.Cycles)
	return nil, nil
}

func uninstallCode(m *managementCall, c *canister, a management.VersionedCanisterArg) ([]byte, *reject.Error) {
	m.uninstallFor(c, a.SenderCanisterVersion)
	return emptyReply, nil
}

// uninstallFor uninstalls a canister's code for the caller, which the history tells.
func (m *managementCall) uninstallFor(c *canister, version *uint64) {
	m.uninstall(m.ctx, c)
	by := m.by(version)
	by.Kind = changeUninstall
	m.record(c, by)
}

func rawRand(m *managementCall, _ struct{}) ([]byte, *reject.Error) {
	return management.EncodeRawRandResult(m.state.random()), nil
}

func subnetInfo(m *managementCall, a management.SubnetInfoArg) ([]byte, *reject.Error) {
	if a.SubnetID != m.config.ID {
		return nil, reject.New(reject.SubnetNotFound, "Subnet %s not found", a.SubnetID)
	}
	return management.EncodeSubnetInfoResult(management.SubnetInfo{ReplicaVersion: m.config.Version, RegistryVersion: 1}), nil
}
