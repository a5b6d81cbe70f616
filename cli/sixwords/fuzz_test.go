package sixwords_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli/sixwords"
)

// Whatever is typed gives six words of the list or says what is wrong, and reading them again gives the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "south brand reflect joy cover turn", "SOUT, bran; refl\njoy 5.cove turn.", "zoo zoo zoo zoo zoo wrong", "a b c d e f", "é\x00\xff south"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := sixwords.Parse(text)
		var word *sixwords.WordError
		if err != nil {
			require.True(t, errors.Is(err, sixwords.ErrCount) || errors.As(err, &word), err)
			return
		}
		require.Len(t, words, sixwords.Count)
		again, err := sixwords.Parse(strings.Join(words, " "))
		require.NoError(t, err)
		require.Equal(t, words, again)
	})
}
