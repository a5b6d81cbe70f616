package ii

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/migrations/ii/iitest"
)

// T1 and T2 over rolling back and forward: whatever a thief who holds the unprotected devices does through
// an old module, however often, every protected device is what it was, and nothing else is protected.
func TestThiefWithAnOldModule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		module := rapid.SampledFrom(iitest.Generations(layout)).Draw(t, "module")
		mem := build(t, layout)
		o := iitest.Start(t, mem, module)
		o.Register(passkey("thief"))
		o.Stop()
		s := upgrade(t, mem, 10)

		a := read(t, s, 10000)
		for i := range rapid.IntRange(1, 4).Draw(t, "others") {
			kind := identity.KeyType(rapid.IntRange(0, 4).Draw(t, "kind"))
			if kind == identity.SeedPhrase && slices.ContainsFunc(a.Devices, func(d identity.Device) bool { return d.KeyType == kind }) {
				kind = identity.Platform
			}
			d := newDevice(fmt.Sprint("device ", i), i+1)
			d.KeyType, d.Protected = kind, i == 0 || rapid.Bool().Draw(t, "protected")
			if d.Protected && rapid.Bool().Draw(t, "consent") {
				d.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 0}}}
			}
			a.Devices = append(a.Devices, d)
		}
		a.Guard = rapid.Bool().Draw(t, "guard")
		require.NoError(t, s.Write(a))
		before := map[string]identity.Device{}
		for _, d := range a.Devices {
			if protected(d) {
				before[string(d.PublicKey)] = d
			}
		}

		left := false // the thief, who is the only asker
		for range rapid.IntRange(1, 3).Draw(t, "rollbacks") {
			o := iitest.Start(t, mem, module)
			for i := range rapid.IntRange(0, 6).Draw(t, "calls") {
				devices := o.Keys(10000)
				if len(devices) == 0 {
					break
				}
				key := rapid.SampledFrom(devices).Draw(t, "device")
				_, his := before[key]
				caller := "thief"
				if !his {
					caller = key // he may hold every unprotected device
				}
				switch rapid.IntRange(0, 3).Draw(t, "call") {
				case 0:
					o.Change(10000, caller, key, nil)
				case 1:
					o.Change(10000, caller, key, func(d *iitest.Device) {
						d.KeyType, d.Protected, d.Alias = "seed_phrase", true, "taken"
					})
				case 2:
					o.Change(10000, caller, key, func(d *iitest.Device) {
						d.KeyType, d.Protected, d.Credential = "unknown", false, nil
					})
				case 3:
					o.Add(10000, phrase(fmt.Sprintf("planted %d %d", len(devices), i), true))
				}
			}
			left = left || !slices.Contains(o.Keys(10000), "thief")
			o.Stop()
			s = upgrade(t, mem, 10)
			a = read(t, s, 10000)
			if rapid.Bool().Draw(t, "write") { // a sign-in, say
				require.NoError(t, s.Write(a))
			}
		}

		for _, d := range a.Devices {
			want, was := before[string(d.PublicKey)]
			require.Equal(t, was, protected(d), "%s", d.PublicKey)
			if !was {
				require.Nil(t, d.Consent)
				continue
			}
			if !left {
				require.Equal(t, want.Consent, d.Consent)
			} else {
				require.Nil(t, d.Consent, "its asker is gone")
			}
			d.Consent, want.Consent = nil, nil
			require.Equal(t, want, d)
			delete(before, string(d.PublicKey))
		}
		require.Empty(t, before, "no protected device is gone")
		require.Empty(t, fsck(t, s))
	})
}
