package storage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/record"
	"kedge/canister/storage/stable"
	"kedge/ic/principal"
)

func TestSlotOfAnotherAnchor(t *testing.T) {
	s := emptyStore(t)
	register(t, s, "one", nil)
	register(t, s, "two", nil)
	from, err := s.alloc.Address(slots, 0)
	require.NoError(t, err)
	to, err := s.alloc.Address(slots, 1)
	require.NoError(t, err)
	b := make([]byte, SlotSize)
	require.NoError(t, s.alloc.Memory.ReadAt(b, from))
	require.NoError(t, s.alloc.Memory.WriteAt(b, to))
	_, err = s.Read(10001)
	require.EqualError(t, err, "anchor 10001 is corrupted: it is the slot of anchor 10000")
}

// A page of a look-up reads four entries for each answer that it may give, and names the fifth as the place
// where the next begins.
func TestLookupReadsEnoughEntries(t *testing.T) {
	s := emptyStore(t)
	number, err := s.Allocate()
	require.NoError(t, err)
	giant := oneDevice(number, "key", nil)
	for i := range 6 { // an imported one: seven devices with one credential id, added one after the other
		d := oneDevice(number, fmt.Sprint("key ", i), func(d *identity.Device) { d.AddedAt = uint64(i+1) * 1e9 }).Devices[0]
		giant.Devices = append(giant.Devices, d)
	}
	require.NoError(t, s.Write(giant))
	late := register(t, s, "late", func(d *identity.Device) { d.AddedAt = 100e9 })
	anchors := map[uint64]bool{}
	found, _, err := s.LookupCredential([]byte("credential"), 0, 8)
	require.NoError(t, err)
	for _, m := range found {
		anchors[m.Anchor] = true
	}
	require.Equal(t, map[uint64]bool{number: true, late: true}, anchors)

	var seen []uint64
	next, err := s.lookup(credentialKey([]byte("credential")), 0, 1, func(a *identity.Anchor, _ shown) bool {
		seen = append(seen, a.Number)
		return false
	})
	require.NoError(t, err)
	require.Equal(t, []uint64{number, number, number, number}, seen)
	require.Equal(t, orderOf(giant.Devices[4].Proven, giant.Devices[4].AddedAt, 0), next)
}

func TestFsckFindsExtentsInTwoPlacesAndLostOnes(t *testing.T) {
	s := emptyStore(t)
	register(t, s, "one", nil)
	s.alloc.NextExtent++ // as if one were lost
	require.NoError(t, stable.GrowTo(s.alloc.Memory, 2+alloc.ExtentPages*uint64(s.alloc.NextExtent)))
	require.NoError(t, s.alloc.FreeExtents(0, 1))
	require.NoError(t, s.flush())
	var c Check
	done, err := s.Check(&c, func() bool { return true })
	require.NoError(t, err)
	require.True(t, done)
	last := s.alloc.NextExtent - 1
	require.Contains(t, c.Findings, Finding{"extent 0", "it is in two places"})
	require.Contains(t, c.Findings, Finding{fmt.Sprint("extent ", last), "it is in no region and not free"})
}

// Any byte of an anchor with contacts that is not what was written makes it an anchor that answers nothing and
// takes nothing: contacts that nobody asks for are not taken apart, and checked all the same. Only what is behind
// the record may be anything.
func TestEveryByteOfAnAnchorWithContacts(t *testing.T) {
	s := emptyStore(t)
	number := register(t, s, "key", nil)
	a, err := s.Read(number)
	require.NoError(t, err)
	a.Devices[0].AgreesToContacts = true
	a.Devices[0].Alias = strings.Repeat("long", 300) // so that an overflow block has a part of it
	a.Contacts = &identity.Contacts{Threshold: 2, Delay: 3, List: make([]identity.Contact, identity.MaxContacts)}
	for i := range a.Contacts.List {
		a.Contacts.List[i] = identity.Contact{Anchor: uint64(20000 + i), Accepted: true, Key: principal.SelfAuthenticating([]byte{byte(i)}), ApprovedAt: 7, ByProtected: i == 1, Noted: true}
	}
	a.Events = nil
	require.NoError(t, s.Write(a))

	slot, err := s.alloc.Address(slots, 0)
	require.NoError(t, err)
	block, err := s.alloc.Address(overflow, 0)
	require.NoError(t, err)
	raw, err := s.readRaw(0)
	require.NoError(t, err)
	require.Len(t, raw.chain, 1)
	length := len(raw.payload)
	inBlock := blockHead + length - (SlotSize - slotHead2)
	for i := range uint64(SlotSize + blockSize) {
		at, used := slot+i, true
		if i >= SlotSize {
			at = block + i - SlotSize
			used = i-SlotSize < uint64(inBlock)
		}
		var b [1]byte
		require.NoError(t, s.alloc.Memory.ReadAt(b[:], at))
		require.NoError(t, s.alloc.Memory.WriteAt([]byte{b[0] ^ 1<<(i%8)}, at))
		s.last.valid = false
		got, err := s.Borrow(number)
		if used {
			require.ErrorAs(t, err, new(*CorruptedError), "byte %d", i)
			require.ErrorAs(t, s.Write(a), new(*CorruptedError), "byte %d", i)
		} else {
			require.NoError(t, err)
			got.Events = nil
			got.RecoveryContacts()
			require.Equal(t, a, got, "byte %d", i)
		}
		require.NoError(t, s.alloc.Memory.WriteAt(b[:], at))
	}
}

// What can be read and not raised is migrated all the same: a record of version 2 whose device is as version 1 has it.
func TestRewriteOfWhatCannotBeRaised(t *testing.T) {
	s, err := Create(NewRAM(0), Config{Lo: 10000, Hi: 10010, Layout: Layout2})
	require.NoError(t, err)
	number, err := s.Allocate()
	require.NoError(t, err)
	want := oneDevice(number, "key", func(d *identity.Device) { d.AddedAt = 0 })
	require.NoError(t, s.Write(want))
	raw, err := s.readRaw(0)
	require.NoError(t, err)
	older, err := record.Append(nil, want, record.Version1, nil)
	require.NoError(t, err)
	image := append(s.slotImage(record.Version2), raw.payload[:22]...)
	image = append(image, older[4:]...) // without its numbers of devices and duplicates
	head := raw.head
	require.NoError(t, s.writeRaw(raw, &head, image))
	before, err := s.Read(number)
	require.NoError(t, err)

	require.NoError(t, s.Enter(Migration{Step: 2, Phase: Up, Total: 1}))
	require.NoError(t, s.Rewrite(number))
	raw, err = s.readRaw(0)
	require.NoError(t, err)
	require.Equal(t, byte(record.Version3), raw.head.version)
	after, err := s.Read(number)
	require.NoError(t, err)
	require.Equal(t, before, after)
}
