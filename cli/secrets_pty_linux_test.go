package cli_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The secrets that only some backups and files have are read as the others are: nothing of them is shown, and
// each way out of the question leaves the terminal as it was and the key store without what was begun.
func TestSecretsOfBackupsAndFiles(t *testing.T) {
	env := keyWithSeed(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
		return path
	}
	// Two of the published shares of SLIP-0039.
	share1 := file("share1", "shadow pistol academic always adequate wildlife fancy gross oasis cylinder mustang wrist rescue view short owner flip making coding armed")
	share2 := file("share2", "shadow pistol academic acid actress prayer class unknown daughter sweater depict flip twice unkind craft early superior advocate guest smoking")
	exchange := filepath.Join(dir, "exchange.age")
	forScripts := maps.Clone(env)
	forScripts["KEDGE_EXCHANGE_PASSPHRASE_FILE"] = file("passphrase", "of the exchange file")
	code, _, stderr := run(t, nil, env, "key", "credentials", "add", "laptop", "--origin", "https://id.example", "--user", "anna")
	require.Zero(t, code, stderr)
	_, listed, _ := run(t, nil, env, "key", "list", "--json")
	fingerprint := regexp.MustCompile(`"fingerprint":"([0-9a-f-]+)"`).FindStringSubmatch(listed)[1]
	code, _, stderr = run(t, nil, forScripts, "key", "export", "laptop", "--cxf", exchange, "--confirm", fingerprint)
	require.Zero(t, code, stderr)

	for prompt, args := range map[string][]string{
		"application seed: ":                 {"key", "restore", "other", "--passport-prime"},
		"passphrase of the shares: ":         {"key", "restore", "other", "--shares", "--share-passphrase", "--words-file", share1, "--words-file", share2},
		"passphrase of the exchange file: ":  {"key", "import", "other", exchange},
		"passphrase of the exchange file (l": {"key", "export", "laptop", "--cxf", filepath.Join(dir, "new.age"), "--confirm", fingerprint},
	} {
		for way, leave := range map[string]func(s *screen) error{
			"Ctrl-C": func(s *screen) error { s.typeKeys("\x03"); return nil },
			"TERM":   func(s *screen) error { return s.program.Process.Signal(syscall.SIGTERM) },
		} {
			t.Run(way+" at "+prompt, func(t *testing.T) {
				s := openScreen(t, 24, 200)
				s.start(env, args...)
				s.expect(prompt)
				s.typeKeys("half")
				require.NoError(t, leave(s))
				code, output := s.wait()
				require.Equal(t, 130, code, output)
				require.Contains(t, output, "kedge: error: interrupted\n")
				s.requireRestored()
				s.requireNotShown("half")
				_, listed, _ := run(t, nil, env, "key", "list")
				require.NotContains(t, listed, "other")
				require.NoFileExists(t, filepath.Join(dir, "new.age"))
			})
		}
	}
}
