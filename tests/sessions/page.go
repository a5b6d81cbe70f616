package sessions

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Step is one command of a session, as a page prints it, and the output that the page shows below it; or time that
// passes.
type Step struct {
	Who     string // whose machine it is typed on; empty where the page has one
	Command string
	Output  []string
	Later   time.Duration // instead of a command
}

var (
	comment = regexp.MustCompile(`\s+# .*$`)
	prompt  = regexp.MustCompile(`^([a-z]*)\$ `)
	later   = regexp.MustCompile(`^# (\d+) days later$`)
)

// Parse returns the sessions of a page of Markdown: the fenced blocks, in comments of HTML too, whose first line, but
// for lines that begin with "# ", begins with "$ " or with "NAME$ ". Such a line is a command, whose comment is dropped;
// other lines are output of the one above. "# 30 days later" lets time pass.
func Parse(page string) (sessions [][]Step) {
	for i, block := range strings.Split("\n"+page, "\n```") {
		if i%2 == 0 {
			continue
		}
		_, body, _ := strings.Cut(block, "\n")
		if steps := parseBlock(body); steps != nil {
			sessions = append(sessions, steps)
		}
	}
	return sessions
}

func parseBlock(body string) (steps []Step) {
	commands := 0
	for _, line := range strings.Split(body, "\n") {
		passes, command := later.FindStringSubmatch(line), prompt.FindStringSubmatch(line)
		switch {
		case passes != nil:
			days, _ := strconv.Atoi(passes[1])
			steps = append(steps, Step{Later: time.Duration(days) * 24 * time.Hour})
		case command != nil:
			steps = append(steps, Step{Who: command[1], Command: comment.ReplaceAllString(line[len(command[0]):], "")})
			commands++
		case strings.TrimSpace(line) == "", commands == 0 && strings.HasPrefix(line, "# "):
		case commands == 0:
			return nil
		default:
			last := &steps[len(steps)-1]
			last.Output = append(last.Output, line)
		}
	}
	if commands == 0 {
		return nil
	}
	return steps
}

// Named reports whether a page's sessions are on the machines of several people.
func Named(sessions [][]Step) bool {
	for _, steps := range sessions {
		for _, s := range steps {
			if s.Who != "" {
				return true
			}
		}
	}
	return false
}

var (
	// varying is what differs from run to run: numbers, ids of canisters and principals, and what pages write in
	// their place.
	varying = regexp.MustCompile(`\b[a-z0-9]{5}(?:-[a-z0-9]{3,5})+\b|\d+|\b(?:KEY|WORDS)\b`)
	blanks  = regexp.MustCompile(`\s+`)
	digits  = regexp.MustCompile(`^\d+$`)
)

// Values are what stands in a run for the numbers of five digits and more, ids, KEY and WORDS of a page. A reader
// types what was shown.
type Values map[string]string

// kept reports whether a page means the same by a text wherever it has it: shorter numbers are times and counts.
func kept(text string) bool { return !digits.MatchString(text) || len(text) >= 5 }

// Fill puts the values into a text of the page.
func (v Values) Fill(text string) string {
	return varying.ReplaceAllStringFunc(text, func(found string) string {
		if value, known := v[found]; known {
			return value
		}
		return found
	})
}

// Pattern matches what a line of a page stands for: "…" is any text, numbers and ids are any, unless the values have
// them, and columns may be wider. The texts that its groups are for are returned too.
func (v Values) Pattern(line string) (pattern *regexp.Regexp, groups []string) {
	line = strings.ReplaceAll(strings.TrimSpace(line), " …", "…")
	var text strings.Builder
	open := map[string]bool{}
	for i, part := range strings.Split(line, "…") {
		if i > 0 {
			text.WriteString(`[^\n]*`)
		}
		last := 0
		for _, at := range varying.FindAllStringIndex(part, -1) {
			text.WriteString(regexp.QuoteMeta(part[last:at[0]]))
			last = at[1]
			found := part[at[0]:at[1]]
			value, known := v[found]
			any := `[a-z0-9-]+`
			if found == "WORDS" {
				any = `[a-z]+(?: [a-z]+){5}`
			}
			switch {
			case known:
				text.WriteString(regexp.QuoteMeta(value))
			case kept(found) && !open[found]:
				open[found] = true
				groups = append(groups, found)
				text.WriteString("(" + any + ")")
			default:
				text.WriteString(any)
			}
		}
		text.WriteString(regexp.QuoteMeta(part[last:]))
	}
	return regexp.MustCompile(blanks.ReplaceAllString(text.String(), `\s+`)), groups
}

// Match finds the lines of a page in an output, in their order, and learns the values that they show.
func (v Values) Match(lines []string, output string) error {
	for _, line := range lines {
		pattern, groups := v.Pattern(line)
		at := pattern.FindStringSubmatchIndex(output)
		if at == nil {
			return fmt.Errorf("the page has %q, which %s does not match in %q", line, pattern, output)
		}
		for i, text := range groups {
			v[text] = output[at[2*i+2]:at[2*i+3]]
		}
		output = output[at[1]:]
	}
	return nil
}
