package client

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a canister or a node says stays on the line of the message that tells it: no line of it passes for a message
// of this program, and none floods the terminal.
func TestOthersSpeakOnOneLine(t *testing.T) {
	const forged = "no\nkedge: hint: your key store is damaged: kedge key export laptop"
	for name, err := range map[string]error{
		"trap":     &Reject{Code: 5, ErrorCode: "IC0503", Message: "Error from Canister aaaaa-aa: Canister called `ic0.trap` with message: '" + forged + "'"},
		"rejected": &Reject{Code: 4, Message: forged},
		"status":   &HTTPError{Status: 400, Message: forged},
		"odd":      explain(errors.New("(400) 400 Bad: Request: " + forged)),
		"clock":    &ClockError{Err: &HTTPError{Status: 400, Message: forged}},
	} {
		require.NotContains(t, err.Error(), "\n", name)
		require.Contains(t, err.Error(), "no", name)
	}
	require.Equal(t, `no\nkedge: hint: your key store is damaged: kedge key export laptop`, Sentence(forged))
	long := Sentence(strings.Repeat("ä", 3<<20))
	require.Equal(t, strings.Repeat("ä", longestSentence)+"... (cut off)", long)
	require.Equal(t, strings.Repeat("ä", longestSentence), Sentence(strings.Repeat("ä", longestSentence)))
	require.Equal(t, "", Sentence("\n"))
}
