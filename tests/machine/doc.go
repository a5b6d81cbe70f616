// Package machine plays random messages by everyone, time and upgrades, on the real module on a network and on
// the reference model of tests/model, and compares the two after each: the answer, and the anchor's record as
// it stands in stable memory.
package machine
