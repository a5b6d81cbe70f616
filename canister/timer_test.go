package canister

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cdk"
	"kedge/cdk/cdktest"
)

// randomness is what the management canister answers to raw_rand.
var randomness = append([]byte("DIDL\x01\x6d\x7b\x01\x00\x20"), bytes.Repeat([]byte{7}, 32)...)

// The first tick seeds the random numbers; from then on the timer steps service time every half hour.
func TestTimer(t *testing.T) {
	network := installed(t)
	require.NoError(t, network.FireTimer(exportTimer))
	calls := network.Calls()
	require.Len(t, calls, 1)
	require.Equal(t, "raw_rand", calls[0].Method)
	require.False(t, state.seeded)
	_, err := network.Reply(calls[0], randomness)
	require.NoError(t, err)
	require.True(t, state.seeded)

	before := state.clock
	require.Equal(t, before.Last+serviceStep, network.TimerAt())
	require.NoError(t, network.FireTimer(exportTimer))
	require.Equal(t, before.Time+serviceStep, state.clock.Time)
	require.Empty(t, network.Calls(), "seeded once")

	// What was counted is in stable memory: an upgrade goes on from there, and sets the timer again.
	network.Upgrade()
	require.NoError(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(nil)))
	require.Equal(t, before.Time+serviceStep, state.clock.Time)
	require.NotZero(t, network.TimerAt())

	// An outage counts for an hour.
	network.Advance(400 * 24 * 3600 * second)
	require.NoError(t, network.FireTimer(exportTimer))
	require.Equal(t, before.Time+serviceStep+3600*second, state.clock.Time)
}

// A timer whose message trapped is gone; the next update call sets it again.
func TestALostTimerIsSetAgain(t *testing.T) {
	network := installed(t)
	require.NoError(t, network.FireTimer(exportTimer))
	lost := network.TimerAt()
	network.Advance(serviceStep)
	_, err := network.Update(exportMigrationPause, kedge.EncodeMigrationPauseArgs())
	require.NoError(t, err)
	require.Equal(t, lost, network.TimerAt(), "it may still be about to run")
	network.Advance(2 * serviceStep)
	_, err = network.Update(exportMigrationPause, kedge.EncodeMigrationPauseArgs())
	require.NoError(t, err)
	require.Greater(t, network.TimerAt(), lost+2*serviceStep)
}

// Without randomness nothing that needs it goes on; the next tick asks again.
func TestTimerAsksAgainForRandomness(t *testing.T) {
	network := installed(t)
	require.NoError(t, network.FireTimer(exportTimer))
	_, err := network.Reject(network.Calls()[0], cdk.SysTransient, "not now")
	require.ErrorContains(t, err, "not now")
	require.False(t, state.seeded)
	require.NoError(t, network.FireTimer(exportTimer))
	require.Len(t, network.Calls(), 1)
}

// A call that comes before the randomness waits for it, and is answered then.
func TestCallsWaitForRandomness(t *testing.T) {
	network := installed(t)
	_, err := network.Update(exportCreateChallenge, kedge.EncodeCreateChallengeArgs())
	require.ErrorIs(t, err, cdktest.ErrNoReply)
	reply, err := network.Reply(network.Calls()[0], randomness)
	require.NoError(t, err)
	challenge, err := kedge.DecodeCreateChallengeResult(reply)
	require.NoError(t, err)
	require.Len(t, challenge.ChallengeKey, 10)
}

// Two who ask for the salt at once: the second is refused, and the first's stands.
func TestSaltIsDrawnOnce(t *testing.T) {
	network := installed(t)
	for range 2 {
		_, err := network.Update(exportInitSalt, kedge.EncodeInitSaltArgs())
		require.ErrorIs(t, err, cdktest.ErrNoReply)
	}
	calls := network.Calls()
	require.Len(t, calls, 2)
	_, err := network.Reply(calls[0], randomness)
	require.NoError(t, err)
	salt, set := state.store.Salt()
	require.True(t, set)
	_, err = network.Reply(calls[1], randomness)
	require.EqualError(t, err, "Attempted to set the salt twice.")
	after, _ := state.store.Salt()
	require.Equal(t, salt, after)
	_, err = network.Update(exportInitSalt, kedge.EncodeInitSaltArgs())
	require.Equal(t, &cdktest.Trap{Message: "Salt already set"}, err)
}
