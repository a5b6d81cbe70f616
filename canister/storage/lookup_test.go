package storage

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// Pages of any size, one after the other, show every match once, in the order of one page with them all.
func TestLookupPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Create(NewRAM(1<<12), Config{Lo: 10000, Hi: 20000})
		require.NoError(t, err)
		caller := principal.SelfAuthenticating([]byte("mine"))
		for i := range rapid.IntRange(0, 60).Draw(t, "anchors") {
			number, err := s.Allocate()
			require.NoError(t, err)
			a := &identity.Anchor{Number: number}
			for j := range rapid.IntRange(1, 3).Draw(t, "devices") { // imports may have a credential id twice
				key := fmt.Sprint("key ", i, j)
				d := identity.Device{Data: identity.Data{PublicKey: []byte(key), CredentialID: []byte("credential")}, ID: identity.DeviceID(j),
					Principal: principal.SelfAuthenticating([]byte(key)), Proven: rapid.Bool().Draw(t, "proven"), AddedAt: rapid.Uint64Range(0, 3).Draw(t, "added") * 1e9}
				if j == 0 && rapid.Bool().Draw(t, "mine") {
					d.Principal = caller
				}
				a.Devices = append(a.Devices, d)
			}
			if rapid.Bool().Draw(t, "copy") {
				a.Copies = []identity.Data{a.Devices[0].Data}
			}
			require.NoError(t, s.Write(a))
		}
		size := rapid.IntRange(1, 20).Draw(t, "size of a page")

		all, next, err := s.LookupCredential([]byte("credential"), 0, 1000)
		require.NoError(t, err)
		require.Zero(t, next)
		all = kept(all)
		paged := []Match{}
		for from, first := uint64(0), true; first || from != 0; first = false {
			page, next, err := s.LookupCredential([]byte("credential"), from, size)
			require.NoError(t, err)
			paged, from = append(paged, kept(page)...), next
		}
		require.Equal(t, all, paged)
		for i := 1; i < len(all); i++ {
			require.False(t, all[i].Proven && !all[i-1].Proven, "proven ones come first")
		}

		mine, next, err := s.LookupCaller(caller, 0, 1000)
		require.NoError(t, err)
		require.Zero(t, next)
		var pages []uint64
		for from, first := uint64(0), true; first || from != 0; first = false {
			page, next, err := s.LookupCaller(caller, from, size)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), size)
			pages, from = append(pages, page...), next
		}
		require.Equal(t, mine, pages)
	})
}

// kept is a copy of what belongs to the store.
func kept(matches []Match) []Match {
	all := []Match{}
	for _, m := range matches {
		all = append(all, Match{m.Anchor, bytes.Clone(m.PublicKey), m.Proven})
	}
	return all
}

// What a page from 0 shows lasts while the pages after it are read.
func TestFirstPageLasts(t *testing.T) {
	s, err := Create(NewRAM(1<<12), Config{Lo: 10000, Hi: 20000})
	require.NoError(t, err)
	for i := range 3 {
		number, err := s.Allocate()
		require.NoError(t, err)
		require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{{
			Data: identity.Data{PublicKey: []byte{byte(i)}, CredentialID: []byte("credential")}, Principal: principal.SelfAuthenticating([]byte{byte(i)}),
		}}}))
	}
	first, next, err := s.LookupCredential([]byte("credential"), 0, 1)
	require.NoError(t, err)
	require.Len(t, first, 1)
	want := kept(first)
	for next != 0 {
		_, next, err = s.LookupCredential([]byte("credential"), next, 1)
		require.NoError(t, err)
	}
	require.Equal(t, want, first)
}

// Where one anchor has the key, a look-up allocates nothing: the network charges for every page of memory that a
// message touches, and those of the allocator are many.
func TestUsualLookupAllocatesNothing(t *testing.T) {
	s, err := Create(NewRAM(1<<12), Config{Lo: 10000, Hi: 20000})
	require.NoError(t, err)
	number, err := s.Allocate()
	require.NoError(t, err)
	require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{{
		Data: identity.Data{PublicKey: []byte("key"), CredentialID: []byte("credential")}, Principal: principal.SelfAuthenticating([]byte("key")),
	}}}))
	require.Zero(t, testing.AllocsPerRun(10, func() {
		found, next, err := s.LookupCredential([]byte("credential"), 0, 16)
		if err != nil || next != 0 || len(found) != 1 || found[0].Anchor != number {
			t.Error("the anchor was not found")
		}
	}))
	a, err := s.Read(number)
	require.NoError(t, err)
	b, err := s.Read(number)
	require.NoError(t, err)
	require.NotSame(t, a, b, "what is read later does not belong to the store")
}
