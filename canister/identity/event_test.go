package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// last returns the last event of the anchor, and forgets all.
func last(t *testing.T, a *Anchor) Event {
	t.Helper()
	require.NotEmpty(t, a.Events)
	e := a.Events[len(a.Events)-1]
	a.Events = nil
	return e
}

// What an unprotected device brings and takes away again within a day is routine; the removal of anything
// older, and whatever a protected device does, never is.
func TestRoutineRemovals(t *testing.T) {
	old := func() *Anchor {
		return stage(device(passkey("laptop"), proven), device(passkey("old"), proven), device(phrase("phrase"), protected))
	}
	added := func(by string, age uint64) *Anchor {
		a := old()
		granted(t, a, who(by), add(passkey("new")))
		require.Equal(t, testNow, a.byKey(key("new")).AddedAt)
		a.byKey(key("new")).AddedAt = testNow - age
		return a
	}
	for _, c := range []struct {
		name    string
		anchor  *Anchor
		by      string
		do      func(*Actor) error
		routine bool
	}{
		{"added and removed by an unprotected device", added("laptop", 0), "laptop", remove("new"), true},
		{"by another one that is not protected", added("laptop", 0), "old", remove("new"), true},
		{"by itself", added("laptop", 0), "new", remove("new"), true},
		{"a moment before the day is over", added("laptop", day-1), "laptop", remove("new"), true},
		{"a day later", added("laptop", day), "laptop", remove("new"), false},
		{"removed by a protected device", added("laptop", 0), "phrase", remove("new"), false},
		{"added by a protected device", added("phrase", 0), "laptop", remove("new"), false},
		{"an older device", old(), "laptop", remove("old"), false},
		{"replaced by an unprotected device", added("laptop", 0), "laptop", replace("new", passkey("newer")), true},
		{"an older device, replaced", old(), "laptop", replace("old", passkey("newer")), false},
		{"an older device, by itself with the same key and credential id", old(), "old", replace("old", renamed(passkey("old"))), true},
		{"the same, another key type", old(), "old", replace("old", func() Data { d := passkey("old"); d.KeyType = CrossPlatform; return d }()), false},
		{"the same, another credential id", old(), "old", replace("old", func() Data { d := passkey("old"); d.CredentialID = []byte("x"); return d }()), false},
		{"a protected device by itself", old(), "phrase", replace("phrase", marked(phrase("phrase"))), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			granted(t, c.anchor, who(c.by), c.do)
			for _, e := range c.anchor.Events {
				if e.Kind == EventRemoved || e.Kind == EventReplaced {
					require.Equal(t, c.routine, e.Routine)
				} else {
					require.False(t, e.Routine)
				}
			}
		})
	}

	// Whatever a chain of replacements brings stays what an unprotected device brought.
	a := added("laptop", 0)
	granted(t, a, who("laptop"), replace("new", passkey("newer")))
	granted(t, a, who("laptop"), replace("newer", passkey("newest")))
	require.True(t, last(t, a).Routine)
	granted(t, a, who("laptop"), remove("newest"))
	require.True(t, last(t, a).Routine)

	// What was protected meanwhile is no longer routine.
	a = added("laptop", 0)
	granted(t, a, who("phrase"), protect("new"))
	granted(t, a, who("phrase"), unprotect("new"))
	granted(t, a, who("laptop"), remove("new"))
	require.False(t, last(t, a).Routine)

	// A temporary key is no protected device either.
	a = withTemporary(old())
	granted(t, a, testTemp, add(passkey("new")))
	require.True(t, a.byKey(key("new")).AddedUnprotected)
	granted(t, a, testTemp, remove("new"))
	require.True(t, last(t, a).Routine)
}

// A device that replaces itself and stays what it is keeps its time of adding, and with it its place in
// look-ups: otherwise a stranger's anchor with the same credential id would come before it.
func TestReplaceKeepsTimeOfAdding(t *testing.T) {
	since := device(passkey("laptop")).AddedAt
	for _, c := range []struct {
		name  string
		by    string
		gone  string
		data  Data
		added uint64
	}{
		{"the same key and credential id", "laptop", "laptop", renamed(passkey("laptop")), since},
		{"another credential id", "laptop", "laptop", func() Data { d := passkey("laptop"); d.CredentialID = []byte("x"); return d }(), testNow},
		{"no credential id", "laptop", "laptop", func() Data { d := passkey("laptop"); d.CredentialID = nil; return d }(), testNow},
		{"another key", "laptop", "laptop", passkey("tablet"), testNow},
		{"by another device", "phone", "laptop", renamed(passkey("laptop")), testNow},
		{"without credential ids", "phrase", "phrase", renamed(marked(phrase("phrase"))), since},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := stage(device(passkey("laptop"), proven), device(passkey("phone"), proven), device(phrase("phrase"), protected))
			granted(t, a, who(c.by), replace(c.gone, c.data))
			require.Equal(t, c.added, a.byKey(c.data.PublicKey).AddedAt)
		})
	}
}
