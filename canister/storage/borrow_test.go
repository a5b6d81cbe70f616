package storage

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
)

// A borrowed anchor is what Read returns, whatever was borrowed before it, and can be written.
func TestBorrowIsRead(t *testing.T) {
	s := emptyStore(t)
	var numbers []uint64
	for i, devices := range []int{1, identity.MaxDevices, 2, identity.MaxDevices + 5, 1} { // giants are imported
		number := register(t, s, fmt.Sprintf("key %d", i), nil)
		a, err := s.Read(number)
		require.NoError(t, err)
		a.Guard = i%2 == 0
		for len(a.Devices) < devices {
			d := a.Devices[0]
			d.ID = identity.DeviceID(len(a.Devices))
			d.PublicKey = fmt.Appendf(nil, "key %d of %d", d.ID, i)
			d.Metadata = identity.Metadata{{Key: "k", Text: fmt.Sprint(i)}}
			d.Consent = &identity.Consent{Delay: 1, Askers: []identity.Asker{{ID: 0}}}
			d.Temporary.ExpiresAt = uint64(i)
			a.Devices = append(a.Devices, d)
		}
		if i%2 == 1 {
			a.Contacts = &identity.Contacts{Threshold: 2, Delay: 3, List: make([]identity.Contact, identity.MaxContacts+i)}
			a.Contacts.List[i].Noted = true
		}
		require.NoError(t, s.Write(a))
		numbers = append(numbers, number)
	}
	for range 2 {
		for i, number := range numbers {
			want, err := s.Read(number)
			require.NoError(t, err)
			got, err := s.Borrow(number)
			require.NoError(t, err)
			require.Empty(t, got.Events)
			got.Events = nil
			require.Equal(t, want.HasContacts(), got.HasContacts())
			require.Nil(t, got.Contacts, "nobody has asked for them")
			got.RecoveryContacts()
			require.Equal(t, want, got)

			// Reading another one leaves it alone, and so does an error.
			_, err = s.Read(numbers[(i+1)%len(numbers)])
			require.NoError(t, err)
			_, err = s.Borrow(1)
			require.Error(t, err)
			require.Equal(t, want, got)

			got, err = s.Borrow(number)
			require.NoError(t, err)
			got.Devices[0].Alias = "renamed"
			require.NoError(t, s.Write(got))
			again, err := s.Read(number)
			require.NoError(t, err)
			want.Devices[0].Alias = "renamed"
			require.Equal(t, want, again, "contacts are kept too, which nobody asked for")
		}
	}
}

// The blocks of a record are noted in the store's own room after a new anchor was written, too: an allocation would
// have the next call touch five pages more.
func TestBlocksAreNotedInTheStore(t *testing.T) {
	s := emptyStore(t)
	number := register(t, s, "key", nil)
	a, err := s.Read(number)
	require.NoError(t, err)
	a.Devices[0].Alias = string(make([]byte, SlotSize))
	require.NoError(t, s.Write(a))
	for i := range 2 {
		register(t, s, fmt.Sprintf("key %d", i), nil)
		_, err := s.Borrow(number)
		require.NoError(t, err)
		require.Len(t, s.last.chain, 1)
		require.Same(t, &s.buffers.chain[0], &s.last.chain[0])
	}
}

func TestBorrowAllocatesNothing(t *testing.T) {
	s := emptyStore(t)
	number := register(t, s, "key", nil)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		a, err := s.Borrow(number)
		if err != nil || s.Write(a) != nil {
			t.Fail()
		}
	}))
}

// scribbler fails a read once, after it has written over the buffer.
type scribbler struct {
	Memory
	fail bool
}

func (m *scribbler) ReadAt(p []byte, off uint64) error {
	if m.fail {
		m.fail = false
		copy(p, bytes.Repeat([]byte{0xaa}, len(p)))
		return errors.New("failed")
	}
	return m.Memory.ReadAt(p, off)
}

// What a failed read leaves in the room of a borrowed anchor is nobody's old record.
func TestFailedReadIsNoOldRecord(t *testing.T) {
	s := stored(t, 2)
	m := &scribbler{Memory: s.alloc.Memory}
	s.alloc.Memory = m
	a, err := s.Borrow(10000)
	require.NoError(t, err)
	kept := *oneDevice(a.Number, "another", nil)
	_, err = s.Borrow(10001)
	require.NoError(t, err)
	_, err = s.Borrow(10000)
	require.NoError(t, err)
	m.fail = true
	_, err = s.Borrow(10001)
	require.EqualError(t, err, "read slot 1: failed")
	require.NoError(t, s.Write(&kept))
	found, _ := run(t, s, 100)
	require.Empty(t, found)
}

// After an error in Borrow the next Read is an anchor of its own.
func TestReadAfterAFailedBorrow(t *testing.T) {
	s := stored(t, 2)
	_, err := s.Borrow(1)
	require.Error(t, err)
	a, err := s.Read(10000)
	require.NoError(t, err)
	_, err = s.Borrow(10001)
	require.NoError(t, err)
	require.Equal(t, oneDevice(10000, "key 0", nil), a)
}
