package ui

import (
	"strings"
	"unicode/utf8"
)

// editor collects what is typed without being shown. It takes the bytes that a terminal sends and knows
// the keys that people correct themselves with, and bracketed paste, by which a terminal marks what was
// pasted (ESC [ 200 ~ … ESC [ 201 ~, XTerm Control Sequences).
type editor struct {
	text    []byte
	escape  []byte // an escape sequence that is not whole yet
	pasting bool
	// lines keeps line feeds as text; without it, a line ends the input.
	lines bool
}

// key is what a byte meant to an editor.
type key int

const (
	keyText key = iota // it changed the text, or nothing
	keyLine            // it ended a line
	keyEnd             // it ended the input: Ctrl-D
)

const (
	pasteBegins = "\x1b[200~"
	pasteEnds   = "\x1b[201~"
)

func (e *editor) feed(b byte) key {
	if len(e.escape) > 0 || b == 0x1b {
		return e.feedEscape(b)
	}
	switch b {
	case '\r', '\n':
		if e.lines {
			e.text = append(e.text, '\n')
		}
		if e.pasting && e.lines {
			return keyText // the rest of what was pasted is to come
		}
		return keyLine
	case 0x04: // Ctrl-D
		return keyEnd
	case 0x7f, 0x08: // backspace
		if len(e.text) > 0 && e.text[len(e.text)-1] != '\n' {
			_, size := utf8.DecodeLastRune(e.text)
			e.text = e.text[:len(e.text)-size]
		}
	case 0x15: // Ctrl-U: the whole line
		e.text = e.text[:strings.LastIndexByte(string(e.text), '\n')+1]
	case 0x17: // Ctrl-W: the last word
		start := strings.LastIndexByte(string(e.text), '\n') + 1
		line := strings.TrimRight(string(e.text[start:]), " \t")
		e.text = e.text[:start+strings.LastIndexAny(line, " \t")+1]
	case '\t':
		e.text = append(e.text, ' ')
	default:
		if b >= 0x20 {
			e.text = append(e.text, b)
		}
	}
	return keyText
}

// feedEscape takes a byte of an escape sequence: CSI sequences end with a byte from @ to ~, others have
// one byte more.
func (e *editor) feedEscape(b byte) key {
	e.escape = append(e.escape, b)
	switch n := len(e.escape); {
	case n == 1:
		return keyText
	case n == 2 && (b == '[' || b == 'O'):
		return keyText
	case n > 2 && e.escape[1] == '[' && (b < '@' || b > '~') && n < 32:
		return keyText
	}
	sequence := string(e.escape)
	e.escape = nil
	switch sequence {
	case pasteBegins:
		e.pasting = true
	case pasteEnds:
		e.pasting = false
		if e.lines && strings.HasSuffix(string(e.text), "\n") {
			return keyLine
		}
	}
	return keyText
}

// WordCount counts the runs of letters in a text.
func WordCount(text string) int {
	return len(strings.FieldsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}))
}

// wholeLines returns the most lines from the beginning of a text that are enough. What was pasted behind
// a phrase is no part of it.
func wholeLines(text string, enough func(string) bool) (lines string, whole bool) {
	for end := len(text); end > 0; end = strings.LastIndexByte(text[:end-1], '\n') + 1 {
		if enough(text[:end]) {
			return text[:end], true
		}
	}
	return "", false
}
