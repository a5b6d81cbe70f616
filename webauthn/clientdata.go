package webauthn

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxClientData is the greatest size of client data that is accepted, in bytes.
const MaxClientData = 4096

// The types of ceremonies.
const (
	TypeGet    = "webauthn.get"
	TypeCreate = "webauthn.create"
)

// ClientData is what the browser says about a ceremony (WebAuthn section 5.8.1).
type ClientData struct {
	Type        string
	Challenge   string // base64url without padding, as it stands there
	Origin      string
	CrossOrigin bool    // false if absent
	TopOrigin   *string // nil if absent
}

// ParseClientData reads client data: one JSON object (RFC 8259) in UTF-8. Browsers may add members and
// space, so a prefix as of the limited verification algorithm of section 5.8.1.2 is not asked for, and
// unknown members are skipped. A name that occurs twice is refused, since readers differ in which
// value they take; so are members of the wrong type and escapes of half a character.
func ParseClientData(data []byte) (*ClientData, error) {
	if len(data) > MaxClientData {
		return nil, fmt.Errorf("client data: %d bytes, at most %d are accepted", len(data), MaxClientData)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("client data is not UTF-8")
	}
	s := scanner{data: data}
	c, err := s.clientData()
	if err != nil {
		return nil, fmt.Errorf("client data, byte %d: %w", s.pos, err)
	}
	return c, nil
}

// DecodeClientData reads client data as a relying party does: a byte order mark before the object is dropped,
// as the UTF-8 decoding of WebAuthn section 7.2 asks for. The Internet Computer itself takes none.
func DecodeClientData(data []byte) (*ClientData, error) {
	return ParseClientData(bytes.TrimPrefix(data, []byte("\ufeff")))
}

func (s *scanner) clientData() (*ClientData, error) {
	var c ClientData
	seen := map[string]bool{}
	err := s.object(func(name string) (err error) {
		if seen[name] {
			return fmt.Errorf("member %q occurs twice", name)
		}
		seen[name] = true
		switch name {
		case "type":
			c.Type, err = s.text()
		case "challenge":
			c.Challenge, err = s.text()
		case "origin":
			c.Origin, err = s.text()
		case "crossOrigin":
			c.CrossOrigin, err = s.boolean()
		case "topOrigin":
			var top string
			top, err = s.text()
			c.TopOrigin = &top
		default:
			return s.skip(maxJSONDepth)
		}
		if err != nil {
			return fmt.Errorf("member %q: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if s.space(); s.pos != len(s.data) {
		return nil, errors.New("something comes after the object")
	}
	for _, name := range []string{"type", "challenge", "origin"} {
		if !seen[name] {
			return nil, fmt.Errorf("member %q is missing", name)
		}
	}
	return &c, nil
}
