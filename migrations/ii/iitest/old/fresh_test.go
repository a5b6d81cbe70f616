package old

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/gen"
)

func TestGeneratedCodeIsFresh(t *testing.T) {
	src, err := os.ReadFile("old.did")
	require.NoError(t, err)
	file, err := did.Parse(string(src))
	require.NoError(t, err)
	want, err := gen.Generate(file, "old", "old.did", "EncodeArgs")
	require.NoError(t, err)
	have, err := os.ReadFile("old_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "run go generate ./migrations/ii/iitest/old")
}
