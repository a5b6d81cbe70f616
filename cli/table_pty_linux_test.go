package cli_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// Tables fit the window: what is wider stands below each other, in the letters of the locale; colours are off where
// NO_COLOR or a dumb terminal ask for that, and elsewhere mean nothing that is not in words.
func TestTablesOnATerminal(t *testing.T) {
	for name, c := range map[string]struct {
		columns uint16
		env     []string
		shows   string
	}{
		"wide":   {160, []string{"LC_ALL=C.UTF-8"}, "SETTING"},
		"narrow": {40, []string{"LC_ALL=C.UTF-8"}, "\nsetting  network\nvalue    http://127.0.0.1:1\nfrom     KEDGE_NETWORK\n"},
		"ASCII":  {40, []string{"LC_ALL=C"}, "value    K\\u{fc}che\n"},
		"dumb":   {40, []string{"LC_ALL=C.UTF-8", "TERM=dumb"}, "value    Küche\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openScreen(t, 40, c.columns)
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := &exec.Cmd{
				Path: self, Args: []string{"kedge", "config", "show"}, Dir: t.TempDir(),
				Stdin: s.device, Stdout: s.device, Stderr: s.device, SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true},
				Env: append(append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME=", "TERM=xterm", "LC_ALL=", "KEDGE_NETWORK=http://127.0.0.1:1", "KEDGE_AS=Küche"), c.env...),
			}
			require.NoError(t, cmd.Run(), "%s", s)
			shown := func() string { return "\n" + strings.ReplaceAll(s.text(), "\r", "") }
			s.readAll()
			require.Contains(t, shown(), c.shows)
			require.NotContains(t, shown(), "\x1b[")
			for _, line := range strings.Split(shown(), "\n") {
				if strings.Contains(line, " ") && !strings.Contains(line, "/") {
					require.LessOrEqual(t, utf8.RuneCountInString(line), int(c.columns))
				}
			}
		})
	}
}
