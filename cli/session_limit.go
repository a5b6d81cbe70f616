package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) sessionLimitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session-limit TIME|none",
		Short: "shorten the longest session that the anchor's devices can open",
		Long: `A session at an application outlives the removal of the device that opened it, by
the network's design, until it expires. This shortens the longest one from 30
days. A protected device sets it.`,
		Example: `  kedge session-limit 12h --as phrase
  kedge session-limit none --as phrase`,
		Args: argsError(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var limit *uint64
			if args[0] != "none" {
				d, err := span(args[0])
				if err != nil {
					return err
				}
				seconds := uint64(d / time.Second)
				limit = &seconds
			}
			s, err := a.openSession(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.sessionLimitSet(cmd.Context(), s.anchor, limit); err != nil {
				return err
			}
			return a.result(map[string]any{"anchor": s.anchor, "session_limit_s": limit},
				fmt.Sprintf("session limit of anchor %d: %s", s.anchor, args[0]))
		},
	}
	a.signerFlags(cmd)
	return cmd
}
