// Command mutants shows that the tests of the rules see every condition. It changes the policy in one
// place at a time and runs the tests of its package; a change that no test notices survives, and makes
// the command fail, unless equivalents.go says why nobody could notice it.
//
// All changes are compiled into one test binary, which makes one of them by its number at run time:
//
//	if d.Protected && !own    →
//	if mutateBool(1, mutateAnd(4, mutateBool(5, d.Protected), func() bool { return mutateBool(8, !own) }))
//
// The changes are: a condition negated, taken for true, taken for false; && and || exchanged; < and <=,
// > and >= exchanged; a statement (assignment, call, increment) left out.
//
// Each test is first run alone without a change, and notes which changes would make a difference on its way. A change
// is then held against those tests alone, the quickest first; one that makes a difference to no test survives at once.
//
// Two lists belong to it. equivalents.go has the changes that nobody can notice, each with its reason.
// unnoticed.txt has those that somebody could notice and no test does yet: a debt, which the summary of each package
// counts. The command fails on a change that is on neither list and survives, and on a listed one that a test
// notices, so that the lists say what is so.
//
// Run it with make mutants, or go run ./tests/mutants at the root of the repository. -v lists every change;
// -sample 10 makes every tenth only; -only shape.go makes those of that file.
package main
