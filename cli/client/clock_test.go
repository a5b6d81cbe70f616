package client

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aviate-labs/agent-go"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

// A network whose clock differs refuses the first request, in production's words; the next is of its time.
func TestClockIsLearned(t *testing.T) {
	for _, ahead := range []time.Duration{-3 * time.Minute, 270 * time.Second} {
		node, network := newFakeNode(t)
		var expiries []time.Time
		node.answer = func(id agent.RequestID) (int, []byte) {
			var content struct {
				Expiry uint64 `cbor:"ingress_expiry"`
			}
			require.NoError(t, cbor.Unmarshal(node.envelope["content"], &content))
			expiry, now := time.Unix(0, int64(content.Expiry)), time.Now().Add(ahead)
			expiries = append(expiries, expiry)
			if latest := now.Add(5*time.Minute + 30*time.Second); expiry.Before(now) || expiry.After(latest) {
				const layout = "2006-01-02 15:04:05.000000000 UTC"
				return http.StatusBadRequest, []byte(fmt.Sprintf("Invalid request expiry: Specified ingress_expiry not within expected range: "+
					"Minimum allowed expiry: %s, Maximum allowed expiry: %s, Provided expiry:        %s",
					now.UTC().Format(layout), latest.UTC().Format(layout), expiry.UTC().Format(layout)))
			}
			return http.StatusOK, node.certify(id, time.Now(), leaves("reply", "yes", "status", "replied"), node.key, nil)
		}
		network.Clock = new(Clock)
		reply, err := call(t, network, Anonymous())
		require.NoError(t, err)
		require.Equal(t, []byte("yes"), reply)
		require.Len(t, expiries, 2)
		require.InDelta(t, ahead.Seconds(), network.Clock.Ahead().Seconds(), 30)
		_, err = call(t, network, Anonymous())
		require.NoError(t, err)
		require.Len(t, expiries, 3, "what was learned is known to other clients of the network")
	}
}

// A network, or whoever stands before it, that states a time far from this machine's gets no request that is valid
// then: it could keep that and hand it on when its owner has long forgotten it. No answer of such a network would be
// believed either, since its certificates are not of this machine's time.
func TestAFarClockIsNotLearned(t *testing.T) {
	for _, ahead := range []time.Duration{30 * 24 * time.Hour, 20 * time.Minute, -20 * time.Minute, -30 * 24 * time.Hour} {
		node, network := newFakeNode(t)
		var latest time.Time
		node.answer = func(agent.RequestID) (int, []byte) {
			var content struct {
				Expiry uint64 `cbor:"ingress_expiry"`
			}
			require.NoError(t, cbor.Unmarshal(node.envelope["content"], &content))
			if at := time.Unix(0, int64(content.Expiry)); at.After(latest) {
				latest = at
			}
			return http.StatusBadRequest, []byte("Invalid request expiry: Specified ingress_expiry not within expected range: Minimum allowed expiry: " +
				time.Now().Add(ahead).UTC().Format("2006-01-02 15:04:05.000000000 UTC"))
		}
		network.Clock = new(Clock)
		_, err := call(t, network, Anonymous())
		var clock *ClockError
		require.ErrorAs(t, err, &clock)
		require.False(t, clock.Learned)
		require.InDelta(t, ahead.Seconds(), clock.Ahead.Seconds(), 30)
		require.Zero(t, network.Clock.Ahead())
		require.True(t, latest.Before(time.Now().Add(5*time.Minute)), "valid until %s", latest)
	}
}

// A clock that is up to a minute fast needs no learning: production takes five minutes and a half.
func TestRequestsLeaveRoomForAFastClock(t *testing.T) {
	require.LessOrEqual(t, ingressExpiry+time.Minute, 5*time.Minute)
}

func TestLearnFromRefusals(t *testing.T) {
	here := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	var c Clock
	err := c.learnFrom(&HTTPError{Status: 400, Message: "Invalid delegation expiry: Specified sender delegation has expired: Provided expiry: 2026-11-27 11:00:00 UTC, Local replica timestamp: 2026-11-27 12:04:00.5 UTC"}, here, here)
	require.ErrorContains(t, err, "this machine's clock is 4m1s behind the network's: ")
	require.Equal(t, here.Add(4*time.Minute+500*time.Millisecond), c.Now(here))
	plain := &HTTPError{Status: 400, Message: "Failed to authenticate request"}
	require.Equal(t, error(plain), c.learnFrom(plain, here, here))
	require.Zero(t, (*Clock)(nil).Ahead())
}

// Names below localhost mean this machine, whatever DNS or a proxy says.
func TestLoopbackIsDialledDirectly(t *testing.T) {
	node, network := newFakeNode(t)
	u := *network.URL
	u.Host = "surely-no-such-name.localhost:" + network.URL.Port()
	status, err := Ask(t.Context(), &u)
	require.NoError(t, err)
	require.Equal(t, node.key.Public().DER(), status.RootKey)
	for _, host := range []string{"http://127.0.0.1", "http://[::1]:1", "http://x.localhost", "http://localhost."} {
		u, err := url.Parse(host)
		require.NoError(t, err)
		require.Nil(t, transportFor(u).(*http.Transport).Proxy, host)
	}
	_, err = dialLoopback(t.Context(), "tcp", "example.com:80")
	require.ErrorContains(t, err, "is not an address of this machine")
}
