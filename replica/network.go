package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"kedge/replica/certified"
	"kedge/replica/exec"
	"kedge/replica/subnet"
)

// Network is a running local network of one node. Its methods may be called at the same time.
type Network struct {
	options   options
	engine    *exec.Engine
	certified *certified.State
	rootKey   []byte
	random    io.Reader

	// lock guards the subnet: rounds hold it alone, queries share it.
	lock        sync.RWMutex
	subnet      *subnet.Subnet
	journal     *stateDir  // nil without a state directory
	failure     error      // why it ended by itself
	uncertified bool       // the certified state changed since it was last signed
	certifying  sync.Mutex // guards signing by those who share lock

	failed   chan error
	executor *executor
	modules  modules
	inbox    inbox
	reports  reports
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

// implementation names this replica where clients ask for a version.
const implementation = "kedge"

// Start starts a network. Close ends it.
func Start(opts ...Option) (*Network, error) {
	n := &Network{wake: make(chan struct{}, 1), failed: make(chan error, 1)}
	for _, option := range opts {
		option(&n.options)
	}
	if err := n.start(); err != nil {
		if l := n.options.Listener; l != nil {
			err = errors.Join(err, l.Close())
		}
		return nil, err
	}
	return n, nil
}

// start makes the network's parts and lets it run. What it had made when it fails is freed.
func (n *Network) start() error {
	if n.random = n.options.Random; n.random == nil {
		n.random = rand.Reader
	}
	if err := n.inbox.prepare(); err != nil {
		return err
	}
	keys, err := n.keys()
	if err != nil {
		return fmt.Errorf("make the network's keys: %w", err)
	}
	n.certified = certified.NewState(keys, certified.Options{})
	n.rootKey = keys.RootDER()
	n.clock.start(n.options.Time)

	ctx, cancel := context.WithCancel(context.Background())
	n.cancel, n.closing = cancel, ctx.Done()
	n.outcalls.prepare(ctx, n.options)
	engine := exec.Options{CacheDir: n.options.CacheDir, Pages: n.options.Pages}
	if n.engine, err = exec.NewEngine(ctx, engine); err != nil && engine.CacheDir != "" {
		n.complain("compiled modules are not kept: %v", err)
		engine.CacheDir = ""
		n.engine, err = exec.NewEngine(ctx, engine)
	}
	if err != nil {
		cancel()
		return err
	}
	n.executor = newExecutor(n.poke)
	n.modules.engine = n.engine
	n.subnet = subnet.New(subnet.Config{
		ID: keys.SubnetID(), RootKey: n.rootKey, Version: implementation, Funded: !n.options.Unfunded,
		Engine: n.engine, Modules: &n.modules, Runner: n.executor, Pages: n.options.Pages,
		Hosts: n.certified.Hosts, Exclusive: new(keyedLock).take,
	})
	n.uncertified = true
	if n.options.StateDir != "" {
		if err := n.recoverState(ctx); err != nil {
			return errors.Join(err, n.Close())
		}
		n.clock.follow(n.subnet.Time())
		n.interruptOutcalls()
	}
	n.publishCanisters(n.subnet.Builtins())
	n.ended.Go(func() { n.loop(ctx) })
	if n.options.Listen != "" || n.options.Listener != nil {
		if err := n.serve(); err != nil {
			return errors.Join(err, n.Close())
		}
	}
	return nil
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
		n.outcalls.running.Wait()
		err = errors.Join(err, n.closeJournal())
		n.lock.Unlock() // what still runs may need it before it ends
		if n.executor != nil {
			n.executor.stop()
		}
		err = errors.Join(err, n.engine.Close(context.Background()))
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
	due := n.now() // a timer that is set again while this runs is for later
	for {
		n.runRound(ctx)
		if !n.subnet.Busy() && !n.subnet.TimerDue(due) || ctx.Err() != nil {
			return
		}
		n.lock.Unlock()
		n.lock.Lock()
	}
}

// runRound runs one round with all that waits.
func (n *Network) runRound(ctx context.Context) {
	r := n.newRound()
	r.Ingress = n.inbox.take()
	r.Outcalls = n.outcallResults()
	r.Finished = n.executor.take(n.subnet.Running())
	n.commit(ctx, r)
}

// newRound returns a round of now, with fresh randomness.
func (n *Network) newRound() subnet.Round {
	now := n.now()
	if n.clock.isControlled() {
		now++ // every round moves the time on
	}
	r := subnet.Round{Time: now, AllowOutcalls: n.options.Outcalls, LimitInstalls: n.options.RateLimit}
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

// must ends the program: what it is given cannot fail unless the host has no memory or disk left or the code is
// wrong, and going on could only spoil the state.
func (n *Network) must(err error) {
	if err != nil {
		panic(fmt.Errorf("replica: %w", err))
	}
}
