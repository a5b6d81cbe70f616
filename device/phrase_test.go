package device

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// abandonArt is the published all-zero phrase of BIP-39, in use by everybody's tests.
var abandonArt = strings.Repeat("abandon ", 23) + "art"

func TestParsePhrase(t *testing.T) {
	tests := []struct {
		name, text string
		anchor     uint64
		hasAnchor  bool
	}{
		{name: "as written", text: abandonArt},
		{name: "upper case", text: strings.ToUpper(abandonArt)},
		{name: "white space of every kind", text: "  " + strings.ReplaceAll(abandonArt, " ", " \t\n ") + "\r\n"},
		{name: "anchor first", text: "10000 " + abandonArt, anchor: 10000, hasAnchor: true},
		{name: "twelve words", text: strings.TrimSpace(strings.Repeat("all ", 12))},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p, err := ParsePhrase(tc.text)
			require.NoError(t, err)
			n, ok := p.Anchor()
			require.Equal(t, tc.anchor, n)
			require.Equal(t, tc.hasAnchor, ok)
		})
	}
}

func TestParsePhraseRefuses(t *testing.T) {
	replace := func(position int, word string) string {
		words := strings.Fields(abandonArt)
		words[position-1] = word
		return strings.Join(words, " ")
	}
	tests := []struct{ name, text, err string }{
		{"nothing", "", "a recovery phrase has 12, 15, 18, 21 or 24 words, this one has 0"},
		{"only an anchor", "10000", "a recovery phrase has 12, 15, 18, 21 or 24 words, this one has 0"},
		{"a word too few", strings.TrimPrefix(abandonArt, "abandon "), "a recovery phrase has 12, 15, 18, 21 or 24 words, this one has 23"},
		{"a typo", replace(7, "abandom"), `word 7 is not in the BIP-39 list`},
		{"letters swapped", replace(7, "abnadon"), `word 7 is not in the BIP-39 list`},
		{"no such word", replace(24, "xylophone"), `word 24 is not in the BIP-39 list`},
		{"position without the anchor", "10000 " + replace(2, "abandonn"), `word 2 is not in the BIP-39 list`},
		{"not ASCII", replace(1, "abandón"), `word 1 is not in the BIP-39 list`},
		{"another word", replace(24, "ability"), ErrPhraseChecksum.Error()},
		{"anchor beyond 64 bits", "18446744073709551616 " + abandonArt, `the anchor number "18446744073709551616" before the words is too large`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParsePhrase(tc.text)
			require.EqualError(t, err, tc.err)
		})
	}
}

func TestParsePhraseTakesWhatPeoplePaste(t *testing.T) {
	words := strings.Fields(abandonArt)
	var numbered, dotted strings.Builder
	for i, w := range words {
		fmt.Fprintf(&numbered, "%d %s\n", i+1, w)
		fmt.Fprintf(&dotted, "%d. %s, ", i+1, w)
	}
	for name, text := range map[string]string{
		"lines": strings.Join(words, "\r\n"), "commas": strings.Join(words, ","), "JSON": `["` + strings.Join(words, `", "`) + `"]`,
		"four letters": strings.ReplaceAll(abandonArt, "abandon", "aban"), "capitals": strings.ToUpper(abandonArt),
		"numbered": numbered.String(), "numbered with dots": dotted.String(), "quotes": `"` + abandonArt + `"`,
		"no-break spaces": strings.Join(words, "\u00a0"), "a byte order mark": "\ufeff" + abandonArt,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePhrase(text)
			require.NoError(t, err)
			require.Equal(t, words, p.Words())
		})
	}
	_, err := ParsePhrase("1 " + abandonArt)
	require.NoError(t, err, "anchor 1, not a numbered word")
	_, err = ParsePhrase(strings.Replace(abandonArt, "abandon", "aband", 1))
	require.EqualError(t, err, "word 1 is not in the BIP-39 list", "five letters are a word or a slip")
}

