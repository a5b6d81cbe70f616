package browser

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// asked is a test that writes down how it was ended first, and goes on.
type asked struct {
	testing.TB
	said string
}

func (a *asked) Helper() {}

func (a *asked) Fatalf(format string, args ...any) { a.ended("failed: "+format, args...) }
func (a *asked) Skipf(format string, args ...any)  { a.ended("skipped: "+format, args...) }

func (a *asked) ended(format string, args ...any) {
	if a.said == "" {
		a.said = fmt.Sprintf(format, args...)
	}
}

// What is missing is skipped loudly, and fails where it must be there.
func TestMissingBrowsers(t *testing.T) {
	nowhere := []string{filepath.Join(t.TempDir(), "firefox-esr")}
	for _, test := range []struct{ require, chromium, firefox string }{
		{"", "skipped: NO BROWSER TESTS: ", "skipped: NO TESTS IN FIREFOX: "},
		{"0", "skipped: ", "skipped: "},
		{"chromium", "failed: ", "skipped: "},
		{"firefox", "skipped: ", "failed: "},
		{"1", "failed: ", "failed: "},
	} {
		t.Setenv("KEDGE_REQUIRE_BROWSER", test.require)
		var a asked
		unable(&a, "%s is not installed", "chromium")
		require.Contains(t, a.said, test.chromium)
		require.Contains(t, a.said, "chromium is not installed")
		a.said = ""
		needFirefox(&a, nowhere)
		require.Contains(t, a.said, test.firefox)
		require.Contains(t, a.said, "make tools")
		a.said = ""
		needFirefox(&a, []string{t.TempDir()})
		require.Empty(t, a.said)
	}
}
