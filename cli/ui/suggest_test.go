package ui

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	verbs := []string{"add", "list", "update", "replace", "remove", "protect", "unprotect", "register-mode"}
	for word, want := range map[string][]string{
		"lst": {"list"}, "lsit": {"list"}, "ad": {"add"}, "pro": {"protect"}, "protct": {"protect"}, "re": {"replace", "remove", "register-mode"},
		"unprotct": {"unprotect"}, "REMOVE": {"remove"}, "remvoe": {"remove"}, "bogus": nil, "x": nil, "": nil, "register": {"register-mode"},
	} {
		require.Equal(t, want, Nearest(word, verbs), "%q", word)
	}
}

func TestTypingErrors(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"list", "lsit", 1}, {"ä", "a", 1}} {
		require.Equal(t, c.want, typingErrors(c.a, c.b), "%q %q", c.a, c.b)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringN(0, 8, -1).Draw(t, "a"), rapid.StringN(0, 8, -1).Draw(t, "b")
		d := typingErrors(a, b)
		require.Equal(t, d, typingErrors(b, a))
		require.Equal(t, a == b, d == 0)
		require.LessOrEqual(t, d, max(len([]rune(a)), len([]rune(b))))
	})
}

func TestDidYouMean(t *testing.T) {
	require.Equal(t, "kedge --help", DidYouMean(nil, "kedge --help"))
	require.Equal(t, "did you mean a? H shows the rest", DidYouMean([]string{"a"}, "H"))
	require.Equal(t, "did you mean a or b? H shows the rest", DidYouMean([]string{"a", "b"}, "H"))
	require.Equal(t, "did you mean a, b, c or d? H shows the rest", DidYouMean([]string{"a", "b", "c", "d", "e"}, "H"))
}
