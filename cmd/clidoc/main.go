// Command clidoc writes what documents the command line, from the commands themselves:
//
//	clidoc markdown FILE       docs/cli.md
//	clidoc man FOLDER          man pages, in FOLDER/man1 and FOLDER/man7
//	clidoc completion FOLDER   what shells need, below FOLDER as they look for it
//
// SOURCE_DATE_EPOCH dates the man pages, in seconds since 1970, and KEDGE_VERSION is the version that they
// name: go run does not know that of the commit.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kedge/cli"
	"kedge/cli/complete"
	"kedge/cli/manual"
	"kedge/cli/version"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: clidoc markdown FILE | man FOLDER | completion FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "clidoc:", err)
		os.Exit(1)
	}
}

func run(what, where string) error {
	switch what {
	case "markdown":
		return os.WriteFile(where, []byte(manual.Markdown(cli.Commands())), 0o644)
	case "man":
		date, err := dateOf(os.Getenv("SOURCE_DATE_EPOCH"), time.Now())
		if err != nil {
			return err
		}
		name := os.Getenv("KEDGE_VERSION")
		if name == "" {
			name = version.Current().Version
		}
		return manual.Man(cli.Commands(), where, name, date)
	case "completion":
		return completions(where)
	}
	return fmt.Errorf("there is nothing called %q to write", what)
}

func dateOf(epoch string, now time.Time) (time.Time, error) {
	if epoch == "" {
		return now.UTC(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q is not a number of seconds", epoch)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// places is where below a prefix's share folder each shell finds its script; PowerShell looks nowhere, so
// its own is kept beside the program's files.
var places = map[string]string{
	"bash": "bash-completion/completions/kedge", "zsh": "zsh/site-functions/_kedge",
	"fish": "fish/vendor_completions.d/kedge.fish", "powershell": "kedge/completion.ps1",
}

func completions(dir string) error {
	for _, shell := range complete.Shells {
		file := filepath.Join(dir, places[shell])
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		if err := complete.Script(cli.Commands(), shell, f); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
