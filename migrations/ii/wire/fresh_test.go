package wire

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/gen"
)

func TestGeneratedCodeIsFresh(t *testing.T) {
	src, err := os.ReadFile("records.did")
	require.NoError(t, err)
	file, err := did.Parse(string(src))
	require.NoError(t, err)
	want, err := gen.Generate(file, "wire", "records.did", "EncodeArgs", "AppendArgs", "DecodeArgs")
	require.NoError(t, err)
	have, err := os.ReadFile("records_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "run go generate ./migrations/ii/wire")
}
