// Package machine writes down what was measured, and on what.
package machine

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
)

// Table is a table of figures, beneath the name of the machine that they were measured on.
type Table struct {
	lines []string
}

// NewTable returns a table without figures.
func NewTable() *Table { return &Table{} }

// Section begins a group of figures.
func (t *Table) Section(format string, args ...any) {
	t.lines = append(t.lines, "", fmt.Sprintf(format, args...)+"\t\t")
}

// Add adds a figure with its goal, which may be empty.
func (t *Table) Add(what, goal, format string, args ...any) {
	t.lines = append(t.lines, "  "+what+"\t"+fmt.Sprintf(format, args...)+"\t"+goal)
}

// Goal is a goal, and whether it was missed.
func Goal(goal string, met bool) string {
	if met {
		return goal
	}
	return goal + ", missed"
}

// String returns the table.
func (t *Table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Written by make bench on %s, %d cores, %s/%s, %s.\n", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nfigure\tmeasured\tgoal")
	for _, line := range t.lines {
		fmt.Fprintln(w, line)
	}
	_ = w.Flush() // a strings.Builder takes everything
	return trimLines(b.String())
}

// trimLines takes the blanks off the ends of lines.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// processor is the name of the processor, as far as the system tells.
func processor() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "an unnamed processor"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unnamed processor"
}
