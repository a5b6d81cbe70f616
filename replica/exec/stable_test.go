package exec_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/replica/exec"
)

// TestStableAgainstFlatMemory drives stable memories and their snapshots at random and holds each
// against a plain byte slice.
func TestStableAgainstFlatMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type pair struct {
			got  *exec.Stable
			want []byte
		}
		memories := []*pair{{got: exec.NewStable()}}
		pick := func(t *rapid.T) *pair {
			return memories[rapid.IntRange(0, len(memories)-1).Draw(t, "memory")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"grow": func(t *rapid.T) {
				m, delta := pick(t), rapid.Uint64Range(0, 2).Draw(t, "pages")
				before, ok := m.got.Grow(delta)
				require.True(t, ok)
				require.EqualValues(t, len(m.want)/exec.WasmPage, before)
				m.want = append(m.want, make([]byte, delta*exec.WasmPage)...)
			},
			"write": func(t *rapid.T) {
				m := pick(t)
				offset := rapid.IntRange(0, len(m.want)+10).Draw(t, "offset")
				data := rapid.SliceOfN(rapid.Byte(), 0, 9000).Draw(t, "data")
				fits := offset+len(data) <= len(m.want)
				require.Equal(t, fits, m.got.WriteAt(data, uint64(offset)))
				if fits {
					copy(m.want[offset:], data)
				}
			},
			"snapshot": func(t *rapid.T) {
				if len(memories) < 5 {
					m := pick(t)
					memories = append(memories, &pair{m.got.Snapshot(), append([]byte(nil), m.want...)})
				}
			},
			"": func(t *rapid.T) {
				for _, m := range memories {
					require.True(t, string(m.want) == string(m.got.Bytes()), "a memory differs from its model")
				}
			},
		})
	})
}

func TestStableBounds(t *testing.T) {
	s := exec.NewStable()
	_, ok := s.Grow(exec.MaxStablePages + 1)
	require.False(t, ok)
	before, ok := s.Grow(exec.MaxStablePages)
	require.True(t, ok)
	require.Zero(t, before)
	_, ok = s.Grow(1)
	require.False(t, ok, "500 GiB is the limit")

	last := s.Size() - 3
	require.True(t, s.WriteAt([]byte("end"), last))
	require.False(t, s.WriteAt([]byte("past"), last))
	require.False(t, s.WriteAt([]byte("wraps"), ^uint64(0)))
	got := make([]byte, 3)
	require.True(t, s.ReadAt(got, last))
	require.Equal(t, "end", string(got))
	var pages int
	s.EachPage(func(index uint64, _ *[exec.OSPage]byte) { pages++; require.Equal(t, last/exec.OSPage, index) })
	require.Equal(t, 1, pages, "an empty memory takes no space")
}
