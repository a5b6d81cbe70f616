package wasmhost

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cdk/link"
	"kedge/internal/gobuild"
)

// TestCanister is the package of the canister that tests of the cdk and the linker run.
const TestCanister = "kedge/cdk/internal/testcanister"

var reactor = sync.OnceValues(func() ([]byte, error) {
	sources, err := gobuild.Sources("", TestCanister)
	if err != nil {
		return nil, err
	}
	for _, path := range sources {
		f, err := os.Open(path) // go test notes it
		if err != nil {
			return nil, err
		}
		f.Close()
	}
	return gobuild.Reactor("", TestCanister, nil)
})

var linked = sync.OnceValues(func() ([]byte, error) {
	raw, err := reactor()
	if err != nil {
		return nil, err
	}
	return link.Link(raw, link.Options{
		Sections:  []link.Section{link.Service([]byte("service : {}")), link.InitArgs("(text)")},
		KeepNames: true,
	})
})

// Reactor returns what go build makes of the test canister. It is built once per test binary.
func Reactor(t testing.TB) []byte {
	module, err := reactor()
	require.NoError(t, err)
	return module
}

// Linked returns the linked test canister with the names of its functions.
func Linked(t testing.TB) []byte {
	module, err := linked()
	require.NoError(t, err)
	return module
}
