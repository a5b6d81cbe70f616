package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli/client"
)

// Help is the manual, so every command says what it does, and every verb shows how it is used.
func TestEveryVerbHasAnExample(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		require.NotEmpty(t, cmd.Short, cmd.CommandPath())
		if !cmd.HasSubCommands() {
			require.NotEmpty(t, cmd.Example, cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk((&app{System: RealSystem()}).rootCommand())
}

func TestSpan(t *testing.T) {
	for text, want := range map[string]string{"30d": "30d", "720h": "30d", "12h": "12h", "90m": "1h30m", "25h": "25h", "45s": "45s", "0d": "0s"} {
		d, err := span(text)
		require.NoError(t, err, text)
		require.Equal(t, want, spanText(d), text)
	}
	for _, text := range []string{"", "d", "-1d", "30", "-5m", "1.5s", "1ms", "99999d", "soon"} {
		_, err := span(text)
		require.ErrorContains(t, err, "is not a", text)
	}
	require.Equal(t, "73000d", seconds(1<<63))
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"laptop": "laptop", "Anna's phone": "Anna's phone", "": `""`, "a\x1b[2Jb": `"a\x1b[2Jb"`, `say "hi"`: `"say \"hi\""`, "new\nline": `"new\nline"`,
	} {
		require.Equal(t, want, printable(text))
	}
}

func TestFileName(t *testing.T) {
	require.Equal(t, "app.example_8443", fileName("https://app.example:8443"))
	require.Equal(t, ".._.._etc_passwd", fileName("https://../../etc/passwd"))
	require.Equal(t, "app.example", fileName("app.example"))
}

func TestWordsOfTheReportAreComplete(t *testing.T) {
	for s := range kedge.Scenario(32) {
		if s.String() != "unknown" {
			require.NotEmpty(t, scenarioTexts[s], s.String())
		}
	}
	for a := range kedge.Advice(32) {
		if a.String() != "unknown" {
			require.NotEmpty(t, adviceTexts[a], a.String())
		}
	}
	for l := range kedge.Loss(32) {
		if l.String() != "unknown" {
			require.Equal(t, l, losses[l.String()])
		}
	}
}

func TestExitCodes(t *testing.T) {
	refused := refusal(kedge.Error{Message: "no"})
	for want, err := range map[int]error{
		exitFailed:  errNoNetwork,
		exitUsage:   usagef("what"),
		exitNetwork: &client.UnreachableError{},
		exitRefused: hinted(refused, "hint"),
		exitSecret:  secretf("", "what"),
	} {
		require.Equal(t, want, exitCode(err))
	}
}
