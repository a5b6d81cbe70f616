package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
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
