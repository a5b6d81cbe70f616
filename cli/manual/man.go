package manual

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"kedge/cli/help"
)

// Man writes a page for each command to dir/man1 and one for each topic to dir/man7. The date of the pages is
// an argument, so that a build can be repeated.
func Man(root *cobra.Command, dir, version string, date time.Time) error {
	commands, topics := filepath.Join(dir, "man1"), filepath.Join(dir, "man7")
	for _, d := range []string{commands, topics} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("making the folder of man pages: %w", err)
		}
	}
	forMan(root)
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "kedge " + version, Manual: "Kedge"}
	if err := doc.GenManTree(root, header, commands); err != nil {
		return fmt.Errorf("writing the man pages: %w", err)
	}
	for _, t := range help.Topics() {
		page := fmt.Sprintf("%% \"KEDGE-%s\" \"7\" \"%s\" \"kedge %s\" \"Kedge\"\n# NAME\nkedge-%s \\- %s\n\n# DESCRIPTION\n%s\n\n# SEE ALSO\n**kedge(1)**\n",
			strings.ToUpper(t.Name), date.Format("Jan 2006"), version, t.Name, t.Short, prose(t.Text))
		if err := os.WriteFile(filepath.Join(topics, "kedge-"+t.Name+".7"), md2man.Render([]byte(page)), 0o644); err != nil {
			return fmt.Errorf("writing a man page: %w", err)
		}
	}
	return nil
}

// forMan makes commands fit for cobra's writer of man pages, which reads their texts as Markdown and gives
// each group a command help of its own.
func forMan(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	cmd.Long = prose(cmd.Long)
	cmd.Example = unindent(cmd.Example)
	if cmd.HasSubCommands() && cmd.HasParent() {
		cmd.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true})
	}
	for _, sub := range cmd.Commands() {
		forMan(sub)
	}
}
