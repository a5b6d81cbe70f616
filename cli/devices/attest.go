package devices

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/device"
)

func (a verbs) attestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "attest",
		Short: "have a passkey show the canister what kind of key it is",
		Long: `The passkey answers a challenge of the canister. What it reports of itself (user
verified, device-bound, backed up) is recorded with the anchor. The challenge is
computed here again before it is signed, so that it can be nothing else.`,
		Example: `  kedge attest
  kedge attest --as "spare key" --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			passkey, ok := s.Signer.Key.(*device.Passkey)
			if !ok {
				return ui.Usagef("a recovery phrase is no passkey and has nothing to attest")
			}
			challenge, err := s.AttestationChallenge(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			if len(challenge.Nonce) != kedge.NonceSize {
				return errForeignChallenge
			}
			own := kedge.ChallengeFor(s.Canister, s.Anchor, passkey.PublicKey(), [kedge.NonceSize]byte(challenge.Nonce))
			if !bytes.Equal(own[:], challenge.Challenge) {
				return errForeignChallenge
			}
			assertion, err := passkey.Assert(device.AssertionRequest{Challenge: own[:]})
			if err != nil {
				return err
			}
			attested, err := s.Attest(cmd.Context(), s.Anchor, kedge.Assertion{
				ClientData: assertion.ClientDataJSON, AuthenticatorData: assertion.AuthenticatorData, Signature: assertion.Signature,
			})
			if err != nil {
				return err
			}
			bound := "device-bound"
			if attested.BackupEligible {
				bound = "not device-bound"
			}
			return a.Result(map[string]any{
				"anchor": s.Anchor, "device": s.Signer.Name, "at": ui.Time(attested.At), "user_verified": attested.UserVerified,
				"backup_eligible": attested.BackupEligible, "backed_up": attested.BackedUp, "counter_stalled": attested.CounterStalled,
			}, fmt.Sprintf("%s attested to be %s", s.Signer, bound))
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

var errForeignChallenge = errors.New("the canister's challenge is not the one that this device has to sign here, so it was not signed")
