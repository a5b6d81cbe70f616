package assets

import "strings"

// The marks that end an expression path.
const (
	exactMark    = "<$>"
	wildcardMark = "<*>"
)

func isMark(segment string) bool { return segment == exactMark || segment == wildcardMark }

// maxLooked bounds how many segments of a path are looked at. It is more than the tree is deep: what is that
// long is not there.
const maxLooked = maxSegments + 8

// segmentsOf returns the segments of the path of a URL as gateways see them: decoded before it is split, so
// that %2F is a slash, without empty ones, and with one empty segment behind a slash at the end. So "/" is one
// empty segment.
func segmentsOf(url string) []string {
	url, _, _ = strings.Cut(url, "?")
	url, _, _ = strings.Cut(url, "#")
	path := unescape(url)
	out := make([]string, 0, maxSegments)
	for rest := path; rest != "" && len(out) < maxLooked; {
		segment := rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			segment, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		if segment != "" {
			out = append(out, segment)
		}
	}
	if len(out) < maxLooked && (path == "" || path[len(path)-1] == '/') {
		out = append(out, "")
	}
	return out
}

// unescape decodes %XX. What is no escape stays.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isHex(c byte) bool { return unhex(c) < 16 }

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// AcceptsGzip reads the header Accept-Encoding (RFC 9110, section 12.5.3): whether a client takes gzip.
func AcceptsGzip(header string) bool {
	star := false
	for header != "" {
		part := header
		if i := strings.IndexByte(header, ','); i >= 0 {
			part, header = header[:i], header[i+1:]
		} else {
			header = ""
		}
		coding, parameters, _ := strings.Cut(part, ";")
		switch coding = strings.TrimSpace(coding); {
		case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
			return !isZero(parameters)
		case coding == "*":
			star = !isZero(parameters)
		}
	}
	return star
}

// isZero reports whether the weight is q=0, which means "not at all".
func isZero(parameters string) bool {
	name, value, ok := strings.Cut(parameters, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return false
	}
	value = strings.TrimSpace(value)
	return value != "" && strings.Trim(value, "0.") == ""
}
