package cli_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

// agentHome is a home of its own, with the key store of the tests and a runtime folder, whose agent ends with the test.
func agentHome(t *testing.T) map[string]string {
	t.Helper()
	env := keyStore(t)
	runtimeFolder(t, env)
	return env
}

// runtimeFolder gives an environment a runtime folder, and ends the agent of its key store with the test.
func runtimeFolder(t *testing.T, env map[string]string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "kedge") // the path of a socket is short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	env["XDG_RUNTIME_DIR"] = folder
	t.Cleanup(func() {
		code, _, stderr := run(t, nil, env, "key", "lock")
		require.Zero(t, code, stderr)
	})
}

type agentState struct {
	Unlocked bool `json:"unlocked"`
	PID      int  `json:"pid"`
}

func stateOfAgent(t *testing.T, env map[string]string) (state agentState) {
	t.Helper()
	code, stdout, stderr := run(t, nil, env, "key", "agent", "status", "--json")
	require.Zero(t, code, stderr)
	require.NoError(t, json.Unmarshal([]byte(stdout), &state))
	return state
}

// The passphrase is typed once, is not shown, and is in nothing that others could read of the process.
func TestUnlockOnATerminal(t *testing.T) {
	env := agentHome(t)
	for keys, want := range map[string]int{"\x03": 130, "\r": 5, "not the one\r": 5} {
		s := openScreen(t, 24, 80)
		s.start(env, "key", "unlock")
		s.expect("passphrase of the key store")
		s.typeKeys(keys)
		code, output := s.wait()
		require.Equal(t, want, code, output)
		s.requireRestored()
		require.False(t, stateOfAgent(t, env).Unlocked)
	}
	s := openScreen(t, 24, 80)
	s.start(env, "key", "unlock", "--for", "10m")
	s.expect("passphrase of the key store")
	s.typeKeys("kedge test store\r")
	code, output := s.wait()
	require.Zero(t, code, output)
	s.requireRestored()
	s.requireNotShown("kedge test")
	state := stateOfAgent(t, env)
	require.True(t, state.Unlocked)
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", state.PID, file))
		if err == nil { // else the system shuts even its owner out
			require.NotContains(t, string(text), "kedge test store")
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", state.PID))
	require.NoError(t, err)
	require.Regexp(t, `Max core file size +0 +0 `, string(limits))

	// No terminal, no passphrase: the agent is asked.
	code, stdout, stderr := run(t, nil, env, "device", "list", "--keys-only")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "laptop")

	// Killed, it leaves a socket behind that stops nobody.
	require.NoError(t, syscall.Kill(state.PID, syscall.SIGKILL))
	require.Eventually(t, func() bool { // it may still be ending when it is asked
		code, stdout, _ := run(t, nil, env, "key", "agent", "status", "--json")
		return code == 0 && strings.Contains(stdout, `"unlocked":false`)
	}, 10*time.Second, 10*time.Millisecond)
	code, _, stderr = run(t, nil, env, "device", "list", "--keys-only")
	require.Equal(t, 5, code, stderr)
	s = openScreen(t, 24, 80)
	s.start(env, "key", "unlock")
	s.expect("passphrase of the key store")
	s.typeKeys("kedge test store\r")
	code, output = s.wait()
	require.Zero(t, code, output)
	require.True(t, stateOfAgent(t, env).Unlocked)
}

// unlockedStore is a home with a key store that is unlocked, and the passphrase in a file.
func unlockedStore(t *testing.T) map[string]string {
	t.Helper()
	env := agentHome(t)
	env["KEDGE_PASSPHRASE_FILE"] = filepath.Join(t.TempDir(), "passphrase")
	require.NoError(t, os.WriteFile(env["KEDGE_PASSPHRASE_FILE"], []byte("kedge test store\n"), 0o600))
	code, _, stderr := run(t, nil, env, "key", "unlock", "--for", "10m")
	require.Zero(t, code, stderr)
	require.True(t, stateOfAgent(t, env).Unlocked)
	return env
}

// appOf is a run of the command line with an environment, whose warnings go to the builder.
func appOf(env map[string]string, warnings *strings.Builder) *session.App {
	return &session.App{UI: &ui.UI{System: cli.System{
		Stdout: io.Discard, Stderr: warnings, Getenv: func(name string) string { return env[name] }, Now: time.Now, Random: rand.Reader, WorkFactor: 4,
	}}}
}

