package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kedge/replica/exec"
)

// shown is how many functions are listed by name.
const shown = 120

// print writes the profile: what the message cost, the functions by their own instructions with who called
// them most, and the pages with who touched them.
func (p *profile) print(r exec.Report) {
	var all uint64
	for _, c := range p.self {
		all += c.instructions
	}
	fmt.Printf("%d instructions without page charges; pages: heap %d read, %d written, stable %d, %d\n\n", all, r.HeapRead, r.HeapWritten, r.StableRead, r.StableWritten)
	fmt.Println("instructions   calls  function < callers")
	names := slices.SortedFunc(maps.Keys(p.self), func(a, b string) int { return cmp.Compare(p.self[b].instructions, p.self[a].instructions) })
	for _, name := range names[:min(shown, len(names))] {
		c := p.self[name]
		fmt.Printf("%12d %7d  %s < %s\n", c.instructions, c.calls, name, most(c.callers, 3))
	}
	for _, page := range slices.Sorted(maps.Keys(p.pages)) {
		fmt.Printf("\npage %d (%#x)\n", page, page<<16)
		touches := p.pages[page]
		for _, name := range slices.SortedFunc(maps.Keys(touches), func(a, b string) int { return cmp.Compare(touches[a].lo, touches[b].lo) }) {
			t := touches[name]
			mode := "r "
			if t.written {
				mode = "rw"
			}
			fmt.Printf("  %s %#x-%#x %s\n", mode, t.lo, t.hi, name)
		}
	}
}

func most(counts map[string]uint64, n int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	var out []string
	for _, name := range names[:min(n, len(names))] {
		out = append(out, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(out, ", ")
}
