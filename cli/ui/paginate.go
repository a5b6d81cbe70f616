package ui

import "strings"

// paginate cuts a text into pages that fit a terminal of so many columns and rows, with two rows left
// for what to press. Lines that are longer than the terminal is wide take more than one row.
func paginate(text string, width, height int) [][]string {
	room := max(1, height-2)
	var pages [][]string
	var page []string
	rows := 0
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		need := 1 + max(0, len([]rune(line))-1)/width
		if rows+need > room && len(page) > 0 {
			pages, page, rows = append(pages, page), nil, 0
		}
		page, rows = append(page, line), rows+need
	}
	return append(pages, page)
}
