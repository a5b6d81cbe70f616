// Package origin says which text names a web application.
//
// The principal that a person has at an application is derived from the application's origin, letter by
// letter, and is for ever. So each application must have one text: [Canonical] makes it of what a person
// types, as a browser would (WHATWG URL Standard, "origin" and "host parsing"), and refuses what is no
// origin. [Frontend] then maps the domains under which boundary nodes serve canisters to the one that
// Internet Identity has always derived principals from.
//
// testdata/cases.json is the table of both functions. The web page has the same two functions in
// TypeScript and is tested with the same table.
package origin

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxLen is the greatest length of an origin in bytes: what the canister takes as a frontend.
const MaxLen = 255

// schemed splits a text at the scheme (RFC 3986, section 3.1).
var schemed = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):(.*)$`)

// Canonical returns the origin that the text names as browsers write it: scheme, host and, unless it is
// the scheme's own, port. Blanks around it, upper case, one trailing slash, a default port and a domain
// in its own letters are put right. Everything else is refused with an [*Error] that names the rule; of
// the text it repeats nothing that could be a secret.
func Canonical(text string) (string, error) {
	text = strings.Trim(text, " \t\n\f\r")
	switch text {
	case "":
		return "", refuse(Empty)
	case "null":
		return "", refuse(Null)
	}
	scheme, rest, ok := split(text)
	if !ok {
		e := refuse(Scheme)
		if !strings.Contains(text, "//") {
			e.Instead, _ = Canonical("https://" + text)
		}
		return "", e
	}
	if !utf8.ValidString(rest) || strings.ContainsFunc(rest, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' }) {
		return "", refuse(Character)
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if strings.Contains(authority, "@") {
		return "", refuse(UserInfo)
	}
	if rule := ofTail(tail); rule != "" {
		e := refuse(rule)
		e.Instead, _ = Canonical(scheme + "://" + authority)
		return "", e
	}
	host, port := cutPort(authority)
	if host, ok = canonicalHost(host); !ok {
		return "", refuse(Host)
	}
	port, ok = canonicalPort(scheme, port)
	if !ok {
		return "", refuse(Port)
	}
	origin := scheme + "://" + host + port
	if len(origin) > MaxLen {
		return "", refuse(Length)
	}
	return origin, nil
}

// split returns the scheme, http or https, and what follows "://".
func split(text string) (scheme, rest string, ok bool) {
	parts := schemed.FindStringSubmatch(strings.ReplaceAll(text, "\n", "\x00"))
	if parts == nil {
		return "", "", false
	}
	scheme = strings.ToLower(parts[1])
	rest, ok = strings.CutPrefix(parts[2], "//")
	return scheme, rest, ok && (scheme == "http" || scheme == "https")
}

// ofTail returns the rule that what stands behind host and port offends.
func ofTail(tail string) Rule {
	switch rest := strings.TrimPrefix(tail, "/"); {
	case rest == "":
		return ""
	case rest[0] == '?':
		return Query
	case rest[0] == '#':
		return Fragment
	}
	return Path
}

// cutPort cuts "host:port" and "[address]:port".
func cutPort(authority string) (host, port string) {
	end := 0
	if strings.HasPrefix(authority, "[") {
		end = strings.IndexByte(authority, ']') + 1 // an open bracket is no host
	}
	colon := strings.IndexByte(authority[end:], ':')
	if colon < 0 {
		return authority, ""
	}
	return authority[:end+colon], authority[end+colon+1:]
}

// canonicalPort returns ":port", or nothing where the port is that of the scheme.
func canonicalPort(scheme, port string) (string, bool) {
	if port == "" {
		return "", true
	}
	if strings.Trim(port, "0123456789") != "" {
		return "", false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", false
	}
	if scheme == "https" && n == 443 || scheme == "http" && n == 80 {
		return "", true
	}
	return ":" + strconv.FormatUint(n, 10), true
}

// boundary matches the origins under which boundary nodes serve a canister. Nothing else is mapped: not
// http, not a port, not a deeper name.
var boundary = regexp.MustCompile(`^https://([\w-]+(?:\.raw)?)\.(?:icp0\.io|icp\.net)$`)

// Frontend returns the text that principals at an origin are derived from: https://LABEL.icp0.io,
// https://LABEL.raw.icp0.io and the same under icp.net become the same name under ic0.app, as in Internet
// Identity; any other origin is itself. The origin must be canonical.
func Frontend(origin string) string {
	return boundary.ReplaceAllString(origin, "https://$1.ic0.app")
}
