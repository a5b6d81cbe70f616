package help

import (
	"regexp"
	"strings"

	"kedge/docs"
)

// Word is an entry of the glossary.
type Word struct {
	Term       string `json:"term"`
	Definition string `json:"definition"`
	Section    string `json:"section"`
}

// Glossary returns the words of docs/glossary.md in its order, as plain text.
func Glossary() []Word { return parseGlossary(docs.Glossary) }

var (
	entry    = regexp.MustCompile(`^- \*\*([^*]+)\*\*(.*)$`)
	emphasis = regexp.MustCompile("\\*([^* ][^*]*)\\*|`([^`]+)`")
	link     = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
)

// parseGlossary reads the page: sections, and in each a list of terms in bold with what they mean.
func parseGlossary(page string) []Word {
	var words []Word
	section, open := "", false
	for line := range strings.SplitSeq(page, "\n") {
		switch found := entry.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "## "):
			section, open = strings.TrimPrefix(line, "## "), false
		case found != nil:
			words = append(words, Word{Term: found[1], Definition: plain(strings.TrimLeft(found[2], ": ")), Section: section})
			open = true
		case open && strings.HasPrefix(line, "  "):
			words[len(words)-1].Definition += " " + plain(strings.TrimSpace(line))
		default:
			open = false
		}
	}
	return words
}

// plain takes the marks of Markdown out of a line.
func plain(text string) string {
	return emphasis.ReplaceAllString(link.ReplaceAllString(text, "$1"), "$1$2")
}

// textWidth is the width of help in columns, which every terminal has.
const textWidth = 80

// wordsText lays words out for reading.
func wordsText(words []Word) string {
	var b strings.Builder
	section := ""
	for _, w := range words {
		if w.Section != section {
			if section = w.Section; b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(section + "\n")
		}
		b.WriteString("  " + w.Term + "\n" + wrap(w.Definition, "      ", textWidth))
	}
	return b.String()
}

// wrap breaks a text into lines of at most width columns that begin with indent.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}
