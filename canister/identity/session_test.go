package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPrepareSession(t *testing.T) {
	ns := func(n uint64) *uint64 { return &n }
	for _, c := range []struct {
		name  string
		limit uint64
		ttl   *uint64
		want  uint64
	}{
		{"half an hour if nobody says", 0, nil, DefaultSession},
		{"as asked", 0, ns(day), day},
		{"none at all", 0, ns(0), 0},
		{"30 days at most", 0, ns(^uint64(0)), 30 * day},
		{"the anchor's limit", 60 * second, ns(day), 60 * second},
		{"the anchor's limit on the default", 60 * second, nil, 60 * second},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := usual()
			a.SessionLimit = c.limit
			require.Equal(t, testNow+c.want, a.as(t, "laptop").PrepareSession(c.ttl))
			require.Equal(t, testNow+c.want, a.Devices[0].SessionsUntil)
			require.Zero(t, a.Devices[1].SessionsUntil)
		})
	}
	a := withTemporary(usual())
	a.Devices[0].SessionsUntil = testNow + 2*day
	require.Equal(t, testNow+day, a.by(t, testTemp).PrepareSession(ns(day)))
	require.Equal(t, testNow+2*day, a.Devices[0].SessionsUntil, "the longest is remembered")
	a.by(t, testTemp).PrepareSession(ns(3 * day))
	require.Equal(t, testNow+3*day, a.Devices[0].SessionsUntil, "a temporary key's sessions are its device's")
}

func TestServiceClock(t *testing.T) {
	clock := ServiceClock{}
	for _, c := range []struct{ now, want uint64 }{
		{1000 * second, 0}, // the first step starts it
		{1001 * second, second},
		{1001 * second, second},
		{900 * second, second}, // back in time
		{1002 * second, 2 * second},
		{1002*second + MaxServiceStep, 2*second + MaxServiceStep},
		{1002*second + 100*MaxServiceStep, 2*second + 2*MaxServiceStep}, // stopped: an hour at most
	} {
		require.Equal(t, c.want, clock.At(c.now))
		require.Equal(t, c.want, clock.Advance(c.now))
	}
}

func TestServiceTimeIsNeverAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock, start := ServiceClock{}, uint64(1000)
		now, last := start, uint64(0)
		clock.Advance(now)
		for range 30 {
			now += rapid.Uint64Range(0, 3*MaxServiceStep).Draw(t, "step")
			got := clock.Advance(now)
			require.GreaterOrEqual(t, got, last)
			require.LessOrEqual(t, got-last, MaxServiceStep)
			require.LessOrEqual(t, got, now-start)
			last = got
		}
	})
}

func TestAttestation(t *testing.T) {
	a := withTemporary(usual())
	spend := func(name string) ([16]byte, error) { return a.as(t, name).SpendChallenge() }
	_, err := spend("laptop")
	require.Equal(t, ErrNoChallenge, CodeOf(err))
	expires, err := a.as(t, "laptop").NewChallenge([16]byte{1})
	require.NoError(t, err)
	require.Equal(t, testNow+ChallengeLife, expires)
	_, err = a.as(t, "laptop").NewChallenge([16]byte{2})
	require.NoError(t, err)
	_, err = spend("phone")
	require.Equal(t, ErrNoChallenge, CodeOf(err), "a challenge is one device's")
	nonce, err := spend("laptop")
	require.NoError(t, err)
	require.Equal(t, [16]byte{2}, nonce, "the newest alone")
	_, err = spend("laptop")
	require.Equal(t, ErrNoChallenge, CodeOf(err), "spent")

	refused(t, a, testTemp, ErrTemporaryKey, func(c *Actor) error { _, err := c.NewChallenge([16]byte{}); return err })
	refused(t, a, testTemp, ErrTemporaryKey, func(c *Actor) error { _, err := c.SpendChallenge(); return err })
	refused(t, a, testTemp, ErrTemporaryKey, func(c *Actor) error { return c.RecordAttestation(Assertion{}) })
}

func TestRecordAttestation(t *testing.T) {
	a := usual()
	record := func(as Assertion) func(*Actor) error {
		return func(c *Actor) error { return c.RecordAttestation(as) }
	}
	granted(t, a, who("laptop"), record(Assertion{UserPresent: true, UserVerified: true, BackupEligible: true, BackedUp: true, Counter: 5}))
	require.Equal(t, Attestation{At: testNow, UserPresent: true, UserVerified: true, BackupEligible: true, BackedUp: true, Counter: 5}, a.Devices[0].Attestation)
	require.Equal(t, []Event{{At: testNow, Kind: EventAttested, By: who("laptop"), Device: who("laptop")}}, a.Events)
	refused(t, a, who("laptop"), ErrEligibility, record(Assertion{UserPresent: true, Counter: 6}))
	granted(t, a, who("laptop"), record(Assertion{UserPresent: true, BackupEligible: true, Counter: 6}))
	require.Equal(t, Attestation{At: testNow, UserPresent: true, BackupEligible: true, Counter: 6}, a.Devices[0].Attestation)

	for _, c := range []struct {
		name     string
		counters []uint32
		highest  uint32
		stalled  bool
	}{
		{"the first is any", []uint32{0}, 0, false},
		{"no counter", []uint32{0, 0, 0}, 0, false},
		{"growing", []uint32{0, 1, 2}, 2, false},
		{"the same", []uint32{1, 1}, 1, true},
		{"back", []uint32{7, 3}, 7, true},
		{"back to none", []uint32{7, 0}, 7, true},
		{"once is remembered", []uint32{7, 3, 8}, 8, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := usual()
			for _, counter := range c.counters {
				granted(t, a, who("phone"), record(Assertion{Counter: counter}))
			}
			require.Equal(t, c.highest, a.Devices[1].Attestation.Counter)
			require.Equal(t, c.stalled, a.Devices[1].Attestation.CounterStalled)
		})
	}
}
