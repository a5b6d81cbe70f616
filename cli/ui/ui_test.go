package ui_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/cli/ui"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]string{"30d": "30d", "720h": "30d", "12h": "12h", "90m": "1h30m", "1d1h": "1d1h", "45s": "45s", "0d": "0s"} {
		d, err := ui.ParseSpan(text)
		require.NoError(t, err, text)
		require.Equal(t, want, ui.SpanText(d), text)
	}
	for _, text := range []string{"", "d", "-1d", "30", "-5m", "1.5s", "1ms", "99999d", "soon"} {
		_, err := ui.ParseSpan(text)
		require.ErrorContains(t, err, "is not a", text)
	}
	require.Equal(t, "73000d", ui.Seconds(1<<63))
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"laptop": "laptop", "Anna's phone": "Anna's phone", "": `""`, "a\x1b[2Jb": `"a\x1b[2Jb"`, `say "hi"`: `"say \"hi\""`, "new\nline": `"new\nline"`,
		"Annas Telefon für München": "Annas Telefon für München", "手机": "手机", "e\u0301": "e\u0301",
		// What cannot be seen.
		"phone ": `"phone "`, " phone": `" phone"`, "my  phone": `"my  phone"`,
		"pho\u200bne": `"pho\u{200b}ne"`, "phone\u00a0": `"phone\u{a0}"`, "phone\u3000x": `"phone\u{3000}x"`,
		"phone\u3164": `"phone\u{3164}"`, "phone\uffa0": `"phone\u{ffa0}"`, "phone\u115f": `"phone\u{115f}"`, "phone\u1160": `"phone\u{1160}"`,
		"phone\ufe0f": `"phone\u{fe0f}"`, "phone\U000e0101": `"phone\u{e0101}"`, "phone\u034f": `"phone\u{34f}"`, "phone\u17b4": `"phone\u{17b4}"`,
		"phone\u180b": `"phone\u{180b}"`, "phone\u2800": `"phone\u{2800}"`, "phone\u00ad": `"phone\u{ad}"`, "phone\ufeff": `"phone\u{feff}"`,
		"\u202eenohp": `"\u{202e}enohp"`, "\u2066phone": `"\u{2066}phone"`, "phone\u2028": `"phone\u{2028}"`, "phone\U000e0041": `"phone\u{e0041}"`,
		"phone\xff": `"phone\xff"`, "phone\ufffd": "phone\ufffd", "phone\ue000": `"phone\u{e000}"`, "phone\x7f": `"phone\x7f"`, `back\slash`: `"back\\slash"`,
	} {
		require.Equal(t, want, ui.Printable(text), "%q", text)
	}
}

// Texts that differ look different.
func TestPrintableTellsTextsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		require.Equal(t, a == b, ui.Printable(a) == ui.Printable(b))
	})
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "two\nlines  of text…\n": "two\nlines  of text…\n", "a\x1b]0;title\x07b": `a\x1b]0;title\x07b`, "a\rb": `a\rb`, "\u202ex": `\u{202e}x`, "\xffx": `\xffx`,
	} {
		require.Equal(t, want, ui.Harmless(text), "%q", text)
	}
}
