package ui

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// typed feeds an editor and returns its text and the keys that ended something.
func typed(e *editor, text string) (string, []key) {
	var keys []key
	for _, b := range []byte(text) {
		if k := e.feed(b); k != keyText {
			keys = append(keys, k)
		}
	}
	return string(e.text), keys
}

func TestEditorOfALine(t *testing.T) {
	for in, want := range map[string]string{
		"hello\r": "hello", "hello\n": "hello", "héé\x7f\n": "hé", "abc\x15de\n": "de", "one two\x17three\n": "one three",
		"\x7f\x7fa\n": "a", "a\x1b[Db\n": "ab", "a\x1bOPb\n": "ab", "a\x1bxb\n": "ab", "\x1b[200~pasted\x1b[201~\n": "pasted", "a\x01b\n": "ab", "  a \n": "  a ",
	} {
		got, keys := typed(new(editor), in)
		require.Equal(t, want, got, "%q", in)
		require.Equal(t, []key{keyLine}, keys, "%q", in)
	}
	_, keys := typed(new(editor), "\x1b[200~one\ntwo\x1b[201~") // a line is a line, pasted or not
	require.Equal(t, []key{keyLine}, keys)
	_, keys = typed(new(editor), "\x04")
	require.Equal(t, []key{keyEnd}, keys)
}

func TestEditorOfLines(t *testing.T) {
	got, keys := typed(&editor{lines: true}, "a b\nc\x7f\x7fd\n")
	require.Equal(t, "a b\nd\n", got)
	require.Equal(t, []key{keyLine, keyLine}, keys)
	got, keys = typed(&editor{lines: true}, "\x1b[200~a b\r\nc d\n\x1b[201~")
	require.Equal(t, "a b\n\nc d\n", got)
	require.Equal(t, []key{keyLine}, keys, "once everything is there")
	_, keys = typed(&editor{lines: true}, "\x1b[200~a b\nc d\x1b[201~")
	require.Empty(t, keys)
}

// No input makes an editor keep a control character, but line feeds.
func TestEditorKeepsNoControlCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got, _ := typed(&editor{lines: true}, rapid.String().Draw(t, "input"))
		require.False(t, strings.ContainsFunc(got, func(r rune) bool { return r < ' ' && r != '\n' }), "%q", got)
	})
}

func TestWordCount(t *testing.T) {
	for text, want := range map[string]int{"": 0, "10000 one two": 2, `["one", "two"]`: 2, "1. one 2. two\n3. three": 3, "one,two": 2} {
		require.Equal(t, want, WordCount(text), text)
	}
}

func TestPaginate(t *testing.T) {
	require.Equal(t, [][]string{{"a", "b"}}, paginate("\na\nb\n", 80, 24))
	require.Equal(t, [][]string{{"a", "b"}, {"c"}}, paginate("a\nb\nc", 80, 4))
	require.Equal(t, [][]string{{"aaaa"}, {"b", "c"}}, paginate("aaaa\nb\nc", 2, 4)) // a long line takes two rows
	require.Equal(t, [][]string{{"a"}, {"b"}}, paginate("a\nb", 80, 1))
}

func TestWholeLines(t *testing.T) {
	three := func(text string) bool { return WordCount(text) == 3 }
	for text, want := range map[string]string{"a b c\n": "a b c\n", "a\nb\nc\nrm\n": "a\nb\nc\n", "a b c\nd\n\n": "a b c\n", "a b\n": "", "": "", "\n": ""} {
		got, whole := wholeLines(text, three)
		require.Equal(t, want, got, "%q", text)
		require.Equal(t, want != "", whole, "%q", text)
	}
}
