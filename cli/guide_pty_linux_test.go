package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pathSteps are the steps in the JSON of a guided path, by name.
func pathSteps(t *testing.T, stdout string) map[string]string {
	t.Helper()
	var path struct {
		Steps []struct{ Step, State string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &path), stdout)
	states := map[string]string{}
	for _, s := range path.Steps {
		states[s.Step] = s.State
	}
	return states
}

// A person is led through the set-up, leaves it, and takes it up again; the words are shown, typed back and
// typed once more to consent.
func TestSetupWithAPerson(t *testing.T) {
	url, module, _ := startNetwork(t)
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("passphrase", []byte("a passphrase\n"), 0o600))
	env := map[string]string{"LC_ALL": "C.UTF-8", "KEDGE_PLAIN": "yes", "KEDGE_NETWORK": url, "KEDGE_KEYS": filepath.Join(dir, "keys.age"), "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase")}

	t.Run("left at the first step", func(t *testing.T) {
		p := &person{answers: []func(*person) string{say("no")}}
		code, stdout, stderr := run(t, p, env, "setup", "--module", module)
		require.Zero(t, code, stderr)
		require.Contains(t, stderr, "kedge:   that is: kedge deploy "+module)
		require.Contains(t, stdout, "left for later\n  make a canister on this machine's network and install Kedge: kedge deploy ")
		require.Equal(t, []string{"do it? (yes or no; enter does it, no leaves it for later): "}, p.prompts)
		require.NoDirExists(t, ".kedge")
	})
	t.Run("left at a question", func(t *testing.T) {
		s := openScreen(t, 24, 40) // narrow
		s.start(env, "setup", "--module", module)
		s.expect("do it? ")
		s.typeKeys("\r")
		s.expect("name of the key of this machine")
		s.typeKeys("lap\x03")
		code, output := s.wait()
		require.Equal(t, 130, code, output)
		require.Contains(t, output, "kedge: canister: make a canister")
		require.Contains(t, output, "kedge: what was done stays; kedge setup goes on from there\n")
		require.Contains(t, output, "kedge: error: interrupted\n")
		s.requireRestored()
		require.NoFileExists(t, env["KEDGE_KEYS"])
	})
	var words string
	t.Run("taken up again", func(t *testing.T) {
		remember := func(p *person) string { words = p.words(); return words }
		p := &person{answers: []func(*person) string{
			say("laptop"), say(""), // anchor
			say("perhaps"), say("yes"), remember, // phrase: a slip of the hand is asked about again
			say(""), // no second key
			say("30d"), say("yes"), func(*person) string { return words },
			say(""), // no contacts
		}}
		code, stdout, stderr := run(t, p, env, "setup", "--json")
		require.Zero(t, code, "%s%q", stderr, p.prompts)
		require.Empty(t, p.answers)
		require.Len(t, strings.Fields(words), 24)
		require.Equal(t, map[string]string{
			"network": "there", "canister": "there", "anchor": "done", "phrase": "done", "second key": "left", "consent": "done", "contacts": "left", "report": "done",
		}, pathSteps(t, stdout))
		require.NotContains(t, stdout+stderr, strings.Join(strings.Fields(words)[:3], " "))
	})
	t.Run("nothing is left to do", func(t *testing.T) {
		p := &person{answers: []func(*person) string{say(""), say("")}}
		code, stdout, stderr := run(t, p, env, "setup", "--json")
		require.Zero(t, code, stderr)
		states := pathSteps(t, stdout)
		for _, step := range []string{"anchor", "phrase", "consent"} {
			require.Equal(t, "there", states[step])
		}
	})
	t.Run("a lost device, chosen from the list", func(t *testing.T) {
		code, _, stderr := run(t, nil, env, "device", "add", "phone")
		require.Zero(t, code, stderr)
		code, list, _ := run(t, nil, env, "device", "list", "--json", "--as", "laptop")
		require.Zero(t, code)
		var devices []struct{ Alias string }
		require.NoError(t, json.Unmarshal([]byte(list), &devices))
		place := ""
		for i, d := range devices {
			if d.Alias == "phone" {
				place = string(rune('1' + i))
			}
		}
		p := &person{answers: []func(*person) string{say("9"), say(place), say("yes"), say("no")}}
		code, _, stderr = run(t, p, env, "guide", "lost-device", "--as", "laptop")
		require.Zero(t, code, stderr)
		require.Contains(t, stderr, `kedge: warning: "9" is none of 1, 2, 3 and none`)
		require.Contains(t, stderr, "kedge: removal: remove phone (")
		code, list, _ = run(t, nil, env, "device", "list", "--as", "laptop")
		require.Zero(t, code)
		require.NotContains(t, list, "phone")
	})
	t.Run("a lost device, from a machine that has only the phrase", func(t *testing.T) {
		code, shown, stderr := run(t, nil, env, "device", "add", "tablet", "--json")
		require.Zero(t, code, stderr)
		var added struct{ Anchor json.Number }
		require.NoError(t, json.Unmarshal([]byte(shown), &added))
		elsewhere := map[string]string{"KEDGE_NETWORK": url, "KEDGE_KEYS": filepath.Join(dir, "none.age")}
		p := &person{answers: []func(*person) string{say("no")}}
		code, _, stderr = run(t, p, elsewhere, "guide", "lost-device")
		require.NotZero(t, code)
		require.Contains(t, stderr, "kedge recover --anchor NUMBER")
		p = &person{answers: []func(*person) string{say("yes"), say(added.Anchor.String()), say(words), say("yes"), say("no")}}
		code, _, stderr = run(t, p, elsewhere, "guide", "lost-device", "--device", "tablet")
		require.Zero(t, code, "%s%q", stderr, p.prompts)
		require.Equal(t, 1, strings.Count(strings.Join(p.prompts, "\n"), "recovery phrase: "), "the words are typed once: %q", p.prompts)
		require.NoFileExists(t, elsewhere["KEDGE_KEYS"])
	})
	t.Run("moving, left and taken up again", func(t *testing.T) {
		code, shown, _ := run(t, nil, env, "anchor", "show", "--as", "laptop", "--json")
		require.Zero(t, code)
		var anchor struct{ Anchor json.Number }
		require.NoError(t, json.Unmarshal([]byte(shown), &anchor))
		there := map[string]string{"KEDGE_PLAIN": "yes", "KEDGE_NETWORK": url, "KEDGE_KEYS": filepath.Join(dir, "new.age"), "KEDGE_PASSPHRASE_FILE": env["KEDGE_PASSPHRASE_FILE"]}
		s := openScreen(t, 24, 80)
		s.start(there, "guide", "moving")
		s.expect("number of the anchor: ")
		s.typeKeys(anchor.Anchor.String() + "\r")
		s.expect("name of the key on this machine: ")
		s.typeKeys("desktop\r")
		s.expect("(code, phrase or words): ")
		s.typeKeys("phrase\r")
		s.expect("do it? ")
		s.typeKeys("\r")
		s.expect("recovery phrase: ")
		s.typeKeys("\x03")
		code, output := s.wait()
		require.Equal(t, 130, code, output)
		require.Contains(t, output, "what was done stays; kedge guide moving goes on from there")
		s.requireRestored()

		s = openScreen(t, 24, 80)
		s.start(there, "guide", "moving", "--anchor", anchor.Anchor.String(), "--name", "desktop", "--way", "phrase")
		s.expect("do it? ")
		s.typeKeys("\r")
		s.expect("recovery phrase: ")
		s.typeKeys(words + "\r")
		code, output = s.wait()
		require.Zero(t, code, output)
		require.Contains(t, output, "kedge guide lost-device")
		s.requireNotShown(strings.Join(strings.Fields(words)[:3], " "))
		s.requireRestored()
	})
}
