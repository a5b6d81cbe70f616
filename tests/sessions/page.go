package sessions

import (
	"regexp"
	"strings"
)

// Step is one command of a session, as a page prints it, and the output that the page shows below it.
type Step struct {
	Command string
	Output  []string
}

var comment = regexp.MustCompile(`\s+# .*$`)

// Parse returns the sessions of a page of Markdown: the fenced blocks whose first line begins with "$ ". A line
// that begins with "$ " is a command, whose comment is dropped; other lines are output of the one above.
func Parse(page string) (sessions [][]Step) {
	for i, block := range strings.Split("\n"+page, "\n```") {
		if i%2 == 0 {
			continue
		}
		_, body, _ := strings.Cut(block, "\n")
		if !strings.HasPrefix(body, "$ ") {
			continue
		}
		var steps []Step
		for _, line := range strings.Split(body, "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, Step{Command: comment.ReplaceAllString(command, "")})
			} else if strings.TrimSpace(line) != "" {
				last := &steps[len(steps)-1]
				last.Output = append(last.Output, line)
			}
		}
		sessions = append(sessions, steps)
	}
	return sessions
}

var (
	// varying is what differs from run to run: numbers, and ids of canisters and principals.
	varying = regexp.MustCompile(`\d+|[a-z0-9]{5}(?:-[a-z0-9]{3,5})+`)
	blanks  = regexp.MustCompile(`\s+`)
)

// Pattern matches what a line of a page stands for: "…" is any text, numbers and ids are any, and columns may be
// wider.
func Pattern(line string) *regexp.Regexp {
	line = strings.ReplaceAll(strings.TrimSpace(line), " …", "…")
	var pattern strings.Builder
	for i, part := range strings.Split(line, "…") {
		if i > 0 {
			pattern.WriteString(`[^\n]*`)
		}
		last := 0
		for _, at := range varying.FindAllStringIndex(part, -1) {
			pattern.WriteString(regexp.QuoteMeta(part[last:at[0]]))
			pattern.WriteString(`[a-z0-9-]+`)
			last = at[1]
		}
		pattern.WriteString(regexp.QuoteMeta(part[last:]))
	}
	return regexp.MustCompile(blanks.ReplaceAllString(pattern.String(), `\s+`))
}
