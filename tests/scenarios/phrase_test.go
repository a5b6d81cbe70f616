package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

const day = 24 * time.Hour

// A protected phrase that is lost without consent stays: nobody can remove it, which is what protection
// means. The anchor goes on working.
func TestPhraseLostWithoutConsent(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))

	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Ask(anchor, laptop, phrase))
	h.Pass(400 * day)
	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Complete(anchor, laptop, phrase))
	require.ErrorContains(t, h.Remove(anchor, laptop, phrase), locked)
	require.NoError(t, h.Add(anchor, laptop, harness.NewDevice("phone")))
}

// With consent given in advance the laptop asks, waits, and completes; it is protected then, so that the
// anchor is not left open, and can throw the lost phrase out.
func TestPhraseLostWithConsent(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone, phrase := harness.NewDevice("laptop"), harness.NewDevice("phone"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Guard(anchor, phrase, true))
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))

	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Ask(anchor, phone, phrase))
	require.NoError(t, h.Ask(anchor, laptop, phrase))
	h.Pass(30*day - time.Hour)
	h.RequireRefused(kedge.ErrorCodeTooEarly, h.Complete(anchor, laptop, phrase))
	h.Upgrade() // nothing of the wait is lost
	h.Pass(time.Hour + time.Second)
	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Complete(anchor, phone, phrase))
	require.NoError(t, h.Complete(anchor, laptop, phrase))

	_, marked := h.Has(anchor, laptop)
	require.True(t, marked)
	require.NoError(t, h.Replace(anchor, laptop, phrase, harness.NewPhrase("new phrase")))
	require.NoError(t, h.Remove(anchor, laptop, phone))
}

// A thief with the laptop asks again and again. Each sign of life from the phrase cancels and takes the
// asker off the list, so he asks once.
func TestThiefKeepsAsking(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))

	require.NoError(t, h.Ask(anchor, laptop, phrase))
	h.RequireRefused(kedge.ErrorCodeAlreadyAsked, h.Ask(anchor, laptop, phrase))
	h.Pass(29 * day)
	h.Info(anchor, phrase) // the owner signs in with the phrase
	h.Pass(2 * day)
	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Complete(anchor, laptop, phrase))
	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Ask(anchor, laptop, phrase))

	// A call that is refused is a sign of life too, and the owner may name the laptop again.
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))
	require.NoError(t, h.Ask(anchor, laptop, phrase))
	h.RequireRefused(kedge.ErrorCodeNoSuchDevice, h.Protect(anchor, phrase, harness.NewDevice("nobody")))
	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Ask(anchor, laptop, phrase))
}

// A call that traps leaves nothing, so it is no sign of life.
func TestATrappedCallIsNoSignOfLife(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))
	require.NoError(t, h.Ask(anchor, laptop, phrase))
	require.Error(t, h.Remove(anchor, phrase, harness.NewDevice("nobody"))) // classic: it traps
	h.Pass(30*day + time.Second)
	require.NoError(t, h.Complete(anchor, laptop, phrase))
}

// Another protected device vetoes.
func TestAnotherProtectedDeviceVetoes(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase, key := harness.NewDevice("laptop"), harness.NewPhrase("phrase"), harness.NewDevice("hardware key")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Add(anchor, laptop, key))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Protect(anchor, phrase, key))
	h.Info(anchor, key)
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))

	require.NoError(t, h.Ask(anchor, laptop, phrase))
	h.RequireRefused(kedge.ErrorCodeNeedsProtected, h.Cancel(anchor, laptop, phrase))
	require.NoError(t, h.Cancel(anchor, key, phrase))
	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Ask(anchor, laptop, phrase))
}

