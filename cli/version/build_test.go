package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/migrations"
)

func TestBuildOf(t *testing.T) {
	info := func(version string, settings ...string) *debug.BuildInfo {
		b := &debug.BuildInfo{GoVersion: "go1.26.4", Main: debug.Module{Version: version}}
		for i := 0; i < len(settings); i += 2 {
			b.Settings = append(b.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return b
	}
	for name, c := range map[string]struct {
		info     *debug.BuildInfo
		release  string
		version  string
		commit   string
		modified bool
		line     string
	}{
		"a tag":           {info("v1.2.3", "vcs.revision", "0123456789abcdef", "vcs.modified", "false"), "", "v1.2.3", "0123456789abcdef", false, "kedge v1.2.3 (commit 0123456789ab, go1.26.4, "},
		"changed files":   {info("v1.2.3+dirty", "vcs.revision", "0123456789abcdef", "vcs.modified", "true"), "", "v1.2.3+dirty", "0123456789abcdef", true, "kedge v1.2.3+dirty (commit 0123456789ab with changes, go1.26.4, "},
		"a packager's":    {info("(devel)"), "v9", "v9", "", false, "kedge v9 (go1.26.4, "},
		"nothing known":   {info(""), "", "(devel)", "", false, "kedge (devel) (go1.26.4, "},
		"a short commit":  {info("v1", "vcs.revision", "0123"), "", "v1", "0123", false, "kedge v1 (commit 0123, go1.26.4, "},
		"unknown setting": {info("v1", "GOOS", "plan9"), "", "v1", "", false, "kedge v1 (go1.26.4, "},
	} {
		t.Run(name, func(t *testing.T) {
			b := buildOf(c.info, c.release)
			require.Equal(t, c.version, b.Version)
			require.Equal(t, c.commit, b.Commit)
			require.Equal(t, c.modified, b.Modified)
			require.Equal(t, uint16(migrations.Newest), b.Layout)
			require.Contains(t, b.Line(), c.line)
		})
	}
}
