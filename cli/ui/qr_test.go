package ui

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// scan reads a picture with a reader that shares no code with what drew it. The picture is upright and without noise, so
// that the reader need not guess where the code is.
func scan(t require.TestingT, side int, dark func(x, y int) bool) string {
	const scale = 4
	picture := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for y := range side * scale {
		for x := range side * scale {
			if !dark(x/scale, y/scale) {
				picture.Set(x, y, color.White)
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	require.NoError(t, err)
	result, err := zxing.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	require.NoError(t, err)
	return result.GetText()
}

// What each way of drawing shows is read back from what it drew.
func TestQRCodesAreRead(t *testing.T) {
	for _, text := range []string{
		"https://rdmx6-jaaaa-aaaaa-aaadq-cai.icp0.io", "HTTP://ID.EXAMPLE/10000", "10000", "abandon ability able about above absent",
		"https://straße.example/ü", strings.Repeat("x", 300),
	} {
		code, err := NewQRCode(text)
		require.NoError(t, err)
		require.Equal(t, text, scan(t, code.Side(), code.Dark))

		lines := strings.Split(code.ASCII(), "\n")
		require.Equal(t, text, scan(t, code.Side(), func(x, y int) bool { return lines[y][2*x] == ' ' }))

		blocks := strings.Split(code.Blocks(), "\n")
		require.Equal(t, text, scan(t, code.Side(), func(x, y int) bool {
			r := []rune(blocks[y/2])[x]
			return r == ' ' || y%2 == 0 && r == '▄' || y%2 == 1 && r == '▀'
		}))

		svg := code.SVG()
		require.Equal(t, text, scan(t, code.Side(), func(x, y int) bool {
			return strings.Contains(svg, fmt.Sprintf("M%d %dh1v1h-1z", x, y))
		}))
	}
}

func TestQRCodeHasAQuietZone(t *testing.T) {
	code, err := NewQRCode("https://id.example")
	require.NoError(t, err)
	for i := range code.Side() {
		for j := range quietZone {
			for _, p := range [][2]int{{i, j}, {j, i}, {i, code.Side() - 1 - j}, {code.Side() - 1 - j, i}} {
				require.False(t, code.Dark(p[0], p[1]), "%v", p)
			}
		}
	}
	require.True(t, code.Dark(quietZone, quietZone))
}

func TestQRCodesOfAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`https?://[a-z0-9-]{1,40}(\.[a-z]{2,5}){1,2}(:[0-9]{2,5})?`).Draw(t, "text")
		code, err := NewQRCode(text)
		require.NoError(t, err)
		require.Equal(t, text, scan(t, code.Side(), code.Dark))
	})
	_, err := NewQRCode(strings.Repeat("x", 5000))
	require.ErrorContains(t, err, "QR code")
}

// Away from a terminal no code is shown, and a line says so.
func TestShowQRAwayFromATerminal(t *testing.T) {
	var out, errs bytes.Buffer
	u := &UI{System: System{Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}}
	require.NoError(t, u.ShowQR("https://id.example"))
	require.Empty(t, out.String()+errs.String())
	u.QR = true
	require.NoError(t, u.ShowQR("https://id.example"))
	require.Empty(t, out.String())
	require.Equal(t, "kedge: standard output is no terminal, so no QR code is shown\n", errs.String())
	errs.Reset()
	u.JSON = true
	require.NoError(t, u.ShowQR("https://id.example"))
	require.Empty(t, out.String()+errs.String())
}

func TestUTF8(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false}, {map[string]string{"LANG": "de_DE.UTF-8"}, true}, {map[string]string{"LANG": "C"}, false},
		{map[string]string{"LANG": "C.utf8"}, true}, {map[string]string{"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, false},
		{map[string]string{"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, true}, {map[string]string{"LANG": "de_DE.UTF-8@euro"}, true},
		{map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
	} {
		u := &UI{System: System{Getenv: func(name string) string { return c.env[name] }}}
		require.Equal(t, c.want, u.UTF8(), "%v", c.env)
	}
}
