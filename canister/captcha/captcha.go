// Package captcha draws the picture that a person reads before registering. It is pure: the same random
// bytes give the same picture, so a canister that draws them from raw_rand draws reproducibly.
//
// It keeps the casual script away, no more. What protects the canister from being filled is the
// registration rate limit.
package captcha

import (
	"bytes"
	"fmt"
	"strings"
)

// Size of the picture in pixels, as in Internet Identity.
const (
	Width  = 220
	Height = 120
)

// Length is the number of characters of a captcha.
const Length = 5

// RandomBytes is how many random bytes New wants.
const RandomBytes = 64

// New makes a captcha from RandomBytes random bytes, of which the text and the distortion are made: the
// text that is to be typed back, in capital letters and digits of Alphabet, and the picture as PNG.
func New(random []byte) (text string, picture []byte, err error) {
	if len(random) != RandomBytes {
		return "", nil, fmt.Errorf("a captcha takes %d random bytes, got %d", RandomBytes, len(random))
	}
	chars := make([]byte, Length)
	for i := range chars {
		// Two bytes a character: the bias of the remainder is below one in two thousand.
		chars[i] = Alphabet[(int(random[2*i])<<8|int(random[2*i+1]))%len(Alphabet)]
	}
	return string(chars), draw(string(chars), dice{random[2*Length:]}).png(), nil
}

// Matches reports whether an answer is the text: case does not count, nor does space around it.
func Matches(text, answer string) bool {
	return bytes.EqualFold(bytes.TrimSpace([]byte(answer)), []byte(text))
}

// dice hands out random bytes, going round when they are used up: the distortion needs variety, not secrecy.
type dice struct{ bytes []byte }

func (d *dice) below(n int) int {
	b := d.bytes[0]
	d.bytes = append(d.bytes[1:], b*5+1)
	return int(b) * n / 256
}

func draw(text string, d dice) *bitmap {
	img := new(bitmap)
	for i := range len(text) {
		drawGlyph(img, font[strings.IndexByte(Alphabet, text[i])], 14+i*40+d.below(9), 26+d.below(18), 6+d.below(2), d.below(25)-12)
	}
	ripple(img, &d)
	for range 3 {
		drawLine(img, d.below(Height), d.below(Height))
	}
	for range 200 {
		set(img, d.below(Width), d.below(Height))
	}
	return img
}

// drawGlyph fills a square of scale pixels for each dot, leaning by slant pixels from top to bottom.
func drawGlyph(img *bitmap, g glyph, left, top, scale, slant int) {
	for row := range g {
		for column := range glyphWidth {
			if g[row]>>(glyphWidth-1-column)&1 == 0 {
				continue
			}
			for dy := range scale {
				lean := slant * (row*scale + dy) / (len(g) * scale)
				for dx := range scale {
					set(img, left+column*scale+dx+lean, top+row*scale+dy)
				}
			}
		}
	}
}

// ripple shifts every row sideways and every column up and down along a zigzag. Each dot is looked up
// where it comes from, so that no gaps open.
func ripple(img *bitmap, d *dice) {
	from := *img
	phaseX, phaseY := d.below(period), d.below(period)
	for y := range Height {
		for x := range Width {
			fx, fy := x+zigzag(y+phaseX)/3, y+zigzag(x+phaseY)/3
			dot := false
			if fx >= 0 && fx < Width && fy >= 0 && fy < Height {
				dot = from[fy][fx]
			}
			img[y][x] = dot
		}
	}
}

const period = 64 // of the zigzag, in dots

// zigzag runs from -period/4 to period/4 and back.
func zigzag(i int) int {
	i %= period
	if i > period/2 {
		i = period - i
	}
	return i - period/4
}

// drawLine draws a line two pixels thick across the whole picture.
func drawLine(img *bitmap, from, to int) {
	for x := range Width {
		y := from + (to-from)*x/Width
		set(img, x, y)
		set(img, x, y+1)
	}
}

func set(img *bitmap, x, y int) {
	if x >= 0 && x < Width && y >= 0 && y < Height {
		img[y][x] = true
	}
}
