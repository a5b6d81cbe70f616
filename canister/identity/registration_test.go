package identity

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

func TestRegister(t *testing.T) {
	anonymous, laptop := principal.Anonymous, who("laptop")
	for _, c := range []struct {
		name string
		by   principal.Principal
		data Data
		temp *principal.Principal
		want Code
		text string
	}{
		{"the device itself", laptop, passkey("laptop"), nil, 0, ""},
		{"marked", laptop, marked(passkey("laptop")), nil, 0, ""},
		{"a phrase", who("phrase"), marked(phrase("phrase")), nil, 0, ""},
		{"a temporary key", testTemp, passkey("laptop"), &testTemp, 0, ""},
		{"the device, with a temporary key", laptop, passkey("laptop"), &testTemp, 0, ""},
		{"a mark through a temporary key", testTemp, marked(passkey("laptop")), &testTemp, ErrTemporaryKey, ""},
		{"the temporary key is the device", laptop, passkey("laptop"), &laptop, ErrTemporaryIsDevice, "temp_key and device key must not be equal"},
		{"the temporary key is anonymous", anonymous, passkey("laptop"), &anonymous, ErrTemporaryIsDevice, "temp_key must not be the anonymous principal"},
		{"somebody else", testStranger, passkey("laptop"), nil, ErrCallerMismatch,
			"caller " + testStranger.Text() + " could not be authenticated against device pubkey " + laptop.Text() + " and no temporary key was sent"},
		{"somebody else, with a temporary key", testStranger, passkey("laptop"), &testTemp, ErrCallerMismatch,
			"caller " + testStranger.Text() + " could not be authenticated against device pubkey " + laptop.Text() + " or temporary key " + testTemp.Text()},
		{"a limit", laptop, change(passkey("laptop"), func(d *Data) { d.AAGUID = []byte{} }), nil, ErrBadAAGUID,
			"failed to register anchor 10007: aaguid must be exactly 16 bytes, got 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Register(callBy(c.by), 10007, c.data, c.temp)
			if c.want != 0 {
				require.Equal(t, c.want, CodeOf(err))
				require.Nil(t, a)
				if c.text != "" {
					require.EqualError(t, err, c.text)
				}
				return
			}
			require.NoError(t, err)
			own := c.by != testTemp
			d := Device{Data: c.data, Principal: principal.SelfAuthenticating(c.data.PublicKey), AddedAt: testNow, Proven: own}
			if own {
				d.LastUsed = testNow
			}
			if c.temp != nil {
				d.Temporary = TemporaryKey{testTemp, testNow + TemporaryKeyLife}
			}
			want := &Anchor{Number: 10007, CreatedAt: testNow, Devices: []Device{d}, Events: a.Events}
			require.Equal(t, want, a)
			require.Equal(t, Event{At: testNow, Kind: EventRegistered, Temporary: !own, By: d.Principal, Device: d.Principal}, a.Events[0])
			require.Equal(t, c.data.Protected, len(a.Events) == 2)
		})
	}
	a, err := Register(callBy(laptop), 1, marked(passkey("laptop")), &testTemp)
	require.NoError(t, err)
	require.Zero(t, a.Devices[0].Temporary, "a temporary key dies with the mark")
}

func TestRegistrationMode(t *testing.T) {
	open := func(opener int) *Anchor {
		a := usual()
		a.Registration = &Registration{Opener: DeviceID(opener), ExpiresAt: testNow + second}
		return a
	}
	waiting := func(opener int, d Data) *Anchor {
		a := open(opener)
		a.Registration.Tentative, a.Registration.Code = &d, 42
		return a
	}
	tablet := passkey("tablet")
	run(t, []ruleTest{
		{"enter", usual(), who("laptop"), enter, 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, &Registration{Opener: 0, ExpiresAt: testNow + RegistrationWindow}, a.Registration)
			require.Equal(t, []EventKind{EventRegistrationOpened}, kinds(a))
		}},
		{"enter again keeps the opener and the time", open(1), who("laptop"), func(c *Actor) error {
			expires, err := c.EnterRegistration()
			require.Equal(t, testNow+second, expires)
			return err
		}, 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, &Registration{Opener: 1, ExpiresAt: testNow + second}, a.Registration)
			require.Empty(t, a.Events)
		}},
		{"enter on a guarded anchor", usual().guarded(), who("laptop"), enter, ErrGuarded, nil},
		{"a protected device enters on a guarded anchor", usual().guarded(), who("phrase"), enter, 0, nil},
		{"a temporary key enters", withTemporary(usual()), testTemp, enter, ErrTemporaryKey, nil},

		{"exit", open(0), who("laptop"), exit, 0, func(t *testing.T, a *Anchor) {
			require.Nil(t, a.Registration)
			require.Equal(t, []EventKind{EventRegistrationClosed}, kinds(a))
		}},
		{"exit what another opened", open(1), who("laptop"), exit, ErrNotOpener, nil},
		{"a protected device closes what another opened", open(1), who("phrase"), exit, 0, nil},
		{"exit nothing", usual(), who("laptop"), exit, 0, func(t *testing.T, a *Anchor) { require.Empty(t, a.Events) }},
		{"exit on a guarded anchor", open(0).guarded(), who("laptop"), exit, ErrGuarded, nil},
		{"a temporary key exits", withTemporary(open(0)), testTemp, exit, ErrTemporaryKey, nil},

		{"verify", waiting(0, tablet), who("laptop"), verify, 0, func(t *testing.T, a *Anchor) {
			has("laptop", "phone", "phrase", "tablet")(t, a)
			require.Nil(t, a.Registration)
			require.False(t, a.Devices[3].Protected)
			require.Equal(t, []EventKind{EventAdded, EventRegistrationClosed}, kinds(a))
		}},
		{"verify for another", waiting(1, tablet), who("laptop"), verify, ErrNotOpener, nil},
		{"a protected device verifies for another", waiting(1, tablet), who("phrase"), verify, 0, nil},
		{"verify on a guarded anchor", waiting(0, tablet).guarded(), who("laptop"), verify, ErrGuarded, nil},
		{"a temporary key verifies", withTemporary(waiting(0, tablet)), testTemp, verify, ErrTemporaryKey, nil},
		{"the rules are asked again when it is verified", waiting(0, passkey("phone")), who("laptop"), verify, ErrDeviceExists, nil},
	})
	refused(t, waiting(0, phrase("second")), who("laptop"), ErrSecondPhrase, verify)
}

