package identity

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

func TestAuthenticate(t *testing.T) {
	a := stage(device(passkey("laptop"), temporary), device(passkey("key"), protected), device(phrase("phrase"), fresh))
	for _, c := range []struct {
		by   principal.Principal
		role Role
		id   DeviceID
	}{
		{testTemp, RoleTemporary, 0},
		{who("laptop"), RoleUnprotected, 0},
		{who("key"), RoleProtected, 1},
		{who("phrase"), RoleProtected, 2}, // proven by this call
	} {
		before := clone(a)
		actor, err := a.Authenticate(callBy(c.by))
		require.NoError(t, err)
		require.Equal(t, c.role, actor.Role())
		require.Equal(t, c.id, actor.Device().ID)
		if c.role == RoleTemporary {
			require.Equal(t, before, a, "a temporary key proves nothing and is no sign of life")
			continue
		}
		d := a.byID(c.id)
		require.True(t, d.Proven)
		require.Equal(t, testNow, d.LastUsed)
		require.Zero(t, d.LapsesAt)
	}
	before := clone(a)
	_, err := a.Authenticate(callBy(testStranger))
	require.Equal(t, ErrNotADevice, CodeOf(err))
	_, err = a.Authenticate(callBy(principal.Principal{}))
	require.Equal(t, ErrNotADevice, CodeOf(err), "no temporary key is not the empty principal")
	require.Equal(t, before, a)
}

func TestRecogniseRecordsNothing(t *testing.T) {
	a := typing()
	before := clone(a)
	actor, err := a.Recognise(callBy(who("phrase")))
	require.NoError(t, err)
	require.Equal(t, RoleUnprotected, actor.Role())
	require.Equal(t, before, a)

	actor, err = a.Recognise(callBy(testStranger))
	require.Nil(t, actor)
	require.Equal(t, ErrNotADevice, CodeOf(err))
	require.Equal(t, before, a)
}

// An actor that there is already becomes another one, and stays who it was if the other is a stranger.
func TestBecome(t *testing.T) {
	a := typing()
	var actor Actor
	require.NoError(t, actor.Become(a, callBy(who("phrase"))))
	again, err := typing().Authenticate(callBy(who("phrase")))
	require.NoError(t, err)
	require.Equal(t, again.Device(), actor.Device())
	require.Equal(t, again.Role(), actor.Role())
	require.Equal(t, ErrNotADevice, CodeOf(actor.Become(a, callBy(testStranger))))
	require.Equal(t, again.Device(), actor.Device())
}

// A device goes before a temporary key of the same principal.
func TestDeviceBeforeTemporaryKey(t *testing.T) {
	a := stage(device(passkey("laptop"), temporary), device(Data{PublicKey: []byte("a temporary key")}))
	actor := a.by(t, testTemp)
	require.Equal(t, RoleUnprotected, actor.Role())
	require.Equal(t, DeviceID(1), actor.Device().ID)
}

func TestSettle(t *testing.T) {
	make := func() *Anchor {
		a := stage(device(passkey("laptop"), temporary), device(passkey("key"), protected), device(phrase("phrase"), fresh))
		a.Devices[0].Challenge = Challenge{ExpiresAt: testNow + ChallengeLife}
		a.Registration = &Registration{ExpiresAt: testNow + RegistrationWindow}
		a.Guard = true
		return a
	}
	for _, c := range []struct {
		name         string
		now, service uint64
		change       func(*Anchor)
	}{
		{"nothing", 0, 0, func(*Anchor) {}},
		{"just before each", ChallengeLife - 1, LapseAfter - 1, func(*Anchor) {}},
		{"challenge", ChallengeLife, 0, func(a *Anchor) { a.Devices[0].Challenge = Challenge{} }},
		{"before the temporary key ends", TemporaryKeyLife - 1, 0, func(a *Anchor) { a.Devices[0].Challenge = Challenge{} }},
		{"temporary key", TemporaryKeyLife, 0, func(a *Anchor) { a.Devices[0].Challenge, a.Devices[0].Temporary = Challenge{}, TemporaryKey{} }},
		{"before registration mode ends", RegistrationWindow - 1, 0, func(a *Anchor) { a.Devices[0].Challenge, a.Devices[0].Temporary = Challenge{}, TemporaryKey{} }},
		{"registration mode", RegistrationWindow, 0, func(a *Anchor) {
			a.Devices[0].Challenge, a.Devices[0].Temporary, a.Registration = Challenge{}, TemporaryKey{}, nil
		}},
		{"mark", 0, LapseAfter, func(a *Anchor) {
			a.Devices[2].Protected, a.Devices[2].LapsesAt = false, 0
			a.Events = []Event{{At: testNow, Kind: EventLapsed, Device: who("phrase")}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, want := make(), make()
			c.change(want)
			a.Refresh(Call{Now: testNow + c.now, Service: testService + c.service})
			require.Equal(t, want, a)
		})
	}
}

func TestGuardWithoutProtectedDeviceIsOff(t *testing.T) {
	a := early().guarded() // by an import
	a.Refresh(callBy(testStranger))
	require.False(t, a.Guard)
	require.Equal(t, []Event{{At: testNow, Kind: EventGuardOff}}, a.Events)
	a.Events = nil
	a.Refresh(callBy(testStranger))
	require.Empty(t, a.Events)
}

func TestErrorText(t *testing.T) {
	require.Zero(t, CodeOf(nil))
	require.Zero(t, CodeOf(errNone{}))
	require.Equal(t, "unknown", Code(200).String())
	require.Equal(t, "unknown", Codes.String())
	seen := map[string]bool{}
	for code := Code(1); code < Codes; code++ {
		require.NotEmpty(t, code.String())
		require.False(t, seen[code.String()])
		seen[code.String()] = true
	}
	require.Len(t, seen, int(Codes)-1)
}

type errNone struct{}

func (errNone) Error() string { return "none" }

// A new device has the lowest number that none has, imported ones beyond 63 included.
func TestFreeID(t *testing.T) {
	ids := func(from, to DeviceID) (ids []DeviceID) {
		for id := from; id < to; id++ {
			ids = append(ids, id)
		}
		return ids
	}
	for _, c := range []struct {
		taken []DeviceID
		want  DeviceID
	}{
		{nil, 0}, {[]DeviceID{1, 2}, 0}, {[]DeviceID{2, 0}, 1}, {[]DeviceID{0, 64}, 1}, {[]DeviceID{64, 128}, 0},
		{ids(0, 63), 63}, {ids(0, 64), 64}, {append(ids(0, 63), 64), 63}, {append(ids(0, 65), 66), 65}, {append(ids(0, 64), 65, 300), 64},
	} {
		var a Anchor
		for _, id := range c.taken {
			a.Devices = append(a.Devices, Device{ID: id})
		}
		require.Equal(t, c.want, a.freeID(), "%v", c.taken)
	}
}
