// Command compare prints two tables of figures of one benchmark side by side, with the ratio of the second to the
// first: compare BEFORE AFTER. Rows that only one of them has are left out.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: compare BEFORE AFTER, both written by a benchmark of tests/bench")
		os.Exit(2)
	}
	if err := run(os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, before, after string) error {
	var tables [2][]figure
	for i, name := range []string{before, after} {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		tables[i], err = read(file)
		if err := file.Close(); err != nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("read %q: %w", name, err)
		}
	}
	return print(out, tables[0], tables[1])
}

// figure is a row of a table: its section and name, what was measured, and that as a number.
type figure struct {
	section, name, text string
	value               float64
}

// gap separates the columns of a table.
var gap = regexp.MustCompile(` {2,}`)

// read reads the rows that have one number.
func read(r io.Reader) (figures []figure, err error) {
	section := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "  ") {
			section = strings.TrimSpace(line)
			continue
		}
		columns := gap.Split(strings.TrimSpace(line), -1)
		if len(columns) < 2 {
			continue
		}
		if value, ok := number(columns[1]); ok {
			figures = append(figures, figure{section, columns[0], columns[1], value})
		}
	}
	return figures, lines.Err()
}

// number reads a count, a size in KiB or a duration in seconds.
func number(text string) (float64, bool) {
	if d, err := time.ParseDuration(text); err == nil {
		return d.Seconds(), true
	}
	value, err := strconv.ParseFloat(strings.TrimSuffix(text, " KiB"), 64)
	return value, err == nil
}

func print(out io.Writer, before, after []figure) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "figure\tbefore\tafter\tafter / before")
	section := ""
	for _, b := range before {
		for _, a := range after {
			if a.section != b.section || a.name != b.name || b.value == 0 {
				continue
			}
			if section != b.section {
				section = b.section
				fmt.Fprintf(w, "\n%s\n", section)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%.2f\n", b.name, b.text, a.text, a.value/b.value)
		}
	}
	return w.Flush()
}
