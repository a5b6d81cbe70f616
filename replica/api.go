package replica

import (
	"context"
	"fmt"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/journal"
	"kedge/replica/subnet"
)

// How Go programs use a network. Callers are principals, without signatures: who holds the network may
// speak for anyone. Refusals are *reject.Error, to be had with errors.As.

// Call calls a method of a canister as sender and waits for its reply. The canister may be
// principal.Management.
func (n *Network) Call(ctx context.Context, sender, canister principal.Principal, method string, arg []byte) ([]byte, error) {
	submission, err := n.Submit(ctx, sender, canister, method, arg)
	if err != nil {
		return nil, err
	}
	return submission.Wait(ctx)
}

// Query queries a method of a canister as sender.
func (n *Network) Query(ctx context.Context, sender, canister principal.Principal, method string, arg []byte) ([]byte, error) {
	reply, err := n.query(ctx, subnet.Query{Caller: sender, Canister: canister, Method: method, Arg: arg})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// CreateOptions are choices for a new canister. The zero value is a canister with the next free id and
// 100 T cycles.
type CreateOptions struct {
	ID          principal.Principal // a certain id; the zero principal lets the network choose
	Cycles      cycles.Amount       // zero for 100 T
	Controllers []principal.Principal
}

// Create makes an empty canister that sender controls, unless other controllers are named.
func (n *Network) Create(ctx context.Context, sender principal.Principal, o CreateOptions) (principal.Principal, error) {
	arg := management.ProvisionalCreateArg{}
	if o.ID != (principal.Principal{}) {
		arg.SpecifiedID = &o.ID
	}
	if !o.Cycles.IsZero() {
		amount := o.Cycles.Big()
		arg.Amount = &amount
	}
	if o.Controllers != nil {
		arg.Settings = &management.Settings{Controllers: o.Controllers}
	}
	reply, err := n.Call(ctx, sender, principal.Management, "provisional_create_canister_with_cycles",
		management.EncodeProvisionalCreateCanisterWithCyclesArgs(arg))
	if err != nil {
		return principal.Principal{}, fmt.Errorf("create a canister: %w", err)
	}
	result, err := management.DecodeProvisionalCreateCanisterWithCyclesResult(reply)
	return result.CanisterID, err
}

// Install installs code, plain or compressed with gzip, in an empty canister.
func (n *Network) Install(ctx context.Context, sender, canister principal.Principal, code, arg []byte) error {
	return n.installAs(ctx, sender, canister, management.InstallMode{Tag: management.InstallModeTagInstall}, code, arg)
}

// Reinstall replaces the code of a canister and forgets all that it held.
func (n *Network) Reinstall(ctx context.Context, sender, canister principal.Principal, code, arg []byte) error {
	return n.installAs(ctx, sender, canister, management.InstallMode{Tag: management.InstallModeTagReinstall}, code, arg)
}

// Upgrade replaces the code of a canister, which keeps its stable memory.
func (n *Network) Upgrade(ctx context.Context, sender, canister principal.Principal, code, arg []byte) error {
	return n.installAs(ctx, sender, canister, management.InstallMode{Tag: management.InstallModeTagUpgrade}, code, arg)
}

func (n *Network) installAs(ctx context.Context, sender, canister principal.Principal, mode management.InstallMode, code, arg []byte) error {
	_, err := n.Call(ctx, sender, principal.Management, "install_code", management.EncodeInstallCodeArgs(management.InstallArg{
		Mode: mode, CanisterID: canister, WasmModule: code, Arg: arg}))
	if err != nil {
		return fmt.Errorf("%s code in canister %s: %w", mode.Tag, canister, err)
	}
	return nil
}

// Deploy creates a canister and installs code in it.
func (n *Network) Deploy(ctx context.Context, sender principal.Principal, code, arg []byte) (principal.Principal, error) {
	canister, err := n.Create(ctx, sender, CreateOptions{})
	if err != nil {
		return canister, err
	}
	return canister, n.Install(ctx, sender, canister, code, arg)
}

// StopCanister stops a canister and waits until it has stopped.
func (n *Network) StopCanister(ctx context.Context, sender, canister principal.Principal) error {
	_, err := n.Call(ctx, sender, principal.Management, "stop_canister",
		management.EncodeStopCanisterArgs(management.CanisterArg{CanisterID: canister}))
	return err
}

// StartCanister lets a canister run again.
func (n *Network) StartCanister(ctx context.Context, sender, canister principal.Principal) error {
	_, err := n.Call(ctx, sender, principal.Management, "start_canister",
		management.EncodeStartCanisterArgs(management.CanisterArg{CanisterID: canister}))
	return err
}

// TopUp gives a canister cycles from nothing.
func (n *Network) TopUp(ctx context.Context, canister principal.Principal, amount cycles.Amount) error {
	_, err := n.Call(ctx, principal.Anonymous, principal.Management, "provisional_top_up_canister",
		management.EncodeProvisionalTopUpCanisterArgs(management.ProvisionalTopUpArg{CanisterID: canister, Amount: amount.Big()}))
	return err
}

// Status returns what the management canister tells a canister about itself.
func (n *Network) Status(ctx context.Context, canister principal.Principal) (management.Status, error) {
	reply, err := n.query(ctx, subnet.Query{Caller: canister, Canister: principal.Management, Method: "canister_status",
		Arg: management.EncodeCanisterStatusArgs(management.CanisterArg{CanisterID: canister})})
	if err != nil {
		return management.Status{}, err
	}
	return management.DecodeCanisterStatusResult(reply)
}

// Balance returns the cycles of a canister.
func (n *Network) Balance(ctx context.Context, canister principal.Principal) (cycles.Amount, error) {
	status, err := n.Status(ctx, canister)
	if err != nil {
		return cycles.Amount{}, err
	}
	return cycles.FromBig(status.Cycles), nil
}

// LastReport returns what the last call, query or installation of a canister consumed: its own steps,
// callbacks included.
func (n *Network) LastReport(canister principal.Principal) (exec.Report, error) {
	n.lock.RLock()
	defer n.lock.RUnlock()
	if !n.subnet.Exists(canister) {
		return exec.Report{}, subnet.NotFound(canister)
	}
	return n.reports.of(canister), nil
}

// Logs returns the log of a canister, oldest entry first.
func (n *Network) Logs(canister principal.Principal) ([]exec.Log, error) {
	n.lock.RLock()
	defer n.lock.RUnlock()
	return n.subnet.Logs(canister)
}

// Executing reports whether a canister executes a message, or an installation, that goes on while rounds go on:
// other canisters are called meanwhile, and reads see the canister as it was before.
func (n *Network) Executing(canister principal.Principal) bool {
	n.lock.RLock()
	defer n.lock.RUnlock()
	return n.subnet.Executing(canister)
}

// StableMemory returns a copy of a canister's stable memory. Its length is a multiple of 64 KiB.
func (n *Network) StableMemory(canister principal.Principal) ([]byte, error) {
	n.lock.RLock()
	defer n.lock.RUnlock()
	return n.subnet.StableMemory(canister)
}

// SetStableMemory replaces a canister's stable memory. What does not fill its last page of 64 KiB is zero.
func (n *Network) SetStableMemory(canister principal.Principal, content []byte) error {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.waitUntil(context.Background(), func() bool { return !n.subnet.Executing(canister) })
	if err := n.subnet.CheckStableWrite(canister, len(content)); err != nil {
		return err
	}
	if n.journal != nil && len(content) > maxLogged {
		return fmt.Errorf("%d bytes are more than the %d that the log of the state directory takes at once: start the network without one", len(content), maxLogged)
	}
	r := n.newRound()
	r.Stable = []subnet.StableWrite{{Canister: canister, Content: content}} // the round copies it, and is over when commit returns
	n.commit(context.Background(), r)
	return nil
}

// maxLogged is the largest content that SetStableMemory logs, with room for what is around it in a record.
const maxLogged = journal.MaxRecord - 1<<20