// The canister stands still for 400 days while a release runs. That time does not count: the owner could
// not have objected.
func TestCanisterStoppedWhileAReleaseRuns(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))
	require.NoError(t, h.Ask(anchor, laptop, phrase))

	h.Pass(10 * day)
	h.Outage(400 * day)
	h.RequireRefused(kedge.ErrorCodeTooEarly, h.Complete(anchor, laptop, phrase))
	h.Pass(19 * day)
	h.RequireRefused(kedge.ErrorCodeTooEarly, h.Complete(anchor, laptop, phrase))
	h.Pass(day + time.Second)
	require.NoError(t, h.Complete(anchor, laptop, phrase))
}

// The owner adds a second protected device and mistypes it, or never writes it down. The mark binds the
// laptop, but not the phrase, and lapses after a week without a call of its own.
func TestMistypedNewDevice(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase, typo := harness.NewDevice("laptop"), harness.NewPhrase("phrase"), harness.NewDevice("a key that nobody holds")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Add(anchor, phrase, typo.Marked()))

	require.ErrorContains(t, h.Remove(anchor, laptop, typo), locked)
	h.Pass(7*day - time.Hour)
	_, marked := h.Has(anchor, typo)
	require.True(t, marked)
	h.Pass(time.Hour + time.Second)
	_, marked = h.Has(anchor, typo)
	require.False(t, marked)
	require.NoError(t, h.Remove(anchor, laptop, typo))

	// Without waiting, the phrase itself puts it right.
	require.NoError(t, h.Add(anchor, phrase, typo.Marked()))
	require.NoError(t, h.Remove(anchor, phrase, typo))
}

// There is one phrase. Switching key types does not make room for a second.
func TestKeyTypeSwitchingDoesNotDodgeTheOnePhraseRule(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))

	second := harness.NewPhrase("second")
	require.ErrorContains(t, h.Add(anchor, laptop, second), "There is already a recovery phrase and only one is allowed.")
	switched := *phrase
	switched.Data.KeyType = kedge.KeyTypeUnknown
	require.Error(t, h.Update(anchor, laptop, &switched))
	asPhrase := *laptop
	asPhrase.Data.KeyType = kedge.KeyTypeSeedPhrase
	require.Error(t, h.Update(anchor, laptop, &asPhrase))
	require.ErrorContains(t, h.Replace(anchor, laptop, laptop, second), "There is already a recovery phrase and only one is allowed.")
	require.NoError(t, h.Replace(anchor, laptop, phrase, second)) // rotating it is fine
}

// A thief fills the anchor to the last byte. Every call of the protected device but a growing one still
// succeeds, and it makes room.
func TestAnchorFilledToTheLastByte(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))

	var fillers []*harness.Device
	for i := 0; ; i++ {
		filler := harness.NewDevice("filler " + string(rune('a'+i)))
		filler.Data.Alias = strings.Repeat("x", 64)
		if len(fillers) == 7 {
			filler.Data.Pubkey = append([]byte("last "), filler.Data.Pubkey...)
		}
		room := 1023
		for ; room > 0; room-- {
			filler.Data.CredentialID = []byte(strings.Repeat(string(rune('a'+i)), room))
			if h.Add(anchor, laptop, filler) == nil {
				break
			}
		}
		if room == 0 {
			break
		}
		fillers = append(fillers, filler)
	}
	require.NotEmpty(t, fillers)

	require.NoError(t, h.Guard(anchor, phrase, true))
	require.NoError(t, h.Guard(anchor, phrase, false))
	require.NoError(t, h.Consent(anchor, phrase, 365, append(fillers, laptop)...))
	for _, filler := range fillers {
		require.NoError(t, h.Protect(anchor, phrase, filler))
		require.NoError(t, h.Unprotect(anchor, phrase, filler))
		h.Info(anchor, filler)
	}
	require.NoError(t, h.Update(anchor, phrase, phrase))
	require.NoError(t, h.Replace(anchor, phrase, phrase, phrase.Marked()))
	for _, filler := range fillers {
		require.NoError(t, h.Remove(anchor, phrase, filler))
	}
	require.NoError(t, h.Add(anchor, phrase, harness.NewDevice("new laptop")))
}
