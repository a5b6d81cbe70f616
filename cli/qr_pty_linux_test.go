package cli_test

import (
	"image"
	"image/color"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
)

// A terminal shows a code that a reader reads: in half blocks, in ASCII where the locale is not UTF-8, and
// in its own colours unless that is not wanted.
func TestQRCodeOnATerminal(t *testing.T) {
	const address = "https://" + canisterID + ".icp0.io/"
	for name, c := range map[string]struct {
		env    map[string]string
		light  func(line []rune, x, y int) bool
		rows   int // of modules in a line
		colors bool
	}{
		"UTF-8":    {map[string]string{"LC_ALL": "C.UTF-8"}, halfBlock, 2, true},
		"no color": {map[string]string{"LC_ALL": "C.UTF-8", "NO_COLOR": "1"}, halfBlock, 2, false},
		"ASCII":    {map[string]string{"LC_ALL": "C"}, func(line []rune, x, _ int) bool { return line[2*x] == '#' }, 1, true},
		"dumb":     {map[string]string{"LC_ALL": "C.UTF-8", "TERM": "dumb"}, halfBlock, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := openScreen(t, 60, 160)
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := &exec.Cmd{
				Path: self, Args: []string{"kedge", "open", "--qr", "--network", "ic", "--canister", canisterID},
				Stdin: s.device, Stdout: s.device, Stderr: s.device, SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true},
				Env: append(os.Environ(), "TERM=xterm", "LC_ALL=", "LC_CTYPE=", "LANG=", "NO_COLOR="),
			}
			for k, v := range c.env {
				cmd.Env = append(cmd.Env, k+"="+v)
			}
			require.NoError(t, cmd.Run(), "%s", s)
			s.readAll()
			_, shown, _ := strings.Cut(strings.ReplaceAll(s.text(), "\r", ""), address+"\n")
			require.Equal(t, c.colors, strings.Contains(shown, "\x1b["))
			shown = plainText.Replace(shown)
			lines := strings.Split(strings.Trim(shown, "\n"), "\n")
			side := len([]rune(lines[0])) / (3 - c.rows)
			const scale = 4
			picture := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
			for y := range side * scale {
				for x := range side * scale {
					if c.light([]rune(lines[y/scale/c.rows]), x/scale, y/scale) {
						picture.Set(x, y, color.White)
					}
				}
			}
			bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
			require.NoError(t, err)
			read, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
			require.NoError(t, err)
			require.Equal(t, address, read.GetText())
		})
	}
}

var plainText = strings.NewReplacer("\x1b[97;40m", "", "\x1b[0m", "")

func halfBlock(line []rune, x, y int) bool {
	switch line[x] {
	case '█':
		return true
	case '▀':
		return y%2 == 0
	case '▄':
		return y%2 == 1
	}
	return false
}
