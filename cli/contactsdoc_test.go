package cli_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli"
)

// transcript is a terminal that answers from a page: what stands behind a prompt is typed.
type transcript struct {
	person
	shown *bytes.Buffer
	next  func(prompt string) string
}

func (p *transcript) Line(prompt string) (string, error) {
	answer := p.next(prompt)
	p.shown.WriteString(prompt + answer + "\n")
	return answer, nil
}

// The session of docs/contacts.md is what the commands print. In the page … stands for what differs from day to
// day, KEY for the principal of the new key and WORDS for its six words.
func TestContactsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/contacts.md")
	require.NoError(t, err)
	v := foundVillage(t)
	blocks := regexp.MustCompile("(?s)```\n(.*?)```").FindAllSubmatch(page, -1)
	require.Len(t, blocks, 6)
	var fresh under
	commands := 0
	fill := func(text string) string {
		return strings.NewReplacer("KEY", fresh.Principal, "WORDS", strings.Join(fresh.Words, " ")).Replace(text)
	}
	for _, block := range blocks {
		text := string(block[1])
		if strings.HasPrefix(text, "# the owner, who has lost nothing") {
			v = foundVillage(t)
			v.entrust("30d")
			fresh = v.recovery("thief")
			v.approve("anna", fresh)
			v.approve("bert", fresh)
		}
		if strings.HasPrefix(text, "owner$ kedge contacts agree") {
			v.must("owner", "device", "protect", "phone", "--phrase-file", "words.txt")
			v.must("owner", "device", "list", "--as", "phone") // it has to sign itself
		}
		if strings.HasPrefix(text, "# 30 days later\n") {
			v.pass(30*24*time.Hour + time.Minute)
		}
		who := regexp.MustCompile(`(?m)^(\w+)\$ kedge (.*)\n`)
		at := who.FindAllStringSubmatchIndex(text, -1)
		require.NotEmpty(t, at)
		for i, m := range at {
			end := len(text)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			name, line, expected := text[m[2]:m[3]], text[m[4]:m[5]], strings.TrimRight(text[m[1]:end], "\n")
			if name == "new" && fresh.Principal == "" {
				fresh = v.recovery("new")
			}
			args := strings.Fields(fill(line))
			for j, arg := range args {
				if arg == "phrase" && args[j-1] == "--as" {
					args = append(args, "--phrase-file", "words.txt")
				}
			}
			expected = fill(expected)
			var out bytes.Buffer
			terminal := &transcript{shown: &out}
			terminal.next = func(prompt string) string {
				last := prompt[strings.LastIndexByte(prompt, '\n')+1:]
				for _, line := range strings.Split(expected, "\n")[strings.Count(out.String(), "\n"):] {
					if answer, found := strings.CutPrefix(line, last); found {
						return answer
					}
					if at := strings.LastIndex(line, "type yes: "); at >= 0 && strings.HasSuffix(last, "type yes: ") {
						return line[at+len("type yes: "):]
					}
				}
				t.Fatalf("the page has no answer to %q", prompt)
				return ""
			}
			cli.MainHeld(t, t.Context(), v.system(terminal, &out, &out, name, args...))
			commands++
			pattern := "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(expected), "…", "[^\n]*")
			require.Regexp(t, pattern, strings.TrimRight(out.String(), "\n"), "%s$ kedge %s", name, line)
		}
	}
	require.Equal(t, 12, commands)
}
