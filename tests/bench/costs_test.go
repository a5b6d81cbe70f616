package bench

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/tests/house"
)

const file = "costs.txt"

func measureAll(tb testing.TB) []Cost {
	h := house.Open(tb, nil)
	return append(Measure(h, 3), Measure(h, 9)...)
}

// What methods cost stays within 5 % of the committed figures: a change for the worse is seen, and one for
// the better is written down (make bench).
func TestCostsAreTheCommittedOnes(t *testing.T) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	want, err := Parse(string(text))
	require.NoError(t, err)
	got := measureAll(t)
	require.Len(t, got, len(want), "run make bench")
	for i, g := range got {
		w := want[i]
		require.Equal(t, w.Method, g.Method)
		require.InEpsilon(t, w.Instructions, g.Instructions, 0.05, "instructions of %s with %d devices: run make bench and look at the diff", g.Method, g.Devices)
		// A few pages more or less come and go with where the allocator happens to be.
		require.InDelta(t, w.HeapRead, g.HeapRead, 5, "heap pages read by %s with %d devices", g.Method, g.Devices)
		require.InDelta(t, w.HeapWritten, g.HeapWritten, 5, "heap pages written by %s with %d devices", g.Method, g.Devices)
		require.InDelta(t, w.StableRead, g.StableRead, 1, "stable pages read by %s with %d devices", g.Method, g.Devices)
		require.InDelta(t, w.StableWritten, g.StableWritten, 1, "stable pages written by %s with %d devices", g.Method, g.Devices)
	}
}

func TestTableAndParse(t *testing.T) {
	costs := []Cost{{"add", 3, 100, 1, 2, 3, 4}, {"lookup", 9, 5, 0, 0, 1, 0}}
	got, err := Parse(Table(costs))
	require.NoError(t, err)
	require.Equal(t, costs, got)
	_, err = Parse("heading\nadd three")
	require.ErrorContains(t, err, `line "add three"`)
}

// BenchmarkCosts writes costs.txt.
func BenchmarkCosts(b *testing.B) {
	for b.Loop() {
		table := Table(measureAll(b))
		require.NoError(b, os.WriteFile(file, []byte(table), 0o644))
		b.Log("\n" + table)
	}
}
