package replica

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"

	"kedge/ic/request"
	"kedge/replica/reject"
	"kedge/replica/subnet"
)

// inbox is what waits for the next round, and who waits for answers.
type inbox struct {
	lock    sync.Mutex
	arrived []*subnet.Ingress
	waiting map[request.ID]chan struct{} // closed when the request has its answer

	process request.ID // of calls by Go programs, but for its last bytes: another one in each process
	calls   uint64     // by Go programs
}

func (b *inbox) prepare() error {
	b.waiting = make(map[request.ID]chan struct{})
	if _, err := rand.Read(b.process[:24]); err != nil {
		return fmt.Errorf("draw a prefix of request ids: %w", err)
	}
	return nil
}

// freshID returns a request id that no client makes: it stands for a request that never was signed.
func (b *inbox) freshID() request.ID {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.calls++
	id := b.process
	binary.BigEndian.PutUint64(id[24:], b.calls)
	return id
}

// take empties the inbox.
func (b *inbox) take() []*subnet.Ingress {
	b.lock.Lock()
	defer b.lock.Unlock()
	arrived := b.arrived
	b.arrived = nil
	return arrived
}

// settled wakes those who wait for the answer to a request.
func (b *inbox) settled(id request.ID) {
	b.lock.Lock()
	defer b.lock.Unlock()
	if done := b.waiting[id]; done != nil {
		close(done)
		delete(b.waiting, id)
	}
}

// submit decides about an ingress message and queues it. The channel is closed when it has its answer.
func (n *Network) submit(ctx context.Context, in *subnet.Ingress) (<-chan struct{}, *reject.Error) {
	if done := n.known(in.ID); done != nil {
		return done, nil
	}
	code, err := n.admit(ctx, in)
	if err != nil {
		return nil, err
	}
	if code == nil {
		return n.accept(in), nil
	}
	var done <-chan struct{}
	n.compileAhead(code, func() <-chan struct{} {
		done = n.accept(in)
		return done
	})
	return done, nil
}

// admit refuses what is refused before it is taken in, and returns the code that the message would install.
func (n *Network) admit(ctx context.Context, in *subnet.Ingress) (code []byte, refusal *reject.Error) {
	n.lock.RLock()
	defer n.lock.RUnlock()
	outputs, err := n.subnet.Admit(ctx, in, n.now())
	n.print(outputs)
	if err != nil {
		return nil, err
	}
	return n.subnet.Code(in), nil
}

// known returns the channel of a message that was sent before; nil if it was not.
func (n *Network) known(id request.ID) <-chan struct{} {
	n.lock.RLock() // no round may take a message in between looking here and there
	defer n.lock.RUnlock()
	n.inbox.lock.Lock()
	defer n.inbox.lock.Unlock()
	return n.knownLocked(id)
}

// knownLocked is known for who holds both locks.
func (n *Network) knownLocked(id request.ID) <-chan struct{} {
	if done := n.inbox.waiting[id]; done != nil {
		return done
	}
	r, ok := n.subnet.Request(id)
	if !ok {
		return nil
	}
	done := make(chan struct{})
	if r.Status.Settled() {
		close(done)
	} else { // nobody has asked since the network was started
		n.inbox.waiting[id] = done
	}
	return done
}

// accept queues an ingress message for the next round and returns a channel that is closed when it has its
// answer.
func (n *Network) accept(in *subnet.Ingress) <-chan struct{} {
	n.lock.RLock()
	defer n.lock.RUnlock()
	n.inbox.lock.Lock()
	defer n.inbox.lock.Unlock()
	if done := n.knownLocked(in.ID); done != nil {
		return done
	}
	done := make(chan struct{})
	n.inbox.waiting[in.ID] = done
	n.inbox.arrived = append(n.inbox.arrived, in)
	n.poke()
	return done
}
