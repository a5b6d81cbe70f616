package did

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the kind of a Token.
type Kind uint8

// The kinds of tokens.
const (
	EOF    Kind = iota
	Word        // an identifier or keyword
	Quoted      // a text in quotes; Text is its content
	Number      // digits as written, with sign, point and exponent
	Symbol      // one of ( ) { } ; : , = . or ->
)

// Token is a word of the language.
type Token struct {
	Kind Kind
	Text string
	// Doc are the comment lines directly before the token, without slashes.
	Doc []string
	// Line and Column are counted from 1.
	Line, Column int
}

// Lexer cuts a source into tokens.
type Lexer struct {
	src       string
	pos       int
	line      int
	lineStart int
}

// NewLexer returns a lexer at the start of src.
func NewLexer(src string) *Lexer { return &Lexer{src: src, line: 1} }

// Errorf is an error at a token.
func (t Token) Errorf(format string, args ...any) error {
	return fmt.Errorf("%d:%d: %s", t.Line, t.Column, fmt.Sprintf(format, args...))
}

// String is the token as an error message shows it.
func (t Token) String() string {
	if t.Kind == EOF {
		return "the end"
	}
	return strconv.Quote(t.Text)
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// Next returns the next token.
func (l *Lexer) Next() (Token, error) {
	doc, err := l.space()
	t := Token{Doc: doc, Line: l.line, Column: l.pos - l.lineStart + 1}
	if err != nil {
		return t, t.Errorf("%v", err)
	}
	if l.pos == len(l.src) {
		return t, nil
	}
	start := l.pos
	switch c := l.src[l.pos]; {
	case isLetter(c):
		for l.pos < len(l.src) && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos])) {
			l.pos++
		}
		t.Kind = Word
	case isDigit(c), (c == '-' || c == '+') && l.pos+1 < len(l.src) && isDigit(l.src[l.pos+1]):
		l.number()
		t.Kind = Number
	case c == '"':
		t.Kind = Quoted
		if t.Text, err = l.quoted(); err != nil {
			return t, t.Errorf("%v", err)
		}
		return t, nil
	case strings.HasPrefix(l.src[l.pos:], "->"), strings.HasPrefix(l.src[l.pos:], "=="),
		strings.HasPrefix(l.src[l.pos:], "!=") || strings.HasPrefix(l.src[l.pos:], "!:"):
		l.pos += 2
		t.Kind = Symbol
	case strings.IndexByte("(){};:,=.", c) >= 0:
		l.pos++
		t.Kind = Symbol
	default:
		r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
		return t, t.Errorf("unexpected character %q", r)
	}
	t.Text = l.src[start:l.pos]
	return t, nil
}

// number passes over digits, a hexadecimal prefix, a fraction and an exponent.
func (l *Lexer) number() {
	l.pos++
	for ; l.pos < len(l.src); l.pos++ {
		c := l.src[l.pos]
		afterE := l.src[l.pos-1]|0x20 == 'e' && (c == '-' || c == '+')
		if !isDigit(c) && !isLetter(c) && c != '.' && !afterE {
			return
		}
	}
}

// space passes over white space and comments and returns the lines of the
// comments that belong to what follows: those not separated from it by an empty
// line, and not standing behind something on the same line.
func (l *Lexer) space() (doc []string, err error) {
	newlines := 0
	if l.pos == 0 {
		newlines = 1
	}
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case rest[0] == '\n':
			l.pos++
			l.line++
			l.lineStart = l.pos
			if newlines++; newlines > 1 {
				doc = nil
			}
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r':
			l.pos++
		case strings.HasPrefix(rest, "//"):
			line, _, _ := strings.Cut(rest, "\n")
			l.pos += len(line)
			if newlines > 0 {
				line = strings.TrimLeft(line, "/")
				doc = append(doc, strings.TrimRight(strings.TrimPrefix(line, " "), " \t\r"))
				newlines = 0
			}
		case strings.HasPrefix(rest, "/*"):
			if err := l.blockComment(); err != nil {
				return nil, err
			}
		default:
			return doc, nil
		}
	}
	return doc, nil
}

// blockComment passes over a comment, in which others may be nested.
func (l *Lexer) blockComment() error {
	depth := 0
	for l.pos < len(l.src) {
		switch rest := l.src[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return nil
			}
		default:
			if rest[0] == '\n' {
				l.line++
				l.lineStart = l.pos + 1
			}
			l.pos++
		}
	}
	return fmt.Errorf("a comment does not end")
}

// quoted reads a text in quotes. The result may be any bytes, as escapes such
// as \ff stand for bytes.
func (l *Lexer) quoted() (string, error) {
	var b []byte
	l.pos++
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch c {
		case '"':
			return string(b), nil
		case '\n':
			return "", fmt.Errorf("a text does not end on its line")
		case '\\':
			var err error
			if b, err = l.escape(b); err != nil {
				return "", err
			}
		default:
			b = append(b, c)
		}
	}
	return "", fmt.Errorf("a text does not end")
}

func (l *Lexer) escape(b []byte) ([]byte, error) {
	rest := l.src[l.pos:]
	if rest == "" {
		return nil, fmt.Errorf("a text ends in the middle of an escape")
	}
	if i := strings.IndexByte(`ntr"'\`, rest[0]); i >= 0 {
		l.pos++
		return append(b, "\n\t\r\"'\\"[i]), nil
	}
	if strings.HasPrefix(rest, "u{") {
		hex, _, ok := strings.Cut(rest[2:], "}")
		n, err := strconv.ParseUint(strings.ReplaceAll(hex, "_", ""), 16, 32)
		if !ok || err != nil || !utf8.ValidRune(rune(n)) {
			return nil, fmt.Errorf("an escape %q is not \\u{…} with the number of a character", rest[:min(len(rest), 10)])
		}
		l.pos += len(hex) + 3
		return utf8.AppendRune(b, rune(n)), nil
	}
	if len(rest) >= 2 {
		if n, err := strconv.ParseUint(rest[:2], 16, 8); err == nil {
			l.pos += 2
			return append(b, byte(n)), nil
		}
	}
	return nil, fmt.Errorf("unknown escape \\%c", rest[0])
}
