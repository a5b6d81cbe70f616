package ii

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/delegation"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/ic/principal"
	"kedge/migrations/ii/iitest"
)

func unlimited() bool { return true }

func units(n int) func() bool { return func() bool { n--; return n >= 0 } }

// upgrade installs Kedge on a memory and lets it import everything, n anchors a message.
func upgrade(t require.TestingT, mem storage.Memory, n int) *storage.Store {
	s, err := Upgrade(mem)
	require.NoError(t, err)
	for done := false; !done; {
		done, err = Run(s, units(n))
		require.NoError(t, err)
		again, err := OpenStore(mem) // as in another message after an upgrade in between
		require.NoError(t, err)
		s = again
	}
	return s
}

func read(t require.TestingT, s *storage.Store, number uint64) *identity.Anchor {
	a, err := s.Read(number)
	require.NoError(t, err)
	return a
}

func device(a *identity.Anchor, key string) *identity.Device {
	for i := range a.Devices {
		if string(a.Devices[i].PublicKey) == key {
			return &a.Devices[i]
		}
	}
	return nil
}

func names(a *identity.Anchor) []string {
	var out []string
	for i := range a.Devices {
		out = append(out, string(a.Devices[i].PublicKey))
	}
	return out
}

func newDevice(key string, id int) identity.Device {
	return identity.Device{
		Data: identity.Data{PublicKey: []byte(key), Alias: "alias of " + key}, ID: identity.DeviceID(id),
		Principal: principal.SelfAuthenticating([]byte(key)), Proven: true, AddedAt: 77,
	}
}

func fsck(t require.TestingT, s *storage.Store) []storage.Finding {
	var c storage.Check
	done, err := s.Check(&c, unlimited)
	require.NoError(t, err)
	require.True(t, done)
	return c.Findings
}

var layouts = []uint8{1, 3, 5, 6, 7, 8, 9}

// There and back, and there for good, for every layout.
func TestTrialRollbackForwardFinalise(t *testing.T) {
	for _, layout := range layouts {
		t.Run(fmt.Sprint("layout ", layout), func(t *testing.T) {
			mem := build(t, layout)
			o := start(t, mem)
			for i := range 5 {
				o.Register(passkey(fmt.Sprint("key ", i)), phrase(fmt.Sprint("phrase ", i), true))
			}
			used := uint64(9)
			o.Change(10001, "key 1", "key 1", func(d *iitest.Device) { d.LastUsed = &used })
			o.Stop()
			old := mem.Clone()

			s, err := Upgrade(mem)
			require.NoError(t, err)
			require.Equal(t, 5, s.Count())
			before := read(t, s, 10003)
			require.Equal(t, []string{"key 3", "phrase 3"}, names(before), "an anchor can be read before it is imported")
			before.Devices[0].Alias = "written before it was imported"
			require.NoError(t, s.Write(before))
			s = upgrade(t, mem, 2)
			require.Equal(t, "written before it was imported", read(t, s, 10003).Devices[0].Alias)
			a := read(t, s, 10001)
			require.Equal(t, layout > 5, device(a, "key 1").Proven, "proven by its last usage, where the layout has one")
			require.True(t, device(a, "phrase 1").Proven, "an imported protection is a mark on a proven device")
			require.True(t, device(a, "phrase 1").Protected)
			salt, set := s.Salt()
			require.True(t, set)
			require.Equal(t, [32]byte(slices.Repeat([]byte{5}, 32)), salt)
			require.Empty(t, fsck(t, s))
			found, _, err := s.LookupCaller(principal.SelfAuthenticating([]byte("key 4")), 0, 10)
			require.NoError(t, err)
			require.Equal(t, []uint64{10004}, found)

			number, err := s.Allocate()
			require.NoError(t, err)
			require.Equal(t, uint64(10005), number)
			require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{newDevice("born in kedge", 0)}}))
			a.Devices = append(a.Devices, newDevice("added in kedge", 2))
			require.NoError(t, s.Write(a))

			// Back: the old module finds everything, and its state behind the last record.
			o = start(t, mem)
			require.Equal(t, uint32(6), o.Count())
			require.Equal(t, []string{"born in kedge"}, o.Keys(10005))
			require.Equal(t, []string{"key 1", "phrase 1", "added in kedge"}, o.Keys(10001))
			require.True(t, o.Devices(10001)[1].Protected)
			require.Equal(t, layout != 9, len(o.State()) > 0)
			untouched, err := Open(old)
			require.NoError(t, err)
			want, err := untouched.Entry(2)
			require.NoError(t, err)
			require.Equal(t, want, o.Entry(10002), "an anchor that nobody wrote keeps its old bytes")
			o.Register(passkey("born in the old module"))
			o.Add(10000, passkey("added in the old module"))
			require.True(t, o.Change(10001, "key 1", "key 1", nil))
			o.Stop()

			// Forward again.
			s, err = Upgrade(mem)
			require.NoError(t, err)
			require.Equal(t, []string{"key 0", "phrase 0", "added in the old module"}, names(read(t, s, 10000)), "compared as soon as it is read")
			s = upgrade(t, mem, 1)
			require.Equal(t, 7, s.Count())
			require.Equal(t, []string{"born in the old module"}, names(read(t, s, 10006)))
			a = read(t, s, 10001)
			require.Equal(t, []string{"phrase 1", "added in kedge"}, names(a))
			require.Equal(t, uint64(77), a.Devices[1].AddedAt)
			require.Zero(t, TrialOf(s).Amended)
			require.Empty(t, fsck(t, s))

			// For good.
			require.NoError(t, Finalize(s, false))
			s, err = OpenStore(mem)
			require.NoError(t, err)
			require.Zero(t, TrialOf(s).Layout)
			require.Equal(t, a, read(t, s, 10001))
			number, err = s.Allocate()
			require.NoError(t, err)
			size := mem.Size()
			for i := range 60 { // fills old pages with overflow blocks, not new ones
				b := &identity.Anchor{Number: number}
				for j := range 9 {
					d := newDevice(fmt.Sprint("key ", j), j)
					d.CredentialID = make([]byte, 200+i)
					b.Devices = append(b.Devices, d)
				}
				require.NoError(t, s.Write(b))
			}
			require.Equal(t, size, mem.Size(), "the old pages are used again")
			require.Empty(t, fsck(t, s))
			require.ErrorContains(t, Finalize(s, false), "nothing to finalise")
		})
	}
}

