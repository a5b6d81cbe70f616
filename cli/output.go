package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
)

// result prints what a command is for on standard output: value as one line of JSON with --json,
// else text.
func (a *app) result(value any, text string) error {
	if !a.json {
		_, err := fmt.Fprintln(a.Stdout, strings.TrimRight(text, "\n"))
		return err
	}
	line, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	_, err = fmt.Fprintf(a.Stdout, "%s\n", line)
	return err
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// table lays rows out in columns.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
