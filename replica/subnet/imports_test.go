package subnet_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The package decides: a round and the state before it give the state after it. Locks, files, the clock and the
// network are for those who serve it.
func TestDecidesWithoutTheWorld(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, ".").Output()
	require.NoError(t, err)
	for _, name := range strings.Fields(string(out)) {
		require.NotContains(t, []string{"sync", "sync/atomic", "os", "io/fs", "net", "net/http", "time", "math/rand", "crypto/rand", "kedge/replica",
			"kedge/replica/journal", "kedge/replica/httpapi", "kedge/replica/gateway"}, name)
	}
	out, err = exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	require.False(t, slices.Contains(strings.Fields(string(out)), "net/http"), "a dependency of the package speaks HTTP")
}
