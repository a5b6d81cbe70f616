// Package classic holds Kedge's classic interface to what clients of Internet Identity know: limits, traps
// with their texts, orders, times. Subtests bear the names of Internet Identity's own tests where there is
// one. Where Kedge differs on purpose, a line of differences.go says so, and the test that shows it is named
// there.
package classic
