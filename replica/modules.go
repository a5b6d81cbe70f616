package replica

import (
	"context"
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
	module *exec.Module
	users  int
}

// Acquire returns the compiled form of code; Release gives it back.
func (m *modules) Acquire(ctx context.Context, hash [32]byte, code []byte) (*exec.Module, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.byHash == nil {
		m.byHash, m.owners = make(map[[32]byte]*sharedModule), make(map[*exec.Module]*sharedModule)
	}
	shared := m.byHash[hash]
	if shared == nil {
		compiled, err := m.engine.Compile(ctx, code)
		if err != nil {
			return nil, err
		}
		shared = &sharedModule{hash: hash, module: compiled}
		m.byHash[hash], m.owners[compiled] = shared, shared
	}
	shared.users++
	return shared.module, nil
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
