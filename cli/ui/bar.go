package ui

import (
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// Bar is a line on a terminal that is drawn again and again; elsewhere it is nothing.
type Bar struct {
	out   *os.File
	ui    *UI
	drawn bool
}

// NewBar returns a bar that is drawn where standard error is a terminal that is not dumb.
func (u *UI) NewBar() *Bar {
	if f, ok := u.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !u.JSON && !u.dumb() {
		return &Bar{out: f, ui: u}
	}
	return &Bar{}
}

// barWidth is the width of a full bar in characters.
const barWidth = 40

// Show draws the bar at done of total anchors.
func (b *Bar) Show(done, total uint64) {
	b.ShowText(done, total, fmt.Sprintf("%d of %d anchors", done, total))
}

// ShowText draws the bar at done of total, with a text behind it.
func (b *Bar) ShowText(done, total uint64, text string) {
	if b.out == nil || total == 0 {
		return
	}
	text = b.ui.encoded(b.out, message(text))
	width := barWidth
	if columns, _, err := term.GetSize(int(b.out.Fd())); err == nil && columns > 0 { // a line that is broken is not drawn over
		text = runewidth.Truncate(text, max(0, columns-5), "")
		width = max(0, min(width, columns-5-runewidth.StringWidth(text)))
	}
	filled := int(min(done, total) * uint64(width) / total)
	b.ui.told.Store(true)
	_, _ = fmt.Fprintf(b.out, "\r[%s%s] %s \x1b[K", strings.Repeat("#", filled), strings.Repeat(".", width-filled), text)
	b.drawn = true
}

// Clear takes the bar off the screen.
func (b *Bar) Clear() {
	if b.drawn {
		_, _ = fmt.Fprint(b.out, "\r\x1b[K")
		b.drawn = false
		b.ui.told.Store(false)
	}
}
