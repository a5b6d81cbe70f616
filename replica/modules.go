package replica

import (
	"context"
	"crypto/sha256"
	"sync"

	"kedge/ic/principal"
	"kedge/replica/exec"
)

// modules shares compiled modules between canisters with the same code.
type modules struct {
	engine *exec.Engine
	lock   sync.Mutex
	byHash map[[32]byte]*sharedModule
	owners map[*exec.Module]*sharedModule
}

type sharedModule struct {
	hash   [32]byte
	ready  chan struct{} // closed when it is compiled
	module *exec.Module
	err    error // why it could not be compiled
	users  int   // guarded by the lock of modules
}

// Acquire returns the compiled form of code; Release gives it back. Others may acquire modules meanwhile.
func (m *modules) Acquire(ctx context.Context, hash [32]byte, code []byte) (*exec.Module, error) {
	m.lock.Lock()
	if m.byHash == nil {
		m.byHash, m.owners = make(map[[32]byte]*sharedModule), make(map[*exec.Module]*sharedModule)
	}
	shared, known := m.byHash[hash]
	if !known {
		shared = &sharedModule{hash: hash, ready: make(chan struct{})}
		m.byHash[hash] = shared
	}
	shared.users++
	m.lock.Unlock()
	if known {
		<-shared.ready
		return shared.module, shared.err
	}
	shared.module, shared.err = m.engine.Compile(ctx, code)
	m.lock.Lock()
	if shared.err != nil {
		delete(m.byHash, hash) // who asks again gets the same error
	} else {
		m.owners[shared.module] = shared
	}
	m.lock.Unlock()
	close(shared.ready)
	return shared.module, shared.err
}

// compileAhead compiles code that a call brings, before a round has to wait for it, and keeps it until the call has
// its answer. Code that does not compile is refused by the round.
func (n *Network) compileAhead(code []byte, done func() <-chan struct{}) {
	module, err := n.modules.Acquire(context.Background(), sha256.Sum256(code), code)
	answered := done()
	if err != nil {
		return
	}
	go func() {
		select {
		case <-answered:
		case <-n.closing:
		}
		_ = n.modules.Release(context.Background(), module) // the engine frees what is left
	}()
}

// Release frees a module that nobody uses any more. Nil is no module.
func (m *modules) Release(ctx context.Context, module *exec.Module) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	shared := m.owners[module]
	if shared == nil {
		return nil
	}
	if shared.users--; shared.users > 0 {
		return nil
	}
	delete(m.byHash, shared.hash)
	delete(m.owners, module)
	return module.Close(ctx)
}

// keyedLock is a lock for each principal.
type keyedLock struct {
	lock sync.Mutex
	held map[principal.Principal]*heldLock
}

type heldLock struct {
	sync.Mutex
	users int // holding it or waiting for it; guarded by the lock above
}

// take waits until nobody else holds the lock of a key.
func (k *keyedLock) take(key principal.Principal) (release func()) {
	k.lock.Lock()
	if k.held == nil {
		k.held = make(map[principal.Principal]*heldLock)
	}
	l := k.held[key]
	if l == nil {
		l = new(heldLock)
		k.held[key] = l
	}
	l.users++
	k.lock.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		k.lock.Lock()
		defer k.lock.Unlock()
		if l.users--; l.users == 0 {
			delete(k.held, key)
		}
	}
}
