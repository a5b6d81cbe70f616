package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is hard to mend is asked about on a terminal; whoever breaks off, or says anything but yes, has done nothing.
func TestLossIsAskedAbout(t *testing.T) {
	url, module, _ := startNetwork(t)
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase\n"), 0o600))
	env := map[string]string{"KEDGE_NETWORK": url, "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase"), "KEDGE_KEYS": filepath.Join(dir, "keys.age")}
	must := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := run(t, nil, env, args...)
		require.Zero(t, code, stderr)
		return stdout
	}
	must("deploy", module)
	must("anchor", "create", "--device", "laptop", "--no-phrase")
	must("device", "add", "spare")
	must("device", "protect", "laptop", "--as", "laptop")
	for name, c := range map[string]struct {
		args   []string
		prompt string
	}{
		"unprotect":           {[]string{"device", "unprotect", "laptop", "--as", "laptop"}, "this lifts the protection of laptop on anchor 10000"},
		"the last protection": {[]string{"device", "remove", "laptop", "--as", "laptop"}, "no device is protected afterwards"},
		"replaced":            {[]string{"device", "replace", "laptop", "new", "--as", "laptop"}, "does not inherit the protection of laptop"},
		"a key for ever":      {[]string{"device", "remove", "spare", "--forget-key", "--as", "laptop"}, "its key spare is deleted from the key store for ever"},
	} {
		t.Run(name, func(t *testing.T) {
			for keys, want := range map[string]int{"\x03": 130, "no\r": 6, "y\r": 6, "\r": 6} {
				s := openScreen(t, 24, 80)
				s.start(env, c.args...)
				s.expect("type yes: ")
				require.Contains(t, s.text(), c.prompt)
				s.typeKeys(keys)
				code, output := s.wait()
				require.Equal(t, want, code, output)
				s.requireRestored()
			}
			list := must("device", "list", "--as", "laptop")
			require.Regexp(t, `(?m)^laptop +laptop +.* yes +yes `, list)
			require.Regexp(t, `(?m)^spare +spare `, list)
			require.NotContains(t, list, "new")
		})
	}
	s := openScreen(t, 24, 80)
	s.start(env, "device", "unprotect", "laptop", "--as", "laptop")
	s.expect("type yes: ")
	s.typeKeys("yes\r")
	code, output := s.wait()
	require.Zero(t, code, output)
}
