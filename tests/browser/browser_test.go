// Package browser runs the web page in real browsers: sign-in by unmodified clients, the account page, attacks,
// faults, and accessibility. The stories are in JavaScript; this starts the network and the canister for them.
package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/internal/clients"
	"kedge/tests/harness"
)

// chromium and firefox are the places where the browsers may be; the drivers in JavaScript look in the same.
var (
	chromium = []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"}
	firefox  = []string{"/usr/bin/firefox-esr", "/usr/bin/firefox"}
)

// required reports whether KEDGE_REQUIRE_BROWSER says that a browser must be here: it names one, or is 1 for both.
func required(browser string) bool {
	return slices.Contains([]string{"1", browser}, os.Getenv("KEDGE_REQUIRE_BROWSER"))
}

// unable skips the test, loudly, or fails it where CI says that browsers must be here.
func unable(t testing.TB, format string, args ...any) {
	t.Helper()
	if required("chromium") {
		t.Fatalf("KEDGE_REQUIRE_BROWSER is set, but "+format, args...)
	}
	t.Skipf("NO BROWSER TESTS: "+format, args...)
}

// needFirefox skips the test, loudly, where none of these is there, or fails it where CI says that Firefox must be here.
func needFirefox(t testing.TB, firefox []string) {
	t.Helper()
	const missing = "firefox-esr is not installed (make tools installs Debian's package)"
	switch {
	case anyOf(firefox):
	case required("firefox"):
		t.Fatalf("KEDGE_REQUIRE_BROWSER is set, but %s", missing)
	default:
		t.Skipf("NO TESTS IN FIREFOX: %s", missing)
	}
}

func anyOf(files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		_, err := os.Stat(file)
		return err == nil
	})
}

func node(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		unable(t, "node is not installed (Node 20 or newer)")
	}
	return path
}

// needBrowser makes sure that what the stories need is here, and returns Node.
func needBrowser(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests take minutes")
	}
	path := node(t)
	if !anyOf(chromium) {
		unable(t, "chromium is not installed (make tools installs Debian's package)")
	}
	for _, driver := range []string{"playwright-core", "puppeteer-core"} {
		if _, err := os.Stat(filepath.Join("node_modules", driver)); err != nil {
			unable(t, "%s is not installed (make tools): %v", driver, err)
		}
	}
	return path
}

// world is a network with Kedge and its page, and a server through which the stories stop and start the canister.
// Where registering takes a captcha, its answer is "a".
func world(t testing.TB, captcha bool) []string {
	t.Helper()
	init := &kedge.KedgeInit{}
	if captcha {
		answer := "a"
		test := &answer
		init.TestCaptcha = &test
		init.CaptchaConfig = &kedge.CaptchaConfig{MaxUnsolvedCaptchas: 50,
			CaptchaTrigger: kedge.CaptchaTrigger{Tag: kedge.CaptchaTriggerTagStatic, Static: kedge.CaptchaTriggerStaticCaptchaEnabled}}
	}
	h := harness.OpenLive(t, init)
	page := h.Get("GET", "/")
	if page.StatusCode != 200 || !strings.Contains(string(page.Body), "/assets/main.") {
		unable(t, "the module has no page (make build, with Node and npm, makes one with it; KEDGE_WASM names it)")
	}
	url := control(t, h)
	return append(os.Environ(), "KEDGE_URL="+h.Net.URL(), "KEDGE_CANISTER="+h.Canister.Text(), "KEDGE_CONTROL="+url,
		"KEDGE_CAPTCHA="+strconv.FormatBool(captcha),
		"KEDGE_BUILD="+filepath.Join(clients.Root(), "build"))
}

// Every file of stories, one after the other. KEDGE_STORY is a regular expression for the names of those to play.
func TestStories(t *testing.T) {
	path := needBrowser(t)
	env := world(t, true)
	files, err := filepath.Glob("*.test.mjs")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".test.mjs"), func(t *testing.T) {
			if file == "firefox.test.mjs" {
				needFirefox(t, firefox)
			}
			env := env
			switch file {
			case "contacts.test.mjs", // it moves the clock, which ends every session of the others
				"crowd.test.mjs": // it fills the canister
				env = world(t, false)
			}
			args := []string{"--test", "--test-reporter=spec", "--test-timeout=300000"}
			if pattern := os.Getenv("KEDGE_STORY"); pattern != "" {
				args = append(args, "--test-name-pattern="+pattern)
			}
			run := exec.Command(path, append(args, file)...)
			run.Env = env
			out, err := run.CombinedOutput()
			require.NoError(t, err, "%s", out)
			t.Logf("%s", out)
		})
	}
}

// BenchmarkSignIn measures how long it takes from the click to the delegation, 20 times with each client.
func BenchmarkSignIn(b *testing.B) {
	path := needBrowser(b)
	run := exec.Command(path, "--test", "--test-reporter=spec", "--test-timeout=300000", "timing.mjs")
	run.Env = world(b, false)
	out, err := run.CombinedOutput()
	require.NoError(b, err, "%s", out)
	for line := range strings.Lines(string(out)) {
		if _, figures, ok := strings.Cut(line, "median of 20: "); ok {
			b.Log(figures)
		}
	}
}
