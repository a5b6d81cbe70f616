package cli

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"
)

const releaseLong = `The way back from a lost protected device, agreed to in advance by that device: it
consents to its own release, names a delay and the devices that may ask. One of
them asks; any update call that the protected device itself signs within the
delay is its sign of life and cancels. When the whole delay has passed
unanswered, the asker completes, and the device is no longer protected.`

func (a *app) releaseCommand() *cobra.Command {
	cmd := a.group("release", "the timed release of a protected device",
		a.releaseConsent(),
		a.releaseVerb("request", "asked for the release of", (*provider).releaseRequest, "ask for the release of a protected device that consented",
			"  kedge release request phrase --as laptop"),
		a.releaseVerb("cancel", "cancelled the release of", (*provider).releaseCancel, "cancel a release; whoever asked may not ask again",
			"  kedge release cancel phrase --as phrase"),
		a.releaseVerb("complete", "completed the release of", (*provider).releaseComplete, "complete a release after the whole delay, as the device that asked",
			"  kedge release complete phrase --as laptop"),
		a.releaseStatus())
	cmd.Long = releaseLong
	return cmd
}

// releaseVerb is a step of a release that names the protected device.
func (a *app) releaseVerb(verb, done string, step func(*provider, context.Context, uint64, []byte) error, short, example string) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " DEVICE", Short: short, Example: example, Args: argsError(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.openSession(cmd.Context())
			if err != nil {
				return err
			}
			key, called, err := a.findKey(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			if err := step(s.provider, cmd.Context(), s.anchor, key); err != nil {
				return err
			}
			return a.result(deviceMarked{s.anchor, hex.EncodeToString(key)}, fmt.Sprintf("%s %s on anchor %d", done, called, s.anchor))
		},
	}
	a.signerFlags(cmd)
	return cmd
}
