package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// packages hold the policy, what is stored of people, and what their principals are made of.
var packages = []string{
	"canister/identity", "canister/identity/abuse", "canister/delegation",
	"canister/storage/alloc", "canister/storage/ring", "canister/storage/record", "canister/storage/tree", "canister/storage",
	"migrations", "migrations/ii",
}

// witnesses are further packages whose tests see the changes of a package: what only they use of it is tested
// there.
var witnesses = map[string][]string{"canister/storage": {"migrations", "migrations/ii"}, "migrations": {"migrations/ii"}, "canister/storage/tree": {"canister/storage"}}

func main() {
	verbose := flag.Bool("v", false, "list every mutant")
	flag.IntVar(&sample, "sample", 1, "make every `nth` change only, where there is no time for all")
	match := flag.String("only", "", "make the changes only whose `key`, as it is printed, matches this regular expression")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: mutants [-v] [-sample n] [-only key] [package ...]\nWithout packages: %s\n", strings.Join(packages, " "))
		flag.PrintDefaults()
	}
	flag.Parse()
	if sample < 1 {
		fmt.Fprintf(os.Stderr, "mutants: -sample is %d; want 1 or more\n", sample)
		os.Exit(2)
	}
	var err error
	if only, err = regexp.Compile(*match); err != nil {
		fmt.Fprintf(os.Stderr, "mutants: -only: %v\n", err)
		os.Exit(2)
	}
	if flag.NArg() > 0 {
		packages = flag.Args()
	}
	survivors := 0
	for _, dir := range packages {
		n, err := check(dir, *verbose)
		if err != nil {
			fmt.Fprintf(os.Stderr, "mutants: %v\n", err)
			os.Exit(2)
		}
		survivors += n
	}
	if survivors > 0 {
		fmt.Fprintf(os.Stderr, "mutants: %d changes of the rules that no test notices\n", survivors)
		os.Exit(1)
	}
}

// sample is 1 for all mutants, n for every nth; only is what their keys match.
var (
	sample = 1
	only   = regexp.MustCompile("")
)

// check mutates one package and returns how many mutants survive.
func check(dir string, verbose bool) (int, error) {
	scratch, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(scratch)
	m := &mutator{}
	suites, err := build(m, dir, scratch)
	if err != nil {
		return 0, err
	}
	tests, err := measure(suites, m.next, scratch)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", dir, err)
	}
	all := len(m.mutants)
	used := map[string]bool{}
	for _, mu := range m.mutants {
		used[mu.key()] = true
	}
	m.mutants = slices.DeleteFunc(m.mutants, func(mu mutant) bool { return !only.MatchString(mu.key()) })
	m.mutants = sampled(m.mutants)
	if len(m.mutants) < all {
		fmt.Printf("%s: %d of %d mutants\n", dir, len(m.mutants), all)
	}
	start := time.Now()
	noticed := make([]bool, len(m.mutants))
	work := make(chan int)
	var wait sync.WaitGroup
	for range goruntime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range work {
				noticed[i] = notices(tests, m.mutants[i].number)
			}
		})
	}
	for i := range m.mutants {
		work <- i
	}
	close(work)
	wait.Wait()

	survivors, equivalent, open := 0, 0, 0
	for i, mu := range m.mutants {
		reason, known := equivalents[mu.key()]
		switch {
		case noticed[i] && known:
			fmt.Printf("%s\n\tis noticed, but listed as equivalent: %s\n", mu, reason)
			survivors++
		case noticed[i] && unnoticed[mu.key()]:
			fmt.Printf("%s\n\tis noticed now: take it off unnoticed.txt\n", mu.key())
			survivors++
		case noticed[i]:
			if verbose {
				fmt.Printf("noticed  %s\n", mu)
			}
		case known:
			equivalent++
			if verbose {
				fmt.Printf("same     %s\n\t%s\n", mu, reason)
			}
		case unnoticed[mu.key()]:
			open++
		default:
			fmt.Printf("SURVIVES %s (line %d)\n", mu.key(), mu.line)
			survivors++
		}
	}
	for _, list := range []map[string]bool{unnoticed, keysOf(equivalents)} {
		for key := range list {
			if belongs(key, dir) && !used[key] {
				return 0, fmt.Errorf("equivalents.go or unnoticed.txt lists what is not there: %s", key)
			}
		}
	}
	fmt.Printf("%s: %d mutants, %d noticed, %d equivalent, %d known that no test notices yet, %d survive (%.0f s)\n", dir, len(m.mutants),
		len(m.mutants)-equivalent-open-survivors, equivalent, open, survivors, time.Since(start).Seconds())
	return survivors, nil
}

// sampled returns every nth mutant.
func sampled(all []mutant) (some []mutant) {
	for i := 0; i < len(all); i += sample {
		some = append(some, all[i])
	}
	return some
}

// build compiles the tests of the package, and of its witnesses, with every mutant in them.
func build(m *mutator, dir, scratch string) ([]suite, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no Go files in %q; run this at the root of the repository", dir)
	}
	overlay := map[string]string{}
	put := func(path, text string) error {
		there := filepath.Join(scratch, filepath.Base(path))
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		overlay[abs] = there
		return os.WriteFile(there, []byte(text), 0o600)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		text, err := m.rewrite(path, string(source))
		if err != nil {
			return nil, err
		}
		if err := put(path, text); err != nil {
			return nil, err
		}
	}
	m.dir = dir
	m.count()
	name := filepath.Base(dir)
	if err := put(filepath.Join(dir, "zz_mutants.go"), fmt.Sprintf(runtime, name, m.next+1)); err != nil {
		return nil, err
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	overlayFile := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(overlayFile, list, 0o600); err != nil {
		return nil, err
	}
	var suites []suite
	for i, of := range append([]string{dir}, witnesses[dir]...) {
		binary := filepath.Join(scratch, fmt.Sprint("tests", i))
		out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlayFile, "-o", binary, "./"+of).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("compile %s with its mutants: %w\n%s", dir, err, out)
		}
		suites = append(suites, suite{dir: of, binary: binary})
	}
	return suites, nil
}
