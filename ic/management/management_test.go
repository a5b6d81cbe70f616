package management

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/gen"
)

// The checked-in code is what the generator makes of management.did.
func TestGeneratedCodeIsFresh(t *testing.T) {
	src, err := os.ReadFile("management.did")
	require.NoError(t, err)
	file, err := did.Parse(string(src))
	require.NoError(t, err)
	want, err := gen.Generate(file, "management", "management.did", "EncodeArgs", "DecodeArgs", "EncodeResult", "DecodeResult")
	require.NoError(t, err)
	got, err := os.ReadFile("management_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go generate ./ic/management")
}
