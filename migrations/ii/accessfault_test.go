package ii

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/stable"
	"kedge/migrations/ii/wire"
)

// errCounted stands for a fault that is not the error of a call, but that its result tells of.
var errCounted = errors.New("counted as unreadable")

// A single access to memory that fails makes the call fail, or an anchor count as unreadable, whichever it is. The
// exceptions are counted: two accesses for each of the three last records, at which a look is taken when the store is
// attached; two for the record that is overwritten, whose table is not kept then; and two for each record whose
// contradiction with the map is looked for ahead, before the record itself is read.
func TestFaultOfEveryAccess(t *testing.T) {
	plain := func(layout uint8) *storage.RAM {
		mem := build(t, layout)
		o := start(t, mem)
		for i := range 3 {
			o.Register(passkey(fmt.Sprint("key ", i)), phrase(fmt.Sprint("phrase ", i), true))
		}
		o.Stop()
		writeState(t, mem, layout, wire.EncodePersistentStateArgs(wire.PersistentState{}))
		return mem
	}
	both, _ := dual(t, 3)
	for _, c := range []struct {
		name string
		base *storage.RAM
	}{{"layout 1", plain(1)}, {"layout 5", plain(5)}, {"layout 7", plain(7)}, {"layout 9", plain(9)}, {"a map besides", both}} {
		begun := c.base.Clone()
		_, err := Begin(begun)
		require.NoError(t, err)
		mapped := 0
		if c.name == "a map besides" {
			mapped = 1
		}
		done := begun.Clone()
		upgrade(t, done, 10)
		back := done.Clone()
		old := start(t, back)
		if mapped == 1 {
			old = old.Dual()
		}
		require.True(t, old.Change(10001, "key 1", "key 1", nil))

		// on opens the store, all of whose accesses succeed, and does the rest with m.
		on := func(work func(s *storage.Store) error) func(storage.Memory) error {
			return func(m storage.Memory) error {
				s, err := OpenStore(m)
				if err != nil {
					return err
				}
				return work(s)
			}
		}
		for _, step := range []struct {
			name string
			base *storage.RAM
			call func(storage.Memory) error
			may  [2]int // accesses that nobody misses, without the map and with it
		}{
			{"plan", c.base, func(m storage.Memory) error {
				r, err := Plan(m)
				if err == nil && r.UnreadableAnchors > 0 {
					return errCounted
				}
				return err
			}, [2]int{0, 6}},
			{"settings", c.base, func(m storage.Memory) error {
				img, err := Open(m)
				if err != nil {
					return err
				}
				_, err = img.Settings()
				return err
			}, [2]int{0, 0}},
			{"begin", c.base, func(m storage.Memory) error { _, err := Begin(m); return err }, [2]int{6, 12}},
			{"go on", begun, func(m storage.Memory) error { _, err := Upgrade(m); return err }, [2]int{12, 18}},
			{"import", begun, on(func(s *storage.Store) error {
				if _, err := Run(s, unlimited); err != nil {
					return err
				}
				if TrialOf(s).Unreadable > 0 {
					return errCounted
				}
				return nil
			}), [2]int{6, 6}},
			{"read before the import", begun, on(func(s *storage.Store) error { _, err := s.Read(10001); return err }), [2]int{6, 6}},
			{"read after it", done, on(func(s *storage.Store) error { _, err := s.Read(10001); return err }), [2]int{6, 6}},
			{"write", done, on(func(s *storage.Store) error {
				return s.Write(&identity.Anchor{Number: 10001, Devices: []identity.Device{newDevice("other", 0)}})
			}), [2]int{8, 8}},
			{"register", done, on(func(s *storage.Store) error {
				number, err := s.Allocate()
				if err != nil {
					return err
				}
				return s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{newDevice("new", 0)}})
			}), [2]int{6, 6}},
			{"come back", back, func(m storage.Memory) error {
				s, err := Upgrade(m)
				if err != nil {
					return err
				}
				if _, err := Run(s, unlimited); err != nil {
					return err
				}
				if TrialOf(s).Unreadable > 0 {
					return errCounted
				}
				return nil
			}, [2]int{12, 18}},
			{"weakened", done, on(func(s *storage.Store) error { _, _, err := Weakened(s, 0, 10, unlimited); return err }), [2]int{12, 10}},
			{"outdated", done, on(func(s *storage.Store) error { _, _, err := Outdated(s, 0, 10, unlimited); return err }), [2]int{6, 12}},
			{"finalise", done, on(func(s *storage.Store) error { return Finalize(s, false) }), [2]int{6, 6}},
			{"settings of the store", done, on(func(s *storage.Store) error { _, err := SettingsOf(s); return err }), [2]int{6, 6}},
		} {
			t.Run(c.name+"/"+step.name, func(t *testing.T) {
				count := stable.NewFaultyOnce(step.base.Clone(), -1)
				require.NoError(t, step.call(count))
				require.NotZero(t, count.Writes())
				missed := 0
				for n := range count.Writes() {
					err := step.call(stable.NewFaultyOnce(step.base.Clone(), n))
					if err == nil {
						missed++
						continue
					}
					if !errors.Is(err, errCounted) {
						require.ErrorContains(t, err, stable.ErrFault.Error(), "access %d", n)
					}
				}
				require.Equal(t, step.may[mapped], missed)
			})
		}
	}
}
