package storage

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A batch leaves what the same writes leave one by one.
func TestBatchEqualsOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, batched := emptyStore(t), emptyStore(t)
		n := rapid.IntRange(1, 300).Draw(t, "anchors")
		spread := rapid.IntRange(1, 400).Draw(t, "keys")
		fill := func(s *Store, round int) error {
			for i := range n {
				if round == 0 {
					if _, err := s.Allocate(); err != nil {
						return err
					}
				}
				key := (i*7 + round*13) % spread
				a := oneDevice(10000+uint64(i), fmt.Sprint("key ", key), nil)
				if key%3 == 0 {
					a.Devices[0].CredentialID = nil
				}
				if err := s.Write(a); err != nil {
					return err
				}
			}
			return nil
		}
		for round := range rapid.IntRange(1, 3).Draw(t, "rounds") {
			require.NoError(t, fill(one, round))
			require.NoError(t, batched.Batch(func() error { return fill(batched, round) }))
			require.Equal(t, entries(t, one), entries(t, batched))
		}
		var c Check
		_, err := batched.Check(&c, func() bool { return true })
		require.NoError(t, err)
		require.Empty(t, c.Findings)
	})
}

func TestBatchWithDamagedIndex(t *testing.T) {
	s := emptyStore(t)
	register(t, s, "first", nil)
	at, err := s.alloc.Address(index, s.tree.Root-1)
	require.NoError(t, err)
	require.NoError(t, s.alloc.Memory.WriteAt([]byte{0xff}, at+20))
	require.NoError(t, s.Batch(func() error {
		for i := range 10 {
			number, err := s.Allocate()
			require.NoError(t, err)
			require.NoError(t, s.Write(oneDevice(number, fmt.Sprint(i), nil)))
		}
		return nil
	}))
	require.Equal(t, uint8(indexAside), s.sb.index)
	done, err := s.RebuildIndex(func() bool { return true })
	require.NoError(t, err)
	require.True(t, done)
	require.Len(t, entries(t, s), 2*11, "a principal and a credential id each")
}

func TestBatchFails(t *testing.T) {
	s := stored(t, 1)
	failed := errors.New("failed")
	before := entries(t, s)
	require.ErrorIs(t, s.Batch(func() error {
		require.NoError(t, s.Write(oneDevice(10000, "another", nil)))
		return failed
	}), failed)
	require.Equal(t, before, entries(t, s), "the edits that wait are dropped")
	require.Equal(t, uint8(indexWhole), s.sb.index)
}
