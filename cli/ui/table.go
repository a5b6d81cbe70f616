package ui

import (
	"os"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// window is how wide tables may be, in columns; 0 is as wide as they are. One process writes to one terminal.
var window atomic.Int64

// FitTables makes tables fit the terminal that standard output is; elsewhere they stay as wide as they are, one
// row a line, so that scripts can cut them up.
func (u *UI) FitTables() {
	width := 0
	if f, ok := u.Stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = w
		}
	}
	window.Store(int64(width))
}

// narrowest is the width below which nothing is made to fit any more.
const narrowest = 20

// fit lays rows out below each other where they are wider than the window: a table with a header as one paragraph
// a row, with the header's names before the values; a list of names and values with the values wrapped. Nothing is
// left out. It returns false if the rows fit as they are.
func fit(rows [][]string, laidOut string, width int) (string, bool) {
	if width < narrowest || widest(laidOut) <= width || len(rows) == 0 {
		return "", false
	}
	if isHeader(rows[0]) {
		paragraphs := make([]string, 0, len(rows))
		for _, row := range rows[1:] {
			pairs := make([][]string, 0, len(row))
			for i, cell := range row {
				if i < len(rows[0]) {
					pairs = append(pairs, []string{strings.ToLower(rows[0][i]), cell})
				}
			}
			paragraphs = append(paragraphs, pairLines(pairs, width))
		}
		return strings.Join(paragraphs, "\n\n"), true
	}
	return pairLines(rows, width), true
}

// isHeader reports whether a row has the names of columns, which are in capitals.
func isHeader(row []string) bool {
	letters := 0
	for _, cell := range row {
		if strings.ContainsFunc(cell, unicode.IsLower) {
			return false
		}
		for _, r := range cell {
			if unicode.IsUpper(r) {
				letters++
			}
		}
	}
	return letters > 1
}

// pairLines writes the first cell of each row, and the others behind it, wrapped.
func pairLines(rows [][]string, width int) string {
	label := 0
	for _, row := range rows {
		label = max(label, utf8.RuneCountInString(row[0]))
	}
	label = min(label, width/2)
	var lines []string
	for _, row := range rows {
		first := row[0] + strings.Repeat(" ", max(0, label-utf8.RuneCountInString(row[0])))
		for i, line := range wrapWords(strings.Join(row[1:], "  "), width-label-2) {
			if i > 0 {
				first = strings.Repeat(" ", label)
			}
			lines = append(lines, strings.TrimRight(first+"  "+line, " "))
		}
	}
	return strings.Join(lines, "\n")
}

// wrapWords breaks a text at spaces into lines of at most width characters; a word that is longer has a line of its
// own, whole, so that it can be copied.
func wrapWords(text string, width int) []string {
	lines := []string{}
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

func widest(text string) (width int) {
	for line := range strings.SplitSeq(text, "\n") {
		width = max(width, utf8.RuneCountInString(line))
	}
	return width
}
