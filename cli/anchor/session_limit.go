package anchor

import (
	"fmt"
	"time"

	"kedge/cli/ui"

	"github.com/spf13/cobra"
)

func (a verbs) sessionLimitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session-limit TIME|none",
		Short: "shorten the longest session that the anchor's devices can open",
		Long: `A session at an application outlives the removal of the device that opened it, by
the network's design, until it expires. This shortens the longest one from 30
days. A protected device sets it.`,
		Example: `  kedge session-limit 12h --as phrase
  kedge session-limit none --as phrase`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var limit *uint64
			if args[0] != "none" {
				d, err := ui.ParseSpan(args[0])
				if err != nil {
					return err
				}
				seconds := uint64(d / time.Second)
				limit = &seconds
			}
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.SessionLimitSet(cmd.Context(), s.Anchor, limit); err != nil {
				return err
			}
			return a.Result(map[string]any{"anchor": s.Anchor, "session_limit_s": limit},
				fmt.Sprintf("session limit of anchor %d: %s", s.Anchor, args[0]))
		},
	}
	a.SignerFlags(cmd)
	return cmd
}
