package cdktest

import (
	"errors"
	"testing"

	"kedge/cdk"
	"kedge/ic/principal"
)

// Trap is the error of a message that trapped.
type Trap struct{ Message string }

// Error returns the text that the canister gave.
func (t *Trap) Error() string { return t.Message }

// CanisterTrap marks the panic that stands for ic0.trap, so that package cdk lets it through.
func (t *Trap) CanisterTrap() {}

// ErrNoReply is the error of a call that was not answered, perhaps because the canister waits for a
// call of its own: see [Network.Calls].
var ErrNoReply = errors.New("the canister did not reply")

// Reject is the error of a message that the canister rejected.
type Reject struct{ Message string }

// Error returns the text that the canister gave.
func (r *Reject) Error() string { return r.Message }

// Network is a fake network with one canister. The zero value is not usable: see [Install].
type Network struct {
	caller      principal.Principal
	self        principal.Principal
	now         uint64
	version     uint64
	controllers map[principal.Principal]bool
	balance     cdk.Cycles
	attached    cdk.Cycles // to the next message
	certificate []byte
	rootKey     []byte

	stable    stable
	certified []byte
	timer     uint64
	log       []string
	calls     []*Call

	refuseCalls bool
	message     message
}

// message is the state of one entry point.
type message struct {
	arg           []byte
	method        string
	query         bool
	accepted      bool
	answered      bool
	reply         []byte
	reject        *Reject
	rejectCode    cdk.RejectCode
	rejectMessage string
	cycles        cdk.Cycles
	calls         []*Call
	counter       uint64
}

// Install makes a new network the one of package cdk until the test ends. Its time begins at
// 2026-01-01, the caller is anonymous, stable memory is empty.
func Install(t testing.TB) *Network {
	n := &Network{
		caller:      principal.Anonymous,
		self:        principal.Canister(0x8000000000100001),
		now:         1_767_225_600_000_000_000,
		version:     1,
		controllers: map[principal.Principal]bool{},
		balance:     cdk.Amount(3_000_000_000_000),
	}
	cdk.Install(system{n})
	t.Cleanup(func() { cdk.Install(nil) })
	return n
}

// SetCaller says who sends the messages that follow.
func (n *Network) SetCaller(p principal.Principal) { n.caller = p }

// SetSelf gives the canister another id.
func (n *Network) SetSelf(p principal.Principal) { n.self = p }

// SetRootKey sets the root key of the network, in DER.
func (n *Network) SetRootKey(der []byte) { n.rootKey = der }

// SetTime sets the time in nanoseconds since 1970.
func (n *Network) SetTime(ns uint64) { n.now = ns }

// Advance moves the time forward by nanoseconds.
func (n *Network) Advance(ns uint64) { n.now += ns }

// AddController makes p a controller of the canister.
func (n *Network) AddController(p principal.Principal) { n.controllers[p] = true }

// SetCycles attaches cycles to the messages that follow.
func (n *Network) SetCycles(c cdk.Cycles) { n.attached = c }

// SetCertificate sets what queries get as data certificate; nil for none.
func (n *Network) SetCertificate(certificate []byte) { n.certificate = certificate }

// RefuseCalls makes the network take no outgoing calls, or take them again.
func (n *Network) RefuseCalls(refuse bool) { n.refuseCalls = refuse }

// Log returns what was printed, also by messages that trapped.
func (n *Network) Log() []string { return n.log }

// CertifiedData returns what the canister had certified.
func (n *Network) CertifiedData() []byte { return n.certified }

// TimerAt returns when the timer fires, 0 if it does not.
func (n *Network) TimerAt() uint64 { return n.timer }

// Update delivers an update call to an exported function and returns the reply. The error is a *[Trap],
// a *[Reject] or [ErrNoReply].
func (n *Network) Update(entry func(), arg []byte) ([]byte, error) {
	if err := n.deliver(entry, message{arg: arg, cycles: n.attached}); err != nil {
		return nil, err
	}
	return n.message.answer()
}

// Query delivers a query. What it did to the network is undone.
func (n *Network) Query(entry func(), arg []byte) ([]byte, error) {
	undo := n.snapshot()
	err := n.deliver(entry, message{arg: arg, query: true})
	undo()
	if err != nil {
		return nil, err
	}
	return n.message.answer()
}

// Deliver runs an entry point that answers nobody: canister_init, upgrades, timers, heartbeats.
func (n *Network) Deliver(entry func(), arg []byte) error {
	return n.deliver(entry, message{arg: arg})
}

// Inspect asks canister_inspect_message about a call and reports whether it is let in.
func (n *Network) Inspect(entry func(), method string, arg []byte) (bool, error) {
	undo := n.snapshot()
	err := n.deliver(entry, message{arg: arg, method: method, query: true})
	undo()
	return n.message.accepted, err
}

// FireTimer moves the time to the timer if that is in the future, and runs the entry point. It does
// nothing if no timer is set.
func (n *Network) FireTimer(entry func()) error {
	if n.timer == 0 {
		return nil
	}
	n.now = max(n.now, n.timer)
	n.timer = 0
	caller := n.caller
	defer func() { n.caller = caller }()
	n.caller = principal.Management
	return n.Deliver(entry, nil)
}

// Upgrade forgets what does not survive an upgrade: the timer, and the state of package cdk. Calls on their
// way stay: their answers come to the new module, which drops them. The test calls the entry points and
// makes new variables.
func (n *Network) Upgrade() {
	cdk.Install(system{n})
	n.timer = 0
	n.version++
}

// answer returns what was answered.
func (m *message) answer() ([]byte, error) {
	switch {
	case m.reject != nil:
		return nil, m.reject
	case !m.answered:
		return nil, ErrNoReply
	}
	return m.reply, nil
}

// deliver runs one message, whole or not at all.
func (n *Network) deliver(entry func(), m message) (err error) {
	undo := n.snapshot()
	n.message = m
	defer func() {
		if r := recover(); r != nil {
			trap, ok := r.(*Trap)
			if !ok {
				panic(r) // from a function that is not wrapped by package cdk, or from the test
			}
			undo()
			err = trap
		}
	}()
	entry()
	n.calls = append(n.calls, n.message.calls...)
	if !m.query {
		n.version++
	}
	return nil
}

// snapshot returns a function that undoes what happens from now on.
func (n *Network) snapshot() (undo func()) {
	certified, timer, calls, balance, version := n.certified, n.timer, len(n.calls), n.balance, n.version
	state, memory := cdk.Snapshot(), n.stable.snapshot()
	return func() {
		n.certified, n.timer, n.calls, n.balance, n.version = certified, timer, n.calls[:calls], balance, version
		state()
		memory()
	}
}
