// Package release is kedge release: the timed release of a protected device.
package release

import (
	"context"
	"encoding/hex"
	"fmt"

	"kedge/cli/devices"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"

	"github.com/spf13/cobra"
)

const releaseLong = `The way back from a lost protected device, agreed to in advance by that device: it
consents to its own release, names a delay and the devices that may ask. One of
them asks; any update call that the protected device itself signs within the
delay is its sign of life and cancels. When the whole delay has passed
unanswered, the asker completes, and the device is no longer protected.`

type verbs struct{ *session.App }

// Command returns kedge release.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	cmd := ui.Group("release", "the timed release of a protected device",
		a.releaseConsent(),
		a.releaseVerb("request", "asked for the release of", (*provider.Provider).ReleaseRequest, "ask for the release of a protected device that consented",
			`Asks for the release of a protected device that named the signer as an asker. The
delay begins now. Any update call that the protected device itself signs on the
anchor meanwhile cancels the request, and takes the signer off the list.`,
			"  kedge release request phrase --as laptop\n  kedge release request phrase --as laptop --anchor 10000 --json"),
		a.releaseVerb("cancel", "cancelled the release of", (*provider.Provider).ReleaseCancel, "cancel a release; whoever asked may not ask again",
			`Cancels the request for the release of DEVICE, as that device or another protected
one. Whoever asked is taken off the list; the protected device may name it again.`,
			"  kedge release cancel phrase --as phrase\n  kedge release cancel phrase --as \"spare key\" --json"),
		a.releaseVerb("complete", "completed the release of", (*provider.Provider).ReleaseComplete, "complete a release after the whole delay, as the device that asked",
			`Completes the release that the signer asked for, once the whole delay has passed
unanswered. DEVICE is then no longer protected; if no protected device is left, the
signer becomes protected in the same call.`,
			"  kedge release complete phrase --as laptop\n  kedge release complete phrase --as laptop --anchor 10000 --json"),
		a.releaseStatus())
	cmd.Long = releaseLong
	return cmd
}

// releaseVerb is a step of a release that names the protected device.
func (a verbs) releaseVerb(verb, done string, step func(*provider.Provider, context.Context, uint64, []byte) error, short, long, example string) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " DEVICE", Short: short, Long: long, Example: example, Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			found, err := a.FindKey(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			key := found.Device.Pubkey
			if err := step(s.Provider, cmd.Context(), s.Anchor, key); err != nil {
				return err
			}
			text := fmt.Sprintf("%s %s on anchor %d", done, found, s.Anchor)
			if verb == "cancel" {
				text += "; whoever asked is off the list of those who may"
			}
			return a.Result(devices.Marked{Anchor: s.Anchor, PublicKey: hex.EncodeToString(key)}, text)
		},
	}
	a.SignerFlags(cmd)
	return cmd
}