func TestVerifyAnswers(t *testing.T) {
	tablet := passkey("tablet")
	a := usual()
	expect := func(code uint32, answer Verification, retries uint8) {
		t.Helper()
		got, left, err := a.as(t, "laptop").VerifyDevice(code)
		require.NoError(t, err)
		require.Equal(t, []any{answer, retries}, []any{got, left})
	}
	expect(42, VerificationModeOff, 0)
	granted(t, a, who("laptop"), enter)
	expect(42, NothingToVerify, 0)
	require.NotNil(t, a.Registration, "asking early does not end the mode")
	a.Registration.Tentative, a.Registration.Code = &tablet, 42
	expect(41, WrongCode, 2)
	expect(41, WrongCode, 1)
	require.Equal(t, uint8(2), a.Registration.Attempts)
	expect(41, WrongCode, 0)
	require.Nil(t, a.Registration)
	expect(42, VerificationModeOff, 0)
}

func TestOfferDevice(t *testing.T) {
	a := usual()
	offer := func(d Data) (Offer, error) { return a.OfferDevice(callBy(testStranger), d, 42) }
	got, err := offer(passkey("tablet"))
	require.NoError(t, err)
	require.Equal(t, OfferModeOff, got)
	require.Nil(t, a.Registration)

	granted(t, a, who("laptop"), enter)
	for name, c := range map[string]struct {
		data Data
		code Code
	}{
		"marked":        {marked(passkey("tablet")), ErrTentativeMarked},
		"too long":      {change(passkey("tablet"), func(d *Data) { d.Alias = string(make([]byte, 65)) }), ErrFieldTooLong},
		"there already": {passkey("phone"), ErrDeviceExists},
		"second phrase": {phrase("second"), ErrSecondPhrase},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := offer(c.data)
			require.Equal(t, c.code, CodeOf(err))
			require.ErrorContains(t, err, "failed to add device: ")
			require.Nil(t, a.Registration.Tentative)
		})
	}
	got, err = offer(passkey("tablet"))
	require.NoError(t, err)
	require.Equal(t, OfferAccepted, got)
	require.Equal(t, passkey("tablet"), *a.Registration.Tentative)
	require.Equal(t, uint32(42), a.Registration.Code)
	got, err = offer(passkey("other"))
	require.NoError(t, err)
	require.Equal(t, OfferAnother, got)
	require.Equal(t, passkey("tablet"), *a.Registration.Tentative)

	late := callBy(testStranger)
	late.Now += RegistrationWindow
	got, err = a.OfferDevice(late, passkey("tablet"), 42)
	require.NoError(t, err)
	require.Equal(t, OfferModeOff, got)

	a = usual().consents(2, Asker{ID: 0, CompletesAt: testService})
	_, err = a.OfferDevice(callBy(who("phrase")), passkey("tablet"), 42)
	require.NoError(t, err)
	require.Nil(t, a.Devices[2].Consent, "an offer by a device of the anchor is its sign of life")
}

// A tentative device takes room like any other, and leaves it to itself when it is verified.
func TestTentativeDeviceCounts(t *testing.T) {
	small := Data{PublicKey: key("s"), Alias: "s"} // 9 bytes
	a := filled(MaxVariableBytes - 9)
	granted(t, a, who("laptop"), enter)
	_, err := a.OfferDevice(callBy(testStranger), small, 42)
	require.NoError(t, err)
	refused(t, a, who("laptop"), ErrTooLarge, add(Data{PublicKey: []byte("k")}))
	granted(t, a, who("laptop"), verify)
	require.Equal(t, MaxVariableBytes, a.VariableBytes())
}