// The error of a typo says which word; what was typed and what may be meant is said to the terminal alone.
func TestWordErrorExplains(t *testing.T) {
	for typed, want := range map[string]string{
		"abandom": `word 1 "abandom" is not in the list, did you mean "abandon"?`, "abnadon": `word 1 "abnadon" is not in the list, did you mean "abandon"?`,
		"xylophone": `word 1 "xylophone" is not in the list`, "abandón": `word 1 "abandón" is not in the list, did you mean "abandon"?`,
	} {
		_, err := ParsePhrase(strings.Replace(abandonArt, "abandon", typed, 1))
		var wrong *WordError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, want, wrong.Explain())
		require.NotContains(t, err.Error(), typed)
		require.NotContains(t, err.Error(), "abandon")
	}
}

// The values were computed independently, with another implementation of the same standards.
func TestPhraseKeyIsInternetIdentitys(t *testing.T) {
	p, err := ParsePhrase("10000 " + abandonArt)
	require.NoError(t, err)
	require.Equal(t, "408b285c123836004f4b8842c89324c1f01382450c0d439af345ba7fc49acf705489c6fc77dbd4e3dc1dd8cc6bc9f043db8ada1e243c4a0eafb290d399480840",
		hex.EncodeToString(p.Seed()))
	require.Equal(t, "302a300506032b65700321006bdc6dec43e41c28d3e31049cd9e583c41ad8d67c96444b584cb553873eec6d9",
		hex.EncodeToString(p.Key().PublicKey()))
	require.Equal(t, "5nrsv-gw4hr-5wxr4-pws3a-cdgs2-kih6n-5liig-ylgxg-inbpv-3spsz-uae", AgentIdentity(p.Key()).Sender().String())

	p, err = ParsePhrase(strings.Repeat("all ", 12))
	require.NoError(t, err)
	require.Equal(t, "upq6a-vekgr-pmobe-oloni-5zry3-vcacx-fcq7s-rkvza-furmw-744fb-tae", AgentIdentity(p.Key()).Sender().String())
}

func TestNewPhrase(t *testing.T) {
	p, err := NewPhrase(rand.Reader)
	require.NoError(t, err)
	require.Len(t, p.Words(), 24)
	again, err := ParsePhrase(strings.Join(p.Words(), " "))
	require.NoError(t, err)
	require.True(t, p.Equal(again))
	other, err := NewPhrase(rand.Reader)
	require.NoError(t, err)
	require.False(t, p.Equal(other))

	_, err = NewPhrase(bytes.NewReader(make([]byte, 31)))
	require.ErrorContains(t, err, "drawing a recovery phrase")
	zero, err := NewPhrase(bytes.NewReader(make([]byte, 32)))
	require.NoError(t, err)
	require.Equal(t, abandonArt, strings.Join(zero.Words(), " "))
}

func TestPhraseDoesNotPrintItself(t *testing.T) {
	p, err := ParsePhrase(abandonArt)
	require.NoError(t, err)
	private := hex.EncodeToString(p.Key().private)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, p), "abandon", verb)
		require.NotContains(t, fmt.Sprintf(verb, &p), "abandon", verb)
		require.NotContains(t, fmt.Sprintf(verb, p), hex.EncodeToString([]byte("abandon")), verb)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(verb, p.Key()), private, verb)
		require.Contains(t, fmt.Sprintf(verb, p.Key()), "key of a recovery phrase", verb)
	}
}

func TestZeroPhraseHasNoKey(t *testing.T) {
	require.Panics(t, func() { Phrase{}.Key() })
}

func TestPhraseRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entropy := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "entropy")
		p, err := NewPhrase(bytes.NewReader(entropy))
		require.NoError(t, err)
		words := p.Words()
		i := rapid.IntRange(0, 23).Draw(t, "position")
		words[i] += "q"
		_, err = ParsePhrase(strings.Join(words, " "))
		var wrong *WordError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, i+1, wrong.Position)
		require.NotEmpty(t, wrong.Suggestion)
	})
}

func FuzzParsePhrase(f *testing.F) {
	f.Add(abandonArt)
	f.Add("10000 " + abandonArt)
	f.Add("word 1 \x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePhrase(text)
		if err != nil {
			require.Empty(t, p.Words(), "a phrase that was refused must not be usable")
			return
		}
		again, err := ParsePhrase(strings.Join(p.Words(), " "))
		require.NoError(t, err)
		require.True(t, p.Equal(again))
	})
}
