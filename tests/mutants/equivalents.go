package main

import (
	"fmt"
	"strings"
)

// equivalents are the mutants that nobody can notice, with the reason. A key names the file, the
// function, the change and the source; #2 is the second of that name.
var equivalents = map[string]string{}

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
