package classic

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

func TestLookupByRecoveryPhrase(t *testing.T) {
	h := harness.Open(t, nil)
	find := func(as principal.Principal) *uint64 {
		reply, err := h.Call(as, "lookup_caller_identity_by_recovery_phrase", kedge.EncodeLookupCallerIdentityByRecoveryPhraseArgs())
		require.NoError(t, err)
		anchor, err := kedge.DecodeLookupCallerIdentityByRecoveryPhraseResult(reply)
		require.NoError(t, err)
		return anchor
	}
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.Nil(t, find(phrase.Principal()), "it has never signed there")
	h.Info(anchor, phrase)
	require.Equal(t, &anchor, find(phrase.Principal()))
	require.Nil(t, find(laptop.Principal()), "it is no phrase")
	require.Nil(t, find(principal.Anonymous))

	// A stranger lists the phrase on an anchor of his own: that proves nothing, and changes nothing.
	stranger := harness.NewDevice("stranger")
	theirs := h.Register(stranger)
	require.NoError(t, h.Add(theirs, stranger, phrase))
	require.Equal(t, &anchor, find(phrase.Principal()))
	h.Info(theirs, phrase)
	require.Nil(t, find(phrase.Principal()), "two anchors: nothing is chosen")
}

func TestWhoami(t *testing.T) {
	h := harness.Open(t, nil)
	for _, caller := range []principal.Principal{principal.Anonymous, harness.NewDevice("laptop").Principal()} {
		reply, err := h.Query(caller, "whoami", kedge.EncodeWhoamiArgs())
		require.NoError(t, err)
		who, err := kedge.DecodeWhoamiResult(reply)
		require.NoError(t, err)
		require.Equal(t, caller, who)
	}
}
