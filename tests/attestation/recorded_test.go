package attestation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

func TestWhatIsRecorded(t *testing.T) {
	shared := openCanister(t)
	run := func(name string, test func(h *harness.Harness, anchor uint64, a *authenticator)) {
		t.Run(name, func(t *testing.T) {
			h := shared.For(t)
			a := newP256(h, "key")
			test(h, h.Register(a.Device), a)
		})
	}
	run("backup eligibility never changes", func(h *harness.Harness, anchor uint64, a *authenticator) {
		first, err := attests(h, anchor, a, answer{eligible: true})
		require.NoError(h, err)
		_, err = attests(h, anchor, a, answer{eligible: false})
		h.RequireRefused(kedge.ErrorCodeEligibility, err)
		require.Equal(h, &first, recorded(h, anchor, a.Device), "the first stays")
		now, err := attests(h, anchor, a, answer{eligible: true, backedUp: true})
		require.NoError(h, err)
		require.True(h, now.BackedUp, "the backup state does change")
	})
	run("a counter that stands still is shown, and locks nobody out", func(h *harness.Harness, anchor uint64, a *authenticator) {
		for _, c := range []struct {
			sent, kept uint32
			stalled    bool
		}{{5, 5, false}, {6, 6, false}, {6, 6, true}, {4, 6, true}, {9, 9, true}, {0, 9, true}} {
			got, err := attests(h, anchor, a, answer{counter: c.sent})
			require.NoError(h, err)
			require.Equal(h, c.kept, got.Counter)
			require.Equal(h, c.stalled, got.CounterStalled, "sent %d", c.sent)
		}
		require.NoError(h, h.Add(anchor, a.Device, harness.NewDevice("phone")))
	})
	run("an authenticator that does not count always sends 0", func(h *harness.Harness, anchor uint64, a *authenticator) {
		for range 3 {
			got, err := attests(h, anchor, a, answer{})
			require.NoError(h, err)
			require.False(h, got.CounterStalled)
		}
	})
	run("replacing a device forgets it", func(h *harness.Harness, anchor uint64, a *authenticator) {
		_, err := attests(h, anchor, a, answer{})
		require.NoError(h, err)
		require.NoError(h, h.Replace(anchor, a.Device, a.Device, a.Device))
		require.Nil(h, recorded(h, anchor, a.Device))
	})
	run("it is in the history", func(h *harness.Harness, anchor uint64, a *authenticator) {
		_, err := attests(h, anchor, a, answer{})
		require.NoError(h, err)
		reply, err := h.Query(a.Principal(), "history", kedge.EncodeHistoryArgs(anchor, nil, 10))
		require.NoError(h, err)
		history, err := kedge.DecodeHistoryResult(reply)
		require.NoError(h, err)
		last := history.Ok.Entries[len(history.Ok.Entries)-1]
		require.Equal(h, kedge.EventKindAttested, *last.Kind)
		require.Equal(h, a.Principal(), *last.By)
	})
}

// The demand of rule 9: passkeys that become protected are device-bound, as attested.
func TestDeviceBoundDemand(t *testing.T) {
	shared := openCanister(t)
	bound, synced, silent := newP256(shared, "bound"), newP256(shared, "synced"), newP256(shared, "silent")
	phrase := harness.NewPhrase("phrase")
	run := func(name string, test func(h *harness.Harness, anchor uint64)) {
		t.Run(name, func(t *testing.T) {
			h := shared.For(t)
			anchor := h.Register(phrase.Marked())
			for _, a := range []*authenticator{bound, synced, silent} {
				require.NoError(h, h.Add(anchor, phrase, a.Device))
			}
			_, err := attests(h, anchor, bound, answer{})
			require.NoError(h, err)
			_, err = attests(h, anchor, synced, answer{eligible: true})
			require.NoError(h, err)
			require.NoError(h, h.Demand(anchor, phrase, true))
			require.True(h, *h.Info(anchor, phrase).DeviceBound)
			test(h, anchor)
		})
	}
	const text = "this anchor demands that a protected passkey be attested as device-bound"

	run("protect", func(h *harness.Harness, anchor uint64) {
		h.RequireRefused(kedge.ErrorCodeNotDeviceBound, h.Protect(anchor, phrase, synced.Device))
		h.RequireRefused(kedge.ErrorCodeNotDeviceBound, h.Protect(anchor, phrase, silent.Device))
		require.NoError(h, h.Protect(anchor, phrase, bound.Device))
		require.NoError(h, h.Demand(anchor, phrase, false))
		require.NoError(h, h.Protect(anchor, phrase, synced.Device))
	})
	run("update", func(h *harness.Harness, anchor uint64) {
		require.ErrorContains(h, h.Update(anchor, phrase, synced.Marked()), text)
		require.ErrorContains(h, h.Update(anchor, phrase, silent.Marked()), text)
		require.NoError(h, h.Update(anchor, phrase, bound.Marked()))
		require.NoError(h, h.Update(anchor, phrase, synced.Renamed("x")), "other fields are free")
	})
	run("add and replace bring devices that never attested", func(h *harness.Harness, anchor uint64) {
		fresh := newP256(h, "fresh")
		require.ErrorContains(h, h.Add(anchor, phrase, fresh.Marked()), text)
		require.ErrorContains(h, h.Replace(anchor, phrase, silent.Device, fresh.Marked()), text)
		require.ErrorContains(h, h.Replace(anchor, bound.Device, bound.Device, bound.Marked()), "only a protected device of this anchor")
		require.NoError(h, h.Add(anchor, phrase, fresh.Device))
	})
	run("phrases are not concerned", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Replace(anchor, phrase, phrase, phrase.Marked()))
		require.NoError(h, h.Replace(anchor, phrase, phrase, harness.NewPhrase("new").Marked()))
	})
	run("it lifts no protection", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Demand(anchor, phrase, false))
		require.NoError(h, h.Protect(anchor, phrase, synced.Device))
		require.NoError(h, h.Demand(anchor, phrase, true))
		_, marked := h.Has(anchor, synced.Device)
		require.True(h, marked)
		require.NoError(h, h.Update(anchor, synced.Device, synced.Marked().Renamed("still protected")))
	})
	run("a release does not ask for it", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Consent(anchor, phrase, 30, silent.Device))
		require.NoError(h, h.Ask(anchor, silent.Device, phrase))
		h.Pass(30*24*time.Hour + time.Minute)
		require.NoError(h, h.Complete(anchor, silent.Device, phrase))
		_, marked := h.Has(anchor, silent.Device)
		require.True(h, marked, "else nobody could protect anything here any more")
		_, marked = h.Has(anchor, phrase)
		require.False(h, marked)
	})
	run("an upgrade keeps it", func(h *harness.Harness, anchor uint64) {
		h.Upgrade()
		h.RequireRefused(kedge.ErrorCodeNotDeviceBound, h.Protect(anchor, phrase, synced.Device))
		require.NoError(h, h.Protect(anchor, phrase, bound.Device))
	})
}
