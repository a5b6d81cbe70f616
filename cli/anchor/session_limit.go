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
				whole := uint64(d / time.Second)
				limit = &whole
			}
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.SessionLimitSet(cmd.Context(), s.Anchor, limit); err != nil {
				return err
			}
			// The limit stands, so a look that fails takes nothing back.
			if info, err := s.AnchorInfo(cmd.Context(), s.Anchor); err == nil && info.Contacts != nil {
				if delay, longest := seconds(info.Contacts.DelayS), longestSession(limit); delay < longest {
					a.Warn("a session may now be longer (%s) than the delay of the recovery contacts (%s): who signs in that rarely sees no new key in time to veto it; kedge contacts set --delay names a longer delay",
						ui.SpanText(longest), ui.SpanText(delay))
				}
			}
			return a.Result(map[string]any{"anchor": s.Anchor, "session_limit_s": limit},
				fmt.Sprintf("session limit of anchor %d: %s", s.Anchor, args[0]))
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

func seconds(n uint64) time.Duration { return time.Duration(n) * time.Second }

// longestSession is the longest session under a limit in seconds; nil is none.
func longestSession(limit *uint64) time.Duration {
	if limit == nil {
		return 30 * 24 * time.Hour
	}
	return seconds(*limit)
}
