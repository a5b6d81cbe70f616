package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device/ctap"
)

// plugIn starts kedge key plug on a terminal and returns the path of its socket.
func plugIn(t *testing.T, env map[string]string, more ...string) (*screen, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "kedge") // a socket's path is short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	socket := filepath.Join(dir, "private", "key.sock")
	env["KEDGE_TEST_ANYBODY"] = "1"
	s := openScreen(t, 24, 80)
	s.start(env, append([]string{"key", "plug", "laptop", "--socket", socket}, more...)...)
	require.Eventually(t, func() bool { // its mode comes a moment after it
		info, err := os.Stat(socket)
		return err == nil && info.Mode().Perm() == 0o600
	}, 30*time.Second, time.Millisecond)
	return s, socket
}

// fido2 starts a story of python-fido2 on the socket, and returns how to wait for its end.
func fido2(t *testing.T, socket, story string) (end func()) {
	t.Helper()
	python, err := filepath.Abs("../tests/ctap/.venv/bin/python")
	require.NoError(t, err)
	if exec.Command(python, "-c", "import fido2").Run() != nil {
		t.Skip("python-fido2 is not here; scripts/tools.sh installs it into tests/ctap/.venv")
	}
	client := exec.Command(python, "../tests/ctap/client.py", socket, story)
	var out strings.Builder
	client.Stdout, client.Stderr = &out, &out
	require.NoError(t, client.Start())
	return func() {
		t.Helper()
		require.NoError(t, client.Wait(), "%s", &out)
		require.Contains(t, out.String(), "passed "+story)
	}
}

// asked waits for the n-th question.
func (s *screen) asked(n int) {
	s.t.Helper()
	s.await(func() bool { return strings.Count(s.text(), "n to refuse") >= n })
}

// Registration and sign-in show site and user, harmlessly, and wait for a y. The credential is in the store
// at once, while another process works on it.
func TestPlugPress(t *testing.T) {
	env := keyWithSeed(t)
	runtimeFolder(t, env)
	code, _, stderr := run(t, nil, env, "key", "unlock")
	require.Zero(t, code, stderr)
	s, socket := plugIn(t, env)
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(socket))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	s.typeKeys("y y\ry") // nobody has asked yet, so this is no answer
	end := fido2(t, socket, "press")
	s.asked(1)
	code, stdout, stderr := run(t, nil, env, "key", "list", "--json")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `"credentials":[]`)
	s.typeKeys("\r \x1b[Ax\x1b[200~y\n\x1b[201~") // nor are other keys, arrows and what is pasted
	code, _, stderr = run(t, nil, env, "key", "init", "another")
	require.Zero(t, code, stderr)
	require.Contains(t, s.text(), "REGISTER security key laptop\r\n  site  id.example\r\n  user  \"anna\\u{202e}\\x1b[2J\"\r\n")
	require.NotContains(t, s.text(), "\x1b[2J")
	require.Equal(t, 1, strings.Count(s.text(), "n to refuse"), "%q", s)
	s.typeKeys("y")
	s.asked(2)
	require.Contains(t, s.text(), "SIGN IN with security key laptop\r\n  site  id.example\r\n")
	code, stdout, stderr = run(t, nil, env, "key", "show", "laptop", "--json")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `"relying_party":"id.example"`)
	s.typeKeys("y")
	end()
	s.typeKeys("\x03")
	code, output := s.wait()
	require.Zero(t, code, output)
	require.Contains(t, output, "security key laptop is plugged in: socket "+socket+"; Ctrl-C unplugs it\n")
	require.Contains(t, output, "kedge: security key laptop is unplugged\n")
	require.NoFileExists(t, socket)
	s.requireRestored()
	code, stdout, stderr = run(t, nil, env, "key", "show", "laptop", "--json")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `"last_used":"2`)
	require.True(t, stateOfAgent(t, env).Unlocked, "as it was before")
	code, _, stderr = run(t, nil, env, "key", "show", "another")
	require.Zero(t, code, stderr)
}

