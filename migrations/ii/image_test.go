package ii

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
	"kedge/internal/vectors"
)

// realImage is the stable memory of a real canister.
func realImage(t testing.TB, name string) *storage.RAM {
	t.Helper()
	file, err := os.Open(filepath.Join(vectors.Dir(t, "ii"), name+".bin.gz"))
	require.NoError(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	image, err := io.ReadAll(z)
	require.NoError(t, err)
	return storage.RAMOf(image)
}

func TestRealImages(t *testing.T) {
	for _, c := range []struct {
		name     string
		layout   uint8
		anchors  uint32
		hi       uint64
		state    int
		protects bool
	}{
		{"genesis_v1", 1, 31, 8_000_000_000, 0, false},
		{"genesis_v5", 5, 33, 3_784_873, 12 + 83, true},
		{"genesis_v7", 7, 33, 3_784_873, 12 + 375, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := realImage(t, c.name)
			before := mem.Clone()
			m, err := Open(mem)
			require.NoError(t, err)
			require.Equal(t, c.layout, m.Layout)
			require.Equal(t, c.anchors, m.Anchors)
			require.Equal(t, uint64(10000), m.Lo)
			require.Equal(t, c.hi, m.Hi)
			require.Equal(t, "4d7e3481726397f6676c832ac5c95328a7d48aa669b81c8877933208da64a2d0", hex.EncodeToString(m.Salt[:]))

			r, err := Plan(mem)
			require.NoError(t, err)
			require.Zero(t, r.UnreadableAnchors)
			require.Equal(t, c.state, r.StateBytes)
			require.Equal(t, c.protects, r.KnowsProtection)
			require.Equal(t, uint64(1), r.WithoutDevices)
			require.Equal(t, []Count{{OddNoDevices, 1, []uint64{10025}}}, r.Oddities)
			require.True(t, r.SaltSet)
			require.Contains(t, r.Action, "on trial")
			require.True(t, before.Equal(mem), "a plan changes nothing")

			aliases := map[uint64][]string{10000: {"Desktop"}, 10002: {"andrew-mbp", "andrew phone chrome"}, 10029: {"Pixel"}, 10030: {"dfx", "testkey"}}
			for number, want := range aliases {
				old, _, err := m.Decode(uint32(number - m.Lo))
				require.NoError(t, err)
				a, odd := old.Import()
				require.Empty(t, odd)
				var got []string
				for _, d := range a.Devices {
					got = append(got, d.Alias)
					require.False(t, d.Proven)
					require.Equal(t, identity.Authentication, d.Purpose)
				}
				require.Equal(t, want, got, number)
			}
		})
	}
}

// Whatever a memory claims of itself, a plan ends, changes nothing, and never panics.
func FuzzPlan(f *testing.F) {
	for _, layout := range layouts {
		mem := build(f, layout)
		o := start(f, mem)
		o.Register(passkey("passkey"))
		o.Stop()
		head := make([]byte, 128)
		require.NoError(f, mem.ReadAt(head, 0))
		manager := make([]byte, managerOwners+4)
		if layout >= 7 {
			require.NoError(f, mem.ReadAt(manager, managerAt))
		}
		entry := append([]byte{byte(len(o.Entry(10000))), byte(len(o.Entry(10000)) >> 8)}, o.Entry(10000)...)
		f.Add(head, manager, entry)
	}
	f.Fuzz(func(t *testing.T, head, manager, entry []byte) {
		mem := storage.NewRAM(2 + 2*alloc.ExtentPages)
		require.NoError(t, mem.Grow(2+alloc.ExtentPages))
		for at, part := range map[uint64][]byte{0: head, managerAt: manager, lateEntries: entry} {
			require.NoError(t, mem.WriteAt(part[:min(len(part), storage.PageSize)], at))
		}
		before := mem.Clone()
		_, _ = Plan(mem)
		require.True(t, before.Equal(mem))
	})
}
