package production_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// allowed is a scenario that may differ.
type allowed struct {
	aspects []string // step.what, as a difference names them; "*" for any
	reason  string
}

// allowedDifferences reads lines of the form "scenario | 3.message, 4.cycles of c | reason".
func allowedDifferences(t *testing.T) map[string]allowed {
	raw, err := os.ReadFile(filepath.Join("testdata", "differences.txt"))
	require.NoError(t, err)
	list := map[string]allowed{}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		parts := strings.SplitN(line, " | ", 3)
		require.Len(t, parts, 3, "line %q of differences.txt", line)
		require.NotContains(t, list, parts[0])
		list[parts[0]] = allowed{strings.Split(parts[1], ", "), parts[2]}
	}
	return list
}

// Every scenario ends as it did on production, but for those of differences.txt, which differ in just what is
// listed there.
func TestScenarios(t *testing.T) {
	scenarios, list := loadScenarios(t), allowedDifferences(t)
	cache := t.TempDir()
	equal, unmade := 0, []string(nil)
	for _, s := range scenarios {
		t.Run(s.Name, func(t *testing.T) {
			differences, made := compare(t, s, cache)
			if !made {
				unmade = append(unmade, s.Name)
				t.Skip("one of its modules is not written down")
			}
			if len(differences) == 0 {
				equal++
			}
			list[s.Name].check(t, differences)
		})
	}
	t.Logf("%d of %d scenarios are equal; without their modules: %q", equal, len(scenarios), unmade)
}

// check fails where a difference appeared or disappeared.
func (a allowed) check(t *testing.T, differences []difference) {
	any := slices.Contains(a.aspects, "*")
	var found []string
	for _, d := range differences {
		found = append(found, d.aspect())
		if !any && !slices.Contains(a.aspects, d.aspect()) {
			t.Errorf("%v", d)
		} else {
			t.Logf("allowed (%s): %v", a.reason, d)
		}
	}
	for _, aspect := range a.aspects {
		if aspect != "*" && !slices.Contains(found, aspect) {
			t.Errorf("%s no longer differs: remove it from differences.txt", aspect)
		}
	}
	if any && len(differences) == 0 {
		t.Errorf("the scenario no longer differs: remove it from differences.txt")
	}
}
