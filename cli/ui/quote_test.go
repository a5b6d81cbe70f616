package ui_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/cli/ui"
)

func TestQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"laptop": "laptop", "key/label": "key/label", "": "''", "spare key": "'spare key'", "Anna's phone": `'Anna'\''s phone'`, "$(id)": "'$(id)'", "ä": "'ä'",
	} {
		require.Equal(t, want, ui.Quoted(name))
	}
}

// A shell reads back what was quoted, and runs nothing of it.
func TestShellsReadWhatIsQuoted(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell")
	}
	names := rapid.StringOfN(rapid.RuneFrom([]rune("ab $`\"'\\;&|<>*?~#!\n(){}[]=")), 0, 12, -1)
	for i := range 40 {
		name := names.Example(i)
		out, err := exec.Command("sh", "-c", "printf %s "+ui.Quoted(name)).Output()
		require.NoError(t, err)
		require.Equal(t, name, string(out))
	}
}
