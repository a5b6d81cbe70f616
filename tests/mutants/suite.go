package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// patience is how much processor time tests may take with a mutant, and slower is how many times as much as without
// one: a mutant with which they run for ever is noticed. Processor time does not depend on what else the machine does;
// stuck is how long tests may wait for something that never comes.
const (
	patience = 3 * time.Second
	slower   = 10
	stuck    = 10 * time.Minute
)

// together is how long tests that run in one process may take without a mutant. Starting a process costs some
// 20 milliseconds.
const together = 200 * time.Millisecond

// suite is the tests of one package, compiled with every mutant.
type suite struct {
	dir, binary string
}

// unit is one test of a suite.
type unit struct {
	*suite
	name string
	took time.Duration
	sees []byte // 1 at the number of each mutant that makes a difference somewhere on the way of the test
}

// measure runs every test alone, without a mutant. It returns the tests of each suite, the quickest first.
func measure(suites []suite, mutants int, scratch string) ([]unit, error) {
	var units []unit
	for i := range suites {
		s := &suites[i]
		out, err := exec.Command(s.binary, "-test.list", "^(Test|Fuzz|Example)").Output()
		if err != nil {
			return nil, fmt.Errorf("list the tests of %s: %w", s.dir, err)
		}
		from := len(units)
		for _, name := range strings.Fields(string(out)) {
			u := unit{suite: s, name: name}
			seen := filepath.Join(scratch, "seen")
			if err := os.WriteFile(seen, make([]byte, mutants+1), 0o600); err != nil {
				return nil, err
			}
			failed, out, took := s.run([]string{name}, 0, time.Hour, "KEDGE_MUTANTS_SEEN="+seen)
			if failed {
				return nil, fmt.Errorf("%s of %s fails without any change:\n%s", name, s.dir, out)
			}
			u.took = took
			if u.sees, err = os.ReadFile(seen); err != nil {
				return nil, err
			}
			units = append(units, u)
		}
		slices.SortStableFunc(units[from:], func(a, b unit) int { return int(a.took - b.took) })
	}
	return units, nil
}

// notices tells whether a test fails with the mutant. Only those tests run for which it makes a difference on the
// spot: the others cannot fail.
func notices(units []unit, mutant int) bool {
	var names []string
	var took time.Duration
	for i, u := range units {
		if u.sees[mutant] == 1 {
			names = append(names, u.name)
			took += u.took
		}
		last := i == len(units)-1
		if len(names) == 0 || !last && units[i+1].suite == u.suite && took+units[i+1].took <= together {
			continue
		}
		if failed, _, _ := u.run(names, mutant, max(patience, slower*took)); failed {
			return true
		}
		names, took = nil, 0
	}
	return false
}

// run runs tests with one mutant awake (0 for none) and reports whether they fail, what they print, and how much
// processor time they took. They fail when they take more than the limit.
func (s *suite) run(names []string, mutant int, limit time.Duration, env ...string) (failed bool, output string, took time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), stuck)
	defer cancel()
	for i, name := range names {
		names[i] = regexp.QuoteMeta(name)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", fmt.Sprintf(`ulimit -t %d; exec "$0" "$@"`, int(limit.Seconds())+1), s.binary, "-test.run", "^("+strings.Join(names, "|")+")$",
		"-test.failfast", "-test.short", "-rapid.nofailfile", "-rapid.seed=1")
	cmd.Dir = s.dir
	cmd.Env = append(append(os.Environ(), fmt.Sprintf("KEDGE_MUTANT=%d", mutant), "GOMEMLIMIT=1GiB", "GOMAXPROCS=1"), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return false, err.Error(), 0
	}
	return err != nil, string(out), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
