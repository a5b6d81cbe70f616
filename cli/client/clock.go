package client

import (
	"fmt"
	"regexp"
	"sync"
	"time"
)

// Clock is what is known of a network's time: how far it is ahead of this machine's. It is learned from
// the network's own refusals, which nothing certifies, and only says until when requests are made
// valid; the age of a certificate is judged by this machine's clock alone. More than [certificateAge] is not
// learned: no answer of such a network would be believed, and whoever stands before the network could keep a
// request back that is valid in a month, and hand it on then.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Ahead returns how far the network's clock is ahead of this machine's, 0 if nothing was learned.
func (c *Clock) Ahead() time.Duration {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}

// Now returns the network's time at a time of this machine's.
func (c *Clock) Now(here time.Time) time.Time { return here.Add(c.Ahead()) }

func (c *Clock) learn(network, here time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = network.Sub(here)
}

// ClockError is a request that the network found too old or too far in the future.
type ClockError struct {
	Ahead   time.Duration // the network's clock, of this machine's, as the refusal has it
	Learned bool          // the next request is of that time
	Err     error
}

func (e *ClockError) Error() string {
	direction, by := "behind", e.Ahead
	if by < 0 {
		direction, by = "ahead of", -by
	}
	return fmt.Sprintf("this machine's clock is %s %s the network's: %v", by.Round(time.Second), direction, e.Err)
}

// Unwrap returns the refusal.
func (e *ClockError) Unwrap() error { return e.Err }

// networkTime takes the network's time out of its refusals: the earliest expiry that it takes of a
// request, and its own time beside that of a delegation that has expired.
var networkTime = regexp.MustCompile(`(?:Minimum allowed expiry|Local replica timestamp|Local replica time): (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC`)

// learnFrom returns a refusal as a [*ClockError] if it is about the clock. here is the time from which requests count
// their expiry, own the time by which certificates are judged; they differ in tests alone.
func (c *Clock) learnFrom(refused *HTTPError, here, own time.Time) error {
	m := networkTime.FindStringSubmatch(refused.Message)
	if m == nil {
		return refused
	}
	at, err := time.Parse("2006-01-02 15:04:05.999999999", m[1])
	if err != nil {
		return refused
	}
	e := &ClockError{Ahead: at.Sub(own), Err: refused}
	if e.Ahead.Abs() <= certificateAge {
		c.learn(at, here)
		e.Ahead, e.Learned = c.Ahead(), true
	}
	return e
}
