package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

// Replace is removal and addition in one: it is no way round protection, and the new device inherits
// nothing, even with the same key.
func TestReplaceIsNoWayRound(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase := harness.NewDevice("laptop"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Consent(anchor, phrase, 30, laptop))
	require.NoError(t, h.Ask(anchor, laptop, phrase))

	require.ErrorContains(t, h.Replace(anchor, laptop, phrase, phrase), locked)
	require.NoError(t, h.Replace(anchor, laptop, laptop, laptop)) // the asker replaces itself: its request dies
	h.Pass(31 * day)
	h.RequireRefused(kedge.ErrorCodeNoConsent, h.Complete(anchor, laptop, phrase))
}

// A temporary key acts as its device would if it were unprotected, and dies when the device is marked.
func TestTemporaryKeyIsNoWayRound(t *testing.T) {
	h := harness.Open(t, nil)
	phrase, browser := harness.NewPhrase("phrase"), harness.NewDevice("browser session")
	session := browser.Principal()
	reply, err := h.Call(session, "register", kedge.EncodeRegisterArgs(phrase.Data, kedge.ChallengeResult{}, &session))
	require.NoError(t, err)
	response, err := kedge.DecodeRegisterResult(reply)
	require.NoError(t, err)
	anchor := response.Registered.UserNumber

	laptop := harness.NewDevice("laptop")
	require.NoError(t, h.Add(anchor, browser, laptop))
	h.RequireRefused(kedge.ErrorCodeTemporaryKey, h.Protect(anchor, browser, phrase))
	require.ErrorContains(t, h.Remove(anchor, browser, phrase), "temporary key")
	require.ErrorContains(t, h.Update(anchor, browser, phrase.Renamed("x")), "temporary key")

	require.NoError(t, h.Protect(anchor, phrase, phrase))
	_, err = h.TryInfo(anchor, browser)
	require.ErrorContains(t, err, "could not be authenticated.")
}

// A temporary key lasts ten minutes.
func TestTemporaryKeyExpires(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, browser := harness.NewDevice("laptop"), harness.NewDevice("browser session")
	session := browser.Principal()
	_, err := h.Call(laptop.Principal(), "register", kedge.EncodeRegisterArgs(laptop.Data, kedge.ChallengeResult{}, &session))
	require.NoError(t, err)
	h.Pass(10*time.Minute - time.Second)
	_, err = h.TryInfo(10_000, browser)
	require.NoError(t, err)
	h.Pass(2 * time.Second)
	_, err = h.TryInfo(10_000, browser)
	require.ErrorContains(t, err, "could not be authenticated.")
}

// A device that is offered and verified meets the same rules as one that is added, with the verifier as
// the caller, and is never marked.
func TestTentativeDeviceIsNoWayRound(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone, phrase := harness.NewDevice("laptop"), harness.NewDevice("phone"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))

	open := func(as *harness.Device) error {
		_, err := h.Call(as.Principal(), "enter_device_registration_mode", kedge.EncodeEnterDeviceRegistrationModeArgs(anchor))
		return err
	}
	offer := func(d *harness.Device) (kedge.AddTentativeDeviceResponse, error) {
		reply, err := h.Call(principal.Anonymous, "add_tentative_device", kedge.EncodeAddTentativeDeviceArgs(anchor, d.Data))
		if err != nil {
			return kedge.AddTentativeDeviceResponse{}, err
		}
		return kedge.DecodeAddTentativeDeviceResult(reply)
	}
	verify := func(as *harness.Device, code string) (kedge.VerifyTentativeDeviceResponse, error) {
		reply, err := h.Call(as.Principal(), "verify_tentative_device", kedge.EncodeVerifyTentativeDeviceArgs(anchor, code))
		if err != nil {
			return kedge.VerifyTentativeDeviceResponse{}, err
		}
		return kedge.DecodeVerifyTentativeDeviceResult(reply)
	}

	tablet := harness.NewDevice("tablet")
	answer, err := offer(tablet)
	require.NoError(t, err)
	require.Equal(t, kedge.AddTentativeDeviceResponseTagDeviceRegistrationModeOff, answer.Tag)

	require.NoError(t, open(laptop))
	_, err = offer(tablet.Marked())
	require.ErrorContains(t, err, "a tentative device cannot be protected")
	_, err = offer(harness.NewPhrase("second phrase"))
	require.ErrorContains(t, err, "There is already a recovery phrase and only one is allowed.")

	answer, err = offer(tablet)
	require.NoError(t, err)
	require.Equal(t, kedge.AddTentativeDeviceResponseTagAddedTentatively, answer.Tag)
	code := answer.AddedTentatively.VerificationCode
	require.Len(t, code, 6)

	// Another everyday device did not open it, so it may neither finish nor close it; a protected one may.
	_, err = verify(phone, code)
	require.ErrorContains(t, err, "registration mode was opened by another device")
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	result, err := verify(laptop, wrong)
	require.NoError(t, err)
	require.Equal(t, uint8(2), result.WrongCode.RetriesLeft)

	// The guard, switched on meanwhile, is checked again when the device is verified.
	require.NoError(t, h.Guard(anchor, phrase, true))
	_, err = verify(laptop, code)
	require.ErrorContains(t, err, "the anchor is guarded")
	result, err = verify(phrase, code)
	require.NoError(t, err)
	require.Equal(t, kedge.VerifyTentativeDeviceResponseTagVerified, result.Tag)
	there, marked := h.Has(anchor, tablet)
	require.True(t, there)
	require.False(t, marked)
}

