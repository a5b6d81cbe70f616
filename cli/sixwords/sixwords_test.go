package sixwords_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/cli/sixwords"
	"kedge/ic/principal"
)

// The vectors were computed by ten lines of Python from the definition in kedge.did, with hashlib, base64 and
// the list english.txt of BIP-39 (SHA-256 2f5eed53a4727b4b…).
func TestVectors(t *testing.T) {
	const key = "sujxp-xpuw2-ot6w5-af6uq-5wgtw-khvph-ciq7n-ga5dq-q63oi-c6wev-pqe" // of the bytes "a key"
	require.Equal(t, key, principal.SelfAuthenticating([]byte("a key")).Text())
	for _, c := range []struct {
		anchor     uint64
		key, words string
	}{
		{10000, "2vxsx-fae", "asset weasel degree glimpse grit panther"},
		{10000, key, "south brand reflect joy cover turn"},
		{10001, key, "catalog aunt gorilla service session mechanic"},
		{math.MaxUint64, key, "either physical image ocean flavor topple"},
	} {
		require.Equal(t, c.words, strings.Join(sixwords.Of(c.anchor, principal.MustParse(c.key)), " "))
	}
}

func TestParse(t *testing.T) {
	want := strings.Fields("south brand reflect joy cover turn")
	for _, text := range []string{
		"south brand reflect joy cover turn", "  South, BRAND; reflect\njoy - cover…turn.\n", "1. south 2. brand 3. reflect 4. joy 5. cover 6. turn",
		"sout bran refl joy cove turn",
	} {
		words, err := sixwords.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, words)
	}
	for _, text := range []string{"", "south", "south brand reflect joy cover", "south brand reflect joy cover turn turn"} {
		_, err := sixwords.Parse(text)
		require.ErrorIs(t, err, sixwords.ErrCount, text)
	}
	_, err := sixwords.Parse("south brand reflect jo cover turn")
	var word *sixwords.WordError
	require.ErrorAs(t, err, &word)
	require.Equal(t, sixwords.WordError{Position: 4, Word: "jo"}, *word)
}

// Whatever is typed, at most the words of the key match, and those always do.
func TestWordsOfAnyKeyAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := principal.SelfAuthenticating(rapid.SliceOf(rapid.Byte()).Draw(t, "key"))
		anchor := rapid.Uint64().Draw(t, "anchor")
		words, err := sixwords.Parse(strings.Join(sixwords.Of(anchor, key), " "))
		require.NoError(t, err)
		require.True(t, sixwords.Match(words, anchor, key))
		require.False(t, sixwords.Match(words, anchor+1, key))
		i := rapid.IntRange(0, sixwords.Count-1).Draw(t, "word")
		words[i] = map[bool]string{true: "zoo", false: "abandon"}[words[i] == "abandon"]
		require.False(t, sixwords.Match(words, anchor, key))
	})
}
