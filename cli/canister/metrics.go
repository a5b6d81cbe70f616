package canister

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/ui"
)

type metric struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Help  string `json:"help"`
}

func (a verbs) metrics() *cobra.Command {
	var raw bool
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "show what the canister counts",
		Long: `Reads /metrics of the canister, as a monitoring system does. Everybody may.
The names are those of Internet Identity, so that its dashboards go on working.`,
		Example: `  kedge canister metrics
  kedge canister metrics --raw
  kedge canister metrics --network ic --canister ID --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showMetrics(cmd.Context(), raw) },
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "print the text as it is, in the Prometheus exposition format")
	return cmd
}

func (a verbs) showMetrics(ctx context.Context, raw bool) error {
	if raw && a.JSON {
		return ui.Usagef("--raw and --json exclude each other")
	}
	p, err := a.OpenProvider(ctx)
	if err != nil {
		return err
	}
	reply, err := p.Query(ctx, "http_request", kedge.EncodeHttpRequestArgs(kedge.HttpRequest{Method: "GET", URL: "/metrics"}))
	response, err := provider.Decoded("http_request", reply, err, kedge.DecodeHttpRequestResult)
	if err != nil {
		return err
	}
	if response.StatusCode != 200 {
		return provider.Refused("the canister answers /metrics with status %d", response.StatusCode)
	}
	if raw {
		_, err := fmt.Fprintln(a.Stdout, ui.Harmless(strings.TrimRight(string(response.Body), "\n")))
		return err
	}
	list, err := parseMetrics(response.Body)
	if err != nil {
		return fmt.Errorf("reading the metrics: %w", err)
	}
	rows := [][]string{{"METRIC", "VALUE", "MEANING"}}
	for _, m := range list {
		rows = append(rows, []string{ui.Printable(m.Name), ui.Printable(m.Value), ui.Printable(m.Help)})
	}
	return a.Result(list, ui.Table(rows))
}

// parseMetrics reads the Prometheus exposition format, version 0.0.4: lines of a name, labels if any, a value
// and perhaps a time.
func parseMetrics(text []byte) ([]metric, error) {
	list, help := []metric{}, map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if about, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, text, _ := strings.Cut(about, " ")
			help[name] = text
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		end := strings.IndexByte(line, ' ')
		if labels := strings.LastIndexByte(line, '}'); labels > 0 {
			end = labels + 1
		}
		if end <= 0 || end >= len(line) {
			return nil, fmt.Errorf("line %d is no metric: %q", n, line)
		}
		value := strings.Fields(line[end:])
		if len(value) == 0 || len(value) > 2 {
			return nil, fmt.Errorf("line %d is no metric: %q", n, line)
		}
		base, _, _ := strings.Cut(line[:end], "{")
		list = append(list, metric{Name: line[:end], Value: value[0], Help: help[base]})
	}
	return list, lines.Err()
}