func TestRealImagesImport(t *testing.T) {
	for _, name := range []string{"genesis_v1", "genesis_v5", "genesis_v7"} {
		t.Run(name, func(t *testing.T) {
			mem := realImage(t, name)
			s := upgrade(t, mem, 10)
			require.Equal(t, []string{"andrew-mbp", "andrew phone chrome"}, []string{read(t, s, 10002).Devices[0].Alias, read(t, s, 10002).Devices[1].Alias})
			key, err := hex.DecodeString("305e300c060a2b0601040183b8430101034e00a50102032620012158206c52bead5df52c208a9b1c7be0a60847573e5be4ac4fe08ea48036d0ba1d2acf225820b33daeb83bc9c77d8ad762fd68e3eab08684e463c49351b3ab2a14a400138387")
			require.NoError(t, err)
			found, _, err := s.LookupCaller(principal.SelfAuthenticating(key), 0, 10)
			require.NoError(t, err)
			require.Equal(t, []uint64{10030}, found)
			salt, _ := s.Salt()
			require.Equal(t, "4d7e3481726397f6676c832ac5c95328a7d48aa669b81c8877933208da64a2d0", hex.EncodeToString(salt[:]))
			require.Equal(t, uint32(1), TrialOf(s).WithoutKey)
			require.ErrorContains(t, Finalize(s, false), "1 anchors have no device")
			require.NoError(t, Finalize(s, true))
			require.Empty(t, fsck(t, s))

			// A principal that the old canister gave out: the same user at the same application, before and after.
			salt, _ = s.Salt()
			seed, err := delegation.NewSeed(&salt, found[0], "example.com")
			require.NoError(t, err)
			user := principal.SelfAuthenticating(seed.AppendPublicKey(nil, principal.MustParse("rwlgt-iiaaa-aaaaa-aaaaa-cai").Bytes()))
			require.Equal(t, "jvplt-hyvwy-olw3k-yun2d-pdpmn-25ax2-zjdfc-72dh6-4smh2-q3jjl-5qe", user.Text())
		})
	}
}

// trialWith is a memory on trial with one anchor of a passkey and what change makes of it.
func trialWith(t *testing.T, layout uint8, g iitest.Generation, change func(*identity.Anchor)) (*storage.RAM, *storage.Store) {
	mem := build(t, layout)
	o := iitest.Start(t, mem, g)
	o.Register(passkey("passkey"))
	o.Stop()
	s := upgrade(t, mem, 10)
	a := read(t, s, 10000)
	change(a)
	require.NoError(t, s.Write(a))
	return mem, s
}

func protectedDevice(key string, id int, kind identity.KeyType) identity.Device {
	d := newDevice(key, id)
	d.KeyType, d.Protected = kind, true
	return d
}

