package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/ic/principal"
	"kedge/migrations/ii/iitest"
)

// Contacts and agreements live in Kedge's memory alone. Coming back they are as in the copy; approvals end,
// whether the old module wrote the record or not, and an agreement ends where it changed that very device.
func TestContactsOnReturn(t *testing.T) {
	for name, c := range map[string]struct {
		old    func(o *iitest.Module)
		agrees bool
	}{
		"untouched":             {func(*iitest.Module) {}, true},
		"another device":        {func(o *iitest.Module) { o.Add(10000, passkey("new")) }, true},
		"the phrase is renamed": {func(o *iitest.Module) { o.Change(10000, "phrase", "phrase", func(d *iitest.Device) { d.Alias = "x" }) }, false},
		"the phrase is removed": {func(o *iitest.Module) { o.Change(10000, "phrase", "phrase", nil) }, false},
		"the hardware key is changed by a thief": {func(o *iitest.Module) {
			o.Change(10000, "passkey", "hardware", func(d *iitest.Device) { d.Alias = "x" })
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			mem, s := trialWith(t, 7, latest(7), func(a *identity.Anchor) {
				p, h := protectedDevice("phrase", 1, identity.SeedPhrase), protectedDevice("hardware", 2, identity.CrossPlatform)
				p.AgreesToContacts, h.AgreesToContacts = true, true
				a.Devices = append(a.Devices, p, h)
				a.Contacts = &identity.Contacts{Threshold: 1, Delay: identity.MinContactDelay, List: []identity.Contact{
					{Anchor: 10007, Accepted: true, Key: principal.SelfAuthenticating([]byte("new key")), ApprovedAt: 9, ByProtected: true}, {Anchor: 10008},
				}}
			})
			weak, _, err := Weakened(s, 0, 10, unlimited)
			require.NoError(t, err)
			require.NotZero(t, weak[0].Loss&storage.LossContacts)
			o := start(t, mem)
			c.old(o)
			o.Stop()
			s, err = Upgrade(mem)
			require.NoError(t, err)
			for range 2 { // as it is read at once, and as it is imported
				a := read(t, s, 10000)
				require.Equal(t, &identity.Contacts{Threshold: 1, Delay: identity.MinContactDelay, List: []identity.Contact{
					{Anchor: 10007, Accepted: true}, {Anchor: 10008},
				}}, a.Contacts)
				if p := device(a, "phrase"); p != nil {
					require.Equal(t, c.agrees, p.AgreesToContacts)
				}
				require.True(t, device(a, "hardware").AgreesToContacts)
				_, err = Run(s, unlimited)
				require.NoError(t, err)
			}
		})
	}
}

// With the last agreement the contacts end.
func TestContactsEndWithTheLastAgreement(t *testing.T) {
	mem, _ := trialWith(t, 7, latest(7), func(a *identity.Anchor) {
		p := protectedDevice("phrase", 1, identity.SeedPhrase)
		p.AgreesToContacts = true
		a.Devices = append(a.Devices, p)
		a.Contacts = &identity.Contacts{Threshold: 1, Delay: identity.MinContactDelay, List: []identity.Contact{{Anchor: 10007}}}
	})
	o := start(t, mem)
	require.True(t, o.Change(10000, "phrase", "phrase", nil))
	s := upgrade(t, mem, 10)
	require.Nil(t, read(t, s, 10000).Contacts)
}
