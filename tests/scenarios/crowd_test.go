package scenarios

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

// everyMatch pages through a look-up by credential id as a client does.
func everyMatch(h *harness.Harness, id []byte) (all []kedge.CredentialMatch, pages int) {
	h.Helper()
	for cursor, more := (*uint64)(nil), true; more; more = cursor != nil {
		reply, err := h.Query(principal.Anonymous, "lookup_by_credential", kedge.EncodeLookupByCredentialArgs(id, cursor))
		require.NoError(h, err)
		page, next, err := kedge.DecodeLookupByCredentialResult(reply)
		require.NoError(h, err)
		require.LessOrEqual(h, len(page), 16)
		all, cursor, pages = append(all, page...), next, pages+1
	}
	return all, pages
}

// A stranger registers a thousand anchors with my credential id and keys of his own, all proven, and lists my
// keys on a thousand others, before I do. Every page is there, and of all matches one has the key that signs
// my assertion, so a client signs me in without a question.
func TestThousandAnchorsWithMyCredentialID(t *testing.T) {
	h := harness.Open(t, nil)
	const crowd = 1000
	mine, _ := h.NewPasskey("mine", true)
	words := harness.NewPhrase("my words")
	for i := range crowd {
		his, _ := h.NewPasskey(fmt.Sprint("stranger ", i%8), true)
		his.Data.CredentialID = mine.Data.CredentialID
		anchor := h.Register(his)
		require.NoError(t, h.Add(anchor, his, words))
	}
	anchor := h.Register(mine)
	require.NoError(t, h.Add(anchor, mine, words))
	require.NoError(t, h.Protect(anchor, words, words))

	check := func() {
		t.Helper()
		matches, pages := everyMatch(h, mine.Data.CredentialID)
		require.Len(t, matches, crowd+1)
		require.Equal(t, crowd/16+1, pages)
		var kept []kedge.CredentialMatch // those whose key verifies the assertion
		for _, m := range matches {
			require.True(t, m.Proven)
			if bytes.Equal(m.Pubkey, mine.Key()) {
				kept = append(kept, m)
			}
		}
		require.Equal(t, []kedge.CredentialMatch{{Anchor: anchor, Pubkey: mine.Key(), Proven: true}}, kept)
	}
	check()

	// My passkey replaces itself, to change its name say, and is found as before.
	require.NoError(t, h.Replace(anchor, mine, mine, mine.Renamed("my laptop")))
	check()

	// The words find the anchor where they have signed, though a thousand others list them.
	reply, err := h.Call(words.Principal(), "lookup_caller_identity_by_recovery_phrase", kedge.EncodeLookupCallerIdentityByRecoveryPhraseArgs())
	require.NoError(t, err)
	found, err := kedge.DecodeLookupCallerIdentityByRecoveryPhraseResult(reply)
	require.NoError(t, err)
	require.Equal(t, &anchor, found)

	var anchors []uint64
	for cursor, more := (*uint64)(nil), true; more; more = cursor != nil {
		reply, err := h.Query(words.Principal(), "lookup_caller", kedge.EncodeLookupCallerArgs(cursor))
		require.NoError(t, err)
		page, next, err := kedge.DecodeLookupCallerResult(reply)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), 64)
		anchors, cursor = append(anchors, page...), next
	}
	require.Len(t, anchors, crowd+1)
	require.Equal(t, anchor, anchors[0], "the proven one first")
}

// Somebody who had the unlocked laptop for a minute adds and removes devices fifty times, and replaces, to
// push out of the history who protected what. It stays; that devices came and went is counted.
func TestThiefCannotEraseTheHistory(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone, words := harness.NewDevice("laptop"), harness.NewDevice("phone"), harness.NewPhrase("words")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))
	require.NoError(t, h.Add(anchor, laptop, words))
	require.NoError(t, h.Protect(anchor, words, words))
	h.Pass(25 * time.Hour)
	require.NoError(t, h.Remove(anchor, laptop, phone)) // a day later, so it is no routine

	history := func() (kinds []kedge.EventKind, lost uint64) {
		t.Helper()
		for from := uint64(0); ; {
			reply, err := h.Query(laptop.Principal(), "history", kedge.EncodeHistoryArgs(anchor, &from, 100))
			require.NoError(t, err)
			result, err := kedge.DecodeHistoryResult(reply)
			require.NoError(t, err)
			for _, e := range result.Ok.Entries {
				kinds = append(kinds, *e.Kind)
			}
			if result.Ok.Next == nil {
				require.Zero(t, result.Ok.DroppedSecurity)
				return kinds, result.Ok.DroppedRoutine
			}
			from = *result.Ok.Next
		}
	}
	for i := range 50 {
		his := harness.NewDevice(fmt.Sprint("his ", i))
		require.NoError(t, h.Add(anchor, laptop, his))
		other := harness.NewDevice(fmt.Sprint("his other ", i))
		require.NoError(t, h.Replace(anchor, laptop, his, other))
		require.NoError(t, h.Remove(anchor, laptop, other))
		require.NoError(t, h.Replace(anchor, laptop, laptop, laptop.Renamed(fmt.Sprint("laptop ", i))))
	}
	kinds, lost := history()
	require.Contains(t, kinds, kedge.EventKindProtected)
	require.Contains(t, kinds, kedge.EventKindRemoved, "the phone, which was older than the pairs")
	require.NotZero(t, lost)
}