// noProtection is a generation that does not know protection.
const noProtection = iitest.From2021Nov

// Story: the owner protected a hardware key, which the old module cannot; a thief who has the passkey waits
// for the rollback to remove it.
func TestRemovedHardwareKeyComesBack(t *testing.T) {
	mem, s := trialWith(t, 6, latest(6), func(a *identity.Anchor) {
		a.Devices = append(a.Devices, protectedDevice("hardware", 1, identity.CrossPlatform))
		a.Copies = append(a.Copies, identity.Data{PublicKey: []byte("hardware"), Alias: "copy"})
	})
	weak, next, err := Weakened(s, 0, 10, unlimited)
	require.NoError(t, err)
	require.Zero(t, next)
	require.Equal(t, []Weakness{{10000, storage.LossProtections}}, weak)
	was := read(t, s, 10000)

	o := start(t, mem)
	require.True(t, o.Change(10000, "passkey", "hardware", nil), "the old module does not know better")
	require.True(t, o.Change(10000, "passkey", "hardware", nil), "nor for the copy")
	o.Stop()
	s = upgrade(t, mem, 10)
	a := read(t, s, 10000)
	require.Equal(t, was, a)
	require.Equal(t, uint32(1), TrialOf(s).Amended)
	h, err := s.History(10000, 0, 10)
	require.NoError(t, err)
	require.Equal(t, identity.EventRestored, h.Events[0].Kind)
	require.Equal(t, device(a, "hardware").Principal, h.Events[0].Device)
	require.Contains(t, start(t, mem).Keys(10000), "hardware", "the old store has learnt it as well")
}

// Story: a thief plants a protected phrase through the old module, on an anchor that has a protected device.
func TestPlantedProtectedPhraseIsImportedUnprotected(t *testing.T) {
	mem, _ := trialWith(t, 6, latest(6), func(a *identity.Anchor) {
		a.Devices = append(a.Devices, protectedDevice("hardware", 1, identity.CrossPlatform))
	})
	o := start(t, mem)
	o.Add(10000, phrase("planted", true))
	require.True(t, o.Change(10000, "passkey", "passkey", func(d *iitest.Device) {
		d.KeyType, d.Protected = "seed_phrase", true
	}))
	o.Stop()
	s := upgrade(t, mem, 10)
	a := read(t, s, 10000)
	require.False(t, device(a, "planted").Protected)
	require.False(t, device(a, "planted").Proven)
	require.False(t, device(a, "passkey").Protected)
	require.True(t, device(a, "hardware").Protected)
	h, err := s.History(10000, 0, 10)
	require.NoError(t, err)
	require.Len(t, h.Events, 2)
	require.Equal(t, identity.EventDropped, h.Events[0].Kind)
	for _, d := range start(t, mem).Devices(10000) {
		require.False(t, d.Protected)
	}
}

// On an anchor without a protected device, what the old module protected is protected.
func TestProtectionOfTheOldModuleIsTakenOver(t *testing.T) {
	mem, _ := trialWith(t, 6, latest(6), func(*identity.Anchor) {})
	o := start(t, mem)
	o.Add(10000, phrase("phrase", true))
	s := upgrade(t, mem, 10)
	require.True(t, device(read(t, s, 10000), "phrase").Protected)
	require.True(t, device(read(t, s, 10000), "phrase").Proven)
}

// Story: guard, consent, demand and session limit are kept over a rollback in which the anchor was written;
// a pending request is cancelled.
func TestGuardAndConsentAreKept(t *testing.T) {
	mem, s := trialWith(t, 7, latest(7), func(a *identity.Anchor) {
		a.Guard, a.DeviceBound, a.SessionLimit = true, true, 3600e9
		p := protectedDevice("phrase", 1, identity.SeedPhrase)
		p.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 0, CompletesAt: 99}, {ID: 2}}}
		gone := newDevice("gone", 2)
		a.Devices = append(a.Devices, p, gone)
		a.Registration = &identity.Registration{Opener: 0, ExpiresAt: 5}
		a.Devices[0].Temporary = identity.TemporaryKey{Principal: principal.Anonymous, ExpiresAt: 9}
	})
	weak, _, err := Weakened(s, 0, 10, unlimited)
	require.NoError(t, err)
	require.Equal(t, storage.LossGuards|storage.LossConsents|storage.LossDemands, weak[0].Loss)
	o := start(t, mem)
	require.False(t, o.Change(10000, "passkey", "phrase", nil), "the old module enforces a phrase's protection")
	o.Change(10000, "passkey", "gone", nil)
	o.Add(10000, passkey("new"))
	o.Stop()
	s = upgrade(t, mem, 10)
	a := read(t, s, 10000)
	require.True(t, a.Guard)
	require.True(t, a.DeviceBound)
	require.Equal(t, uint64(3600e9), a.SessionLimit)
	require.Equal(t, []identity.Asker{{ID: 0}}, device(a, "phrase").Consent.Askers)
	require.Nil(t, a.Registration)
	require.Zero(t, device(a, "passkey").Temporary)
	require.Equal(t, identity.DeviceID(3), device(a, "new").ID, "no number of before is used again")
	require.Zero(t, TrialOf(s).Amended)
}

