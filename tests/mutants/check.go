package main

import (
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"sync"
	"time"
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