// A stranger lists your credential id, and your key, on his own anchor. Look-ups show every match and let
// the client say that there is more than one; only what is proven counts.
func TestStrangerListsYourCredential(t *testing.T) {
	h := harness.Open(t, nil)
	mine := harness.NewDevice("mine")
	mine.Data.CredentialID = []byte("my credential")
	anchor := h.Register(mine)
	stranger := harness.NewDevice("stranger")
	theirs := h.Register(stranger)
	require.NoError(t, h.Add(theirs, stranger, mine))

	matches := func() []kedge.CredentialMatch {
		reply, err := h.Query(principal.Anonymous, "lookup_by_credential", kedge.EncodeLookupByCredentialArgs([]byte("my credential"), nil))
		require.NoError(t, err)
		found, _, err := kedge.DecodeLookupByCredentialResult(reply)
		require.NoError(t, err)
		return found
	}
	require.Equal(t, []kedge.CredentialMatch{
		{Anchor: anchor, Pubkey: mine.Key(), Proven: true},
		{Anchor: theirs, Pubkey: mine.Key(), Proven: false},
	}, matches())

	classic := func() *kedge.DeviceKeyWithAnchor {
		reply, err := h.Query(principal.Anonymous, "lookup_device_key", kedge.EncodeLookupDeviceKeyArgs([]byte("my credential")))
		require.NoError(t, err)
		found, err := kedge.DecodeLookupDeviceKeyResult(reply)
		require.NoError(t, err)
		return found
	}
	require.Equal(t, &kedge.DeviceKeyWithAnchor{Pubkey: mine.Key(), AnchorNumber: anchor}, classic())

	// Should he get me to call his anchor once, nothing is chosen silently any more.
	h.Info(theirs, mine)
	require.Len(t, matches(), 2)
	require.Nil(t, classic())

	reply, err := h.Query(mine.Principal(), "lookup_caller", kedge.EncodeLookupCallerArgs(nil))
	require.NoError(t, err)
	anchors, _, err := kedge.DecodeLookupCallerResult(reply)
	require.NoError(t, err)
	require.ElementsMatch(t, []uint64{anchor, theirs}, anchors)
}

// Removing a device does not end the sessions that it prepared; the owner is told until when they run.
func TestSessionsOutliveTheirDevice(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone := harness.NewDevice("laptop"), harness.NewDevice("phone")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))
	_, err := h.Call(principal.Anonymous, "init_salt", kedge.EncodeInitSaltArgs())
	require.NoError(t, err)

	ttl := uint64(8 * time.Hour)
	reply, err := h.Call(phone.Principal(), "prepare_delegation", kedge.EncodePrepareDelegationArgs(anchor, "https://app.example", []byte("session"), &ttl))
	require.NoError(t, err)
	_, expiration, err := kedge.DecodePrepareDelegationResult(reply)
	require.NoError(t, err)
	devices := h.Info(anchor, laptop).Devices
	require.Equal(t, &expiration, devices[1].SessionsUntil)

	require.NoError(t, h.Remove(anchor, laptop, phone))
	reply, err = h.Query(laptop.Principal(), "history", kedge.EncodeHistoryArgs(anchor, nil, 100))
	require.NoError(t, err)
	result, err := kedge.DecodeHistoryResult(reply)
	require.NoError(t, err)
	last := result.Ok.Entries[len(result.Ok.Entries)-1]
	require.Equal(t, kedge.EventKindRemoved, *last.Kind)
	require.Equal(t, &expiration, last.Until)
}
