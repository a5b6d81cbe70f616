package release

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
)

func (a verbs) releaseConsent() *cobra.Command {
	var delay string
	var askers []string
	var withdraw bool
	cmd := &cobra.Command{
		Use:   "consent",
		Short: "consent to the release of the signing device, or withdraw",
		Long: `The signer, a protected device, agrees in advance to its own release: after --delay
without a sign of life of it, a device that --asker names may end its protection.
This is the way back if the signer is lost. A new consent takes the place of the
present one. An asker that is named by its alias is shown and asked about.`,
		Example: `  kedge release consent --delay 30d --asker laptop --asker phone --as phrase
  kedge release consent --withdraw --as phrase`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if withdraw == (len(askers) > 0) {
				return ui.Usagef("give --asker for the devices that may ask, or --withdraw")
			}
			d, err := ui.ParseSpan(delay)
			if err != nil {
				return err
			}
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			if withdraw {
				if err := s.ReleaseConsent(cmd.Context(), s.Anchor, nil); err != nil {
					return err
				}
				return a.Result(map[string]any{"anchor": s.Anchor, "consent": nil}, fmt.Sprintf("%s takes its consent back", s.Signer))
			}
			info, err := s.AnchorInfo(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			consent := kedge.ReleaseConsentConsent{Delay: uint64(d / time.Second)}
			for _, name := range askers {
				found, err := a.MatchDevice(s, info.Devices, name)
				if err != nil {
					return err
				}
				if err := a.Vouch(cmd.Context(), s, found, "let ask for the release"); err != nil {
					return err
				}
				consent.Askers = append(consent.Askers, found.Device.Pubkey)
			}
			if err := s.ReleaseConsent(cmd.Context(), s.Anchor, &consent); err != nil {
				return err
			}
			return a.Result(map[string]any{"anchor": s.Anchor, "consent": map[string]any{"delay_s": consent.Delay, "askers": askers}},
				fmt.Sprintf("%s consents to its release after %s without a sign of life", s.Signer, ui.SpanText(d)))
		},
	}
	cmd.Flags().StringVar(&delay, "delay", "30d", "how long an asker has to wait, 30 days to a year")
	cmd.Flags().StringArrayVar(&askers, "asker", nil, "device that may ask; may be given several times")
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "take the consent back")
	a.SignerFlags(cmd)
	return cmd
}
