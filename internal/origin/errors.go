package origin

import "fmt"

// Rule names what an origin must be. The names are part of testdata/cases.json.
type Rule string

// The rules, in the order in which they are checked.
const (
	Empty     Rule = "empty"     // there is an origin
	Null      Rule = "null"      // not that of a page without one
	Scheme    Rule = "scheme"    // it begins with https:// or http://
	Character Rule = "character" // no blank, control character or backslash in it
	UserInfo  Rule = "userinfo"  // no user name or password
	Query     Rule = "query"     // nothing behind host and port: no ?…
	Fragment  Rule = "fragment"  // … no #…
	Path      Rule = "path"      // … no path
	Host      Rule = "host"      // the host is a domain or an address
	Port      Rule = "port"      // the port is a number below 65,536
	Length    Rule = "length"    // at most MaxLen bytes
)

// Error says why a text is no origin.
type Error struct {
	Rule    Rule
	Instead string // the origin that may be meant, or none
}

func refuse(rule Rule) *Error { return &Error{Rule: rule} }

func (e *Error) Error() string {
	text := texts[e.Rule]
	if e.Instead != "" {
		text += fmt.Sprintf("; write %q if that is the application", e.Instead)
	}
	return text
}

var texts = map[Rule]string{
	Empty:     "no origin: write the address of the application, as https://app.example",
	Null:      `"null" is what browsers call a page without an origin (a sandboxed frame, a file); nobody can sign in there`,
	Scheme:    "an origin begins with https:// or http://",
	Character: "an origin has no blanks, control characters or backslashes in it",
	UserInfo:  "an origin has no user name or password before its host",
	Path:      "an origin ends after host and port, without a path",
	Query:     "an origin ends after host and port, without ? and what follows",
	Fragment:  "an origin ends after host and port, without # and what follows",
	Host:      "the host of the origin is neither a domain name nor an address",
	Port:      "the port of the origin is not a number from 0 to 65535",
	Length:    fmt.Sprintf("an origin has at most %d bytes", MaxLen),
}
