package ctap

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Debian's libfido2 registers, signs in and verifies by itself, and manages the key.
func TestLibfido2(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3, through which libfido2 is called, is not here")
	}
	out, err := exec.Command(python, "libfido2.py", plug(t, newFile(t), nil)).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		t.Skipf("libfido2 is not here; scripts/tools.sh installs it: %s", out)
	}
	require.NoError(t, err, "%s", out)
	require.Equal(t, "passed\n", string(out))
}
