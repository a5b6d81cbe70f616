package subnet

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/builtin"
	"kedge/replica/exec"
)

// Config is what a subnet is made of. All fields must be set.
type Config struct {
	ID      principal.Principal
	RootKey []byte // DER, of the network
	Version string // of the replica, as subnet_info tells it
	Funded  bool   // the accounts of the built-in ledgers begin with an opening balance

	Engine  *exec.Engine
	Modules Modules
	Runner  Runner
	Pages   exec.PageModel // of the engine

	// Hosts reports whether a canister id is one of the subnet.
	Hosts func(canister principal.Principal) bool
	// Exclusive waits until nobody else has the key and takes it until release is called. Reads, which may
	// run at the same time, take a canister's id while they run its code.
	Exclusive func(key principal.Principal) (release func())
}

// Modules are the compiled forms of modules. Canisters with the same code share one.
type Modules interface {
	// Acquire returns the compiled form of code, whose hash is given. Release gives it back.
	Acquire(ctx context.Context, hash [32]byte, code []byte) (*exec.Module, error)
	// Release frees a module that nobody uses any more. Nil is no module.
	Release(ctx context.Context, module *exec.Module) error
}

// Subnet is a subnet: its state, and how rounds change it. Apply, Load and Close need it alone; all other
// methods only read and may run at the same time.
type Subnet struct {
	config  Config
	engine  *exec.Engine
	state   state
	changed touchedParts
	changes Changes
	trace   trace
}

// firstIndex is where canister ids begin, as dfx's own network has it: far from those of mainnet.
const firstIndex = 0x8000_0000_0010_0000

// New returns an empty subnet.
func New(config Config) *Subnet {
	return &Subnet{config: config, engine: config.Engine, state: state{
		Canisters: make(map[principal.Principal]*canister),
		Deleted:   make(map[principal.Principal]bool),
		Ingress:   make(map[request.ID]*ingressEntry),
		NextIndex: firstIndex,
		Builtin:   builtin.New(config.Funded),
	}}
}

// Height is the number of rounds so far.
func (n *Subnet) Height() uint64 { return n.state.Height }

// Time is the time of the last round, in nanoseconds since 1970.
func (n *Subnet) Time() uint64 { return n.state.Time }

// Trace is a hash of all that rounds did: two subnets with the same trace went the same way.
func (n *Subnet) Trace() [32]byte { return n.state.Trace }

// Busy reports whether messages wait for another round, and for nothing else.
func (n *Subnet) Busy() bool {
	return slices.ContainsFunc(n.state.Queue, func(m message) bool { return !n.waits(m) })
}

// acquireModule returns the compiled form of code; releaseModule gives it back.
func (n *Subnet) acquireModule(ctx context.Context, hash [32]byte, code []byte) (*exec.Module, error) {
	return n.config.Modules.Acquire(ctx, hash, code)
}

func (n *Subnet) releaseModule(ctx context.Context, module *exec.Module) {
	n.must(n.config.Modules.Release(ctx, module))
}

// must ends the program: what it is given cannot fail unless the host has no memory left or the code is
// wrong, and going on could only spoil the state.
func (n *Subnet) must(err error) {
	if err != nil {
		panic(fmt.Errorf("subnet: %w", err))
	}
}

// sortedKeys returns the keys of a map in order, so that rounds are deterministic.
func sortedKeys[V any](m map[uint64]V) []uint64 { return slices.Sorted(maps.Keys(m)) }
