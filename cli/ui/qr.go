package ui

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/spf13/cobra"
)

// quietZone is how many light modules surround a QR code (ISO/IEC 18004).
const quietZone = 4

// QRCode is a QR code: its modules, the quiet zone included.
type QRCode struct {
	side int
	dark []bool
}

// NewQRCode returns the code of a text, with about 15 % of error correction.
func NewQRCode(text string) (QRCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return QRCode{}, fmt.Errorf("making a QR code: %w", err)
	}
	n := code.Bounds().Dx()
	c := QRCode{side: n + 2*quietZone}
	c.dark = make([]bool, c.side*c.side)
	for y := range n {
		for x := range n {
			c.dark[(y+quietZone)*c.side+x+quietZone] = color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y < 128
		}
	}
	return c, nil
}

// Side returns the width and height in modules.
func (c QRCode) Side() int { return c.side }

// Dark reports whether a module is dark; what is outside is light.
func (c QRCode) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.side && y < c.side && c.dark[y*c.side+x]
}

// Blocks draws the code for a terminal with light characters on a dark ground: two rows of modules in a line, as
// half blocks.
func (c QRCode) Blocks() string {
	var b strings.Builder
	for y := 0; y < c.side; y += 2 {
		for x := range c.side {
			switch below := y+1 >= c.side || c.Dark(x, y+1); {
			case c.Dark(x, y) && below:
				b.WriteRune(' ')
			case c.Dark(x, y):
				b.WriteRune('▄')
			case below:
				b.WriteRune('▀')
			default:
				b.WriteRune('█')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// ASCII draws the code as Blocks does, without characters beyond ASCII: a module is two columns wide.
func (c QRCode) ASCII() string {
	var b strings.Builder
	for y := range c.side {
		for x := range c.side {
			if c.Dark(x, y) {
				b.WriteString("  ")
			} else {
				b.WriteString("##")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// SVG draws the code as an element of a page, dark on light.
func (c QRCode) SVG() string {
	var path strings.Builder
	for y := range c.side {
		for x := range c.side {
			if c.Dark(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img"><rect width="100%%" height="100%%" fill="#fff"/><path d="%s"/></svg>`,
		c.side, c.side, path.String())
}

// QRFlag adds --qr to a command that shows something to scan.
func (u *UI) QRFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&u.QR, "qr", false, "show what is to be scanned as a QR code, too, on a terminal")
}

// ShowQR shows a text as a QR code on standard output if --qr asked for it. Where standard output is no
// terminal it says that there is none.
func (u *UI) ShowQR(text string) error {
	switch {
	case !u.QR || u.JSON:
		return nil
	case !u.OnTerminal():
		u.Note("standard output is no terminal, so no QR code is shown")
		return nil
	}
	code, err := NewQRCode(text)
	if err != nil {
		return err
	}
	drawn := code.ASCII()
	if u.UTF8() {
		drawn = code.Blocks()
	}
	// White on black whatever the terminal's own colours are: not every reader takes a code that is inverted.
	if u.Colors() {
		drawn = "\x1b[97;40m" + strings.ReplaceAll(strings.TrimRight(drawn, "\n"), "\n", "\x1b[0m\n\x1b[97;40m") + "\x1b[0m\n"
	}
	_, err = fmt.Fprint(u.Stdout, drawn)
	return err
}
