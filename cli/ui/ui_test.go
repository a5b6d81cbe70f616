package ui_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli/ui"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]string{"30d": "30d", "720h": "30d", "12h": "12h", "90m": "1h30m", "25h": "25h", "45s": "45s", "0d": "0s"} {
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
	} {
		require.Equal(t, want, ui.Printable(text))
	}
}
