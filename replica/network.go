package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/builtin"
	"kedge/replica/certified"
	"kedge/replica/exec"
)

// Network is a running local network of one node. Its methods may be called at the same time.
type Network struct {
	options   options
	engine    *exec.Engine
	certified *certified.State
	rootKey   []byte
	subnetID  principal.Principal
	random    io.Reader

	// lock guards the state: rounds hold it alone, queries share it.
	lock        sync.RWMutex
	state       state
	changed     changes
	trace       trace
	journal     *stateDir // nil without a state directory
	replaying   bool
	uncertified bool       // the certified state changed since it was last signed
	certifying  sync.Mutex // guards signing by those who share lock

	compositeLock sync.Mutex
	modules       modules

	// inboxLock guards what waits for the next round.
	inboxLock sync.Mutex
	inbox     []*Ingress
	arriving  map[request.ID]chan struct{}
	process   request.ID // of calls by Go programs, but for its last bytes: another one in each process
	calls     uint64     // by Go programs

	outcalls outcalls
	executed executed

	clock   clock
	wake    chan struct{}
	cancel  context.CancelFunc
	closing <-chan struct{} // closed when the network ends
	ended   sync.WaitGroup
	closed  sync.Once

	listener net.Listener
	server   *http.Server
}

// firstIndex is where canister ids begin, as dfx's own network has it: far from those of mainnet.
const firstIndex = 0x8000_0000_0010_0000

// Start starts a network. Close ends it.
func Start(opts ...Option) (*Network, error) {
	n := &Network{
		arriving: make(map[request.ID]chan struct{}),
		wake:     make(chan struct{}, 1),
		state: state{
			Canisters: make(map[principal.Principal]*canister),
			Deleted:   make(map[principal.Principal]bool),
			Ingress:   make(map[request.ID]*ingressEntry),
			NextIndex: firstIndex,
		},
	}
	for _, option := range opts {
		option(&n.options)
	}
	n.state.Builtin = builtin.New(!n.options.Unfunded)
	if n.random = n.options.Random; n.random == nil {
		n.random = rand.Reader
	}
	if _, err := rand.Read(n.process[:24]); err != nil {
		return nil, fmt.Errorf("draw a prefix of request ids: %w", err)
	}
	keys, err := n.keys()
	if err != nil {
		return nil, fmt.Errorf("make the network's keys: %w", err)
	}
	n.certified = certified.NewState(keys, certified.Options{})
	n.rootKey, n.subnetID = keys.RootDER(), keys.SubnetID()
	n.clock.start(n.options.Time)

	ctx, cancel := context.WithCancel(context.Background())
	n.cancel, n.closing = cancel, ctx.Done()
	n.outcalls.prepare(ctx, n.options)
	if n.engine, err = exec.NewEngine(ctx, exec.Options{CacheDir: n.options.CacheDir, Pages: n.options.Pages}); err != nil {
		cancel()
		return nil, err
	}
	n.uncertified = true
	if n.options.StateDir != "" {
		if err := n.recoverState(ctx); err != nil {
			return nil, errors.Join(err, n.Close())
		}
		n.interruptOutcalls()
	}
	n.publishBuiltins()
	n.ended.Go(func() { n.loop(ctx) })
	if n.options.Listen != "" {
		if err := n.serve(); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

// Close ends the network and frees what it holds. Calls that wait return with an error.
func (n *Network) Close() error {
	var err error
	n.closed.Do(func() {
		if n.server != nil {
			err = n.server.Close()
		}
		n.cancel()
		n.ended.Wait()
		n.lock.Lock()
		defer n.lock.Unlock()
		n.outcalls.running.Wait()
		err = errors.Join(err, n.closeJournal(), n.engine.Close(context.Background()))
	})
	return err
}

// RootKey returns the network's public key in DER, 133 bytes.
func (n *Network) RootKey() []byte { return slices.Clone(n.rootKey) }

// loop runs rounds for as long as the network lives.
func (n *Network) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(n.untilNext())
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		case <-timer.C:
		}
		n.lock.Lock()
		n.runRounds(ctx)
		n.lock.Unlock()
	}
}

// runRounds runs rounds until nothing waits. Between two rounds others get the lock.
func (n *Network) runRounds(ctx context.Context) {
	for {
		n.runRound(ctx)
		if !n.state.busy() || ctx.Err() != nil {
			return
		}
		n.lock.Unlock()
		n.lock.Lock()
	}
}

// runRound runs one round with all that waits.
func (n *Network) runRound(ctx context.Context) {
	n.inboxLock.Lock()
	r := n.newRound()
	r.Ingress = n.inbox
	n.inbox = nil
	n.inboxLock.Unlock()
	r.Outcalls = n.outcallResults()
	n.commit(ctx, r)
}

// newRound returns a round of now, with fresh randomness.
func (n *Network) newRound() Round {
	r := Round{Time: n.now(), AllowOutcalls: n.options.Outcalls}
	_, err := io.ReadFull(n.random, r.Seed[:])
	n.must(err)
	return r
}

// poke lets the loop run a round soon.
func (n *Network) poke() {
	select {
	case n.wake <- struct{}{}:
	default: // it is about to
	}
}

// accept queues an ingress message for the next round and returns a channel that is closed when it has its
// answer.
func (n *Network) accept(in *Ingress) <-chan struct{} {
	n.lock.RLock() // no round may begin between looking and adding
	defer n.lock.RUnlock()
	if entry := n.state.Ingress[in.ID]; entry != nil {
		return entry.done
	}
	n.inboxLock.Lock()
	defer n.inboxLock.Unlock()
	if done := n.arriving[in.ID]; done != nil {
		return done
	}
	done := make(chan struct{})
	n.arriving[in.ID] = done
	n.inbox = append(n.inbox, in)
	n.poke()
	return done
}

// must ends the program: what it is given cannot fail unless the host has no memory left or the code is
// wrong, and going on could only spoil the state.
func (n *Network) must(err error) {
	if err != nil {
		panic(fmt.Errorf("replica: %w", err))
	}
}

// sortedKeys returns the keys of a map in order, so that rounds are deterministic.
func sortedKeys[V any](m map[uint64]V) []uint64 { return slices.Sorted(maps.Keys(m)) }

// modules shares compiled modules between canisters with the same code.
type modules struct {
	lock   sync.Mutex
	byHash map[[32]byte]*sharedModule
	owners map[*exec.Module]*sharedModule
}

type sharedModule struct {
	hash   [32]byte
	module *exec.Module
	users  int
}

// acquireModule returns the compiled form of code; releaseModule gives it back.
func (n *Network) acquireModule(ctx context.Context, hash [32]byte, code []byte) (*exec.Module, error) {
	m := &n.modules
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.byHash == nil {
		m.byHash, m.owners = make(map[[32]byte]*sharedModule), make(map[*exec.Module]*sharedModule)
	}
	shared := m.byHash[hash]
	if shared == nil {
		compiled, err := n.engine.Compile(ctx, code)
		if err != nil {
			return nil, err
		}
		shared = &sharedModule{hash: hash, module: compiled}
		m.byHash[hash], m.owners[compiled] = shared, shared
	}
	shared.users++
	return shared.module, nil
}

// releaseModule frees a module that nobody uses any more. Nil is no module.
func (n *Network) releaseModule(ctx context.Context, module *exec.Module) {
	m := &n.modules
	m.lock.Lock()
	defer m.lock.Unlock()
	shared := m.owners[module]
	if shared == nil {
		return
	}
	if shared.users--; shared.users == 0 {
		delete(m.byHash, shared.hash)
		delete(m.owners, module)
		n.must(module.Close(ctx))
	}
}
