package link

import (
	gotoken "go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/gobuild"
	"kedge/wasm"
)

// Every function that is replaced is missed if Go's library calls it something else one day: the build fails.
// Only exported functions outside of internal packages may do without a witness, since they keep their names.
func TestRenamedFunctionsFailTheBuild(t *testing.T) {
	reactor, err := gobuild.Reactor("../..", "./cdk/internal/testcanister", nil)
	require.NoError(t, err)
	for _, r := range replacements {
		t.Run(r.function, func(t *testing.T) {
			m, err := wasm.Decode(reactor)
			require.NoError(t, err)
			names, err := m.Names()
			require.NoError(t, err)
			has := func(name string) bool {
				for _, n := range names.Functions {
					if n == name {
						return true
					}
				}
				return false
			}
			require.True(t, has(goName(r.function)), "the test canister uses it")
			if r.witness == "" {
				name := r.function[strings.LastIndexByte(r.function, '.')+1:]
				require.True(t, gotoken.IsExported(name))
				require.NotContains(t, r.function, "internal/")
				return
			}
			require.True(t, has(goName(r.witness)))
			for index, name := range names.Functions {
				if name == goName(r.function) {
					names.Functions[index] = "renamed"
				}
			}
			m.SetNames(names)
			_, err = Link(m.Encode(), Options{})
			require.ErrorContains(t, err, "cannot replace "+r.function+": it is not in the module although "+r.witness+" is")
		})
	}
}
