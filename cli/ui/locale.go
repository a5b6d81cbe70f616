package ui

import (
	"os"
	"strings"

	"golang.org/x/term"
)

// UTF8 reports whether the locale's encoding is UTF-8. As POSIX has it, the first variable counts that is not
// empty.
func (u *UI) UTF8() bool {
	if u.Getenv == nil {
		return true
	}
	for _, variable := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := u.Getenv(variable); value != "" {
			value = strings.ToLower(strings.ReplaceAll(value, "-", ""))
			return strings.HasSuffix(value, "utf8") || strings.Contains(value, ".utf8@")
		}
	}
	return false
}

// OnTerminal reports whether standard output is a terminal.
func (u *UI) OnTerminal() bool {
	f, ok := u.Stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colors reports whether standard output is a terminal that shows colours, and that the person did not ask
// for none (https://no-color.org).
func (u *UI) Colors() bool {
	return u.OnTerminal() && u.Getenv("NO_COLOR") == "" && u.Getenv("TERM") != "dumb"
}
