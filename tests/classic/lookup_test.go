package classic

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

func TestUnknownAnchors(t *testing.T) {
	open := harness.Open(t, &kedge.KedgeInit{AssignedUserNumberRange: &kedge.AnchorRange{F0: 10_000, F1: 3_784_873}})
	laptop := harness.NewDevice("laptop")
	open.Register(laptop)
	for number, text := range map[uint64]string{
		20_000:             "failed to read device data of user 20000: bad Identity Anchor 20000",
		5:                  "failed to read device data of user 5: Identity Anchor 5 is out of range [10000, 3784873)",
		^uint64(0):         "failed to read device data of user 18446744073709551615: Identity Anchor 18446744073709551615 is out of range [10000, 3784873)",
		10_000 + 1:         "failed to read device data of user 10001: bad Identity Anchor 10001",
		3_784_873:          "failed to read device data of user 3784873: Identity Anchor 3784873 is out of range [10000, 3784873)",
		10_000 + (1 << 32): "failed to read device data of user 4294977296: Identity Anchor 4294977296 is out of range [10000, 3784873)",
	} {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			h := open.For(t)
			for _, err := range []error{
				h.Add(number, laptop, laptop),
				h.Update(number, laptop, laptop),
				h.Replace(number, laptop, laptop, laptop),
				h.Remove(number, laptop, laptop),
				second(h.TryInfo(number, laptop)),
				second(h.EnterMode(number, laptop)),
				h.ExitMode(number, laptop),
				second(h.Offer(number, laptop, laptop)),
				second(h.Verify(number, laptop, "123456")),
				third(h.Prepare(number, laptop, "https://example.org", []byte("session"), nil)),
				second(h.Delegation(number, laptop, "https://example.org", []byte("session"), 1)),
				second(h.PrincipalAt(number, laptop, "https://example.org")),
			} {
				h.RequireTrap(text, err)
			}
			// What answers everyone answers with nothing.
			require.Empty(t, h.Lookup(number))
			require.Equal(t, kedge.AnchorCredentials{Credentials: []kedge.WebAuthnCredential{},
				RecoveryCredentials: []kedge.WebAuthnCredential{}, RecoveryPhrases: [][]byte{}}, h.Credentials(number))
			// Kedge's own methods answer with an error.
			h.RequireRefused(kedge.ErrorCodeNoSuchAnchor, h.Protect(number, laptop, laptop))
			h.RequireRefused(kedge.ErrorCodeNoSuchAnchor, h.Guard(number, laptop, true))
		})
	}
}

func TestCredentials(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := passkey("laptop"), harness.NewPhrase("phrase")
	recovery, browser, odd := passkey("hardware key"), harness.NewDevice("browser"), harness.NewDevice("recovery without credential id")
	recovery.Data.Purpose, recovery.Data.KeyType = kedge.PurposeRecovery, kedge.KeyTypeCrossPlatform
	browser.Data.KeyType = kedge.KeyTypeBrowserStorageKey
	odd.Data.Purpose = kedge.PurposeRecovery
	anchor := h.Register(laptop)
	got := h.Credentials(anchor)
	require.Empty(t, got.RecoveryCredentials, "should_not_get_recovery_credentials_if_there_are_none")
	require.Empty(t, got.RecoveryPhrases)
	for _, d := range []*harness.Device{phrase, recovery, browser, odd, passkey("phone")} {
		require.NoError(t, h.Add(anchor, laptop, d))
	}
	got = h.Credentials(anchor)
	proven, unproven := true, false
	of := func(d *harness.Device, proven *bool) kedge.WebAuthnCredential {
		return kedge.WebAuthnCredential{CredentialID: d.Data.CredentialID, Pubkey: d.Key(), Proven: proven}
	}
	require.Equal(t, kedge.AnchorCredentials{
		Credentials:         []kedge.WebAuthnCredential{of(laptop, &proven), of(passkey("phone"), &unproven)},
		RecoveryCredentials: []kedge.WebAuthnCredential{of(recovery, &unproven)},
		RecoveryPhrases:     [][]byte{phrase.Key()},
	}, got)
}

// lookup_device_key takes a credential id, as its namesake does, and never chooses among anchors.
func TestLookupDeviceKey(t *testing.T) {
	h := harness.Open(t, nil)
	lookup := func(id []byte) *kedge.DeviceKeyWithAnchor {
		reply, err := h.Query(principal.Anonymous, "lookup_device_key", kedge.EncodeLookupDeviceKeyArgs(id))
		require.NoError(t, err)
		found, err := kedge.DecodeLookupDeviceKeyResult(reply)
		require.NoError(t, err)
		return found
	}
	mine := passkey("mine")
	anchor := h.Register(mine)
	require.Equal(t, &kedge.DeviceKeyWithAnchor{Pubkey: mine.Key(), AnchorNumber: anchor}, lookup(mine.Data.CredentialID))
	require.Nil(t, lookup([]byte("unknown")))
	require.Nil(t, lookup(nil))

	// A stranger who lists the credential id on his own anchor does not get in the way: nothing is proven there.
	stranger := harness.NewDevice("stranger")
	theirs := h.Register(stranger)
	copied := passkey("mine")
	copied.Data.Pubkey = harness.KeyOf("the stranger's key")
	require.NoError(t, h.Add(theirs, stranger, copied))
	require.Equal(t, anchor, lookup(mine.Data.CredentialID).AnchorNumber)
	h.Info(theirs, copied)
	require.Nil(t, lookup(mine.Data.CredentialID), "two that are proven: nobody chooses for the owner")
}