func TestPlugRefused(t *testing.T) {
	env := keyWithSeed(t)
	s, socket := plugIn(t, env)
	end := fido2(t, socket, "refuse")
	s.asked(1)
	s.typeKeys("n")
	end()
	require.NoError(t, s.program.Process.Signal(syscall.SIGTERM))
	code, output := s.wait()
	require.Zero(t, code, output)
	s.requireRestored()
}

// With --verify the passphrase of the key store says that it is the owner; it is not shown.
func TestPlugVerify(t *testing.T) {
	env := keyWithSeed(t)
	s, socket := plugIn(t, env, "--verify")
	end := fido2(t, socket, "owner")
	s.typeKeys("a passphrase\r") // nobody has asked yet
	asked := func(n int) {
		s.await(func() bool { return strings.Count(s.text(), "or nothing to refuse") >= n })
	}
	asked(1)
	require.NotContains(t, s.text(), "n to refuse")
	before := len(s.text())
	s.typeKeys("another one\r")
	asked(2)
	s.typeKeys("\r")
	asked(3)
	s.typeKeys("a passphrase\r")
	s.asked(1)
	require.NotContains(t, s.text()[before:], "a passphrase")
	s.typeKeys("y")
	end()
	s.typeKeys("\x03")
	code, output := s.wait()
	require.Zero(t, code, output)
	require.Contains(t, output, "that is not the passphrase of the key store")
	require.NotContains(t, output, "another one")
	s.requireRestored()
}

func TestPlugNobodyPresses(t *testing.T) {
	s, socket := plugIn(t, keyWithSeed(t), "--wait", "1s", "--json")
	fido2(t, socket, "wait")()
	s.typeKeys("y\x03")
	code, output := s.wait()
	require.Zero(t, code, output)
	require.Equal(t, 1, strings.Count(s.text(), "n to refuse (1s)"), "what needs no press does not ask: %q", s)
	require.Contains(t, output, "kedge: nobody pressed a key, so nothing was done\n")
	var view struct {
		Name, Socket string
		UHID         bool
	}
	first, _, _ := strings.Cut(output, "\n")
	require.NoError(t, json.Unmarshal([]byte(first), &view))
	require.Equal(t, socket, view.Socket)
	require.False(t, view.UHID)
	s.requireRestored()
}

// Ctrl-C at a question unplugs the key, leaves no socket and gives the terminal back.
func TestPlugInterruptedQuestion(t *testing.T) {
	for name, signal := range map[string]os.Signal{"Ctrl-C": nil, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			env := keyWithSeed(t)
			s, socket := plugIn(t, env)
			end := fido2(t, socket, "unplugged")
			s.asked(1)
			if signal == nil {
				s.typeKeys("\x03")
			} else {
				require.NoError(t, s.program.Process.Signal(signal))
			}
			end()
			code, output := s.wait()
			require.Zero(t, code, output)
			require.NoFileExists(t, socket)
			s.requireRestored()
			code, stdout, stderr := run(t, nil, env, "key", "list", "--json")
			require.Zero(t, code, stderr)
			require.Contains(t, stdout, `"credentials":[]`)
		})
	}
}

// A key that is plugged in twice would answer twice.
func TestPlugTwice(t *testing.T) {
	env := keyWithSeed(t)
	s, socket := plugIn(t, env)
	second := openScreen(t, 24, 80)
	second.start(env, "key", "plug", "laptop", "--socket", socket)
	code, output := second.wait()
	require.Equal(t, 1, code)
	require.Contains(t, output, "is in use: a security key is plugged in there")
	require.FileExists(t, socket)
	s.typeKeys("\x03")
	code, output = s.wait()
	require.Zero(t, code, output)
}

func TestPlugAsRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root")
	}
	code, _, stderr := run(t, nil, keyWithSeed(t), "key", "plug", "laptop")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "kedge: error: a security key is not plugged in as root")
	require.Contains(t, stderr, "kedge: hint: the user whose key store it is")
}

func TestUdevRule(t *testing.T) {
	code, stdout, stderr := run(t, nil, nil, "key", "plug", "--print-udev-rule")
	require.Zero(t, code, stderr)
	require.Equal(t, ctap.UdevRule, stdout)
}
