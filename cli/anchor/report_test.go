package anchor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
)

func TestWordsOfTheReportAreComplete(t *testing.T) {
	for s := range kedge.Scenario(32) {
		if s.String() != "unknown" {
			require.NotEmpty(t, scenarioTexts[s], s.String())
		}
	}
	for a := range kedge.Advice(32) {
		if a.String() != "unknown" {
			require.NotEmpty(t, adviceTexts[a], a.String())
		}
	}
}
