package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
)

// What the last entries tell of the header's count. Each letter is an entry: a record, a blank one, the old module's
// state, or something else, which an earlier state may have left or damage made.
func TestTailOfEntries(t *testing.T) {
	const most = maxState / 2048
	repeat := func(entry byte, n int) (out []byte) {
		for range n {
			out = append(out, entry)
		}
		return out
	}
	for _, c := range []struct {
		name    string
		entries []byte
		text    string // "" where the count may be right
	}{
		{"none", nil, ""},
		{"one record", []byte("r"), ""},
		{"one blank", []byte("b"), ""},
		{"two blanks", []byte("bb"), "the header counts 2 anchors, but only 0 have a record: the last 2 entries were never written, so the count is wrong"},
		{"a blank at the end", []byte("rrb"), ""},
		{"two blanks at the end", []byte("rrbb"), "the header counts 4 anchors, but only 2 have a record: the last 2 entries"},
		{"blanks before the last record", []byte("rbbr"), ""},
		{"the state", []byte("rs"), "the header counts 2 anchors, but only 1 have a record: the last 1 entries"},
		{"the state, and what it left", []byte("rsoob"), "the header counts 5 anchors, but only 1 have a record: the last 4 entries"},
		{"what cannot be read", []byte("roo"), ""},
		{"a record that fills its entry", []byte("fbb"), "only 1 have a record"},
		{"a record longer than its entry", []byte("rlbb"), "the header counts 4 anchors, but the last 2 entries"},
		{"a length, and no Candid", []byte("rnbb"), "the header counts 4 anchors, but the last 2 entries"},
		{"nothing that can be read", []byte("ooo"), ""},
		{"a blank behind what cannot be read", []byte("rbob"), ""},
		{"blanks behind what cannot be read", []byte("robb"), "the header counts 4 anchors, but the last 2 entries were never written, so the count is wrong"},
		{"as much as a state can have left", append([]byte("rs"), repeat('o', most)...), "but only 1 have a record"},
		{"more than a state can have left", append([]byte("rs"), repeat('o', most+1)...), ""},
		{"blanks behind more than that", append(repeat('o', most+1), "bb"...), "the last 2 entries were never written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := storage.NewRAM(0)
			iitest.Install(t, mem, 6, iitest.Options{Entries: 9000})
			m, err := Open(mem)
			require.NoError(t, err)
			require.NoError(t, m.ensure(uint64(len(c.entries)+1)*4096))
			for i, entry := range c.entries {
				what := map[byte]string{'r': "\x08\x00DIDL\x00\x00", 's': stateMagic + "\x05\x00\x00\x00\x00\x00\x00\x00state", 'o': "other", 'b': "",
					'f': "\xfe\x0fDIDL", 'l': "\xff\x0fDIDL", 'n': "\x08\x00DIDX"}[entry]
				require.NoError(t, m.writeAt([]byte(what), uint64(i)*4096))
			}
			require.NoError(t, mem.WriteAt(le.AppendUint32(nil, uint32(len(c.entries))), 4))
			_, err = Open(mem)
			if c.text == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.text)
		})
	}
}

// The state of layout 8 stays where it was when layout 9 begins to keep its own elsewhere.
func TestStateOfTheLayoutBeforeIsNoContradiction(t *testing.T) {
	mem := build(t, 9)
	start(t, mem).Register(passkey("passkey"))
	m, err := Open(mem)
	require.NoError(t, err)
	require.NoError(t, m.ensure(2*4096))
	require.NoError(t, m.writeAt([]byte(stateMagic), 4096))
	_, err = Open(mem)
	require.ErrorContains(t, err, "it names layout 9")
	writeState(t, mem, 9, []byte("its own"))
	_, err = Open(mem)
	require.NoError(t, err)

	one := storage.RAMOf(nil) // one page, of a layout that uses the second for nothing
	require.NoError(t, one.Grow(1))
	head := make([]byte, headerSize)
	require.NoError(t, build(t, 6).ReadAt(head, 0))
	require.NoError(t, one.WriteAt(head, 0))
	_, err = Open(one)
	require.NoError(t, err)
}
