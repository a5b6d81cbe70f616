package compat

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/kedge"
)

func TestCompare(t *testing.T) {
	for name, test := range map[string]struct {
		old, now string
		want     []Change
	}{
		"the same":      {"service : { a : (nat) -> (text) query }", "service : { a : (nat) -> (text) query }", []Change{}},
		"only names":    {"type T = nat; service : { a : (T) -> () }", "type U = nat; service : { a : (x : U) -> () }", []Change{}},
		"removed":       {"service : { a : () -> (); b : () -> () }", "service : { a : () -> () }", []Change{{"b", "removed", true}}},
		"new":           {"service : { a : () -> () }", "service : { a : () -> (); b : () -> () }", []Change{{"b", "new", false}}},
		"mode":          {"service : { a : () -> () query }", "service : { a : () -> () }", []Change{{"a", "was a query, is an update", true}}},
		"new argument":  {"service : { a : () -> () }", "service : { a : (nat) -> () }", []Change{{"a", "argument new", true}}},
		"new opt":       {"service : { a : () -> () }", "service : { a : (opt nat) -> () }", []Change{{"a", "argument new", false}}},
		"lost argument": {"service : { a : (nat, nat) -> () }", "service : { a : (nat) -> () }", []Change{{"a", "argument 2 removed", true}}},
		"wider":         {"service : { a : (nat) -> () }", "service : { a : (int) -> () }", []Change{{"a", "argument: was nat, is int", false}}},
		"wider result":  {"service : { a : () -> (nat) }", "service : { a : () -> (int) }", []Change{{"a", "result: was nat, is int", true}}},
		"another type":  {"service : { a : () -> (vec nat8) }", "service : { a : () -> (vec nat16) }", []Change{{"a", "result[]: was nat8, is nat16", true}}},
		"lost field":    {"service : { a : () -> (record { x : nat; y : opt nat }) }", "service : { a : () -> (record { x : nat }) }", []Change{{"a", "result.y removed", true}}},
		"new field":     {"service : { a : (record {}) -> (record {}) }", "service : { a : (record { x : nat }) -> (record { x : nat }) }", []Change{{"a", "argument.x new", true}, {"a", "result.x new", false}}},
		"cases": {"service : { a : (variant { x; y }) -> (variant { x }) }", "service : { a : (variant { x }) -> (variant { x; y }) }",
			[]Change{{"a", "case argument.y removed", true}, {"a", "case result.y new", true}}},
		"fewer results":  {"service : { a : () -> (variant { x; y }) }", "service : { a : () -> (variant { x }) }", []Change{{"a", "case result.y removed", false}}},
		"case in an opt": {"service : { a : () -> (opt variant { x }) }", "service : { a : () -> (opt variant { x; y }) }", []Change{{"a", "case result.y new", false}}},
		"recursive":      {"type T = record { opt T; nat }; service : { a : () -> (T) }", "type T = record { opt T; text }; service : { a : () -> (T) }", []Change{{"a", "result.0.1: was nat, is text", true}, {"a", "result.1: was nat, is text", true}}},
		"without an end": {"type T = opt T; service : { a : () -> (T) }", "type T = vec T; service : { a : () -> (T) }",
			[]Change{{"a", "result: was opt opt opt opt …, is vec vec vec vec …", false}}},
		"into an opt":            {"service : { a : (nat) -> (opt nat) }", "service : { a : (opt int) -> (nat) }", []Change{{"a", "argument: was nat, is opt int", false}, {"a", "result: was opt nat, is nat", false}}},
		"into an opt of another": {"service : { a : (nat) -> (opt nat) }", "service : { a : (opt text) -> (text) }", []Change{{"a", "argument: was nat, is opt text", true}, {"a", "result: was opt nat, is text", true}}},
		"a function":             {"service : { a : () -> (func () -> () query) }", "service : { a : () -> (func (nat) -> () query) }", []Change{{"a", "result: another func", true}}},
		"constructor":            {"service : (opt record { x : opt nat }) -> {}", "service : (opt record {}) -> {}", []Change{{"", "argument.x removed", true}}},
	} {
		t.Run(name, func(t *testing.T) {
			old, err := did.Parse(test.old)
			require.NoError(t, err)
			now, err := did.Parse(test.now)
			require.NoError(t, err)
			require.Equal(t, test.want, Compare(old, now))
		})
	}
}

func TestKedgeIsCompatibleWithItself(t *testing.T) {
	file, err := did.Parse(kedge.Interface)
	require.NoError(t, err)
	require.Empty(t, Compare(file, file))
}

// Interfaces come from canisters of others: whatever they are, comparing ends, and finds nothing between one and
// itself.
func FuzzCompare(f *testing.F) {
	for _, seed := range [][2]string{
		{"service : {}", kedge.Interface},
		{"type T = opt T; service : { a : (T) -> (T) }", "type T = record { T }; service : { a : (T) -> (T) }"},
		{"type A = variant { a : B; b }; type B = vec A; service : (A) -> { m : (A, B) -> (B) query }", "type A = opt A; service : { m : (A) -> () oneway }"},
		{"type F = func (F) -> (F); service : { f : F }", "type S = service { s : () -> (S) }; service : S"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		old, err := did.Parse(a)
		if err != nil {
			return
		}
		for _, c := range Compare(old, old) {
			t.Fatalf("differs from itself: %s", c)
		}
		if now, err := did.Parse(b); err == nil {
			Compare(old, now)
			Compare(now, old)
		}
	})
}
