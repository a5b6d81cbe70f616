package webauthn

import (
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth is how deep values may be nested that are skipped.
const maxJSONDepth = 16

// scanner reads JSON in valid UTF-8, strictly as RFC 8259.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next skips space and returns the byte after it, 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) expect(want byte) error {
	if s.next() != want || s.pos == len(s.data) {
		return fmt.Errorf("expected %q", want)
	}
	s.pos++
	return nil
}

// list reads what stands between two brackets, separated by commas.
func (s *scanner) list(opening, closing byte, element func() error) error {
	if err := s.expect(opening); err != nil {
		return err
	}
	if s.next() == closing {
		s.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.next() == closing {
			s.pos++
			return nil
		}
		if err := s.expect(','); err != nil {
			return err
		}
	}
}

// object reads an object; member reads the value of the name.
func (s *scanner) object(member func(name string) error) error {
	return s.list('{', '}', func() error {
		name, err := s.text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(name)
	})
}

func (s *scanner) boolean() (bool, error) {
	s.space()
	switch {
	case s.word("true"):
		return true, nil
	case s.word("false"):
		return false, nil
	}
	return false, errors.New("expected true or false")
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return false
	}
	s.pos += len(w)
	return true
}

// skip reads a value of any kind.
func (s *scanner) skip(depth int) error {
	if depth == 0 {
		return errors.New("nested too deep")
	}
	switch c := s.next(); {
	case c == '"':
		_, err := s.text()
		return err
	case c == '{':
		return s.object(func(string) error { return s.skip(depth - 1) })
	case c == '[':
		return s.list('[', ']', func() error { return s.skip(depth - 1) })
	case c == '-' || digit(c):
		return s.number()
	case s.word("true"), s.word("false"), s.word("null"):
		return nil
	}
	return errors.New("expected a value")
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) digits() error {
	start := s.pos
	for s.pos < len(s.data) && digit(s.data[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		return errors.New("expected a digit")
	}
	return nil
}

func (s *scanner) number() error {
	s.word("-")
	zero := s.pos < len(s.data) && s.data[s.pos] == '0'
	start := s.pos
	if err := s.digits(); err != nil {
		return err
	}
	if zero && s.pos > start+1 {
		return errors.New("number with a leading zero")
	}
	if s.word(".") {
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.word("e") || s.word("E") {
		if !s.word("+") {
			s.word("-")
		}
		return s.digits()
	}
	return nil
}

// text reads a string.
func (s *scanner) text() (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	var out []byte
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		s.pos++
		switch {
		case c == '"':
			return string(out), nil
		case c < 0x20:
			return "", errors.New("control character in a string")
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return "", errors.New("string without an end")
}

func (s *scanner) escape() (rune, error) {
	if s.pos == len(s.data) {
		return 0, errors.New("string without an end")
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicode()
	}
	return 0, fmt.Errorf("unknown escape %q", c)
}

// unicode reads the digits of an escape \uXXXX, and of the second one that a surrogate needs.
func (s *scanner) unicode() (rune, error) {
	high, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(high) {
		return high, err
	}
	if s.word(`\u`) {
		low, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, errors.New("escape of half a character")
}

func (s *scanner) hex4() (rune, error) {
	if len(s.data)-s.pos < 4 {
		return 0, errors.New("expected four hexadecimal digits")
	}
	var r rune
	for _, c := range s.data[s.pos : s.pos+4] {
		switch {
		case digit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, errors.New("expected four hexadecimal digits")
		}
	}
	s.pos += 4
	return r, nil
}
