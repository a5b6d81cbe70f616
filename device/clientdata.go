package device

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// clientData returns the JSON that a WebAuthn client signs for an assertion, in the byte-for-byte
// order of WebAuthn Level 3, section 5.8.1.1 ("CollectedClientData serialization"):
//
//	{"type":"webauthn.get","challenge":"BASE64URL","origin":"https://…","crossOrigin":false}
//
// A verifier that compares prefixes (the limited verification algorithm) accepts it as one that
// parses does.
func clientData(challenge []byte, origin string) ([]byte, error) {
	if !utf8.ValidString(origin) {
		return nil, fmt.Errorf("origin %q is not UTF-8", origin)
	}
	var b strings.Builder
	b.WriteString(`{"type":"webauthn.get","challenge":"`)
	b.WriteString(base64.RawURLEncoding.EncodeToString(challenge))
	b.WriteString(`","origin":`)
	writeClientString(&b, origin)
	b.WriteString(`,"crossOrigin":false}`)
	return []byte(b.String()), nil
}

// writeClientString is CCDToString of section 5.8.1.1: only the quotation mark, the backslash and
// the control characters below U+0020 are escaped, the latter always as \u and four digits.
func writeClientString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
