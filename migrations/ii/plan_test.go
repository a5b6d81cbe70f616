package ii

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/migrations/ii/iitest"
)

// Every number of a report, and as many names as it lists.
func TestPlanCounts(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem)
	used := passkey("used")
	used.LastUsed = ptr(uint64(5))
	o.Register(used, phrase("protected", true), phrase("free", false)) // 10000: two phrases
	o.Register(passkey("alone"))
	for i := range listed + 1 { // 10002 to 10022
		o.Register()
		o.Register(iitest.Device{Key: fmt.Sprint("bad ", i)})
		o.SetEntry(uint64(10003+2*i), []byte("not Candid"))
	}
	o.Register(iitest.Device{Key: ""})
	o.Stop()
	largest := len(o.Entry(10000))

	r, err := Plan(mem)
	require.NoError(t, err)
	require.Equal(t, uint64(listed+1), r.UnreadableAnchors)
	require.Len(t, r.Unreadable, listed)
	require.Equal(t, uint64(10003), r.Unreadable[0].Anchor)
	require.Equal(t, uint64(10003+2*(listed-1)), r.Unreadable[listed-1].Anchor)
	require.Equal(t, uint64(3+2*(listed+1)), r.Anchors)
	require.Equal(t, [4]uint64{5, 2, 1, 2}, [4]uint64{r.Devices, r.Phrases, r.Protected, r.Proven})
	require.Equal(t, uint64(listed+2), r.WithoutDevices)
	require.Equal(t, largest, r.BytesLargest)
	require.True(t, r.KnowsProtection)
	require.True(t, r.SaltSet)
	var first []uint64
	for i := range listed {
		first = append(first, uint64(10002+2*i))
	}
	require.Equal(t, []Count{
		{OddPhrases, 1, []uint64{10000}}, {OddNoDevices, listed + 1, first}, {OddNoKey, 1, []uint64{uint64(10002 + 2*(listed+1))}},
	}, r.Oddities)
	require.Equal(t, fmt.Sprintf("import %d anchors on trial: their new records go above 32 GiB, which this layout cannot reach; the old ones stay valid and are kept up to date until the migration is finalised", listed+4), r.Action)
}

func TestPlanOfEveryLayout(t *testing.T) {
	const vectors, anchors, virtual = "Candid vectors of devices in entries of ", "Candid anchors in entries of 4 KiB", " in virtual memory 0"
	const manager = "in new buckets of the memory manager, as its memory 100;"
	for _, c := range []struct {
		layout      uint8
		form, where string
		knows       bool
	}{
		{layout: 1, form: vectors + "2 KiB", where: "above 8 GiB, which"},
		{layout: 3, form: vectors + "4 KiB", where: "above 16 GiB, which", knows: true},
		{layout: 5, form: anchors, where: "above 32 GiB, which", knows: true},
		{layout: 6, form: anchors, where: "above 32 GiB, which", knows: true},
		{layout: 7, form: anchors + virtual, where: manager, knows: true},
		{layout: 8, form: anchors + virtual, where: manager, knows: true},
		{layout: 9, form: anchors + virtual, where: manager, knows: true},
	} {
		mem := build(t, c.layout)
		r, err := Plan(mem)
		require.NoError(t, err)
		require.Equal(t, c.form, r.Form)
		require.Contains(t, r.Action, "import 0 anchors on trial: their new records go "+c.where)
		require.Equal(t, c.knows, r.KnowsProtection, "layout %d, before a record says so", c.layout)
		require.Equal(t, c.layout, r.Layout)
		require.Zero(t, r.BytesLargest)
		start(t, mem).Register(phrase("phrase", true))
		r, err = Plan(mem)
		require.NoError(t, err)
		require.True(t, r.KnowsProtection, "layout %d, by its record", c.layout)
		require.NoError(t, mem.WriteAt(make([]byte, 32), 26))
		r, err = Plan(mem)
		require.NoError(t, err)
		require.False(t, r.SaltSet)
	}
}

// A layout 1 module before protection is told by its records.
func TestPlanOfModuleWithoutProtection(t *testing.T) {
	mem := build(t, 1)
	iitest.Start(t, mem, noProtection).Register(passkey("passkey"))
	r, err := Plan(mem)
	require.NoError(t, err)
	require.False(t, r.KnowsProtection)
	o := start(t, mem)
	o.Register(passkey("later"))
	iitest.Start(t, mem, noProtection).Register(passkey("earlier again"))
	r, err = Plan(mem)
	require.NoError(t, err)
	require.True(t, r.KnowsProtection)
}
