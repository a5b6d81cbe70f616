package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTablesAreUpToDate(t *testing.T) {
	want, err := tables()
	require.NoError(t, err)
	got, err := os.ReadFile("../names_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go generate ./canister")
}
