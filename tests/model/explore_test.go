package model

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// TestEveryReachableAnchor is the proof: four devices with the rules 1 to 5 and 7, three with all. Credential
// ids and wrong codes meet no other rule than those of adding, so three devices have them in a world of
// their own, and two have all at once.
func TestEveryReachableAnchor(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // the garbage is small and short-lived
	worlds := []world{
		{name: "two keys, contacts and credential ids", keys: 2, contacts: true, credential: true},
		{name: "three keys, contacts", keys: 3, contacts: true},
		{name: "two keys, contacts and release", keys: 2, contacts: true, release: true},
		{name: "four devices, rules 1-5 and 7", keys: 4, credential: true},
		{name: "two devices, everything at once", keys: 2, release: true, demand: true, credential: true, wrong: true, imported: true},
		{name: "three devices, all rules", keys: 3, release: true, demand: true},
		{name: "three devices, credential ids, codes and imports", keys: 3, credential: true, wrong: true, imported: true},
	}
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			if testing.Short() && (w.release || w.contacts) {
				t.Skip("the largest exploration is not short")
			}
			states, calls, starts, recoveries, err := w.explore(w.starts(t))
			require.NoError(t, err)
			require.Positive(t, starts)
			require.Equal(t, w.contacts, recoveries > 0)
			t.Logf("%s: %d states, %d calls, %d starts of T2, %d of T7, depth reached; no violation", w.name, states, calls, starts, recoveries)
		})
	}
}

// starts are the anchors that register makes, and what an import may bring.
func (w world) starts(t *testing.T) (out []state) {
	for _, k := range []kind{passkey, credential, phrase, phraseCredential} {
		for _, mark := range []bool{false, true} {
			for _, own := range []bool{false, true} {
				for _, temporary := range []*principal.Principal{nil, &temporals[0]} {
					call := identity.Call{Canister: canister, Now: now, Service: service, Caller: principals[0]}
					if !own {
						call.Caller = temporals[0]
					}
					a, err := identity.Register(call, 10000, dataOf(0, k, mark), temporary)
					if refused := !own && (temporary == nil || mark) || k == phraseCredential; refused {
						require.Error(t, err)
						continue
					}
					require.NoError(t, err)
					want := state{}
					want.dev[0] = device{on: true, phrase: k == phrase, credential: k == credential, marked: mark,
						proven: own, temporary: temporary != nil && !mark}
					require.Equal(t, want, view(a, call))
					if k != credential || w.credential {
						out = append(out, want)
					}
				}
			}
		}
	}
	if w.imported {
		out = append(out, w.imports(state{}, 0)...)
	}
	return out
}

// imports lists anchors of up to three devices with whatever kinds: an imported mark is on a proven
// device, and rule 4 may be broken in every way.
func (w world) imports(s state, i int8) (out []state) {
	if i == w.keys {
		for _, s.guard = range []bool{false, true} {
			if s.count() > 0 {
				out = append(out, s)
			}
		}
		return out
	}
	out = w.imports(s, i+1)
	for _, k := range []kind{passkey, credential, phrase, phraseCredential} {
		for _, d := range []device{{}, {proven: true}, {proven: true, marked: true}} {
			d.on, d.phrase, d.credential = true, k >= phrase, k == credential || k == phraseCredential
			s.dev[i] = d
			out = append(out, w.imports(s, i+1)...)
		}
	}
	return out
}

// explore visits every state that messages lead to from the starts, breadth first, until a level has
// no new one.
func (w world) explore(starts []state) (states, calls, t2, t7 int, err error) {
	names := permutations(int(w.keys))
	visited := map[packed]struct{}{}
	var level []packed
	add := func(p packed) {
		if _, known := visited[p]; !known {
			visited[p] = struct{}{}
			level = append(level, p)
		}
	}
	for i := range starts {
		add(canonical(&starts[i], names))
	}
	for len(level) > 0 {
		explorers := make([]*explorer, runtime.GOMAXPROCS(0))
		var wait sync.WaitGroup
		for n := range explorers {
			e := &explorer{world: w, names: names, visited: visited, found: map[packed]struct{}{}}
			e.upgrader, e.err = newUpgrader()
			explorers[n] = e
			wait.Go(func() {
				for i := n; i < len(level) && e.err == nil; i += len(explorers) {
					e.err = e.visit(unpack(level[i]))
				}
			})
		}
		wait.Wait()
		level = nil
		for _, e := range explorers {
			err = errors.Join(err, e.err)
			calls += e.calls
			t2 += e.t2
			t7 += e.t7
			for p := range e.found {
				add(p)
			}
		}
		if err != nil {
			return len(visited), calls, t2, t7, err
		}
	}
	return len(visited), calls, t2, t7, nil
}

// explorer visits states in one goroutine; visited is not written meanwhile.
type explorer struct {
	world
	*upgrader
	names          [][keys]int8
	visited, found map[packed]struct{}
	before, after  arena
	messages       []message
	calls, t2, t7  int
	err            error
}

func (e *explorer) visit(s state) error {
	e.messages = e.world.messages(&s, e.messages)
	e.calls += len(e.messages) + 1
	if err := e.upgrade(&s, &e.before); err != nil {
		return fmt.Errorf("%w\n on %+v", err, s)
	}
	for i, m := range e.messages {
		if err := e.send(&s, m, i); err != nil {
			return fmt.Errorf("%w\n after %+v\n on %+v", err, m, s)
		}
	}
	if settled := s; startOfT2(&settled) {
		settled.normalise()
		e.t2++
		if err := recoverable(&settled, &e.after); err != nil {
			return fmt.Errorf("%w\n on %+v", err, s)
		}
	}
	if settled := s; s.named {
		settled.normalise()
		if starts := startsOfT7(&settled); len(starts) > 0 {
			e.t7 += len(starts)
			if err := completable(&settled, &e.after); err != nil {
				return fmt.Errorf("%w\n on %+v", err, s)
			}
		}
	}
	return nil
}

// send puts one message to model and real rules, compares, and checks the theorems.
func (e *explorer) send(s *state, m message, turn int) error {
	want, ok := s.step(m)
	real := e.after.build(s, turn)
	err := drive(real, m)
	if err != nil && m.action <= lastClassic && !ok {
		return nil // both refuse by a trap, which leaves nothing
	}
	got := view(real, callOf(m))
	if got != want || ok != (err == nil) {
		return fmt.Errorf("the rules and the model differ:\n model granted=%v %+v\n rules answered %v: %+v", ok, want, err, got)
	}
	if got == *s && err != nil {
		return nil // refused, and nothing happened
	}
	if err := check(e.before.build(s, turn), real, s, &got, m, ok); err != nil {
		return err
	}
	if got != *s {
		p := canonical(&got, e.names)
		if _, known := e.visited[p]; !known {
			e.found[p] = struct{}{}
		}
	}
	return nil
}
