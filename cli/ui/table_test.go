package ui

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTablesFitTheWindow(t *testing.T) {
	t.Cleanup(func() { window.Store(0) })
	devices := [][]string{{"ALIAS", "PRINCIPAL", "LAST USED"}, {"laptop", "wuphd-aaaaa…qae", "2026-11-27 14:00 UTC (this call)"}, {"phone", "abcde-aaaaa…cai", "never"}}
	wide := "ALIAS   PRINCIPAL        LAST USED\n" +
		"laptop  wuphd-aaaaa…qae  2026-11-27 14:00 UTC (this call)\n" +
		"phone   abcde-aaaaa…cai  never"
	window.Store(0)
	require.Equal(t, wide, Table(devices))
	window.Store(80)
	require.Equal(t, wide, Table(devices))
	window.Store(36)
	require.Equal(t, "alias      laptop\n"+
		"principal  wuphd-aaaaa…qae\n"+
		"last used  2026-11-27 14:00 UTC\n"+
		"           (this call)\n"+
		"\n"+
		"alias      phone\n"+
		"principal  abcde-aaaaa…cai\n"+
		"last used  never", Table(devices))
	require.Equal(t, "guard  off: any device may add and\n"+
		"       remove others", Table([][]string{{"guard", "off: any device may add and remove others"}}))
}

// However narrow the window is, no word of a table is lost or cut, and no line is wider than the window but for
// words that are.
func TestNarrowTablesLoseNothing(t *testing.T) {
	t.Cleanup(func() { window.Store(0) })
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(2, 5).Draw(t, "columns")
		cell := rapid.StringMatching(`[a-z]{1,12}( [a-z]{1,12}){0,4}`)
		header := rapid.SliceOfN(rapid.StringMatching(`[A-Z]{2,8}`), columns, columns).Draw(t, "header")
		rows := append([][]string{header}, rapid.SliceOfN(rapid.SliceOfN(cell, columns, columns), 1, 4).Draw(t, "rows")...)
		width := rapid.IntRange(narrowest, 120).Draw(t, "width")
		window.Store(int64(width))
		text := Table(rows)
		words := strings.Fields(text)
		for _, row := range rows[1:] {
			for _, c := range row {
				for _, word := range strings.Fields(c) {
					require.Contains(t, words, word)
				}
			}
		}
		require.LessOrEqual(t, widest(text), max(width, 8+2+12))
	})
}

func TestLettersOfTheLocale(t *testing.T) {
	for _, test := range []struct{ variable, value, expect string }{
		{"LC_ALL", "C", "kedge: a... b \\u{fc}\n"},
		{"LANG", "de_DE.ISO-8859-1", "kedge: a... b \\u{fc}\n"},
		{"LANG", "de_DE.UTF-8", "kedge: a… b ü\n"},
		{"LANG", "", "kedge: a… b ü\n"}, // nothing is said, and it is no terminal
	} {
		var out strings.Builder
		u := &UI{System: System{Stderr: &out, Getenv: func(name string) string {
			if name == test.variable {
				return test.value
			}
			return ""
		}}}
		u.Note("a… b ü")
		require.Equal(t, test.expect, out.String(), test)
	}
}

// What would steer a terminal is escaped in JSON, too, and decodes to what it was.
func TestJSONSteersNoTerminal(t *testing.T) {
	const text = "a\x1b[2J\u202eb\U000e0041ü…"
	line, err := JSONLine(map[string]string{"x": text})
	require.NoError(t, err)
	require.NotContains(t, string(line), "\u202e")
	require.NotContains(t, string(line), "\x1b")
	require.NotContains(t, string(line), "\U000e0041")
	var back map[string]string
	require.NoError(t, json.Unmarshal(line, &back))
	require.Equal(t, text, back["x"])
}
