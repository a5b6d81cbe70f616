package replica

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// clock tells the time: the real one, or one that tests move.
type clock struct {
	lock       sync.Mutex
	controlled bool
	at         time.Time
}

func (c *clock) start(at time.Time) { c.controlled, c.at = !at.IsZero(), at }

func (c *clock) now() time.Time {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.controlled {
		return c.at
	}
	return time.Now()
}

// follow moves a controlled clock on to the time that the subnet has reached.
func (c *clock) follow(at uint64) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if reached := time.Unix(0, int64(at)); c.controlled && reached.After(c.at) {
		c.at = reached
	}
}

func (c *clock) isControlled() bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.controlled
}

// now is the network's time in nanoseconds since 1970.
func (n *Network) now() uint64 { return uint64(n.clock.now().UnixNano()) }

// Time returns the network's time.
func (n *Network) Time() time.Time { return n.clock.now() }

// SetTime stops the clock at a time, which must not be before the network's time, and runs what is due by
// then: timers, deadlines, expiries.
func (n *Network) SetTime(ctx context.Context, at time.Time) error {
	n.clock.lock.Lock()
	current := time.Now()
	if n.clock.controlled {
		current = n.clock.at
	}
	if at.Before(current) {
		n.clock.lock.Unlock()
		return fmt.Errorf("cannot set the time back from %s to %s", current.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano))
	}
	n.clock.controlled, n.clock.at = true, at
	n.clock.lock.Unlock()
	n.Tick(ctx)
	return nil
}

// Advance stops the clock and moves it forward; see SetTime.
func (n *Network) Advance(ctx context.Context, by time.Duration) error {
	return n.SetTime(ctx, n.Time().Add(by))
}

// Tick runs a round, and more until nothing waits and nothing is being executed. Networks do so by themselves when a message arrives or
// something is due; Tick is for heartbeats under a controlled clock.
func (n *Network) Tick(ctx context.Context) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.runRounds(ctx)
	n.waitUntil(ctx, func() bool { return len(n.subnet.Running()) == 0 })
}

// waitUntil runs rounds until a condition holds, whenever an execution ends. The caller holds the lock, which others
// get meanwhile. It gives up when the context or the network ends.
func (n *Network) waitUntil(ctx context.Context, settled func() bool) {
	for !settled() {
		ended := n.executor.next()
		n.lock.Unlock()
		var gaveUp bool
		select {
		case <-ended:
		case <-n.closing:
			gaveUp = true
		case <-ctx.Done():
			gaveUp = true
		}
		n.lock.Lock()
		if gaveUp {
			return
		}
		n.runRounds(ctx)
	}
}

// heartbeatInterval is how often rounds come when a canister wants heartbeats, and the clock is real.
const heartbeatInterval = time.Second

// untilNext is how long the loop may sleep if no message comes.
func (n *Network) untilNext() time.Duration {
	n.lock.RLock()
	defer n.lock.RUnlock()
	wait := time.Hour
	if n.clock.isControlled() {
		return wait // time does not pass by itself
	}
	if n.subnet.HasHeartbeat() {
		wait = heartbeatInterval
	}
	if due := n.subnet.NextEvent(); due != 0 {
		wait = min(wait, max(time.Duration(int64(due)-int64(n.now())), 0))
	}
	return wait
}
