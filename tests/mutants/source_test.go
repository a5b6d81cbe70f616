package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRewrite(t *testing.T) {
	const source = `package p

func f(a, b int) {
	if a != 1 && b >= 2 || !g() {
		a++
	}
}
`
	m := &mutator{}
	got, err := m.rewrite("p.go", source)
	require.NoError(t, err)
	require.Equal(t, "", got)
}
