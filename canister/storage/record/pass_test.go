package record

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// What two records have in common at their beginning is passed over, in records of two versions too, and the cursors go on
// behind it.
func TestPassSame(t *testing.T) {
	named := func(name string) identity.Device {
		return identity.Device{
			Data:      identity.Data{PublicKey: []byte(name), CredentialID: []byte("id of " + name), Alias: "alias"},
			Principal: principal.SelfAuthenticating([]byte(name)),
		}
	}
	devices := func(names string) (all []identity.Device) {
		for _, name := range names {
			all = append(all, named(string(name)))
		}
		return all
	}
	rest := func(c Cursor) (names string) {
		for c.Left() > 0 {
			d, err := c.Next()
			require.NoError(t, err)
			names += string(d.CredentialID()[len("id of "):])
		}
		return names
	}
	for _, c := range []struct{ old, new, passed, oldRest, newRest string }{
		{"", "", "", "", ""}, {"a", "", "", "a", ""}, {"", "a", "", "", "a"}, {"a", "a", "a", "", ""}, {"a", "b", "", "a", "b"},
		{"abc", "abc", "abc", "", ""}, {"abc", "ab", "ab", "c", ""}, {"ab", "abc", "ab", "", "c"}, {"abc", "adc", "a", "bc", "dc"},
	} {
		for _, version := range []byte{Version1, Version2, Version3} {
			name := fmt.Sprintf("%s to %s in version %d", c.old, c.new, version)
			old := Devices(encoded(t, version, anchorOf(devices(c.old)...)), version)
			new := Devices(encoded(t, Newest, anchorOf(devices(c.new)...)), Newest)
			before := []Stored{{}}
			passed, err := PassSame(&old, &new, before)
			require.NoError(t, err, name)
			require.Len(t, passed, 1+len(c.passed), name)
			for i, d := range passed[1:] {
				require.Equal(t, "id of "+c.passed[i:i+1], string(d.CredentialID()), name)
			}
			require.Equal(t, len(c.oldRest), old.Left(), name)
			require.Equal(t, len(c.newRest), new.Left(), name)
			require.Equal(t, c.oldRest, rest(old), name)
			require.Equal(t, c.newRest, rest(new), name)
		}
	}

	whole := encoded(t, Newest, anchorOf(devices("ab")...))
	for cut := range len(whole) - fixedHead {
		for _, both := range [][2][]byte{{whole[:fixedHead+cut], whole}, {whole, whole[:fixedHead+cut]}} {
			old, new := Devices(both[0], Newest), Devices(both[1], Newest)
			_, err := PassSame(&old, &new, nil)
			require.ErrorIs(t, err, ErrShort, "cut to %d bytes of devices", cut)
		}
	}
}

// An event takes 14 bytes, 8 more with a time, and one more than each principal that it has.
func TestLengthsOfEvents(t *testing.T) {
	p := principal.SelfAuthenticating([]byte("key"))
	for _, c := range []struct {
		e     identity.Event
		bytes int
		flags byte
	}{
		{identity.Event{}, 14, 0}, {identity.Event{Until: 1}, 22, 16}, {identity.Event{Temporary: true, By: p}, 44, 1 | 2},
		{identity.Event{Device: p}, 44, 4}, {identity.Event{Other: p}, 44, 8}, {identity.Event{By: p, Other: principal.Anonymous}, 46, 2 | 8},
		{identity.Event{By: p, Device: p, Other: p, Until: 1}, 112, 2 | 4 | 8 | 16},
	} {
		b := AppendEvent([]byte("before"), 7, &c.e)
		require.Len(t, b, len("before")+c.bytes)
		require.Equal(t, "before", string(b[:6]))
		require.Equal(t, c.flags, b[6+13])
	}
}
