package captcha

import (
	"bytes"
	"crypto/sha512"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func random(i int) []byte {
	sum := sha512.Sum512([]byte{byte(i), byte(i >> 8)})
	return sum[:]
}

func TestNewDrawsWhatItAsksFor(t *testing.T) {
	texts := map[string]bool{}
	for i := range 200 {
		text, picture, err := New(random(i))
		require.NoError(t, err)
		require.Len(t, text, Length)
		require.Empty(t, strings.Trim(text, Alphabet))
		texts[text] = true

		img, err := png.Decode(bytes.NewReader(picture))
		require.NoError(t, err)
		require.Equal(t, Width, img.Bounds().Dx())
		require.Equal(t, Height, img.Bounds().Dy())
		require.Less(t, len(picture), 4096)
	}
	require.Greater(t, len(texts), 195)
}

// The decoder is the standard library's.
func TestPNGShowsEveryDot(t *testing.T) {
	m := draw("AC347", dice{random(3)})
	m[0][0], m[0][Width-1], m[Height-1][0], m[Height-1][Width-1] = true, true, true, false
	img, err := png.Decode(bytes.NewReader(m.png()))
	require.NoError(t, err)
	for y := range Height {
		for x := range Width {
			want := color.Gray{0xff}
			if m[y][x] {
				want = color.Gray{0x20}
			}
			require.Equal(t, want, color.GrayModel.Convert(img.At(x, y)), "dot %d, %d", x, y)
		}
	}
}

func TestSameBytesSamePicture(t *testing.T) {
	text, picture, err := New(random(1))
	require.NoError(t, err)
	again, same, err := New(random(1))
	require.NoError(t, err)
	require.Equal(t, text, again)
	require.Equal(t, picture, same)

	// The distortion differs where the text is the same.
	other := append(random(1)[:2*Length:2*Length], random(2)[2*Length:]...)
	again, different, err := New(other)
	require.NoError(t, err)
	require.Equal(t, text, again)
	require.NotEqual(t, picture, different)
}

func TestNewRefusesTooFewBytes(t *testing.T) {
	_, _, err := New(make([]byte, 63))
	require.EqualError(t, err, "a captcha takes 64 random bytes, got 63")
}

func TestEveryCharacterHasAGlyphOfItsOwn(t *testing.T) {
	seen := map[glyph]byte{}
	for i := range len(Alphabet) {
		require.NotEmpty(t, font[i], "%c", Alphabet[i])
		require.NotContains(t, seen, font[i])
		seen[font[i]] = Alphabet[i]
	}
}

func TestMatches(t *testing.T) {
	require.True(t, Matches("AC347", " ac347\n"))
	require.True(t, Matches("a", "a"), "the answer for tests may be in small letters")
	require.False(t, Matches("AC347", "AC34"))
	require.False(t, Matches("AC347", ""))
}
