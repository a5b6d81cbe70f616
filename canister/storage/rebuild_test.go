package storage

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

// What a rebuild has passed over is not read again in the next message.
func TestRebuildKeepsItsPlace(t *testing.T) {
	s := emptyStore(t)
	for range 4 {
		_, err := s.Allocate()
		require.NoError(t, err)
	}
	require.NoError(t, s.flush())
	for i := range uint32(4) {
		budget := 1
		done, err := s.RebuildIndex(func() bool { budget--; return budget >= 0 })
		require.NoError(t, err)
		require.Equal(t, i == 3, done)
		s, err = Open(s.Memory())
		require.NoError(t, err)
		require.Equal(t, (i+1)%4, s.sb.built)
	}
}

// What is damaged while the index is rebuilt is not called whole: the next call begins anew.
func TestRebuildMeetsDamage(t *testing.T) {
	s := emptyStore(t)
	for i := range 4 {
		register(t, s, fmt.Sprint(i), nil)
	}
	require.NoError(t, s.setAside())
	budget := 2
	done, err := s.RebuildIndex(func() bool { budget--; return budget >= 0 })
	require.NoError(t, err)
	require.False(t, done)
	at, err := s.alloc.Address(index, s.tree.Root-1)
	require.NoError(t, err)
	require.NoError(t, s.alloc.Memory.WriteAt([]byte{0xff}, at+20))
	done, err = s.RebuildIndex(func() bool { return true })
	require.NoError(t, err)
	require.False(t, done, "it is aside again")
	_, _, err = s.LookupCaller(principal.SelfAuthenticating([]byte("0")), 0, 1)
	require.ErrorContains(t, err, "it was put aside")
	done, err = s.RebuildIndex(func() bool { return true })
	require.NoError(t, err)
	require.True(t, done)
	require.Len(t, entries(t, s), 2*4)
}
