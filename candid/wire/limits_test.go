package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/wire"
)

// signature compiles types in parentheses.
func signature(t *testing.T, src string) (wire.Table, []wire.Field) {
	t.Helper()
	file, err := did.Parse("type List = opt record { head : int; tail : List }; service : { m : " + src + " -> () }")
	require.NoError(t, err)
	c := did.NewCompiler(file)
	s := c.Signature(file.Methods()[0].Type.(did.Func).Args)
	return c.Table, s.Args
}

// Messages of a few bytes that ask for much are refused, by a text that says why.
func TestLimits(t *testing.T) {
	leb := func(n uint64) string { return string(wire.AppendULEB(nil, n)) }
	// Each record holds two of the next: 2^100 values without a byte.
	doubling := "DIDL\x65"
	for i := range 100 {
		next := string(wire.AppendSLEB(nil, int64(i+1)))
		doubling += "\x6c\x02\x00" + next + "\x01" + next
	}
	doubling += "\x6c\x00\x01\x00"
	deep := "DIDL\x02\x6e\x01\x6c\x02" + leb(uint64(wire.Hash("head"))) + "\x7c" + leb(uint64(wire.Hash("tail"))) + "\x00\x01\x00" +
		strings.Repeat("\x01\x01", 200) + "\x00"
	for name, c := range map[string]struct{ types, message, err string }{
		"a billion nulls": {"(vec null)", "DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x03",
			"argument 1: a vec has more elements than a message of this size may have at offset 14"},
		"a billion nulls that nobody wants": {"()", "DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x03",
			"argument 1: the message takes too much work for its size at offset 14"},
		"doubling records": {"(reserved)", doubling,
			"argument 1: the message takes too much work for its size at offset"},
		"a list of 200 elements": {"(List)", deep,
			`argument 1, field "1291237008", field "1291237008", field "1291237008", field "1291237008", …, field "1291237008", field "1291237008", field "1291237008", field "1291237008": values are nested too deeply at offset`},
		"1001 types":       {"()", "DIDL" + leb(1001) + strings.Repeat("\x6e\x7f", 1001) + "\x00", "more types than a message may define at offset 6"},
		"10001 fields":     {"()", "DIDL\x01\x6c" + leb(10001) + strings.Repeat("\x00\x00", 10001) + "\x00", "more fields than a message may define at offset 8"},
		"a long blob":      {"()", "DIDL\x01\x6d\x7b\x01\x00" + leb(600<<10) + strings.Repeat("\x00", 600<<10), "argument 1: the message carries too much that the receiver does not know at offset"},
		"a claimed length": {"(blob)", "DIDL\x01\x6d\x7b\x01\x00\xff\xff\xff\xff\x03", "argument 1: the message ends too early at offset 14"},
		"a long number":    {"(nat)", "DIDL\x00\x01\x7d" + strings.Repeat("\x80", 5000) + "\x00", "argument 1: a number is longer than 4096 bytes at offset 5008"},
		"a padded length":  {"(text)", "DIDL\x00\x01\x71" + strings.Repeat("\x80", 30) + "\x00", "argument 1: a number is padded to more than twenty bytes at offset 29"},
		"a length of 70 bits": {"(text)", "DIDL\x00\x01\x71\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
			"argument 1: a number is beyond 64 bits at offset 17"},
		"a long principal": {"(principal)", "DIDL\x00\x01\x68\x01\x1e" + strings.Repeat("a", 30), "argument 1:"},
	} {
		t.Run(name, func(t *testing.T) {
			table, args := signature(t, c.types)
			_, err := decodeAll([]byte(c.message), table, args)
			require.ErrorContains(t, err, c.err)
		})
	}
}

// A recursive type that is compared with another one costs no more than the
// number of pairs.
func TestSubtypeOfLargeTypes(t *testing.T) {
	file, err := did.Parse(`type A = record { a : A; b : A; c : record { a : A; b : A; c : A } };
		type B = record { a : record { a : B; b : B; c : B }; b : B; c : B };`)
	require.NoError(t, err)
	c := did.NewCompiler(file)
	a, b := c.Ref(did.Name{Name: "A"}), c.Ref(did.Name{Name: "B"})
	require.True(t, wire.Subtype(c.Table, a, c.Table, b))
	require.True(t, wire.Subtype(c.Table, b, c.Table, a))
}

func TestSubtype(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"nat", "int", true}, {"int", "nat", false}, {"empty", "text", true}, {"text", "reserved", true},
		{"record { a : nat; b : text }", "record { a : int }", true},
		{"record { a : nat }", "record { a : nat; b : text }", false},
		{"record { a : nat }", "record { a : nat; b : opt text }", true},
		{"variant { a }", "variant { a; b }", true}, {"variant { a; b }", "variant { a }", false},
		{"func (nat) -> (nat)", "func (nat) -> (int)", true}, {"func (nat) -> ()", "func (int) -> ()", false},
		{"func (int) -> ()", "func (nat) -> ()", true}, {"func () -> () query", "func () -> ()", false},
		{"func (opt text) -> ()", "func () -> ()", true}, {"func () -> (nat)", "func () -> ()", true},
		{"service { a : () -> (); b : () -> () }", "service { b : () -> () }", true},
		{"service { b : () -> () }", "service { a : () -> () }", false},
		{"service {}", "principal", true}, {"principal", "service {}", false},
		{"vec nat", "vec int", true}, {"vec nat8", "vec nat16", false}, {"vec nat", "opt bool", true},
	} {
		ta, a := signature(t, "("+c.a+")")
		tb, b := signature(t, "("+c.b+")")
		require.Equal(t, c.want, wire.Subtype(ta, a[0].Type, tb, b[0].Type), "%s <: %s", c.a, c.b)
	}
}

func TestHash(t *testing.T) {
	for name, id := range map[string]uint32{"pubkey": 1727183618, "alias": 563171728, "browser_storage_key": 4220448004, "": 0} {
		require.Equal(t, id, wire.Hash(name))
	}
}

// A text that is not UTF-8 is made so, lest a reply could not be decoded.
func TestAppendTextIsUTF8(t *testing.T) {
	require.Equal(t, "\x05a\uFFFDb", string(wire.AppendText(nil, "a\xffb")))
}
