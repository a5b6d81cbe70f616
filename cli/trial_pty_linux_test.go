package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What cannot be taken back is confirmed on a terminal by the canister's id, which the question shows.
func TestRollbackIsConfirmedOnATerminal(t *testing.T) {
	o, network, old, module := newOperator(t)
	id := o.deploy(old, "--force-module").Canister
	setOldState(t, network, id)
	o.deploy(module)
	for _, c := range []struct {
		typed string
		code  int
		says  string
	}{
		{"\r", 2, `"" is not the id of the canister, so nothing was done`},
		{"yes\r", 2, `"yes" is not the id of the canister, so nothing was done`},
		{"\x03", 130, "interrupted"},
		{id + "\r", 0, "runs the old module"},
	} {
		require.Contains(t, o.must("migrate", "status"), "trial")
		s := openScreen(t, 24, 240)
		s.start(o.env, "migrate", "rollback", old)
		s.expect("type the canister's id, " + id + ", to go on: ")
		s.typeKeys(c.typed)
		code, output := s.wait()
		require.Equal(t, c.code, code, output)
		require.Contains(t, output, c.says)
		s.requireRestored()
	}
}
