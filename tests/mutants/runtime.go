package main

// runtime is what the rewritten package needs. With KEDGE_MUTANT it makes that change. With KEDGE_MUTANTS_SEEN it
// makes none, and writes a 1 at the offset of each change that would have made a difference on the spot.
const runtime = `package %s

import (
	"cmp"
	"os"
	"strconv"
	"sync/atomic"
)

var mutant = func() int {
	n, _ := strconv.Atoi(os.Getenv("KEDGE_MUTANT"))
	return n
}()

var mutantsSeen = func() *os.File {
	path := os.Getenv("KEDGE_MUTANTS_SEEN")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	return f
}()

// mutantsDone takes no memory later on: some tests count what is allocated.
var mutantsDone [%d]atomic.Bool

var mutantSeen = []byte{1}

func mutantSees(n int) {
	if mutantsDone[n].Swap(true) {
		return
	}
	if _, err := mutantsSeen.WriteAt(mutantSeen, int64(n)); err != nil {
		panic(err)
	}
}

func mutateDrop(n int) bool {
	if mutantsSeen != nil {
		mutantSees(n)
	}
	return mutant == n
}

func mutateBool(n int, v bool) bool {
	if mutantsSeen != nil {
		mutantSees(n)
		if v {
			mutantSees(n + 2)
		} else {
			mutantSees(n + 1)
		}
	}
	switch mutant - n {
	case 0:
		return !v
	case 1:
		return true
	case 2:
		return false
	}
	return v
}

func mutateAnd(n int, a bool, b func() bool) bool {
	if mutantsSeen != nil {
		v := a && b()
		if !v {
			mutantSees(n) // whether b holds or fails is not asked where a is false
		}
		return v
	}
	if mutant == n {
		return a || b()
	}
	return a && b()
}

func mutateOr(n int, a bool, b func() bool) bool {
	if mutantsSeen != nil {
		v := a || b()
		if v {
			mutantSees(n)
		}
		return v
	}
	if mutant == n {
		return a && b()
	}
	return a || b()
}

func mutantEqual(n int, equal bool) bool {
	if equal && mutantsSeen != nil {
		mutantSees(n)
	}
	return equal
}

func mutateLess[T cmp.Ordered](n int, a, b T) bool {
	return a < b || mutantEqual(n, a == b) && mutant == n
}

func mutateLessEqual[T cmp.Ordered](n int, a, b T) bool {
	return a < b || mutantEqual(n, a == b) && mutant != n
}

func mutateMore[T cmp.Ordered](n int, a, b T) bool {
	return a > b || mutantEqual(n, a == b) && mutant == n
}

func mutateMoreEqual[T cmp.Ordered](n int, a, b T) bool {
	return a > b || mutantEqual(n, a == b) && mutant != n
}
`
