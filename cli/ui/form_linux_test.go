package ui

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/pty"
)

// A form that is higher than the window is drawn once and scrolls: each field's line is seen as it is typed in, and so
// are the keys that may be pressed.
func TestFormsThatAreHigherThanTheWindow(t *testing.T) {
	t.Setenv("TERM", "xterm")
	about := strings.Repeat("a sentence that fills several lines of a narrow window, ", 3)
	for _, window := range [][2]uint16{{formMinRows, formMinColumns}, {24, formMinColumns}, {24, 80}} {
		control, device, err := pty.Open(window[0], window[1])
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = control.Close(), device.Close() })
		var fields []Field
		for _, title := range []string{"first", "second", "third", "fourth", "fifth"} {
			fields = append(fields, Field{Title: title, About: about})
		}
		ended := make(chan error, 1)
		go func() { ended <- (&tty{file: device}).Form("title", fields) }()
		var shown strings.Builder
		seen := 0
		await := func(text string) { // after what was seen before
			t.Helper()
			for buffer := make([]byte, 4096); !strings.Contains(shown.String()[seen:], text); {
				n, err := control.Read(buffer)
				require.NoError(t, err)
				shown.Write(buffer[:n])
			}
			seen = shown.Len()
		}
		await("next") // what the keys do, below the fields
		for _, answer := range []string{"A", "B", "C", "D", "E"} {
			_, err := control.WriteString(answer)
			require.NoError(t, err)
			await(answer + "\x1b[7m")
			_, err = control.WriteString("\r")
			require.NoError(t, err)
		}
		await("fifth: E")
		require.LessOrEqual(t, strings.Count(shown.String(), "\x1b[J"), 5, "at first, once the size is known, and at the end: %q", shown.String())
		require.NoError(t, <-ended)
		for i, f := range fields {
			require.Equal(t, string(rune('A'+i)), f.Answer)
		}
	}
}
