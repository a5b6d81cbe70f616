package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

// locked is what a classic client reads when it touches a protected device with another.
const locked = "Device is locked. Must be authenticated with this device to mutate"

// Without a protected device whoever acts first wins: the thief throws the owner out and protects a device
// of his own. The recovery report warns of this in its first line.
func TestStolenUnlockedLaptopWithoutProtection(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone := harness.NewDevice("laptop"), harness.NewDevice("phone")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))

	thief := harness.NewPhrase("thief")
	require.NoError(t, h.Add(anchor, laptop, thief))
	require.NoError(t, h.Protect(anchor, thief, thief))
	require.NoError(t, h.Remove(anchor, thief, phone))
	require.NoError(t, h.Remove(anchor, thief, laptop))

	_, err := h.TryInfo(anchor, phone)
	require.ErrorContains(t, err, "could not be authenticated.")
}

// With a protected phrase the thief can do mischief with what is not protected, but the phrase throws him
// out, and nothing that he adds can stay.
func TestStolenUnlockedLaptopWithProtectedPhrase(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone, phrase := harness.NewDevice("laptop"), harness.NewDevice("phone"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))

	thief := harness.NewDevice("thief")
	require.NoError(t, h.Remove(anchor, laptop, phone))
	require.NoError(t, h.Add(anchor, laptop, thief))
	require.ErrorContains(t, h.Remove(anchor, thief, phrase), locked)
	h.RequireRefused(kedge.ErrorCodeNotGranted, h.Protect(anchor, thief, thief))
	h.RequireRefused(kedge.ErrorCodeNeedsProtected, h.Guard(anchor, thief, true))

	require.NoError(t, h.Remove(anchor, phrase, thief))
	require.NoError(t, h.Remove(anchor, phrase, laptop))
	require.NoError(t, h.Add(anchor, phrase, harness.NewDevice("new laptop")))
	_, err := h.TryInfo(anchor, thief)
	require.ErrorContains(t, err, "could not be authenticated.")
}

// With the guard on the thief cannot even do mischief.
func TestStolenUnlockedLaptopWithGuard(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phone, phrase := harness.NewDevice("laptop"), harness.NewDevice("phone"), harness.NewPhrase("phrase")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phone))
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Guard(anchor, phrase, true))

	guarded := "the anchor is guarded"
	require.ErrorContains(t, h.Remove(anchor, laptop, phone), guarded)
	require.ErrorContains(t, h.Add(anchor, laptop, harness.NewDevice("thief")), guarded)
	require.ErrorContains(t, h.Replace(anchor, laptop, phone, harness.NewDevice("thief")), guarded)
	require.ErrorContains(t, h.Update(anchor, laptop, phone.Renamed("x")), guarded)
	_, err := h.Call(laptop.Principal(), "enter_device_registration_mode", kedge.EncodeEnterDeviceRegistrationModeArgs(anchor))
	require.ErrorContains(t, err, guarded)

	// It goes on serving its owner: it signs in, changes its own name, and can remove itself.
	require.NoError(t, h.Update(anchor, laptop, laptop.Renamed("old laptop")))
	require.Len(t, h.Info(anchor, laptop).Devices, 3)
	require.NoError(t, h.Remove(anchor, laptop, laptop))
}

// A device that an intruder plants with the mark on it cannot stay: he may not grant marks, and a mark from
// before the owner's phrase was proven gives him nothing either.
func TestPlantedProtectedDevice(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase, planted := harness.NewDevice("laptop"), harness.NewPhrase("phrase"), harness.NewDevice("planted")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Protect(anchor, phrase, phrase))

	require.ErrorContains(t, h.Add(anchor, laptop, planted.Marked()), "only a protected device of this anchor may protect another")
	require.NoError(t, h.Add(anchor, laptop, planted))
	require.ErrorContains(t, h.Update(anchor, laptop, planted.Marked()), "only a protected device of this anchor may protect another")
	require.ErrorContains(t, h.Replace(anchor, laptop, planted, planted.Marked()), "only a protected device of this anchor may protect another")
	h.RequireRefused(kedge.ErrorCodeNotGranted, h.Protect(anchor, planted, planted))
	require.NoError(t, h.Remove(anchor, phrase, planted))
}

// A phrase that somebody copied is a protected device in the thief's hands. What is protected beside it
// stays the owner's.
func TestPhraseCopied(t *testing.T) {
	h := harness.Open(t, nil)
	laptop, phrase, key := harness.NewDevice("laptop"), harness.NewPhrase("phrase"), harness.NewDevice("hardware key")
	anchor := h.Register(laptop)
	require.NoError(t, h.Add(anchor, laptop, phrase))
	require.NoError(t, h.Add(anchor, laptop, key))
	require.NoError(t, h.Protect(anchor, phrase, phrase))
	require.NoError(t, h.Protect(anchor, phrase, key))
	h.Info(anchor, key) // the key proves itself

	thief := phrase // it is a copy
	require.NoError(t, h.Remove(anchor, thief, laptop))
	require.ErrorContains(t, h.Remove(anchor, thief, key), locked)
	require.NoError(t, h.Add(anchor, thief, harness.NewDevice("thief's own")))

	require.NoError(t, h.Remove(anchor, key, harness.NewDevice("thief's own")))
	require.NoError(t, h.Add(anchor, key, harness.NewDevice("new laptop")))
	there, marked := h.Has(anchor, key)
	require.True(t, there && marked)
}
