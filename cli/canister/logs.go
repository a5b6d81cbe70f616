package canister

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/ui"
	"kedge/ic/management"
)

// followPause is the time between two looks at the log.
const followPause = time.Second

type logView struct {
	Index   uint64 `json:"index"`
	Time    string `json:"time"`
	Content string `json:"content"`

	at uint64 // the same time, in nanoseconds since 1970
}

func (a verbs) logs() *cobra.Command {
	var follow bool
	var tail int
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "show what the canister has printed, and its traps",
		Long: `Shows the records that the network keeps, which are the last 4 KiB or more. With
--follow it goes on to show new ones until Ctrl-C; with --json, too, each is a line
then. Records that came and went between two looks, a second apart, are counted.`,
		Example: `  kedge canister logs --tail 20
  kedge canister logs --follow
  kedge canister logs --follow --json --identity controller.pem`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("tail") && tail < 0 {
				return ui.Usagef("--tail %d is below 0", tail)
			}
			return a.showLogs(cmd.Context(), follow, tail)
		},
	}
	cmd.Flags().BoolVar(&follow, "follow", false, "go on to show new records")
	cmd.Flags().IntVar(&tail, "tail", -1, "show the last so many records of those that are there (default: all)")
	a.IdentityFlag(cmd)
	return cmd
}

func viewLog(r management.LogRecord) logView {
	return logView{r.Idx, ui.Time(r.TimestampNanos), string(r.Content), r.TimestampNanos}
}

func (v logView) text(now time.Time) string {
	return fmt.Sprintf("%s  %d  %s", ui.WhenNanos(v.at, now), v.Index, ui.Printable(strings.TrimRight(v.Content, "\n")))
}

func (a verbs) showLogs(ctx context.Context, follow bool, tail int) error {
	p, err := a.openOrNobody(ctx)
	if err != nil {
		return err
	}
	records, err := p.Client.Logs(ctx, p.Canister, 0)
	if reject := new(client.Reject); errors.As(err, &reject) && reject.ErrorCode != "IC0301" {
		return ui.Hinted(err, "--identity names a key that may read them; a controller lets everybody: kedge canister settings --log-visibility public")
	}
	if err != nil {
		return err
	}
	next := uint64(0)
	if n := len(records); n > 0 {
		next = records[n-1].Idx + 1
	}
	if tail >= 0 && len(records) > tail {
		records = records[len(records)-tail:]
	}
	if !follow {
		return a.printLogs(records)
	}
	for {
		for _, r := range records {
			if err := a.printLog(viewLog(r)); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil // Ctrl-C is how it ends
		case <-time.After(followPause):
		}
		if records, err = p.Client.Logs(ctx, p.Canister, next); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if len(records) > 0 {
			if missed := records[0].Idx - next; missed > 0 {
				a.Warn("%s came and went unseen", ui.Count(missed, "record"))
			}
			next = records[len(records)-1].Idx + 1
		}
	}
}

func (a verbs) printLogs(records []management.LogRecord) error {
	views, lines := []logView{}, []string{}
	for _, r := range records {
		v := viewLog(r)
		views, lines = append(views, v), append(lines, v.text(a.Now()))
	}
	if len(lines) == 0 && !a.JSON {
		a.Note("the log is empty")
		return nil
	}
	return a.Result(views, strings.Join(lines, "\n"))
}

// printLog prints one record as a line, with --json as one line of JSON.
func (a verbs) printLog(v logView) error {
	line := []byte(v.text(a.Now()))
	if a.JSON {
		var err error
		if line, err = ui.JSONLine(v); err != nil {
			return fmt.Errorf("encoding the record: %w", err)
		}
	}
	_, err := fmt.Fprintf(a.Stdout, "%s\n", line)
	return err
}
