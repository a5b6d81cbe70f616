package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

// The main story: a protected phrase outlives an attack from the laptop, and an upgrade, and goes by its
// own hand.
func TestMainStory(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.Equal(t, uint64(10_000), anchor)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))

	locked := "Device is locked. Must be authenticated with this device to mutate"
	require.ErrorContains(t, h.Remove(anchor, laptop, phrase), locked)
	require.ErrorContains(t, h.Update(anchor, laptop, phrase.Renamed("mine now")), locked)
	require.ErrorContains(t, h.Replace(anchor, laptop, phrase, harness.NewPhrase("the thief's")), locked)
	h.RequireRefused(kedge.ErrorCodeSelfOnly, h.Unprotect(anchor, laptop, phrase))

	h.Upgrade()
	there, marked := h.Has(anchor, phrase)
	require.True(t, there && marked)
	require.ErrorContains(t, h.Remove(anchor, laptop, phrase), locked)

	require.NoError(t, h.Remove(anchor, phrase, phrase))
	there, _ = h.Has(anchor, phrase)
	require.False(t, there)
	require.Len(t, h.Info(anchor, laptop).Devices, 1)
}
