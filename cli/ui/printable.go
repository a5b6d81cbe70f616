package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"kedge/ic/principal"
)

// Printable shows text that somebody else chose, such as an alias. Whatever a reader could not see, or
// that would steer the terminal, is escaped, and the text is then in quotes: two texts that differ look
// different.
func Printable(s string) string {
	plain := s != "" && s[0] != ' ' && s[len(s)-1] != ' ' && !strings.Contains(s, "  ")
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
			plain = false
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
			plain = false
		case !visible(r):
			escape(&b, r)
			plain = false
		default:
			b.WriteRune(r)
		}
	}
	if plain {
		return s
	}
	return `"` + b.String() + `"`
}

// Harmless escapes what would steer the terminal in text that is otherwise shown as it is, such as the
// sentences of a canister. Line feeds stay.
func Harmless(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != utf8.RuneError && !visible(r) }) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || visible(r):
			b.WriteRune(r)
		default:
			escape(&b, r)
		}
	}
	return b.String()
}

func escape(b *strings.Builder, r rune) {
	switch r {
	case '\n':
		b.WriteString(`\n`)
	case '\r':
		b.WriteString(`\r`)
	case '\t':
		b.WriteString(`\t`)
	default:
		if r < 0x80 {
			fmt.Fprintf(b, `\x%02x`, r)
		} else {
			fmt.Fprintf(b, `\u{%x}`, r)
		}
	}
}

// visible reports whether a character is seen. Unicode has letters and marks that are not: those that
// "should be ignored by default" (Unicode Standard, property Default_Ignorable_Code_Point), fillers,
// and blanks other than the space.
func visible(r rune) bool {
	switch {
	case r == ' ':
		return true
	case !unicode.IsPrint(r), unicode.IsSpace(r):
		return false
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	case r == '\u2800', r == '\U0001D159': // the empty Braille cell, the null note head
		return false
	}
	return true
}

// ShortPrincipal is the beginning and end of a principal, enough to tell the devices of an anchor apart.
// It is no proof: whoever computes long enough finds a key with the same ends.
func ShortPrincipal(p principal.Principal) string {
	text := p.Text()
	const first, last = 11, 3
	if len(text) <= first+last+1 {
		return text
	}
	return text[:first] + "…" + text[len(text)-last:]
}
