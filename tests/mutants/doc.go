// Command mutants shows that the tests of the rules see every condition. It changes the policy in one
// place at a time and runs the tests of its package; a change that no test notices survives, and makes
// the command fail, unless equivalents.go says why nobody could notice it.
//
// All changes are compiled into one test binary, which makes one of them by its number at run time:
//
//	if d.Protected && !own    →   if mutate.And(7, mutate.Bool(1, d.Protected), func() bool { return mutate.Bool(4, !own) })
//
// The changes are: a condition negated, taken for true, taken for false; && and || exchanged; < and <=,
// > and >= exchanged; a statement (assignment, call, increment) left out.
//
// Run it with make mutants, or go run ./tests/mutants at the root of the repository. -v lists every change;
// -sample 10 makes every tenth only.
package main
