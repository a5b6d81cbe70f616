package canister

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cdk/cdktest"
	"kedge/ic/principal"
)

// Whatever waits for randomness over an upgrade is dropped with a line in the log: it does not run what the
// new module waits for, whose callers get answers of their own.
func TestRandomnessThatComesAfterAnUpgrade(t *testing.T) {
	device := kedge.DeviceData{Pubkey: []byte("key")}
	for name, begin := range map[string]func(t *testing.T, network *cdktest.Network){
		"create_challenge": func(t *testing.T, network *cdktest.Network) {
			_, err := network.Update(exportCreateChallenge, kedge.EncodeCreateChallengeArgs())
			require.ErrorIs(t, err, cdktest.ErrNoReply)
		},
		"init_salt": func(t *testing.T, network *cdktest.Network) {
			_, err := network.Update(exportInitSalt, kedge.EncodeInitSaltArgs())
			require.ErrorIs(t, err, cdktest.ErrNoReply)
		},
		"prepare_delegation": func(t *testing.T, network *cdktest.Network) {
			_, err := network.Update(exportPrepareDelegation, kedge.EncodePrepareDelegationArgs(10000, "https://app.example", []byte("session"), nil))
			require.ErrorIs(t, err, cdktest.ErrNoReply)
		},
		"add_tentative_device": func(t *testing.T, network *cdktest.Network) {
			_, err := network.Update(exportAddTentativeDevice, kedge.EncodeAddTentativeDeviceArgs(10000, device))
			require.ErrorIs(t, err, cdktest.ErrNoReply)
		},
		"attestation_challenge": func(t *testing.T, network *cdktest.Network) {
			_, err := network.Update(exportAttestationChallenge, kedge.EncodeAttestationChallengeArgs(10000))
			require.ErrorIs(t, err, cdktest.ErrNoReply)
		},
		"the timer": func(t *testing.T, network *cdktest.Network) { require.NoError(t, network.FireTimer(exportTimer)) },
	} {
		t.Run(name, func(t *testing.T) {
			network := installed(t)
			network.SetCaller(principal.SelfAuthenticating(device.Pubkey))
			_, err := network.Update(exportRegister, kedge.EncodeRegisterArgs(device, kedge.ChallengeResult{}, nil))
			require.NoError(t, err)
			begin(t, network)
			late := network.Calls()
			require.Len(t, late, 1)

			network.Upgrade()
			require.NoError(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(nil)))
			_, err = network.Update(exportCreateChallenge, kedge.EncodeCreateChallengeArgs())
			require.ErrorIs(t, err, cdktest.ErrNoReply)
			own := network.Calls()[1]

			reply, err := network.Reply(late[0], randomness)
			require.NoError(t, err)
			require.Nil(t, reply, "nobody is answered")
			require.Contains(t, network.Log()[len(network.Log())-1], "dropped a reply")
			require.False(t, state.seeded)
			_, set := state.store.Salt()
			require.False(t, set)

			reply, err = network.Reply(own, randomness)
			require.NoError(t, err)
			challenge, err := kedge.DecodeCreateChallengeResult(reply)
			require.NoError(t, err)
			require.Len(t, challenge.ChallengeKey, 10)
		})
	}
}
