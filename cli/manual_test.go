package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli/help"
	"kedge/cli/manual"
	"kedge/internal/clients"
)

// The page of the command line is what the commands say.
func TestManualIsWhatTheCommandsSay(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(clients.Root(), "docs", "cli.md"))
	require.NoError(t, err)
	want := manual.Markdown(newRoot())
	require.True(t, want == string(page), "docs/cli.md is not what the commands say; run: make docs")
	for _, cmd := range leaves(newRoot()) {
		if cmd.IsAvailableCommand() {
			require.Contains(t, want, "\n### "+cmd.CommandPath()+"\n")
			require.Contains(t, want, "](#"+strings.ReplaceAll(cmd.CommandPath(), " ", "-")+")")
		}
	}
	for link := range strings.SplitSeq(want, "](#") {
		fragment, _, _ := strings.Cut(link, ")")
		if strings.HasPrefix(fragment, "kedge-") {
			require.Regexp(t, `(?m)^### `+strings.ReplaceAll(fragment, "-", "[ -]")+"$", want)
		}
	}
}

func TestManPages(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, manual.Man(newRoot(), dir, "v1.2.3", time.Unix(1790000000, 0).UTC()))
	pages := map[string]string{}
	found, err := filepath.Glob(filepath.Join(dir, "man*", "*"))
	require.NoError(t, err)
	for _, file := range found {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		pages[filepath.Base(file)] = string(text)
		require.Contains(t, string(text), `"Sep 2026" "kedge v1.2.3" "Kedge"`)
	}
	for _, cmd := range leaves(newRoot()) {
		if !cmd.IsAvailableCommand() {
			continue
		}
		page := pages[strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"]
		require.Contains(t, page, ".SH DESCRIPTION", cmd.CommandPath())
		require.Contains(t, page, ".SH EXAMPLE", cmd.CommandPath())
	}
	for _, topic := range help.Topics() {
		require.Contains(t, pages["kedge-"+topic.Name+".7"], ".SH DESCRIPTION", topic.Name)
	}
	for name, page := range pages {
		for _, m := range regexp.MustCompile(`(kedge[a-z-]*)\(([17])\)`).FindAllStringSubmatch(page, -1) {
			require.Contains(t, pages, m[1]+"."+m[2], "%s refers to it", name)
		}
	}
	t.Run("man", func(t *testing.T) {
		if _, err := exec.LookPath("man"); err != nil {
			t.Skip("man is not installed, so no man page was shown")
		}
		cmd := exec.Command("man", append([]string{"--warnings", "-l"}, found...)...)
		cmd.Env = append(os.Environ(), "MANPAGER=cat", "MANWIDTH=80", "LC_ALL=C.UTF-8")
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		require.NoError(t, cmd.Run(), &errs)
		require.Empty(t, errs.String())
		require.Equal(t, len(found), strings.Count(out.String(), "\nNAME\n"))
		require.Contains(t, out.String(), "kedge-device-add - add a device to the anchor")
	})
	t.Run("mandoc", func(t *testing.T) {
		if _, err := exec.LookPath("mandoc"); err != nil {
			t.Skip("mandoc is not installed (sh scripts/tools.sh), so the man pages were not checked by it")
		}
		out, err := exec.Command("mandoc", append([]string{"-T", "lint", "-W", "error"}, found...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	})
}
