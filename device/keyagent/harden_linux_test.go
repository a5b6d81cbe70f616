package keyagent

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Harden changes the process, so the test runs it in one of its own.
func TestHarden(t *testing.T) {
	if os.Getenv("KEDGE_TEST_HARDEN") == "" {
		self, err := os.Executable()
		require.NoError(t, err)
		child := exec.Command(self, "-test.run=TestHarden$")
		child.Env = append(os.Environ(), "KEDGE_TEST_HARDEN=1")
		out, err := child.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "hardened")
		return
	}
	locked, err := Harden()
	require.NoError(t, err)
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	require.NoError(t, err)
	require.Zero(t, dumpable)
	var core unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_CORE, &core))
	require.Zero(t, core.Max)
	// As much memory as opening a store takes, locked or not.
	block := make([]byte, 256<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	fmt.Println("hardened", locked, len(block))
}