// The owner may unprotect or remove the phrase through an old module that enforced its protection.
func TestWhatTheOwnerDidThroughTheOldModuleHolds(t *testing.T) {
	for name, change := range map[string]func(*iitest.Device){
		"removed":     nil,
		"unprotected": func(d *iitest.Device) { d.Protected = false },
	} {
		t.Run(name, func(t *testing.T) {
			mem, _ := trialWith(t, 5, latest(5), func(a *identity.Anchor) {
				a.Guard = true
				a.Devices = append(a.Devices, protectedDevice("phrase", 1, identity.SeedPhrase))
			})
			o := start(t, mem)
			require.True(t, o.Change(10000, "phrase", "phrase", change))
			s := upgrade(t, mem, 10)
			a := read(t, s, 10000)
			if d := device(a, "phrase"); change == nil {
				require.Nil(t, d)
			} else {
				require.False(t, d.Protected)
			}
			require.False(t, a.Guard, "no protected device is left, so the guard is off")
			require.Zero(t, TrialOf(s).Amended)
		})
	}
}

// A module from before protection re-encodes the anchor without it.
func TestModuleWithoutProtectionDropsNothing(t *testing.T) {
	mem, s := trialWith(t, 1, noProtection, func(a *identity.Anchor) {
		a.Devices = append(a.Devices, protectedDevice("phrase", 1, identity.SeedPhrase))
		a.Devices[0].KeyType, a.Devices[0].Purpose = identity.Platform, identity.Recovery
	})
	require.False(t, TrialOf(s).KnowsProtection)
	weak, _, err := Weakened(s, 0, 10, unlimited)
	require.NoError(t, err)
	require.Equal(t, []Weakness{{10000, storage.LossProtections}}, weak)
	was := read(t, s, 10000)

	o := iitest.Start(t, mem, noProtection)
	o.Add(10000, passkey("new"))
	require.True(t, o.Change(10000, "passkey", "phrase", nil))
	s = upgrade(t, mem, 10)
	a := read(t, s, 10000)
	require.Equal(t, *device(was, "phrase"), *device(a, "phrase"))
	require.Equal(t, *device(was, "passkey"), *device(a, "passkey"), "fields that the old module does not know are ours")
	require.NotNil(t, device(a, "new"))
	require.Equal(t, uint32(1), TrialOf(s).Amended)
	require.Equal(t, uint32(0), TrialOf(s).FirstAmended[0])
}

// A layout 1 module that knows protection says so by the records that it wrote.
func TestLayout1ModuleThatKnowsProtection(t *testing.T) {
	mem := build(t, 1)
	o := start(t, mem)
	o.Register(passkey("passkey"), phrase("phrase", true))
	o.Stop()
	s := upgrade(t, mem, 10)
	require.True(t, TrialOf(s).KnowsProtection)
	a := read(t, s, 10000)
	a.Devices[0].Alias = "changed"
	require.NoError(t, s.Write(a))
	o = start(t, mem)
	require.False(t, o.Change(10000, "passkey", "phrase", nil))
}

// An old module of later layouts that does not know every field drops them; ours are kept.
func TestSparseModuleDropsNoFieldsOfOurs(t *testing.T) {
	mem, s := trialWith(t, 6, earliest(6), func(a *identity.Anchor) {
		d := &a.Devices[0]
		d.HasOrigin, d.Origin = true, "https://identity.ic0.app"
		d.Metadata = identity.Metadata{{Key: "k", Text: "v"}, {Key: "m", Kind: identity.MetadataMap, Map: identity.Metadata{{Key: "b", Kind: identity.MetadataBytes, Bytes: []byte{1}}}}}
		d.AAGUID = make([]byte, identity.AAGUIDSize)
	})
	was := read(t, s, 10000)
	o := iitest.Start(t, mem, earliest(6))
	o.Change(10000, "passkey", "passkey", func(d *iitest.Device) { d.Alias = "renamed" })
	s = upgrade(t, mem, 10)
	was.Devices[0].Alias = "renamed"
	require.Equal(t, was, read(t, s, 10000))
}
