package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica"
	"kedge/tests/harness"
)

// A captcha is a picture in a file for its owner alone, until it is answered. What is blank is asked for again; what
// is wrong brings another picture, three times.
func TestCaptcha(t *testing.T) {
	network, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(moduleCache(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	o := newDeployer(t, network.URL())
	module := filepath.Join(t.TempDir(), "kedge.wasm.gz")
	require.NoError(t, os.WriteFile(module, harness.Module(t), 0o600))
	o.deploy(module, "--captcha", "on", "--test-captcha", "abcde")
	o.env["TMPDIR"] = t.TempDir()

	asked := regexp.MustCompile(`characters in the picture (\S+\.png): `)
	answer := func(s *screen, answers ...string) {
		for n, text := range answers {
			s.await(func() bool { return len(asked.FindAllString(s.text(), -1)) > n })
			path := asked.FindAllStringSubmatch(s.text(), -1)[n][1]
			require.Equal(t, o.env["TMPDIR"], filepath.Dir(path))
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode())
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, "\x89PNG", string(data[:4]))
			s.typeKeys(text)
		}
	}
	for _, c := range []struct {
		answers []string
		code    int
		says    string
	}{
		{[]string{"wrong\r", " \r", "wrong\r", "wrong\r"}, 4, "kedge: error: the characters of the captcha were wrong\n"},
		{[]string{"abc\x03"}, 130, "kedge: error: interrupted\n"},
		{[]string{"\r", "wrong\r", " abcde \r"}, 0, "kedge: those are not the characters; here is another picture\n"},
	} {
		s := openScreen(t, 24, 200)
		s.start(o.env, "anchor", "create", "--device", "laptop", "--no-phrase")
		answer(s, c.answers...)
		code, output := s.wait()
		require.Equal(t, c.code, code, output)
		require.Contains(t, output, c.says)
		left, err := os.ReadDir(o.env["TMPDIR"])
		require.NoError(t, err)
		require.Empty(t, left)
		if c.code != 0 {
			require.NotContains(t, o.must("key", "list"), "laptop", "a key without an anchor is not left")
		}
	}
	require.Contains(t, o.must("anchor", "show"), "laptop")
}
