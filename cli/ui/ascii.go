package ui

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// asciiFor replaces characters beyond ASCII that kedge itself writes.
var asciiFor = strings.NewReplacer("…", "...", "→", "->", "–", "-", "—", "-", "’", "'", "×", "x")

// encoded writes a text for a stream in the characters that it can show: where the locale says that it is not UTF-8, and
// on a terminal whose locale says nothing, in ASCII alone.
func (u *UI) encoded(to io.Writer, text string) string {
	if u.UTF8() {
		return text
	}
	f, ok := to.(*os.File)
	if !u.localeGiven() && !(ok && term.IsTerminal(int(f.Fd()))) {
		return text
	}
	return ascii(text)
}

// ascii writes a text in ASCII alone.
func ascii(text string) string {
	text = asciiFor.Replace(text)
	var b strings.Builder
	for _, r := range text {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}

// localeGiven reports whether the environment says anything of the locale.
func (u *UI) localeGiven() bool {
	if u.Getenv == nil {
		return false
	}
	for _, variable := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if u.Getenv(variable) != "" {
			return true
		}
	}
	return false
}
