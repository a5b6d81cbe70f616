package storage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
)

// A chunk of the history that is damaged between two calls is found by the second, though the first had it at hand: what
// was lost is counted, not written over as if it were whole.
func TestDamageBetweenTwoEventsIsFound(t *testing.T) {
	s := emptyStore(t)
	number := register(t, s, "key", nil)
	write := func() {
		a, err := s.Read(number)
		require.NoError(t, err)
		a.Events = []identity.Event{{At: 1, Kind: identity.EventRecovered}}
		require.NoError(t, s.Write(a))
	}
	write()
	before, err := s.History(number, 0, 10)
	require.NoError(t, err)
	slot, err := s.slotOf(number)
	require.NoError(t, err)
	raw, err := s.readRaw(slot)
	require.NoError(t, err)
	at, err := s.alloc.Address(history, raw.head.history.Newest[security]-1)
	require.NoError(t, err)
	write()
	require.NoError(t, s.alloc.Memory.WriteAt([]byte{0xff}, at+30))
	write()
	after, err := s.History(number, 0, 10)
	require.NoError(t, err)
	require.Zero(t, before.LostSecurity)
	require.Equal(t, uint64(1), after.LostSecurity)
}
