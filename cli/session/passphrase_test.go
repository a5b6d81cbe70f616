package session

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli/ui"
)

func TestMadePassphrases(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		p, err := makePassphrase(rand.Reader)
		require.NoError(t, err)
		require.Len(t, strings.Fields(p), madeWords)
		require.Equal(t, p, strings.Join(strings.Fields(p), " "))
		require.False(t, seen[p])
		seen[p] = true
		require.Empty(t, weakness(p), "one that is made here is not weak")
		require.Contains(t, passphraseSheet(p, 80), p)
		for line := range strings.SplitSeq(passphraseSheet(p, 20), "\n") {
			require.False(t, strings.Contains(line, " ") && strings.Contains(p, line), "a word a line: %q", line)
		}
	}
	_, err := makePassphrase(bytes.NewReader(nil))
	require.Error(t, err)
}

func weakness(passphrase string) string {
	var out bytes.Buffer
	a := &App{UI: &ui.UI{System: ui.System{Stderr: &out}}}
	a.WarnIfWeak(passphrase)
	return out.String()
}

func TestWeakPassphrases(t *testing.T) {
	for _, weak := range []string{"a", "password", "letmein123", "kedge", "qwertyuiop", "aaaaaaaaaaaaaaaaaaaaaaaa", "12345678901234567890", "Tr0ub4dour&3", "2026-11-27"} {
		require.Contains(t, weakness(weak), "kedge: warning: this passphrase is weak", weak)
		require.NotContains(t, weakness(weak), `"`+weak, "the passphrase is not repeated")
	}
	for _, strong := range []string{"correct horse battery staple wandering", "fX9#vLq2!mZr8Kp", strings.Repeat("long and boring but new ", 400)} {
		require.Empty(t, weakness(strong), strong)
	}
}