// Every change of a run leaves the store unlocked, those of commands within it, too.
func TestChangesLeaveTheStoreUnlocked(t *testing.T) {
	env := unlockedStore(t)
	var warnings strings.Builder
	app := appOf(env, &warnings)
	for _, name := range []string{"first", "second"} {
		require.NoError(t, app.Again(io.Discard, func(again *session.App) error {
			return again.ChangeKeys(func(k *device.Keys) error { return k.Note("laptop", device.Use{Where: name, Anchor: 10000}) })
		}))
		require.True(t, stateOfAgent(t, env).Unlocked, "%s", &warnings)
	}
	require.Empty(t, warnings.String())
}

// Whoever locks while a command changes the store has it locked, whatever that command found before.
func TestLockDuringAChange(t *testing.T) {
	env := unlockedStore(t)
	var warnings strings.Builder
	locked := make(chan int, 1)
	require.NoError(t, appOf(env, &warnings).ChangeKeys(func(*device.Keys) error {
		go func() {
			code, _, _ := run(t, nil, env, "key", "lock")
			locked <- code
		}()
		require.Eventually(t, func() bool { return !stateOfAgent(t, env).Unlocked }, 30*time.Second, time.Millisecond, "the agent ends at once")
		return nil
	}))
	require.Zero(t, <-locked)
	require.False(t, stateOfAgent(t, env).Unlocked)
	require.Empty(t, warnings.String())
}

var made = regexp.MustCompile(`(?m)^([a-z]+(?: [a-z]+){5})\r?$`)

// Whoever leaves a new passphrase empty gets six words, on a screen of their own, and types them back.
func TestMadePassphrase(t *testing.T) {
	newStore := func() map[string]string {
		return map[string]string{"KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age"), "XDG_RUNTIME_DIR": ""}
	}
	open := func(env map[string]string) (*screen, string) {
		s := openScreen(t, 24, 80)
		s.start(env, "key", "init", "laptop")
		s.expect("leave it empty for a made-up one")
		s.typeKeys("\r")
		s.expect("when you are done")
		words := made.FindStringSubmatch(s.text())
		require.NotNil(t, words, "%q", s)
		return s, words[1]
	}
	// Broken off, or typed back wrongly, there is no store.
	for name, keys := range map[string]func(s *screen){
		"at the words":    func(s *screen) { s.typeKeys("\x03") },
		"at the question": func(s *screen) { s.typeKeys("\r"); s.expect("typed back: "); s.typeKeys("\x03") },
		"typed back wrongly": func(s *screen) {
			s.typeKeys("\r")
			s.expect("typed back: ")
			s.typeKeys("six words that are other ones\r")
		},
		"nothing is typed back": func(s *screen) { s.typeKeys("\r"); s.expect("typed back: "); s.typeKeys("\r") },
	} {
		t.Run(name, func(t *testing.T) {
			env := newStore()
			s, _ := open(env)
			keys(s)
			code, output := s.wait()
			require.NotZero(t, code, output)
			s.requireRestored()
			require.NoFileExists(t, env["KEDGE_KEYS"])
		})
	}
	env := newStore()
	s, words := open(env)
	s.typeKeys("\r")
	s.expect("typed back: ")
	s.typeKeys("  " + strings.ReplaceAll(words, " ", "  ") + "\r")
	code, output := s.wait()
	require.Zero(t, code, output)
	require.NotContains(t, output, words)
	require.NotContains(t, output, "weak")
	s.requireRestored()
	p := &person{answers: []func(*person) string{say(words)}}
	code, stdout, stderr := run(t, p, env, "key", "list")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "laptop")

	// A weak one is warned of, and taken; another one is made up by kedge key passphrase.
	p = &person{answers: []func(*person) string{say(words), say("letmein"), say("letmein")}}
	code, _, stderr = run(t, p, env, "key", "passphrase")
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "kedge: warning: this passphrase is weak: a program finds it in about 10^")
	require.NotContains(t, stderr, "letmein")
	p = &person{answers: []func(*person) string{say("letmein"), say(""), func(p *person) string {
		return made.FindStringSubmatch(p.shown[len(p.shown)-1])[1]
	}}}
	code, _, stderr = run(t, p, env, "key", "passphrase")
	require.Zero(t, code, stderr)
	require.NotContains(t, stderr, "weak")
	p = &person{answers: []func(*person) string{say("letmein")}}
	code, _, _ = run(t, p, env, "key", "list")
	require.Equal(t, 5, code, "the old passphrase opens nothing any more")
}
