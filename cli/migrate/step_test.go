package migrate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
)

func TestLossesAreComplete(t *testing.T) {
	for l := range kedge.Loss(32) {
		if l.String() != "unknown" {
			require.Equal(t, l, losses[l.String()])
		}
	}
}
