package storage

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/ic/principal"
)

// typicalAnchor has three devices as people have them: two passkeys and a protected phrase.
func typicalAnchor(number uint64) *identity.Anchor {
	a := &identity.Anchor{Number: number, CreatedAt: 1_700_000_000_000_000_000}
	for i := range 3 {
		key := make([]byte, 91)
		binary.LittleEndian.PutUint64(key, number)
		key[8] = byte(i)
		d := identity.Device{
			Data: identity.Data{PublicKey: key, Alias: "Chrome on macOS", HasOrigin: true, Origin: "https://identity.ic0.app", KeyType: identity.Platform},
			ID:   identity.DeviceID(i), Principal: principal.SelfAuthenticating(key), Proven: true,
			LastUsed: 1_700_000_000_000_000_000, AddedAt: 1_700_000_000_000_000_000,
		}
		if i == 2 {
			d.KeyType, d.Purpose, d.Protected, d.PublicKey = identity.SeedPhrase, identity.Recovery, true, key[:44]
		} else {
			d.CredentialID = key[:32]
		}
		a.Devices = append(a.Devices, d)
	}
	who := a.Devices[0].Principal
	a.Events = []identity.Event{
		{At: 1, Kind: identity.EventRegistered, By: who, Device: who},
		{At: 2, Kind: identity.EventAdded, By: who, Device: a.Devices[1].Principal},
		{At: 3, Kind: identity.EventAdded, By: who, Device: a.Devices[2].Principal},
		{At: 4, Kind: identity.EventProtected, By: a.Devices[2].Principal, Device: a.Devices[2].Principal},
	}
	return a
}

func TestTypicalAnchorFitsItsSlot(t *testing.T) {
	s := emptyStore(t)
	for range 100 {
		number, err := s.Allocate()
		require.NoError(t, err)
		require.NoError(t, s.Write(typicalAnchor(number)))
	}
	require.Zero(t, s.alloc.Regions[overflow].Units)
}

// BenchmarkBuild builds a store of typical anchors on the host. It reports what each of them takes.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				s, err := Create(NewRAM(0), Config{Lo: 10000, Hi: 10000 + uint64(n)})
				require.NoError(b, err)
				for range n {
					number, err := s.Allocate()
					require.NoError(b, err)
					require.NoError(b, s.Write(typicalAnchor(number)))
				}
				used := func(r alloc.Region) float64 {
					return float64(s.alloc.Regions[r].Units) * float64(kinds[r].UnitSize) / float64(n)
				}
				b.ReportMetric(SlotSize, "slot-B/anchor")
				b.ReportMetric(used(overflow), "overflow-B/anchor")
				b.ReportMetric(used(history), "history-B/anchor")
				b.ReportMetric(used(index), "index-B/anchor")
				b.ReportMetric(float64(s.tree.Height), "levels")
			}
		})
	}
}
