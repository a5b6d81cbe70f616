package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// key names a mutant without its line.
func (m mutant) key() string {
	key := m.dirPrefix + m.file + " " + m.where + ": " + m.kind + ": " + m.text
	if m.nth > 1 {
		key += fmt.Sprintf(" #%d", m.nth)
	}
	return key
}

func prefixOf(dir string) string { return strings.TrimPrefix(dir, "canister/") + "/" }

// count numbers the mutants that would have the same key.
func (m *mutator) count() {
	seen := map[string]int{}
	for i := range m.mutants {
		mu := &m.mutants[i]
		mu.dirPrefix = prefixOf(m.dir)
		seen[mu.key()]++
		mu.nth = seen[mu.key()]
	}
}

// unnoticed are the mutants that no test notices yet, a key a line: they do not make the command fail, a new one
// does, and so does one that a test notices now. The list only gets shorter. Lines that begin with # are comments.
var unnoticed = lines(unnoticedList)

//go:embed unnoticed.txt
var unnoticedList string

func lines(list string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(list) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all[line] = true
		}
	}
	return all
}

func keysOf(m map[string]string) map[string]bool {
	all := map[string]bool{}
	for key := range m {
		all[key] = true
	}
	return all
}

// belongs tells whether a key is that of a mutant of a package, and not of one below it.
func belongs(key, dir string) bool {
	rest, ok := strings.CutPrefix(key, prefixOf(dir))
	file, _, _ := strings.Cut(rest, " ")
	return ok && !strings.Contains(file, "/")
}
