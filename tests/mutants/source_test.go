package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRewrite(t *testing.T) {
	const source = `package p

func f(a, b int, ok bool) bool {
	if a != 1 &&
		b >= 2 || !g() {
		ok = a < b
	}
	switch {
	case ok:
		g()
	}
	for i := 0; i < a; i++ {
	}
	if ok = a > 0; ok {
		panic("no statement to leave out")
	}
	if a++; ok {
	}
	return a == b
}
`
	const want = `package p

func f(a, b int, ok bool) bool {
	if mutateBool(1, mutateOr(4, mutateBool(5, mutateAnd(8, mutateBool(9, a != 1) , func() bool { return mutateBool(12, mutateMoreEqual(15, b ,  2))})) , func() bool { return mutateBool(16, !g())})) {
		if !mutateDrop(19) { ok = mutateBool(20, mutateLess(23, a ,  b)) }
	}
	switch {
	case mutateBool(24, ok):
		if !mutateDrop(27) { g() }
	}
	for i := 0; mutateBool(28, mutateLess(31, i ,  a)); i++ {
	}
	if ok = mutateBool(32, mutateMore(35, a ,  0)); mutateBool(36, ok) {
		panic("no statement to leave out")
	}
	if a++; mutateBool(39, ok) {
	}
	return mutateBool(42, a == b)
}
`
	m := &mutator{}
	got, err := m.rewrite("p.go", source)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Len(t, m.mutants, 44)
	require.Equal(t, "p.go:4 f: exchanged: || for &&: a != 1 && b >= 2 || !g()", m.mutants[3].String())

	m.dir = "canister/p"
	m.mutants = append(m.mutants, m.mutants[0])
	m.count()
	require.Equal(t, "p/p.go f: negated: a != 1 && b >= 2 || !g()", m.mutants[0].key())
	require.Equal(t, "p/p.go f: negated: a != 1 && b >= 2 || !g() #2", m.mutants[44].key())

	_, err = m.rewrite("p.go", "package")
	require.Error(t, err)
}

func TestKeysBelongToTheirPackage(t *testing.T) {
	require.True(t, belongs("storage/slot.go f: negated: x", "canister/storage"))
	require.False(t, belongs("storage/tree/node.go f: negated: x", "canister/storage"))
	require.True(t, belongs("migrations/ii/cbor.go f: negated: a/b", "migrations/ii"))
	require.Equal(t, map[string]bool{"a b": true}, lines("# no\n\na b\n"))
}
