package cli_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// colours are sequences that select a colour (ECMA-48, SGR 30 to 49 and 90 to 107).
var colours = regexp.MustCompile(`\x1b\[([0-9]+;)*([34][0-9]|9[0-7]|10[0-7])(;[0-9]+)*m`)

// formEnv is the environment of a person with a terminal that shows forms.
func formEnv(t *testing.T, more ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase\n"), 0o600))
	env := map[string]string{
		"LC_ALL": "C.UTF-8", "HOME": dir, "XDG_CONFIG_HOME": "", "KEDGE_PLAIN": "", "NO_COLOR": "",
		"KEDGE_KEYS": filepath.Join(dir, "keys.age"), "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase"),
	}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

// The answers of the set-up are one form, in which a person goes back; each step is asked about below what it says.
func TestSetupForm(t *testing.T) {
	url, module, _ := startNetwork(t)
	t.Chdir(t.TempDir())
	env := formEnv(t, "KEDGE_NETWORK", url)
	code, _, stderr := run(t, nil, env, "deploy", module)
	require.Zero(t, code, stderr)

	t.Run("interrupted", func(t *testing.T) {
		s := openScreen(t, 24, 80)
		s.start(env, "setup")
		s.expect("name of the key of this machine")
		s.typeKeys("lap\x03")
		code, output := s.wait()
		require.Equal(t, 130, code, output)
		require.Contains(t, output, "kedge: what was done stays; kedge setup goes on from there\n")
		require.Contains(t, output, "kedge: error: interrupted\n")
		s.requireRestored()
	})
	t.Run("stopped, gone on with, and left", func(t *testing.T) {
		s := openScreen(t, 24, 80)
		s.startUnderShell(env, "setup")
		s.expect("name of the key of this machine")
		s.typeKeys("lap")
		s.expect("lap")
		s.typeKeys("\x1a")
		s.expect("[stopped, echo true]")
		s.afterwards("[stopped, echo true]", "name of the key of this machine")
		s.typeKeys("top\r\r\r\r")
		s.expect("do it?")
		s.typeKeys("n")
		code, output := s.wait()
		require.Zero(t, code, output)
		require.Contains(t, s.text(), "name of the key of this machine: laptop")
		require.Contains(t, output, "left for later\n  make a key in the key store of this machine")
		s.requireRestored()
		require.NoFileExists(t, env["KEDGE_KEYS"])
	})
	t.Run("filled in, in a narrow window without colours", func(t *testing.T) {
		env["NO_COLOR"] = "1"
		s := openScreen(t, 24, 40)
		s.start(env, "setup", "--new-phrase-file", "words.txt")
		s.expect("name of the key of this machine")
		// To the next field and back, three letters mended, no second key, and another delay.
		s.typeKeys("lapdog\t\x1b[Z\x7f\x7f\x7ftop\r\r\x15" + "soon\r")
		s.expect(`"soon" is not`)
		s.typeKeys("\x15" + "31d\r\r") // no contacts
		for answered := range 3 {      // anchor, phrase, consent
			s.await(func() bool { return strings.Count(s.text(), "do it? yes") >= answered && s.asks("do it?") })
			s.typeKeys("y")
			s.expectCount("do it? yes", answered+1)
		}
		code, output := s.wait()
		require.Zero(t, code, output)
		s.requireRestored()
		require.NotRegexp(t, colours, s.text())
	})
	t.Run("a choice", func(t *testing.T) {
		s := openScreen(t, 24, 60)
		s.start(env, "guide", "lost-device")
		s.expect("which device is lost?")
		s.expect("signs now")
		s.expect("> none of these")
		s.typeKeys("\x1b[B\ry") // from none of them on around to the first, the signer; and the next question
		code, output := s.wait()
		require.Equal(t, 1, code, output)
		require.Contains(t, output, "is the device that signs")
		s.requireRestored()
	})
	for name, c := range map[string]struct {
		columns uint16
		env     map[string]string
		args    []string
	}{
		"TERM=dumb": {80, map[string]string{"TERM": "dumb"}, nil}, "a locale without UTF-8": {80, map[string]string{"LC_ALL": "C"}, nil},
		"a window that is too small": {20, nil, nil}, "the setting": {80, map[string]string{"KEDGE_PLAIN": "yes"}, nil}, "the flag": {80, nil, []string{"--plain"}},
	} {
		t.Run("lines: "+name, func(t *testing.T) {
			s := openScreen(t, 24, c.columns)
			plain := maps.Clone(env)
			maps.Copy(plain, c.env)
			s.start(plain, append([]string{"guide", "moving"}, c.args...)...)
			s.expect("number of the anchor: ")
			require.NotContains(t, s.text(), "\x1b[?")
			s.typeKeys("\x03")
			code, output := s.wait()
			require.Equal(t, 130, code, output)
			s.requireRestored()
		})
	}
}

// asks reports whether a form's question is on the screen that was not answered yet.
func (s *screen) asks(question string) bool {
	text := s.text()
	asked := strings.LastIndex(text, "\x1b[1m"+question)
	return asked >= 0 && !strings.Contains(text[asked:], question+" yes")
}

// expectCount waits until the screen has had a text so often.
func (s *screen) expectCount(text string, times int) {
	s.t.Helper()
	s.await(func() bool { return strings.Count(s.text(), text) >= times }, text)
}

// afterwards waits until the screen has a text after the last of another.
func (s *screen) afterwards(mark, text string) {
	s.t.Helper()
	s.await(func() bool {
		all := s.text()
		at := strings.LastIndex(all, mark)
		return at >= 0 && strings.Contains(all[at:], text)
	}, text, "after", mark)
}

// Prompts are ASCII where the locale is not UTF-8, as everything else is.
func TestPromptsAreASCII(t *testing.T) {
	for locale, want := range map[string]string{"C.UTF-8": "K\u00fcche\u2026/keys.age: ", "C": `K\u{fc}che.../keys.age: `, "": `K\u{fc}che.../keys.age: `} {
		t.Run("locale "+locale, func(t *testing.T) {
			env := keyStore(t)
			moved := filepath.Join(t.TempDir(), "K\u00fcche\u2026", "keys.age")
			require.NoError(t, os.Mkdir(filepath.Dir(moved), 0o700))
			require.NoError(t, os.Rename(env["KEDGE_KEYS"], moved))
			s := openScreen(t, 24, 80)
			s.start(map[string]string{"KEDGE_KEYS": moved, "LC_ALL": locale, "LC_CTYPE": "", "LANG": ""}, "device", "list", "--keys-only")
			s.expect(want)
			s.typeKeys("\x03")
			code, output := s.wait()
			require.Equal(t, 130, code, output)
		})
	}
}
