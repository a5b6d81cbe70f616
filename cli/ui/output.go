package ui

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode/utf16"
)

// Result prints what a command is for on standard output: value as one line of JSON with --json,
// else text.
func (u *UI) Result(value any, text string) error {
	if u.Observe != nil {
		if line, err := JSONLine(value); err == nil {
			u.Observe(line)
		}
	}
	if !u.JSON {
		_, err := fmt.Fprintln(u.Stdout, u.encoded(u.Stdout, Harmless(strings.TrimRight(text, "\n"))))
		return err
	}
	line, err := JSONLine(value)
	if err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	_, err = fmt.Fprintf(u.Stdout, "%s\n", line)
	return err
}

// JSONLine encodes a value on one line. What would steer a terminal is escaped, as in text.
func JSONLine(value any) ([]byte, error) {
	line, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	for _, r := range string(line) {
		if visible(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return []byte(out.String()), nil
}

// YesNo writes a yes or a no.
func YesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Table lays rows out in columns; where that is wider than the terminal, below each other, see [UI.FitTables].
func Table(rows [][]string) string {
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
	text := strings.Join(lines, "\n")
	if narrow, changed := fit(rows, text, int(window.Load())); changed {
		return narrow
	}
	return text
}

// CaseName names a case of a variant; nil is one that a newer canister may have added.
func CaseName[T fmt.Stringer](c *T) string {
	if c == nil {
		return "unknown"
	}
	return (*c).String()
}

// Spaced is the name of a case in words.
func Spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }

// Numbers writes anchors with commas.
func Numbers(list []uint64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]")
}
