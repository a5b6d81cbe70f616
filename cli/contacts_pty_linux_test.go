package cli_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The six words are typed on the terminal, whatever standard input is; what cannot be read is asked for again.
func TestSixWordsAreTyped(t *testing.T) {
	v := openVillage(t)
	r := v.recovery("fresh")
	words := strings.Join(r.Words, " ")
	approve := []string{"contact", "approve", "10000", r.Principal}
	for _, c := range []struct {
		name   string
		lines  []string
		code   int
		output string
	}{
		{"others", []string{"zoo zoo zoo zoo zoo wrong\r"}, 1, "these are not the six words of the key, and nothing was sent"},
		{"the last two swapped", []string{strings.Join(append(append([]string{}, r.Words[:4]...), r.Words[5], r.Words[4]), " ") + "\r"}, 1, "nothing was sent"},
		{"never six", []string{"\r", "zoo\r", words + " zoo\r"}, 1, "the new key has six words, and these are 7; nothing was sent"},
		{"no word", []string{"zoo zoo zoo kedge zoo zoo\r", words + "\r"}, 0, `word 4 "kedge" is not in the list; ask for the words again`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openScreen(t, 24, 80)
			s.start(v.env("anna"), approve...)
			for i, line := range c.lines {
				s.await(func() bool { return strings.Count(s.text(), "six words: ") > i })
				s.typeKeys(line)
			}
			code, output := s.wait()
			require.Equal(t, c.code, code, output)
			require.Contains(t, output, c.output)
			s.requireRestored()
		})
	}
	require.Equal(t, 1, v.recovery("fresh").Approvals, "the last one")
}

// Whoever breaks off at a question finds a usual terminal, and nothing was done.
func TestInterruptedContacts(t *testing.T) {
	v := openVillage(t)
	r := v.recovery("fresh")
	v.must("owner", "device", "protect", "phone", "--phrase-file", "words.txt")
	v.must("owner", "device", "list", "--as", "phone")
	asksForPassphrase := func(who string) map[string]string {
		env := v.env(who)
		env["KEDGE_PASSPHRASE_FILE"] = ""
		return env
	}
	for name, c := range map[string]struct {
		env    map[string]string
		prompt string
		args   []string
	}{
		"the six words":             {v.env("anna"), "six words: ", []string{"contact", "approve", "10000", r.Principal}},
		"to what a device agrees":   {v.env("owner"), "go on? type yes: ", []string{"contacts", "agree", "--as", "phone"}},
		"the end of the contacts":   {v.env("owner"), "go on? type yes: ", []string{"contacts", "end", "--as", "phone"}},
		"the passphrase of the key": {asksForPassphrase("nobody"), "passphrase for the new key store", []string{"recover", "--anchor", "10000"}},
	} {
		for how, end := range map[string]func(*screen){
			"Ctrl-C": func(s *screen) { s.typeKeys("half\x03") },
			"TERM":   func(s *screen) { s.typeKeys("half"); require.NoError(t, s.program.Process.Signal(syscall.SIGTERM)) },
		} {
			t.Run(how+" at "+name, func(t *testing.T) {
				s := openScreen(t, 24, 80)
				s.start(c.env, c.args...)
				s.expect(c.prompt)
				end(s)
				code, output := s.wait()
				require.Equal(t, 130, code, output)
				require.Contains(t, output, "kedge: error: interrupted\n")
				s.requireRestored()
			})
		}
	}
	require.Zero(t, v.recovery("fresh").Approvals)
	require.NoFileExists(t, filepath.Join(v.dir, "nobody.age"))
	shown := v.must("owner", "contacts", "show", "--as", "laptop")
	require.Contains(t, shown, "2 of 3 must approve")
	require.Regexp(t, `not agreed: phone \(`, shown)
	code, _, stderr := v.run(nil, "anna", "contact", "approve", "10000", r.Principal)
	require.Equal(t, 6, code)
	require.Contains(t, stderr, "kedge: hint: --words-file - reads them from standard input\n")
	// Declined is not interrupted.
	p := &person{answers: []func(*person) string{say("no")}}
	code, _, stderr = v.run(p, "owner", "contacts", "agree", "--as", "phone")
	require.Equal(t, 6, code)
	require.Contains(t, stderr, "kedge: error: nothing was done\n")
	require.Regexp(t, `^the contacts were named 20[0-9-]+ [0-9:]+ \S+ \((now|\d+ seconds? ago)\) by Recovery phrase \(\S+\)\ndevice "phone" would be released when 2 of the anchors 10001, 10002, 10003 approve a new key and 7d pass without a call of any protected device; go on\? type yes: $`, p.prompts[0])
}

// Ctrl-C leaves the wait, and nothing is lost.
func TestWaitIsLeft(t *testing.T) {
	v := openVillage(t)
	s := openScreen(t, 24, 80)
	s.start(v.env("fresh"), "recover", "--anchor", "10000", "--wait")
	s.awaitOutput("approved by no contact yet")
	s.typeKeys("\x03")
	code, output := s.wait()
	require.Equal(t, 130, code, output)
	require.Contains(t, output, "kedge: hint: nothing is lost; kedge recover --anchor 10000 goes on later\n")
	s.requireRestored()
	require.Equal(t, "asking", v.recovery("fresh").State)
}
