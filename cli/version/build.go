// Package version is kedge version: which program this is, which module is built in this folder, and
// which one the canister runs.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"kedge/migrations"
)

// release is the version that a packager gives: make cli VERSION=v1.2.3, or
// go build -ldflags "-X kedge/cli/version.release=v1.2.3" ./cmd/kedge.
var release string

// Build is what is known of the running program.
type Build struct {
	Version  string `json:"version"`            // of the release, else the pseudo-version that Go derives from the commit
	Commit   string `json:"commit,omitempty"`   // empty if it was built outside a checkout
	Time     string `json:"time,omitempty"`     // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"` // whether files differed from the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`      // such as linux/amd64
	Layout   uint16 `json:"newest_layout"` // of stable memory, that this version can write
}

// Current returns the running program's.
func Current() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return buildOf(info, release)
}

// buildOf reads the information that the Go toolchain puts into a program.
func buildOf(info *debug.BuildInfo, release string) Build {
	b := Build{
		Version: release, Go: info.GoVersion, Platform: runtime.GOOS + "/" + runtime.GOARCH, Layout: uint16(migrations.Newest),
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// Line is the answer to --version.
func (b Build) Line() string {
	var about []string
	if c := b.commit(); c != "" {
		about = append(about, c)
	}
	return fmt.Sprintf("kedge %s (%s)", b.Version, strings.Join(append(about, b.Go, b.Platform), ", "))
}

// commit names the commit in a few words.
func (b Build) commit() string {
	if b.Commit == "" {
		return ""
	}
	text := "commit " + b.Commit[:min(12, len(b.Commit))]
	if b.Modified {
		text += " with changes"
	}
	return text
}
